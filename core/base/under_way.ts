/** Work that is not to be cut off: whoever ends it takes nothing new, and waits for what has begun. */

import type { Clock } from "./clock.ts";
import { KituoError, TimeoutError } from "./errors.ts";
import { within } from "./limits.ts";

/** It is being ended: nothing new is begun. */
export class Ending extends KituoError {}

/** A node that stops waits so long for what is being written: less than the stop of all may take. */
export const STOP_PATIENCE_MS = 2_000;

export class UnderWay {
  readonly #running = new Set<Promise<unknown>>();
  #isEnding = false;

  constructor(private readonly name: string) {}

  /** @throws {Ending} once the end has come: before work that leaves something behind */
  check(): void {
    if (this.#isEnding) throw new Ending(`${this.name}: the node stops`);
  }

  /** Runs `work`, unless the end has come. @throws {Ending} then */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Takes nothing new, and waits for what runs, at most `ms`. @returns whether all of it has ended */
  async end(clock: Clock, ms = STOP_PATIENCE_MS): Promise<boolean> {
    this.#isEnding = true;
    try {
      await within(clock, ms, this.name, Promise.allSettled([...this.#running]));
      return true;
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }
}
