/** Links by which people have themselves invited into groups. Of each link's secret only the hash is kept. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** The link of a group: there is one at most. */
export interface JoinLink {
  conversation: string;
  /** SHA-256 of the secret, hex */
  hash: string;
  /** ms */
  created: number;
  /** ms */
  expires: number;
  /** how many may be invited by it */
  maxUses: number;
  /** how many were */
  uses: number;
}

/** Reads and writes the links. */
export class JoinLinks {
  readonly #put;
  readonly #get;
  readonly #byHash;
  readonly #take;
  readonly #giveBack;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO join_links VALUES (?, ?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM join_links WHERE conversation = ?");
    this.#byHash = db.prepare("SELECT * FROM join_links WHERE hash = ?");
    this.#take = db.prepare(
      "UPDATE join_links SET uses = uses + 1 WHERE hash = ? AND uses < max_uses AND expires > ?",
    );
    this.#giveBack = db.prepare("UPDATE join_links SET uses = uses - 1 WHERE hash = ? AND uses > 0");
    this.#delete = db.prepare("DELETE FROM join_links WHERE conversation = ?");
  }

  /** Keeps a link, in place of the group's earlier one. */
  put({ conversation, hash, created, expires, maxUses, uses }: JoinLink): void {
    this.#put.run(conversation, hash, created, expires, maxUses, uses);
  }

  /** The link of a group, used up and expired ones too. */
  get(conversation: string): JoinLink | undefined {
    const row = this.#get.get(conversation);
    return row && linkOf(row);
  }

  /** The link with this secret, used up and expired ones too. */
  byHash(hash: string): JoinLink | undefined {
    const row = this.#byHash.get(hash);
    return row && linkOf(row);
  }

  /** Counts a use. @returns false: the link is used up, has expired at `now` (ms), or is no more */
  take(hash: string, now: number): boolean {
    return this.#take.run(hash, now).changes > 0;
  }

  /** A use that came to nothing does not count. */
  giveBack(hash: string): void {
    this.#giveBack.run(hash);
  }

  /** Forgets the link of a group. @returns was there one? */
  delete(conversation: string): boolean {
    return this.#delete.run(conversation).changes > 0;
  }
}

function linkOf(row: Row): JoinLink {
  return {
    conversation: textOf(row, "conversation"),
    hash: textOf(row, "hash"),
    created: integerOf(row, "created"),
    expires: integerOf(row, "expires"),
    maxUses: integerOf(row, "max_uses"),
    uses: integerOf(row, "uses"),
  };
}
