/** The DHT as the rooms above see it, in memory: one table, shared by all who are given it. Values live as long as on real nodes. */

import type { Clock } from "../../core/base/clock.ts";
import { systemRandom } from "../../core/base/random.ts";
import type { Dht, GetOptions, Kept, PutResult } from "../../core/dht/dht.ts";
import type { InfoHash } from "../../core/dht/info_hash.ts";
import type { Listener } from "../../core/dht/listening.ts";
import { lifetime } from "../../core/dht/value_policy.ts";
import { packValue, unpackValue, type Value } from "../../core/dht/value.ts";

interface Stored {
  key: InfoHash;
  value: Value;
  cancel(): void;
}

/** One put, keep or get, for tests that count them. */
export interface Asked {
  what: "get" | "put" | "keep";
  key: InfoHash;
}

export class DhtTable implements Pick<Dht, "get" | "put" | "keep" | "listen"> {
  /** All that was asked for, in order. */
  readonly asked: Asked[] = [];
  /** How many listen now. */
  get listeners(): number {
    return this.#listeners.size;
  }
  #stored = new Set<Stored>();
  #listeners = new Set<{ key: InfoHash; listener: Listener }>();
  #closed = false;

  constructor(private readonly clock: Clock) {}

  /** The values at a key. */
  values(key: InfoHash): Value[] {
    return [...this.#stored].filter((one) => one.key === key).map(({ value }) => value);
  }

  /** How often something was asked for. */
  count(what: Asked["what"], key: InfoHash): number {
    return this.asked.filter((one) => one.what === what && one.key === key).length;
  }

  async get(key: InfoHash, { onValue }: GetOptions = {}): Promise<Value[]> {
    this.asked.push({ what: "get", key });
    await Promise.resolve();
    const values = this.values(key);
    for (const value of values) onValue?.(value);
    return values;
  }

  put(key: InfoHash, value: Value): Promise<PutResult> {
    this.asked.push({ what: "put", key });
    const stored = this.#store(key, value);
    this.#expireLater(stored);
    return Promise.resolve({ acknowledged: 1, asked: 1, id: stored.value.id });
  }

  keep(key: InfoHash, value: Value): Kept {
    this.asked.push({ what: "keep", key });
    const stored = this.#store(key, value);
    return {
      done: Promise.resolve({ acknowledged: 1, asked: 1, id: stored.value.id }),
      stop: () => this.#expireLater(stored),
    };
  }

  listen(key: InfoHash, listener: Listener): { stop(): void } {
    const mine = { key, listener };
    this.#listeners.add(mine);
    for (const value of this.values(key)) listener(value, false); // before it returns, as the real one tells what it stores
    return { stop: () => void this.#listeners.delete(mine) };
  }

  /** Takes a value away, as if it had expired. */
  expire(key: InfoHash, id: bigint): void {
    for (const stored of this.#stored) if (stored.key === key && stored.value.id === id) this.#drop(stored);
  }

  /** Ends all timers, and stores nothing any more: who was stopped may still have had something to put. */
  close(): void {
    this.#closed = true;
    for (const stored of this.#stored) stored.cancel();
    this.#stored.clear();
    this.#listeners.clear();
  }

  #store(key: InfoHash, value: Value): Stored {
    const named = unpackValue(packValue({ ...value, id: value.id || systemRandom.id() }));
    const old = [...this.#stored].find((one) => one.key === key && one.value.id === named.id);
    old?.cancel();
    if (old) this.#stored.delete(old);
    const stored: Stored = { key, value: named, cancel: () => {} };
    if (this.#closed) return stored;
    this.#stored.add(stored);
    this.#tell(stored, false);
    return stored;
  }

  #expireLater(stored: Stored): void {
    if (!this.#stored.has(stored)) return; // another value took its place
    stored.cancel = this.clock.after(lifetime(stored.value), () => this.#drop(stored));
  }

  #drop(stored: Stored): void {
    stored.cancel();
    if (this.#stored.delete(stored)) this.#tell(stored, true);
  }

  #tell({ key, value }: Stored, expired: boolean): void {
    for (const one of [...this.#listeners]) {
      if (one.key === key) queueMicrotask(() => this.#listeners.has(one) && one.listener(value, expired));
    }
  }
}
