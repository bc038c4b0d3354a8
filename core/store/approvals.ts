/**
 * Accounts that an admin of this node wants in a group although it was somebody else who invited them there: the history
 * has no place for that.
 */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, textOf } from "./row.ts";

/** Reads and writes the approvals. */
export class Approvals {
  readonly #put;
  readonly #forConversation;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO approvals VALUES (?, ?, ?)");
    this.#forConversation = db.prepare("SELECT account, seq FROM approvals WHERE conversation = ?");
  }

  /** Approves of an account. @param seq of the latest commit that was known then: who goes later must be approved anew */
  put(conversation: string, account: string, seq: number): void {
    this.#put.run(conversation, account, seq);
  }

  /** The approved accounts of a group, each with its `seq`. */
  forConversation(conversation: string): Map<string, number> {
    const rows = this.#forConversation.all(conversation);
    return new Map(rows.map((row) => [textOf(row, "account"), integerOf(row, "seq")]));
  }
}
