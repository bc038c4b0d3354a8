/** The other devices of the node's own account, by what they say of themselves, and whom each conversation may be cloned from. */

import type { DatabaseSync } from "node:sqlite";
import { MAX_CLONE_SOURCES, MAX_DEVICES_PER_ACCOUNT } from "./constants.ts";
import { integerOf, type Row, textOf } from "./row.ts";

/** A device of the own account. */
export interface OwnDevice {
  device: string;
  /** "" = it has not said */
  name: string;
  /** when it was connected last, ms; 0 = never */
  seen: number;
}

/** Reads and writes own devices: at most {@link MAX_DEVICES_PER_ACCOUNT}. */
export class OwnDevices {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #count;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM own_devices ORDER BY device");
    this.#get = db.prepare("SELECT * FROM own_devices WHERE device = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO own_devices VALUES (?, ?, ?)");
    this.#count = db.prepare("SELECT count(*) AS n FROM own_devices");
  }

  /** All, by id. */
  all(): OwnDevice[] {
    return this.#all.all().map(ownDeviceOf);
  }

  /** One of them. */
  get(device: string): OwnDevice | undefined {
    const row = this.#get.get(device);
    return row && ownDeviceOf(row);
  }

  /** Writes what is known of a device; false when there is no room for one more. */
  put({ device, name, seen }: OwnDevice): boolean {
    const isFull = !this.get(device) && Number(this.#count.get()?.n) >= MAX_DEVICES_PER_ACCOUNT;
    if (!isFull) this.#put.run(device, name, seen);
    return !isFull;
  }
}

/** Accounts that may bring a conversation which is still to be cloned, besides who invited us. */
export class CloneSources {
  readonly #all;
  readonly #put;
  readonly #drop;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT account FROM clone_sources WHERE conversation = ? ORDER BY account");
    this.#put = db.prepare("INSERT OR IGNORE INTO clone_sources VALUES (?, ?)");
    this.#drop = db.prepare("DELETE FROM clone_sources WHERE conversation = ?");
  }

  /** Those of a conversation. */
  all(conversation: string): string[] {
    return this.#all.all(conversation).map((row) => textOf(row, "account"));
  }

  /** Names them, in place of those named before: the first {@link MAX_CLONE_SOURCES}. */
  put(conversation: string, accounts: readonly string[]): void {
    this.drop(conversation);
    for (const account of accounts.slice(0, MAX_CLONE_SOURCES)) this.#put.run(conversation, account);
  }

  /** They are needed no more. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

function ownDeviceOf(row: Row): OwnDevice {
  return { device: textOf(row, "device"), name: textOf(row, "name"), seen: integerOf(row, "seen") };
}
