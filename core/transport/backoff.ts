/** When to try a device again after failures (connection.md 7.5). */

import type { Random } from "../base/random.ts";
import { BACKOFF_FIRST, BACKOFF_LAST } from "./constants.ts";

/** Waiting times that double from 5 s to 5 min, each shortened by up to a quarter at random, so that many nodes do not act in step. */
export class Backoff {
  #failures = 0;

  constructor(private readonly random: Random) {}

  /** How many failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure. @returns how many milliseconds to wait before the next attempt */
  failed(): number {
    // 2 ** 20 is far beyond the longest wait: the exponent is bounded so that it never becomes Infinity.
    const wait = Math.min(BACKOFF_FIRST * 2 ** Math.min(this.#failures, 20), BACKOFF_LAST);
    this.#failures++;
    return Math.round(wait * (1 - this.random.float() / 4));
  }

  /** Success, or a sign of life of the device: the next failure waits the shortest time again. */
  reset(): void {
    this.#failures = 0;
  }
}
