/** What opens the console for a time: sessions, API tokens, invitations of admins. Of each secret only its hash is kept. */

import type { DatabaseSync } from "node:sqlite";
import { type Role, ROLES } from "./admins.ts";
import { integerOf, oneOf, optionalIntegerOf, type Row, textOf } from "./row.ts";

/** An admin's browser that is signed in. */
export interface SessionRow {
  /** SHA-256 of the cookie, hex */
  hash: string;
  /** id of the admin */
  admin: string;
  /** ms */
  created: number;
  /** last use, ms */
  used: number;
  /** network address it was begun from; "" = unknown */
  address: string;
  /** what the browser calls itself; "" = nothing */
  agent: string;
}

/** A secret that programs sign in with. */
export interface ApiTokenRow {
  /** 16 hex digits */
  id: string;
  /** SHA-256 of the token, hex */
  hash: string;
  name: string;
  role: Role;
  /** who made it */
  madeBy: string;
  /** ms */
  created: number;
  /** ms; undefined = never */
  expires?: number;
  /** last use, ms; undefined = never */
  used?: number;
}

/** A link that makes whoever opens it first an admin. */
export interface AdminInvitationRow {
  /** 16 hex digits */
  id: string;
  /** SHA-256 of the secret in the link, hex */
  hash: string;
  role: Role;
  madeBy: string;
  /** ms */
  created: number;
  /** ms */
  expires: number;
}

/** Reads and writes sessions. */
export class SessionTable {
  readonly #insert;
  readonly #get;
  readonly #of;
  readonly #used;
  readonly #describe;
  readonly #delete;
  readonly #deleteOf;
  readonly #trim;
  readonly #expire;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO sessions (hash, admin, created, used) VALUES (?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM sessions WHERE hash = ?");
    this.#of = db.prepare("SELECT * FROM sessions WHERE admin = ? ORDER BY used DESC, hash");
    this.#describe = db.prepare("UPDATE sessions SET address = ?, agent = ? WHERE hash = ?");
    this.#used = db.prepare("UPDATE sessions SET used = ? WHERE hash = ?");
    this.#delete = db.prepare("DELETE FROM sessions WHERE hash = ?");
    this.#deleteOf = db.prepare("DELETE FROM sessions WHERE admin = ?");
    this.#trim = db.prepare(
      "DELETE FROM sessions WHERE admin = ? AND hash NOT IN (SELECT hash FROM sessions WHERE admin = ? ORDER BY used DESC LIMIT ?)",
    );
    this.#expire = db.prepare("DELETE FROM sessions WHERE created < ? OR used < ?");
  }

  /** Adds one. Of an admin's sessions the `most` used last stay. */
  add({ hash, admin, created, used }: Omit<SessionRow, "address" | "agent">, most: number): void {
    this.#insert.run(hash, admin, created, used);
    this.#trim.run(admin, admin, most);
  }

  get(hash: string): SessionRow | undefined {
    const row = this.#get.get(hash);
    return row && sessionOf(row);
  }

  /** Those of an admin, the one used last first. */
  of(admin: string): SessionRow[] {
    return this.#of.all(admin).map(sessionOf);
  }

  /** Says from where, and in what, it was begun. */
  describe(hash: string, address: string, agent: string): void {
    this.#describe.run(address, agent, hash);
  }

  /** @param at ms */
  used(hash: string, at: number): void {
    this.#used.run(at, hash);
  }

  delete(hash: string): void {
    this.#delete.run(hash);
  }

  /** Ends all of an admin. */
  deleteOf(admin: string): void {
    this.#deleteOf.run(admin);
  }

  /** Forgets those made before `created` and those not used since `used` (ms). */
  expire(created: number, used: number): void {
    this.#expire.run(created, used);
  }
}

/** Reads and writes API tokens. */
export class ApiTokenTable {
  readonly #insert;
  readonly #all;
  readonly #byHash;
  readonly #used;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM api_tokens ORDER BY created, id");
    this.#byHash = db.prepare("SELECT * FROM api_tokens WHERE hash = ?");
    this.#used = db.prepare("UPDATE api_tokens SET used = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM api_tokens WHERE id = ?");
  }

  add({ id, hash, name, role, madeBy, created, expires, used }: ApiTokenRow): void {
    this.#insert.run(id, hash, name, role, madeBy, created, expires ?? null, used ?? null);
  }

  /** All, expired ones included, the oldest first. */
  all(): ApiTokenRow[] {
    return this.#all.all().map(tokenOf);
  }

  byHash(hash: string): ApiTokenRow | undefined {
    const row = this.#byHash.get(hash);
    return row && tokenOf(row);
  }

  /** @param at ms */
  used(id: string, at: number): void {
    this.#used.run(at, id);
  }

  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }
}

/** Reads and writes invitations of admins. */
export class AdminInvitationTable {
  readonly #insert;
  readonly #all;
  readonly #byHash;
  readonly #delete;
  readonly #expire;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO admin_invitations VALUES (?, ?, ?, ?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM admin_invitations ORDER BY created, id");
    this.#byHash = db.prepare("SELECT * FROM admin_invitations WHERE hash = ?");
    this.#delete = db.prepare("DELETE FROM admin_invitations WHERE id = ?");
    this.#expire = db.prepare("DELETE FROM admin_invitations WHERE expires <= ?");
  }

  add({ id, hash, role, madeBy, created, expires }: AdminInvitationRow): void {
    this.#insert.run(id, hash, role, madeBy, created, expires);
  }

  /** All, the oldest first. */
  all(): AdminInvitationRow[] {
    return this.#all.all().map(invitationOf);
  }

  byHash(hash: string): AdminInvitationRow | undefined {
    const row = this.#byHash.get(hash);
    return row && invitationOf(row);
  }

  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  /** Forgets those that ended by `now` (ms). */
  expire(now: number): void {
    this.#expire.run(now);
  }
}

function sessionOf(row: Row): SessionRow {
  return {
    hash: textOf(row, "hash"),
    admin: textOf(row, "admin"),
    created: integerOf(row, "created"),
    used: integerOf(row, "used"),
    address: textOf(row, "address"),
    agent: textOf(row, "agent"),
  };
}

function tokenOf(row: Row): ApiTokenRow {
  return {
    id: textOf(row, "id"),
    hash: textOf(row, "hash"),
    name: textOf(row, "name"),
    role: oneOf(row, "role", ROLES),
    madeBy: textOf(row, "made_by"),
    created: integerOf(row, "created"),
    expires: optionalIntegerOf(row, "expires"),
    used: optionalIntegerOf(row, "used"),
  };
}

function invitationOf(row: Row): AdminInvitationRow {
  return {
    id: textOf(row, "id"),
    hash: textOf(row, "hash"),
    role: oneOf(row, "role", ROLES),
    madeBy: textOf(row, "made_by"),
    created: integerOf(row, "created"),
    expires: integerOf(row, "expires"),
  };
}
