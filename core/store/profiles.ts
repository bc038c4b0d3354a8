/** The profiles that accounts sent of themselves, and who has ours (swarm-sync.md 6.5). */

import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../base/bytes.ts";
import { MAX_PROFILES, MAX_PROFILES_SENT } from "./constants.ts";
import { bytesOf, integerOf, type Row, textOf } from "./row.ts";

/** A person's profile. */
export interface StoredProfile {
  /** Jami ID of whom it shows and who sent it */
  account: string;
  /** the name in it; "" = none */
  name: string;
  vcard: Bytes;
  /** when it was changed, s, as its sender says; 0 = it does not say */
  modified: number;
  /** ms */
  received: number;
}

/** Reads and writes profiles; at most {@link MAX_PROFILES}. */
export class Profiles {
  readonly #get;
  readonly #name;
  readonly #put;
  readonly #prune;
  readonly #sent;
  readonly #setSent;
  readonly #pruneSent;

  constructor(db: DatabaseSync, private readonly most = MAX_PROFILES, private readonly mostSent = MAX_PROFILES_SENT) {
    this.#get = db.prepare("SELECT * FROM profiles WHERE account = ?");
    this.#name = db.prepare("SELECT name FROM profiles WHERE account = ?");
    this.#put = db.prepare(
      `INSERT INTO profiles VALUES (?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET
         name = excluded.name, vcard = excluded.vcard, modified = excluded.modified, received = excluded.received
       WHERE excluded.modified = 0 OR excluded.modified >= modified`,
    );
    this.#prune = db.prepare(
      "DELETE FROM profiles WHERE rowid IN (SELECT rowid FROM profiles ORDER BY received DESC, rowid DESC LIMIT -1 OFFSET ?)",
    );
    this.#sent = db.prepare("SELECT sha3 FROM profiles_sent WHERE device = ?");
    this.#setSent = db.prepare("INSERT OR REPLACE INTO profiles_sent VALUES (?, ?, ?)");
    this.#pruneSent = db.prepare(
      "DELETE FROM profiles_sent WHERE rowid IN (SELECT rowid FROM profiles_sent ORDER BY sent DESC, rowid DESC LIMIT -1 OFFSET ?)",
    );
  }

  /** The profile of an account. */
  get(account: string): StoredProfile | undefined {
    const row = this.#get.get(account);
    return row && profileOf(row);
  }

  /** The name of an account by its profile; "" = unknown. */
  name(account: string): string {
    const row = this.#name.get(account);
    return row ? textOf(row, "name") : "";
  }

  /** Keeps a profile in place of the account's earlier one; one that says it is older is not kept. Returns whether it was. */
  put({ account, name, vcard, modified, received }: StoredProfile): boolean {
    const kept = this.#put.run(account, name, vcard, modified, received).changes > 0;
    this.#prune.run(this.most);
    return kept;
  }

  /** Which version of our own profile the device has, as SHA3-512; `undefined`: none. */
  sent(device: string): string | undefined {
    const row = this.#sent.get(device);
    return row && textOf(row, "sha3");
  }

  /** Notes that the device was sent a version at `at` (ms). */
  setSent(device: string, sha3: string, at: number): void {
    this.#setSent.run(device, sha3, at);
    this.#pruneSent.run(this.mostSent);
  }
}

function profileOf(row: Row): StoredProfile {
  return {
    account: textOf(row, "account"),
    name: textOf(row, "name"),
    vcard: bytesOf(row, "vcard"),
    modified: integerOf(row, "modified"),
    received: integerOf(row, "received"),
  };
}
