/** Thousands of timers on one: a heap over the injected clock (opendht.md 14). */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";

const log = getLogger(["kituo", "dht"]);

/** Cancelled timers are cleared away when there are more than this and they are most of the heap. */
const COMPACT_FROM = 64;

interface Timer {
  at: number;
  order: number;
  run: (() => void) | null;
}

/** A clock that needs a single timer of the clock below it. `stop` forgets all timers. */
export class Scheduler implements Clock {
  #heap: Timer[] = [];
  #order = 0;
  #cancelled = 0;
  #armedFor = Infinity;
  #disarm: () => void = () => {};

  constructor(private readonly below: Clock) {}

  now(): number {
    return this.below.now();
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.now() + Math.max(0, ms), order: this.#order++, run };
    this.#push(timer);
    this.#arm();
    return () => {
      if (!timer.run) return;
      timer.run = null;
      if (++this.#cancelled > COMPACT_FROM && this.#cancelled * 2 > this.#heap.length) this.#compact();
    };
  }

  /** Forgets every timer. */
  stop(): void {
    this.#heap = [];
    this.#cancelled = 0;
    this.#disarm();
    this.#armedFor = Infinity;
  }

  #compact(): void {
    const live = this.#heap.filter((timer) => timer.run);
    this.#heap = [];
    this.#cancelled = 0;
    for (const timer of live) this.#push(timer);
  }

  #arm(): void {
    while (this.#heap.length && !this.#heap[0].run) {
      this.#pop();
      this.#cancelled--;
    }
    const next = this.#heap[0]?.at ?? Infinity;
    if (next === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = next;
    if (next === Infinity) return;
    this.#disarm = this.below.after(next - this.now(), () => this.#fire());
  }

  #fire(): void {
    this.#armedFor = Infinity;
    const due = this.now();
    while (this.#heap.length && this.#heap[0].at <= due) {
      const timer = this.#pop();
      const run = timer.run;
      timer.run = null;
      if (!run) this.#cancelled--;
      else {
        try {
          run();
        } catch (error) {
          log.error("a timer failed: {error}", { error });
        }
      }
    }
    this.#arm();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(timer, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): Timer {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop() ?? top;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** A time between the two, evenly spread. */
export function between(range: readonly [number, number], random: { float(): number }): number {
  return range[0] + random.float() * (range[1] - range[0]);
}
