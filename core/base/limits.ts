/** Bounds: rates, parallelism, sizes of tables. */

import type { Clock } from "./clock.ts";
import { LimitError, TimeoutError } from "./errors.ts";

/** Lets through `rate` units a second on average and `burst` at once. */
export class TokenBucket {
  #tokens: number;
  #last: number;

  constructor(private readonly clock: Clock, private readonly rate: number, private readonly burst: number) {
    this.#tokens = burst;
    this.#last = clock.now();
  }

  /** Takes `n` units if they are there. */
  take(n = 1): boolean {
    const now = this.clock.now();
    this.#tokens = Math.min(this.burst, this.#tokens + Math.max(0, now - this.#last) / 1000 * this.rate);
    this.#last = now;
    if (this.#tokens < n) return false;
    this.#tokens -= n;
    return true;
  }
}

/** What all users of something may hold together, for example bytes of memory. */
export class Budget {
  #left: number;

  constructor(private readonly name: string, size: number) {
    this.#left = size;
  }

  /** @throws {LimitError} when `n` is more than what is left */
  take(n: number): void {
    if (n > this.#left) throw new LimitError(this.name, "all users together hold too much");
    this.#left -= n;
  }

  /** Gives back what was taken. */
  give(n: number): void {
    this.#left += n;
  }
}

/** At most `size` users at a time; at most `queue` wait, in order. */
export class Semaphore {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(private readonly name: string, size: number, private readonly queue = Infinity) {
    this.#free = size;
  }

  /**
   * Runs `work` when there is a place.
   * @throws {LimitError} at once, when the queue is full
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else {
      if (this.#waiting.length >= this.queue) throw new LimitError(this.name, "too many wait");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** One worker at a time for each key; the others wait in order. */
export class KeyedMutex<Key> {
  #tails = new Map<Key, Promise<unknown>>();

  /** Runs `work` after all earlier work of the same key. */
  run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const tail = mine.catch(() => {});
    this.#tails.set(key, tail);
    tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return mine;
  }
}

/** A map of at most `size` entries: setting one more drops the entry that was used longest ago. */
export class LruMap<Key, Value> {
  #map = new Map<Key, Value>();

  constructor(private readonly size: number) {}

  get count(): number {
    return this.#map.size;
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  get(key: Key): Value | undefined {
    const value = this.#map.get(key);
    if (value === undefined) return undefined;
    this.#map.delete(key);
    this.#map.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > this.size) {
      for (const oldest of this.#map.keys()) {
        this.#map.delete(oldest);
        break;
      }
    }
  }

  delete(key: Key): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  values(): IterableIterator<Value> {
    return this.#map.values();
  }
}

/**
 * What `promise` gives, unless that takes longer than `ms` milliseconds.
 * @throws {TimeoutError} then
 */
export function within<T>(clock: Clock, ms: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new TimeoutError(what, ms)));
    promise.then(resolve, reject).finally(cancel);
  });
}
