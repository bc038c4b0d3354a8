/** The account's contacts (account.md 6.4), banned and removed ones included. */

import type { DatabaseSync } from "node:sqlite";
import { flagOf, integerOf, optionalTextOf, type Row, textOf } from "./row.ts";

/** One contact record. */
export interface Contact {
  /** Jami ID */
  account: string;
  /** when it was added, ms */
  added: number;
  /** when it was removed, ms; 0 = never since it was added */
  removed: number;
  /** the other side has agreed */
  confirmed: boolean;
  banned: boolean;
  /** the one-to-one conversation; "" = none */
  conversation: string;
  /** who or what added it, for the records */
  addedBy?: string;
}

/** Is the record one of a present contact? Active means: added later than removed (account.md 6.4). */
export function isActiveContact(contact: Contact): boolean {
  return contact.added > contact.removed;
}

/** Reads and writes contact records. */
export class Contacts {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #banned;
  readonly #count;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM contacts ORDER BY account");
    this.#get = db.prepare("SELECT * FROM contacts WHERE account = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO contacts VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#count = db.prepare("SELECT count(*) AS n FROM contacts");
    this.#banned = db.prepare("SELECT account FROM contacts WHERE banned = 1 AND added <= removed ORDER BY account");
  }

  /** Every record, removed and banned ones too, by account. */
  all(): Contact[] {
    return this.#all.all().map(contactOf);
  }

  /** How many records there are. */
  count(): number {
    return Number(this.#count.get()?.n);
  }

  /** The record of an account. */
  get(account: string): Contact | undefined {
    const row = this.#get.get(account);
    return row && contactOf(row);
  }

  /** Writes a record in place of the account's earlier one. */
  put(contact: Contact): void {
    this.#put.run(
      contact.account,
      contact.added,
      contact.removed,
      Number(contact.confirmed),
      Number(contact.banned),
      contact.conversation,
      contact.addedBy ?? null,
    );
  }

  /** Is the account a present contact? */
  isActive(account: string): boolean {
    const contact = this.get(account);
    return contact !== undefined && isActiveContact(contact);
  }

  /** Is the account banned: banned and not active (account.md 6.4)? */
  isBanned(account: string): boolean {
    const contact = this.get(account);
    return contact !== undefined && contact.banned && !isActiveContact(contact);
  }

  /** The banned accounts. */
  banned(): string[] {
    return this.#banned.all().map((row) => textOf(row, "account"));
  }
}

function contactOf(row: Row): Contact {
  const addedBy = optionalTextOf(row, "added_by");
  return {
    account: textOf(row, "account"),
    added: integerOf(row, "added"),
    removed: integerOf(row, "removed"),
    confirmed: flagOf(row, "confirmed"),
    banned: flagOf(row, "banned"),
    conversation: textOf(row, "conversation"),
    ...addedBy !== undefined && { addedBy },
  };
}
