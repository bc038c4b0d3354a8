/** Which address do others see? Each reply votes (opendht.md 6.6). */

import { addressOf, isMartian } from "./address.ts";
import { MAX_VOTES } from "./constants.ts";

/** Counts the votes of one family. */
export class AddressVotes {
  #counts = new Map<string, number>();

  /** One vote, 4 or 16 bytes; anything impossible does not count. */
  add(ip: Uint8Array): void {
    const address = addressOf(ip, 1);
    if (!address || isMartian(address)) return;
    const count = this.#counts.get(address.ip);
    if (count === undefined && this.#counts.size >= MAX_VOTES) this.#dropLeast();
    this.#counts.set(address.ip, (count ?? 0) + 1);
  }

  /** The address most seen, or `null`. */
  get winner(): string | null {
    let best: [string, number] | null = null;
    for (const entry of this.#counts) if (entry[1] > (best?.[1] ?? 0)) best = entry;
    return best && best[0];
  }

  /** How many see the node at which address, most first. */
  get counts(): { ip: string; votes: number }[] {
    return [...this.#counts].map(([ip, votes]) => ({ ip, votes })).sort((a, b) => b.votes - a.votes);
  }

  clear(): void {
    this.#counts.clear();
  }

  #dropLeast(): void {
    const [least] = [...this.#counts].sort((a, b) => a[1] - b[1]);
    this.#counts.delete(least[0]);
  }
}
