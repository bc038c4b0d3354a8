/** What groups have of their own in place of the node's settings about files. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** The rules of one conversation; `null` = as the node's settings say. */
export interface FileRules {
  /** bytes that its files may take */
  quota: number | null;
  /** days after its announcement until a file is given up; 0 = never */
  retentionDays: number | null;
}

/** Reads and writes the rules. */
export class FileRulesTable {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM file_rules ORDER BY conversation");
    this.#get = db.prepare("SELECT * FROM file_rules WHERE conversation = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO file_rules VALUES (?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM file_rules WHERE conversation = ?");
  }

  /** Those of all conversations that have some. */
  all(): (FileRules & { conversation: string })[] {
    return this.#all.all().map((row) => ({ conversation: textOf(row, "conversation"), ...rulesOf(row) }));
  }

  get(conversation: string): FileRules {
    const row = this.#get.get(conversation);
    return row ? rulesOf(row) : { quota: null, retentionDays: null };
  }

  /** Puts rules in place of those before; without any the row goes. */
  put(conversation: string, { quota, retentionDays }: FileRules): void {
    if (quota === null && retentionDays === null) this.#delete.run(conversation);
    else this.#put.run(conversation, quota, retentionDays);
  }
}

function rulesOf(row: Row): FileRules {
  const number = (name: string) => row[name] === null ? null : integerOf(row, name);
  return { quota: number("quota"), retentionDays: number("retention_days") };
}
