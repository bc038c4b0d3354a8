/**
 * Which requests came unasked. A router lets answers in, and whatever else comes from where it saw something go; a request from an IP
 * address that this node did not speak to for minutes passes only where the port is open (RFC 4787, 4.3 and 5).
 */

import type { Clock } from "../base/clock.ts";
import { MAX_SPOKEN_TO, UNASKED_AFTER } from "./constants.ts";

/** What is known of packets that came unasked. Times are milliseconds since 1970, 0 for never. */
export interface Unasked {
  count: number;
  last: number;
  /** From when on it can be told whether a packet came unasked. */
  since: number;
}

export class Arrivals {
  /** When each IP address was spoken to last, the oldest first. */
  readonly #spokenTo = new Map<string, number>();
  /** When the newest of those that were forgotten was spoken to. */
  #forgotten = 0;
  #since = 0;
  #count = 0;
  #last = 0;

  constructor(private readonly clock: Clock) {}

  /** @param again was there an earlier run? Routers may still let in what answers that one */
  start(again: boolean): void {
    this.#since = this.clock.now() + (again ? UNASKED_AFTER : 0);
  }

  /** Something was sent to this IP address. */
  sent(ip: string): void {
    this.#spokenTo.delete(ip);
    this.#spokenTo.set(ip, this.clock.now());
    if (this.#spokenTo.size <= MAX_SPOKEN_TO) return;
    for (const [oldest, at] of this.#spokenTo) {
      this.#spokenTo.delete(oldest);
      this.#forgotten = at;
      break;
    }
  }

  /** A request came from this IP address, to which nothing was sent for it yet. */
  came(ip: string): void {
    const now = this.clock.now();
    const spokenTo = this.#spokenTo.get(ip) ?? this.#forgotten;
    if (now < this.#since || now - spokenTo < UNASKED_AFTER) return;
    this.#count++;
    this.#last = now;
  }

  get unasked(): Unasked {
    return { count: this.#count, last: this.#last, since: this.#since };
  }
}
