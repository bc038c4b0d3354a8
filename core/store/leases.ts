/** Leases of mobile devices (swarm-sync.md 5.5), which outlast a restart: nobody else may know whom to wake. */

import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../base/bytes.ts";
import { bytesOf, type Row, textOf } from "./row.ts";

/** A lease that was found good. */
export interface KeptLease {
  conversation: string;
  device: string;
  /** as on the wire */
  lease: Bytes;
}

/** Reads and writes leases. */
export class Leases {
  readonly #put;
  readonly #all;
  readonly #delete;
  readonly #drop;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)");
    this.#all = db.prepare("SELECT * FROM leases WHERE conversation = ? ORDER BY device");
    this.#delete = db.prepare("DELETE FROM leases WHERE conversation = ? AND device = ?");
    this.#drop = db.prepare("DELETE FROM leases WHERE conversation = ?");
  }

  /** Keeps a lease, in place of the device's earlier one. */
  put({ conversation, device, lease }: KeptLease): void {
    this.#put.run(conversation, device, lease);
  }

  /** Those of a conversation. */
  all(conversation: string): KeptLease[] {
    return this.#all.all(conversation).map(leaseOf);
  }

  /** Forgets one: it has run out, or its device is not mobile any more. */
  delete(conversation: string, device: string): void {
    this.#delete.run(conversation, device);
  }

  /** Forgets all of a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

function leaseOf(row: Row): KeptLease {
  return { conversation: textOf(row, "conversation"), device: textOf(row, "device"), lease: bytesOf(row, "lease") };
}
