/**
 * What all nodes together tell about a key: each distinct value once, and its end when no node has it any more
 * (opendht.md 7.4).
 */

import type { Clock } from "../base/clock.ts";
import { TokenBucket } from "../base/limits.ts";
import * as limit from "./constants.ts";
import type { ListenSink } from "./operations.ts";
import { lifetime } from "./value_policy.ts";
import { type Value, valueKey, valueSize } from "./value.ts";

/** Told each distinct (id, content); `expired` when it is gone everywhere. */
export type Listener = (value: Value, expired: boolean) => void;

/** The source that never expires by itself: the own storage tells when its values end. */
export const LOCAL_SOURCE = "local";

interface Held {
  readonly value: Value;
  readonly key: string;
  readonly bytes: number;
  expires: number;
}

/** What one node has told. */
interface Source {
  /** By value id: a node has one value of an id. */
  readonly values: Map<bigint, Held>;
  readonly rate: TokenBucket;
  bytes: number;
}

/** Bytes that all listens together remember. */
export class ListenBudget {
  used = 0;
}

/** The values of one key, by the nodes that told of them. A value replaced by another of the same id ends silently. */
export class Listening implements ListenSink {
  readonly listeners = new Set<Listener>();
  #sources = new Map<string, Source>();
  /** By (id, content): how many sources have it. */
  #references = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #wake = Infinity;

  constructor(private readonly clock: Clock, private readonly budget: ListenBudget) {}

  /** Adds a listener and tells it everything known. */
  add(listener: Listener): void {
    this.listeners.add(listener);
    const told = new Set<string>();
    for (const held of [...this.#sources.values()].flatMap(({ values }) => [...values.values()])) {
      if (told.has(held.key) || !this.listeners.has(listener)) continue;
      told.add(held.key);
      listener(held.value, false);
    }
  }

  values(source: string, values: readonly Value[]): void {
    const known = this.#sources.get(source) ?? this.#newSource();
    this.#sources.set(source, known);
    for (const value of values) this.#take(source, known, value);
  }

  refreshed(source: string, ids: readonly bigint[]): void {
    for (const id of ids) {
      const held = this.#sources.get(source)?.values.get(id);
      if (held && source !== LOCAL_SOURCE) held.expires = this.clock.now() + lifetime(held.value);
    }
  }

  expired(source: string, ids: readonly bigint[]): void {
    const known = this.#sources.get(source);
    for (const id of ids) {
      const held = known?.values.get(id);
      if (!known || !held) continue;
      known.values.delete(id);
      this.#count(known, -held.bytes);
      this.#release(held);
    }
  }

  lost(source: string): void {
    this.expired(source, [...this.#sources.get(source)?.values.keys() ?? []]);
    this.#sources.delete(source);
  }

  /** Forgets everything, tells nobody. */
  close(): void {
    this.listeners.clear();
    for (const source of this.#sources.values()) this.#count(source, -source.bytes);
    this.#sources.clear();
    this.#cancelTimer();
  }

  #newSource(): Source {
    const rate = new TokenBucket(this.clock, limit.LISTENED_PER_SECOND, limit.LISTENED_AT_ONCE);
    return { values: new Map(), rate, bytes: 0 };
  }

  #take(source: string, known: Source, value: Value): void {
    const local = source === LOCAL_SOURCE;
    const key = valueKey(value);
    const old = known.values.get(value.id);
    const expires = local ? Infinity : this.clock.now() + lifetime(value);
    if (old?.key === key) return void (old.expires = expires);
    const bytes = valueSize(value) + limit.VALUE_OVERHEAD;
    if (!local && !this.#allows(known, bytes)) return;
    known.values.set(value.id, { value, key, bytes, expires });
    this.#count(known, bytes - (old?.bytes ?? 0));
    this.#watch(expires);
    this.#acquire(key, value);
    if (old) this.#release(old);
  }

  #allows(source: Source, bytes: number): boolean {
    return source.values.size < limit.MAX_LISTENED_VALUES && source.bytes + bytes <= limit.MAX_LISTENED_BYTES &&
      this.budget.used + bytes <= limit.MAX_ALL_LISTENED_BYTES && source.rate.take();
  }

  #count(source: Source, bytes: number): void {
    source.bytes += bytes;
    this.budget.used += bytes;
  }

  #acquire(key: string, value: Value): void {
    const count = this.#references.get(key) ?? 0;
    this.#references.set(key, count + 1);
    if (count === 0) this.#tell(value, false);
  }

  #release({ key, value }: Held): void {
    const count = (this.#references.get(key) ?? 1) - 1;
    if (count > 0) return void this.#references.set(key, count);
    this.#references.delete(key);
    const replaced = [...this.#sources.values()].some(({ values }) => values.has(value.id));
    if (!replaced) this.#tell(value, true);
  }

  #tell(value: Value, expired: boolean): void {
    for (const listener of [...this.listeners]) listener(value, expired);
  }

  #watch(expires: number): void {
    if (expires >= this.#wake) return;
    this.#cancelTimer();
    this.#wake = expires;
    this.#cancelTimer = this.clock.after(expires - this.clock.now(), () => this.#expire());
  }

  #expire(): void {
    const now = this.clock.now();
    this.#wake = Infinity;
    let next = Infinity;
    for (const [source, { values }] of [...this.#sources]) {
      const over: bigint[] = [];
      for (const [id, held] of values) {
        if (held.expires <= now) over.push(id);
        else next = Math.min(next, held.expires);
      }
      this.expired(source, over);
    }
    if (next < Infinity) this.#watch(next);
  }
}
