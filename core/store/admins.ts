/** Who may use the console, and their passkeys. */

import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../base/bytes.ts";
import { bytesOf, integerOf, oneOf, optionalIntegerOf, optionalTextOf, type Row, textOf } from "./row.ts";

/** What an admin may do, the least first. */
export const ROLES = ["viewer", "moderator", "owner"] as const;

/** What an admin may do: all of it; requests, members and conversations; or only see whether the node is well. */
export type Role = typeof ROLES[number];

/** Someone who may use the console. */
export interface AdminRow {
  /** 32 hex digits; passkeys know the admin by them */
  id: string;
  name: string;
  /** the name as it is compared: two admins never have the same */
  nameKey: string;
  role: Role;
  /** a PHC string; undefined = passkeys only */
  password?: string;
  /** ms */
  created: number;
  /** when a session of theirs was used last, ms; undefined = not known */
  seen?: number;
}

/** A passkey. */
export interface PasskeyRow {
  /** credential id, base64url */
  id: string;
  /** id of the admin */
  admin: string;
  name: string;
  /** COSE */
  publicKey: Bytes;
  /** how often the authenticator says it was used; 0 = it does not count */
  counter: number;
  /** words of WebAuthn, with a comma between */
  transports: string;
  /** ms */
  created: number;
  /** ms; undefined = never */
  used?: number;
}

/** Reads and writes admins. */
export class AdminTable {
  readonly #insert;
  readonly #all;
  readonly #get;
  readonly #byKey;
  readonly #setRole;
  readonly #setPassword;
  readonly #rename;
  readonly #seen;
  readonly #delete;
  readonly #owners;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(
      "INSERT INTO admins (id, name, name_key, role, password, created) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#all = db.prepare("SELECT * FROM admins ORDER BY created, id");
    this.#get = db.prepare("SELECT * FROM admins WHERE id = ?");
    this.#byKey = db.prepare("SELECT * FROM admins WHERE name_key = ?");
    this.#setRole = db.prepare("UPDATE admins SET role = ? WHERE id = ?");
    this.#setPassword = db.prepare("UPDATE admins SET password = ? WHERE id = ?");
    this.#rename = db.prepare("UPDATE admins SET name = ?, name_key = ? WHERE id = ?");
    this.#seen = db.prepare("UPDATE admins SET seen = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM admins WHERE id = ?");
    this.#owners = db.prepare("SELECT count(*) AS n FROM admins WHERE role = 'owner'");
  }

  /** Adds one; the name must be free. */
  add({ id, name, nameKey, role, password, created }: AdminRow): void {
    this.#insert.run(id, name, nameKey, role, password ?? null, created);
  }

  /** All, the oldest first. */
  all(): AdminRow[] {
    return this.#all.all().map(adminOf);
  }

  /** The one with this id. */
  get(id: string): AdminRow | undefined {
    const row = this.#get.get(id);
    return row && adminOf(row);
  }

  /** The one with this name. */
  byNameKey(nameKey: string): AdminRow | undefined {
    const row = this.#byKey.get(nameKey);
    return row && adminOf(row);
  }

  setRole(id: string, role: Role): void {
    this.#setRole.run(role, id);
  }

  /** @param password a PHC string */
  setPassword(id: string, password: string): void {
    this.#setPassword.run(password, id);
  }

  /** The name must be free. */
  rename(id: string, name: string, nameKey: string): void {
    this.#rename.run(name, nameKey, id);
  }

  /** @param at ms */
  seen(id: string, at: number): void {
    this.#seen.run(at, id);
  }

  /** Forgets an admin with all passkeys and sessions. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  /** How many owners there are. */
  owners(): number {
    return Number(this.#owners.get()?.n);
  }
}

/** Reads and writes passkeys. */
export class PasskeyTable {
  readonly #insert;
  readonly #get;
  readonly #of;
  readonly #used;
  readonly #rename;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM passkeys WHERE id = ?");
    this.#of = db.prepare("SELECT * FROM passkeys WHERE admin = ? ORDER BY created, id");
    this.#used = db.prepare("UPDATE passkeys SET counter = ?, used = ? WHERE id = ?");
    this.#rename = db.prepare("UPDATE passkeys SET name = ? WHERE id = ? AND admin = ?");
    this.#delete = db.prepare("DELETE FROM passkeys WHERE id = ? AND admin = ?");
  }

  /** Adds one; its id must be new. */
  add({ id, admin, name, publicKey, counter, transports, created, used }: PasskeyRow): void {
    this.#insert.run(id, admin, name, publicKey, counter, transports, created, used ?? null);
  }

  get(id: string): PasskeyRow | undefined {
    const row = this.#get.get(id);
    return row && passkeyOf(row);
  }

  /** Those of an admin, the oldest first. */
  of(admin: string): PasskeyRow[] {
    return this.#of.all(admin).map(passkeyOf);
  }

  /** It was used, and counts so far. @param at ms */
  used(id: string, counter: number, at: number): void {
    this.#used.run(counter, at, id);
  }

  rename(id: string, admin: string, name: string): boolean {
    return this.#rename.run(name, id, admin).changes > 0;
  }

  delete(id: string, admin: string): boolean {
    return this.#delete.run(id, admin).changes > 0;
  }
}

function adminOf(row: Row): AdminRow {
  return {
    id: textOf(row, "id"),
    name: textOf(row, "name"),
    nameKey: textOf(row, "name_key"),
    role: oneOf(row, "role", ROLES),
    password: optionalTextOf(row, "password"),
    created: integerOf(row, "created"),
    seen: optionalIntegerOf(row, "seen"),
  };
}

function passkeyOf(row: Row): PasskeyRow {
  return {
    id: textOf(row, "id"),
    admin: textOf(row, "admin"),
    name: textOf(row, "name"),
    publicKey: bytesOf(row, "public_key"),
    counter: integerOf(row, "counter"),
    transports: textOf(row, "transports"),
    created: integerOf(row, "created"),
    used: optionalIntegerOf(row, "used"),
  };
}
