/** What the own account's devices keep for each other and this node has no use for itself (swarm-sync.md 4): handed on as it came. */

import type { DatabaseSync } from "node:sqlite";
import { MAX_STATUSES } from "./constants.ts";
import { type Row, textOf } from "./row.ts";

/** A person's settings for a conversation, such as its colour. */
export class Preferences {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #drop;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM conversation_preferences ORDER BY conversation");
    this.#get = db.prepare("SELECT * FROM conversation_preferences WHERE conversation = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO conversation_preferences VALUES (?, ?)");
    this.#drop = db.prepare("DELETE FROM conversation_preferences WHERE conversation = ?");
  }

  /** All, by conversation. */
  all(): Map<string, Map<string, string>> {
    return new Map(this.#all.all().map((row) => [textOf(row, "conversation"), preferencesOf(row)]));
  }

  /** Those for one conversation. */
  get(conversation: string): Map<string, string> | undefined {
    const row = this.#get.get(conversation);
    return row && preferencesOf(row);
  }

  /** Keeps them in place of the earlier ones. */
  put(conversation: string, preferences: ReadonlyMap<string, string>): void {
    this.#put.run(conversation, JSON.stringify([...preferences]));
  }

  /** Forgets those for a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

/** How far a member has got in a conversation. Commits are "" when unknown, times are seconds as text. */
export interface MemberStatus {
  conversation: string;
  account: string;
  fetched: string;
  fetchedAt: string;
  read: string;
  readAt: string;
}

/** What own devices know of what members have fetched and read: at most {@link MAX_STATUSES} for a conversation. */
export class MessageStatuses {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #drop;
  readonly #count;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM message_statuses ORDER BY conversation, account");
    this.#get = db.prepare("SELECT * FROM message_statuses WHERE conversation = ? AND account = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO message_statuses VALUES (?, ?, ?, ?, ?, ?)");
    this.#drop = db.prepare("DELETE FROM message_statuses WHERE conversation = ?");
    this.#count = db.prepare("SELECT count(*) AS n FROM message_statuses WHERE conversation = ?");
  }

  /** All, by conversation and account. */
  all(): MemberStatus[] {
    return this.#all.all().map(statusOf);
  }

  /** That of a member. */
  get(conversation: string, account: string): MemberStatus | undefined {
    const row = this.#get.get(conversation, account);
    return row && statusOf(row);
  }

  /** Keeps it in place of the earlier one; false when there is no room. */
  put({ conversation, account, fetched, fetchedAt, read, readAt }: MemberStatus): boolean {
    const isFull = !this.get(conversation, account) && Number(this.#count.get(conversation)?.n) >= MAX_STATUSES;
    if (!isFull) this.#put.run(conversation, account, fetched, fetchedAt, read, readAt);
    return !isFull;
  }

  /** Forgets those of a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

/** A JSON list of pairs, as `put` wrote it. */
function preferencesOf(row: Row): Map<string, string> {
  const pairs: [string, string][] = JSON.parse(textOf(row, "preferences"));
  return new Map(pairs);
}

function statusOf(row: Row): MemberStatus {
  return {
    conversation: textOf(row, "conversation"),
    account: textOf(row, "account"),
    fetched: textOf(row, "fetched"),
    fetchedAt: textOf(row, "fetched_at"),
    read: textOf(row, "read"),
    readAt: textOf(row, "read_at"),
  };
}
