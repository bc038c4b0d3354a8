/** Follows the presence of some members of a conversation while its routing table has nobody (swarm-sync.md 5.3). */

import { shuffled, systemRandom } from "../../../core/base/random.ts";
import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";

export interface ScoutOptions {
  /** All members but ourselves. */
  others: readonly AccountId[];
  watch(account: AccountId, appeared: (device: PublicKey) => void): () => void;
  found(device: DeviceId): void;
}

export class Scout {
  readonly #watches = new Map<AccountId, { stop: () => void; devices: Set<DeviceId>; failed: Set<DeviceId> }>();

  constructor(private readonly options: ScoutOptions) {
    const { others } = options;
    const count = others.length + 1; // we count as a member too
    const tracked = Math.min(count, 3 + Math.floor(Math.log2(count)));
    for (const account of shuffled(systemRandom, others).slice(0, tracked - 1)) this.#watch(account);
  }

  stop(): void {
    for (const { stop } of this.#watches.values()) stop();
    this.#watches.clear();
  }

  /** A device could not be connected: when all of an account's failed, another account takes its place. */
  failed(device: DeviceId): void {
    for (const [account, { stop, devices, failed }] of this.#watches) {
      if (!devices.has(device)) continue;
      failed.add(device);
      const [next] = shuffled(systemRandom, this.options.others).filter((other) => !this.#watches.has(other));
      if (failed.size < devices.size || !next) return;
      stop();
      this.#watches.delete(account);
      return this.#watch(next);
    }
  }

  #watch(account: AccountId): void {
    const devices = new Set<DeviceId>();
    const stop = this.options.watch(account, ({ longId }) => {
      devices.add(longId);
      this.#watches.get(account)?.failed.delete(longId);
      this.options.found(longId);
    });
    this.#watches.set(account, { stop, devices, failed: new Set() });
  }
}
