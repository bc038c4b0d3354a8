/** Histories that were refused and are kept aside, and the commits that the operator accepts nevertheless (swarm-repository.md 5.6). */

import type { DatabaseSync } from "node:sqlite";
import { flagOf, integerOf, optionalTextOf, type Row, textOf } from "./row.ts";

/** A history that a peer offered and that breaks a rule. */
export interface RefusedHistory {
  conversation: string;
  /** its newest commit */
  head: string;
  /** the first commit that breaks a rule */
  commit: string;
  reason: string;
  detail: string;
  /** type of that commit; "" = it cannot be read */
  type: string;
  /** its author; absent = unknown */
  author?: string;
  /** does it break nothing but a rule, so that the operator may accept it? */
  overridable: boolean;
  /** who offered it */
  account: string;
  device: string;
  /** ms */
  received: number;
  /** size of the file that it is kept in; 0 = only this record is kept */
  bytes: number;
}

/** Reads and writes the records of refused histories. */
export class RefusedHistories {
  readonly #put;
  readonly #all;
  readonly #forConversation;
  readonly #get;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO refused_histories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM refused_histories ORDER BY received, head");
    this.#forConversation = db.prepare(
      "SELECT * FROM refused_histories WHERE conversation = ? ORDER BY received, head",
    );
    this.#get = db.prepare("SELECT * FROM refused_histories WHERE conversation = ? AND head = ?");
    this.#delete = db.prepare("DELETE FROM refused_histories WHERE conversation = ? AND head = ?");
  }

  /** Keeps a record in place of the earlier one of the same head. */
  put(history: RefusedHistory): void {
    const { conversation, head, commit, reason, detail, type, author, overridable } = history;
    const { account, device, received, bytes } = history;
    const why = [commit, reason, detail, type, author ?? null, overridable ? 1 : 0] as const;
    this.#put.run(conversation, head, ...why, account, device, received, bytes);
  }

  /** All, the oldest first. */
  all(): RefusedHistory[] {
    return this.#all.all().map(historyOf);
  }

  /** Those of a conversation, the oldest first. */
  forConversation(conversation: string): RefusedHistory[] {
    return this.#forConversation.all(conversation).map(historyOf);
  }

  get(conversation: string, head: string): RefusedHistory | undefined {
    const row = this.#get.get(conversation, head);
    return row && historyOf(row);
  }

  /** Forgets one; false when there is none. */
  delete(conversation: string, head: string): boolean {
    return this.#delete.run(conversation, head).changes > 0;
  }
}

function historyOf(row: Row): RefusedHistory {
  const author = optionalTextOf(row, "author");
  return {
    conversation: textOf(row, "conversation"),
    head: textOf(row, "head"),
    commit: textOf(row, "violator"),
    reason: textOf(row, "reason"),
    detail: textOf(row, "detail"),
    type: textOf(row, "type"),
    ...author !== undefined && { author },
    overridable: flagOf(row, "overridable"),
    account: textOf(row, "account"),
    device: textOf(row, "device"),
    received: integerOf(row, "received"),
    bytes: integerOf(row, "bytes"),
  };
}

/** A commit that the operator accepts although it breaks a rule. */
export interface Override {
  conversation: string;
  commit: string;
  /** the rule that it breaks */
  violated: string;
  /** the operator's reason */
  reason: string;
  /** ms */
  at: number;
}

/** Reads and writes the operator's decisions. */
export class Overrides {
  readonly #put;
  readonly #forConversation;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR IGNORE INTO overrides VALUES (?, ?, ?, ?, ?)");
    this.#forConversation = db.prepare("SELECT * FROM overrides WHERE conversation = ? ORDER BY at, violator");
  }

  /** Keeps a decision; one that was made before stays as it was. */
  put({ conversation, commit, violated, reason, at }: Override): void {
    this.#put.run(conversation, commit, violated, reason, at);
  }

  /** The decisions about a conversation, the oldest first. */
  forConversation(conversation: string): Override[] {
    return this.#forConversation.all(conversation).map((row) => ({
      conversation: textOf(row, "conversation"),
      commit: textOf(row, "violator"),
      violated: textOf(row, "violated"),
      reason: textOf(row, "reason"),
      at: integerOf(row, "at"),
    }));
  }

  /** The commits of a conversation that are accepted. */
  commits(conversation: string): Set<string> {
    return new Set(this.forConversation(conversation).map(({ commit }) => commit));
  }
}
