/** Certificate chains of devices that passed all checks, and the accounts' revocation lists (account.md 1, 5). */

import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../base/bytes.ts";
import { MAX_DEVICES_PER_ACCOUNT } from "./constants.ts";
import { bytesOf, integerOf, oneOf, type Row, textOf } from "./row.ts";

const GENERATIONS = ["msg", "sip"] as const;

/** Which message channel a device speaks: today's `msg:` or 2023's `sip` (swarm-sync.md 3). */
export type Generation = typeof GENERATIONS[number];

/** A device and its chain. */
export interface StoredCertificate {
  /** device id, 64 hex */
  device: string;
  /** its older name, 40 hex */
  shortId: string;
  /** Jami ID */
  account: string;
  /** PEM, leaf first */
  chainPem: string;
  /** when the device was last seen, ms */
  seen: number;
  generation?: Generation;
}

/** A revocation list of an account, its signature already verified by who stores it. */
export interface StoredRevocationList {
  account: string;
  /** CRL number; lists without one count as 0 */
  number: bigint;
  der: Bytes;
}

/** Chains by device; at most {@link MAX_DEVICES_PER_ACCOUNT} of an account, those unseen longest give way. */
export class Certificates {
  readonly #put;
  readonly #prune;
  readonly #byDevice;
  readonly #seen;
  readonly #byShortId;
  readonly #byAccount;
  readonly #touch;
  readonly #setGeneration;

  constructor(db: DatabaseSync, private readonly most = MAX_DEVICES_PER_ACCOUNT) {
    this.#put = db.prepare(
      `INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device) DO UPDATE SET
         account = excluded.account, chain_pem = excluded.chain_pem, seen = max(seen, excluded.seen),
         generation = ifnull(excluded.generation, generation)`,
    );
    this.#prune = db.prepare(
      `DELETE FROM certificates WHERE rowid IN
         (SELECT rowid FROM certificates WHERE account = ? ORDER BY seen DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    );
    this.#byDevice = db.prepare("SELECT * FROM certificates WHERE device = ?");
    this.#seen = db.prepare("SELECT seen FROM certificates WHERE device = ?");
    this.#byShortId = db.prepare("SELECT * FROM certificates WHERE short_id = ? ORDER BY seen DESC LIMIT 1");
    this.#byAccount = db.prepare("SELECT * FROM certificates WHERE account = ? ORDER BY seen DESC, device");
    this.#touch = db.prepare("UPDATE certificates SET seen = max(seen, ?) WHERE device = ?");
    this.#setGeneration = db.prepare("UPDATE certificates SET generation = ? WHERE device = ?");
  }

  /** Keeps a chain; a generation learned earlier stays when this one does not say. */
  put(entry: StoredCertificate): void {
    const { device, shortId, account, chainPem, seen, generation } = entry;
    this.#put.run(device, shortId, account, chainPem, seen, generation ?? null);
    this.#prune.run(account, this.most);
  }

  /** Notes which message channel a known device speaks. */
  setGeneration(device: string, generation: Generation): void {
    this.#setGeneration.run(generation, device);
  }

  /** Notes that a device was seen at `at` (ms). */
  touch(device: string, at: number): void {
    this.#touch.run(at, device);
  }

  /** The chain of a device. */
  byDevice(device: string): StoredCertificate | undefined {
    const row = this.#byDevice.get(device);
    return row && certificateOf(row);
  }

  /** When a device was last seen, ms; `undefined` = never. */
  seen(device: string): number | undefined {
    const row = this.#seen.get(device);
    return row && integerOf(row, "seen");
  }

  /** The chain of a device by its older name; the one seen last, should two share it. */
  byShortId(shortId: string): StoredCertificate | undefined {
    const row = this.#byShortId.get(shortId);
    return row && certificateOf(row);
  }

  /** The known devices of an account, last seen first. */
  byAccount(account: string): StoredCertificate[] {
    return this.#byAccount.all(account).map(certificateOf);
  }
}

/** The newest revocation list of each account: a list names all revoked devices, so older ones are of no use. */
export class RevocationLists {
  readonly #get;
  readonly #put;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare("SELECT * FROM revocation_lists WHERE account = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO revocation_lists VALUES (?, ?, ?)");
  }

  /** The list of an account. */
  get(account: string): StoredRevocationList | undefined {
    const row = this.#get.get(account);
    return row && listOf(row);
  }

  /** Keeps a list unless one with the same or a higher number is there; returns whether it was kept. */
  put(list: StoredRevocationList): boolean {
    const known = this.get(list.account);
    if (known && known.number >= list.number) return false;
    this.#put.run(list.account, list.number.toString(), list.der);
    return true;
  }
}

function certificateOf(row: Row): StoredCertificate {
  return {
    device: textOf(row, "device"),
    shortId: textOf(row, "short_id"),
    account: textOf(row, "account"),
    chainPem: textOf(row, "chain_pem"),
    seen: integerOf(row, "seen"),
    ...row.generation !== null && { generation: oneOf(row, "generation", GENERATIONS) },
  };
}

function listOf(row: Row): StoredRevocationList {
  return { account: textOf(row, "account"), number: BigInt(textOf(row, "number")), der: bytesOf(row, "der") };
}
