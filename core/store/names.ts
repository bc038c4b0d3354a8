/** Registered names: what name servers answered, and those that this node's own name server has given out (account.md 10). */

import type { DatabaseSync } from "node:sqlite";
import { MAX_NAME_ANSWERS } from "./constants.ts";
import { integerOf, type Row, textOf } from "./row.ts";

/** What a name server answered. */
export interface NameAnswer {
  /** a Jami ID, or a name; "" = there is none */
  answer: string;
  /** when it should be asked for again, ms */
  expires: number;
}

/** Remembers answers, at most {@link MAX_NAME_ANSWERS}: those that expire first give way. */
export class NameAnswers {
  readonly #get;
  readonly #put;
  readonly #prune;

  constructor(db: DatabaseSync, private readonly most = MAX_NAME_ANSWERS) {
    this.#get = db.prepare("SELECT answer, expires FROM name_answers WHERE server = ? AND question = ?");
    this.#put = db.prepare(
      `INSERT INTO name_answers VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET answer = excluded.answer, expires = excluded.expires`,
    );
    this.#prune = db.prepare(
      `DELETE FROM name_answers WHERE (server, question) IN
         (SELECT server, question FROM name_answers ORDER BY expires DESC LIMIT -1 OFFSET ?)`,
    );
  }

  /** What the server said when it was asked last, expired or not. @param question a name in lower case, or a Jami ID */
  get(server: string, question: string): NameAnswer | undefined {
    const row = this.#get.get(server, question);
    return row && { answer: textOf(row, "answer"), expires: integerOf(row, "expires") };
  }

  /** Keeps an answer in place of the one before. */
  put(server: string, question: string, { answer, expires }: NameAnswer): void {
    this.#put.run(server, question, answer, expires);
    this.#prune.run(this.most);
  }
}

/** A name that an account registered here. */
export interface RegisteredName {
  /** in lower case */
  name: string;
  account: string;
  /** the account's Ethereum address, 40 hex digits */
  owner: string;
  /** the account's key, PEM */
  publicKey: string;
  /** the account's signature of the name, base64 */
  signature: string;
  /** ms */
  registered: number;
}

/** The names of the own name server: one for each account. */
export class RegisteredNames {
  readonly #byName;
  readonly #byAccount;
  readonly #add;
  readonly #delete;
  readonly #page;
  readonly #count;

  constructor(db: DatabaseSync) {
    this.#byName = db.prepare("SELECT * FROM registered_names WHERE name = ?");
    this.#byAccount = db.prepare("SELECT * FROM registered_names WHERE account = ?");
    this.#add = db.prepare("INSERT INTO registered_names VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    this.#delete = db.prepare("DELETE FROM registered_names WHERE name = ?");
    this.#page = db.prepare("SELECT * FROM registered_names WHERE name > ? ORDER BY name LIMIT ?");
    this.#count = db.prepare("SELECT count(*) AS names FROM registered_names");
  }

  byName(name: string): RegisteredName | undefined {
    const row = this.#byName.get(name);
    return row && nameOf(row);
  }

  byAccount(account: string): RegisteredName | undefined {
    const row = this.#byAccount.get(account);
    return row && nameOf(row);
  }

  /** First come, first served: returns false when the name is taken, or the account has one. */
  add({ name, account, owner, publicKey, signature, registered }: RegisteredName): boolean {
    return this.#add.run(name, account, owner, publicKey, signature, registered).changes > 0;
  }

  /** Returns whether there was such a name. */
  delete(name: string): boolean {
    return this.#delete.run(name).changes > 0;
  }

  /** By name, those after `after`. */
  page(limit: number, after = ""): RegisteredName[] {
    return this.#page.all(after, limit).map(nameOf);
  }

  count(): number {
    const row = this.#count.get();
    return row ? integerOf(row, "names") : 0;
  }
}

function nameOf(row: Row): RegisteredName {
  return {
    name: textOf(row, "name"),
    account: textOf(row, "account"),
    owner: textOf(row, "owner"),
    publicKey: textOf(row, "public_key"),
    signature: textOf(row, "signature"),
    registered: integerOf(row, "registered"),
  };
}
