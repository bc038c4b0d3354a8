/** Invitations into conversations that we owe to others, kept until they joined (swarm-sync.md 8.2 item 9). */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** An invitation to be sent again and again. */
export interface Invite {
  conversation: string;
  /** Jami ID of the invited */
  account: string;
  /** when it was made, ms: it is said with every repetition, so that one declined is not shown again */
  made: number;
}

/** Reads and writes the invitations we owe. */
export class Invites {
  readonly #put;
  readonly #all;
  readonly #forConversation;
  readonly #forAccount;
  readonly #delete;
  readonly #drop;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO invites VALUES (?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM invites ORDER BY conversation, account");
    this.#forConversation = db.prepare("SELECT * FROM invites WHERE conversation = ? ORDER BY account");
    this.#forAccount = db.prepare("SELECT * FROM invites WHERE account = ? ORDER BY conversation");
    this.#delete = db.prepare("DELETE FROM invites WHERE conversation = ? AND account = ?");
    this.#drop = db.prepare("DELETE FROM invites WHERE conversation = ?");
  }

  /** Keeps an invitation, in place of the earlier one of the same account and conversation. */
  put(invite: Invite): void {
    this.#put.run(invite.conversation, invite.account, invite.made);
  }

  /** All. */
  all(): Invite[] {
    return this.#all.all().map(inviteOf);
  }

  /** Those into a conversation. */
  forConversation(conversation: string): Invite[] {
    return this.#forConversation.all(conversation).map(inviteOf);
  }

  /** Those owed to an account. */
  forAccount(account: string): Invite[] {
    return this.#forAccount.all(account).map(inviteOf);
  }

  /** Forgets one: the invited has joined, or is no longer invited. */
  delete(conversation: string, account: string): boolean {
    return this.#delete.run(conversation, account).changes > 0;
  }

  /** Forgets all of a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

function inviteOf(row: Row): Invite {
  return { conversation: textOf(row, "conversation"), account: textOf(row, "account"), made: integerOf(row, "made") };
}
