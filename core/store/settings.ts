/** Single texts under a name: what does not deserve a table. */

import type { DatabaseSync } from "node:sqlite";
import { textOf } from "./row.ts";

/** Reads and writes named texts. */
export class Settings {
  readonly #get;
  readonly #set;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare("SELECT value FROM settings WHERE key = ?");
    this.#set = db.prepare("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    this.#delete = db.prepare("DELETE FROM settings WHERE key = ?");
  }

  /** The text under `key`. */
  get(key: string): string | undefined {
    const row = this.#get.get(key);
    return row && textOf(row, "value");
  }

  /** Puts `value` under `key`, in place of what was there. */
  set(key: string, value: string): void {
    this.#set.run(key, value);
  }

  /** Forgets what stands under `key`. */
  delete(key: string): void {
    this.#delete.run(key);
  }
}
