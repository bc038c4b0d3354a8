/** Pauses in long work on the main loop, so that timers and sockets get their turn. */

import { BREATH_MS } from "./git_limits.ts";

/** Ask it at each step; it pauses when the loop was held for too long. */
export class Breather {
  #since = performance.now();

  /** Resolves at once, or after one turn of the event loop. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < BREATH_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
  }
}
