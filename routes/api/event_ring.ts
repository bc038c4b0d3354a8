/** The newest events (of the node, of its log), numbered, so that a watcher that lost its connection can take up where it was. */

import type { Clock } from "../../core/base/clock.ts";
import type { NodeEvent } from "../../core/node_api.ts";

/** An event with its number: 1 is the first since start. */
export interface NumberedEvent<Event = NodeEvent> {
  number: number;
  event: Event;
}

/** Keeps the newest events; watchers read at their own pace and hold nothing of it. */
export class EventRing<Event = NodeEvent> {
  #events: NumberedEvent<Event>[] = [];
  #last = 0;
  #waiting = new Set<() => void>();

  /** @param run names this run of the node in event ids: numbers of an earlier run mean nothing */
  constructor(private readonly clock: Clock, private readonly size: number, readonly run: string) {}

  /** The number of the newest event; 0 = there was none. */
  get last(): number {
    return this.#last;
  }

  /** Adds an event and wakes the watchers. */
  add(event: Event): void {
    this.#events.push({ number: ++this.#last, event });
    if (this.#events.length > this.size) this.#events.shift();
    this.wake();
  }

  /** Wakes all who wait, also without an event. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** The events after number `number`; null when some of them are no longer kept. */
  after(number: number): NumberedEvent<Event>[] | null {
    const missed = this.#last - number;
    if (missed < 0 || missed > this.#events.length) return null;
    return missed === 0 ? [] : this.#events.slice(-missed);
  }

  /** The id that stands for an event's number on the wire. */
  idOf(number: number): string {
    return `${this.run}-${number}`;
  }

  /** The number of an id this run has given out; null for all else. */
  numberOf(id: string): number | null {
    const [, run, digits] = /^(.+)-([0-9]{1,15})$/.exec(id) ?? [];
    return run === this.run && Number(digits) <= this.#last ? Number(digits) : null;
  }

  /**
   * Waits until there is an event after `number`, someone calls {@link wake}, or `ms` milliseconds have passed.
   * @returns whether it was the time that ended the wait
   */
  async next(number: number, ms: number): Promise<boolean> {
    if (this.#last > number) return false;
    return await new Promise((resolve) => {
      const end = (idle: boolean) => {
        cancel();
        this.#waiting.delete(woken);
        resolve(idle);
      };
      const woken = () => end(false);
      const cancel = this.clock.after(ms, () => end(true));
      this.#waiting.add(woken);
    });
  }
}
