/** The routing table of one conversation (swarm-sync.md 5.2, 5.3): which devices are connected, being connected, or known. */

import { type Random, shuffled } from "../../../core/base/random.ts";
import type { DeviceId } from "../../../core/identity/ids.ts";

const CAPACITY = 2; // connected nodes of a bucket before it is split, and those that maintenance looks for
const ID_BITS = 256;

interface Bucket {
  /** The first `depth` bits of its nodes' ids. */
  prefix: bigint;
  depth: number;
  connected: Set<DeviceId>;
  connecting: Set<DeviceId>;
  known: Set<DeviceId>;
}

export class RoutingTable {
  #buckets: Bucket[] = [bucket(0n, 0)];

  constructor(private readonly self: DeviceId, private readonly random: Random) {}

  get connected(): DeviceId[] {
    return this.#buckets.flatMap((bucket) => [...bucket.connected]);
  }

  /** Notes a device. Whether that is news. */
  know(device: DeviceId): boolean {
    const { connected, connecting, known } = this.#of(device);
    if (device === this.self || [connected, connecting, known].some((set) => set.has(device))) return false;
    known.add(device);
    return true;
  }

  /** A channel to the device is up. A full bucket splits only around our own id; otherwise it grows. */
  connect(device: DeviceId): void {
    while (this.#of(device).connected.size >= CAPACITY && contains(this.#of(device), this.self)) {
      this.#split(this.#of(device));
    }
    const { connected, connecting, known } = this.#of(device);
    connecting.delete(device);
    known.delete(device);
    connected.add(device);
  }

  /** The last channel to the device ended, or none could be made. */
  lose(device: DeviceId): void {
    const { connected, connecting, known } = this.#of(device);
    connected.delete(device);
    connecting.delete(device);
    known.add(device);
  }

  /** Marks the device as being connected. */
  begin(device: DeviceId): void {
    const { known, connecting } = this.#of(device);
    known.delete(device);
    connecting.add(device);
  }

  /** The devices to connect to now: they count as being connected from here on. */
  wanted(): DeviceId[] {
    return this.#buckets.flatMap((bucket) => {
      const held = bucket.connecting.size + (contains(bucket, this.self) ? 0 : bucket.connected.size);
      const chosen = shuffled(this.random, bucket.known).slice(0, Math.max(0, CAPACITY - held));
      chosen.forEach((device) => this.begin(device));
      return chosen;
    });
  }

  forget(device: DeviceId): void {
    const { connected, connecting, known } = this.#of(device);
    for (const set of [connected, connecting, known]) set.delete(device);
  }

  #of(device: DeviceId): Bucket {
    const found = this.#buckets.find((bucket) => contains(bucket, device));
    if (!found) throw new Error("the buckets cover all ids");
    return found;
  }

  #split(full: Bucket): void {
    const halves = [0n, 1n].map((bit) => bucket(full.prefix << 1n | bit, full.depth + 1));
    for (const half of halves) {
      for (const set of ["connected", "connecting", "known"] as const) {
        for (const device of full[set]) if (contains(half, device)) half[set].add(device);
      }
    }
    this.#buckets.splice(this.#buckets.indexOf(full), 1, ...halves);
  }
}

function bucket(prefix: bigint, depth: number): Bucket {
  return { prefix, depth, connected: new Set(), connecting: new Set(), known: new Set() };
}

function contains({ prefix, depth }: Bucket, device: DeviceId): boolean {
  return BigInt(`0x${device}`) >> BigInt(ID_BITS - depth) === prefix;
}
