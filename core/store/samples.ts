/** How the node did, a row a minute: what the charts of the first page begin with after a restart. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row } from "./row.ts";

/** One minute. */
export interface SampleRow {
  /** s */
  at: number;
  connections: number;
  /** messages that waited */
  waiting: number;
  /** ms, the longest */
  loopDelay: number;
  /** bytes */
  memory: number;
  /** bytes a second */
  bytesIn: number;
  bytesOut: number;
}

export class Samples {
  readonly #put;
  readonly #since;
  readonly #prune;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#since = db.prepare("SELECT * FROM samples WHERE at >= ? ORDER BY at");
    this.#prune = db.prepare("DELETE FROM samples WHERE at < ?");
  }

  /** Keeps a minute, and forgets those before `oldest` (s). */
  put({ at, connections, waiting, loopDelay, memory, bytesIn, bytesOut }: SampleRow, oldest: number): void {
    this.#put.run(at, connections, waiting, loopDelay, memory, bytesIn, bytesOut);
    this.#prune.run(oldest);
  }

  /** Those from a time (s) on, oldest first. */
  since(at: number): SampleRow[] {
    return this.#since.all(at).map(sampleOf);
  }
}

function sampleOf(row: Row): SampleRow {
  return {
    at: integerOf(row, "at"),
    connections: integerOf(row, "connections"),
    waiting: integerOf(row, "waiting"),
    loopDelay: integerOf(row, "loop_delay"),
    memory: integerOf(row, "memory"),
    bytesIn: integerOf(row, "bytes_in"),
    bytesOut: integerOf(row, "bytes_out"),
  };
}
