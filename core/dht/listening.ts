/** What all nodes together tell about a key: each distinct value once, and its end when no node has it any more (opendht.md 7.4). */

import type { Clock } from "../base/clock.ts";
import { MAX_LISTENED_VALUES } from "./constants.ts";
import type { ListenSink } from "./operations.ts";
import { lifetime } from "./value_policy.ts";
import { type Value, valueKey } from "./value.ts";

/** Told each distinct (id, content); `expired` when it is gone everywhere. */
export type Listener = (value: Value, expired: boolean) => void;

/** The source that never expires by itself: the own storage tells when its values end. */
export const LOCAL_SOURCE = "local";

interface Held {
  readonly value: Value;
  readonly key: string;
  expires: number;
}

/** The values of one key, by the nodes that told of them. A value replaced by another of the same id ends silently. */
export class Listening implements ListenSink {
  readonly listeners = new Set<Listener>();
  /** By source, by value id: a node has one value of an id. */
  #sources = new Map<string, Map<bigint, Held>>();
  /** By (id, content): how many sources have it. */
  #references = new Map<string, number>();
  #cancelTimer: () => void = () => {};
  #wake = Infinity;

  constructor(private readonly clock: Clock) {}

  /** Adds a listener and tells it everything known. */
  add(listener: Listener): void {
    this.listeners.add(listener);
    const told = new Set<string>();
    for (const held of [...this.#sources.values()].flatMap((values) => [...values.values()])) {
      if (told.has(held.key) || !this.listeners.has(listener)) continue;
      told.add(held.key);
      listener(held.value, false);
    }
  }

  values(source: string, values: readonly Value[]): void {
    const held = this.#sources.get(source) ?? new Map<bigint, Held>();
    this.#sources.set(source, held);
    for (const value of values) {
      const old = held.get(value.id);
      if (!old && held.size >= MAX_LISTENED_VALUES) continue;
      const key = valueKey(value);
      const expires = source === LOCAL_SOURCE ? Infinity : this.clock.now() + lifetime(value);
      held.set(value.id, { value, key, expires });
      this.#watch(expires);
      if (old?.key === key) continue;
      this.#acquire(key, value);
      if (old) this.#release(old);
    }
  }

  refreshed(source: string, ids: readonly bigint[]): void {
    for (const id of ids) {
      const held = this.#sources.get(source)?.get(id);
      if (held && source !== LOCAL_SOURCE) held.expires = this.clock.now() + lifetime(held.value);
    }
  }

  expired(source: string, ids: readonly bigint[]): void {
    const values = this.#sources.get(source);
    for (const id of ids) {
      const held = values?.get(id);
      if (!held) continue;
      values?.delete(id);
      this.#release(held);
    }
    if (values?.size === 0) this.#sources.delete(source);
  }

  lost(source: string): void {
    this.expired(source, [...this.#sources.get(source)?.keys() ?? []]);
  }

  /** Forgets everything, tells nobody. */
  close(): void {
    this.listeners.clear();
    this.#sources.clear();
    this.#cancelTimer();
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
    const replaced = [...this.#sources.values()].some((values) => values.has(value.id));
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
    for (const [source, values] of [...this.#sources]) {
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
