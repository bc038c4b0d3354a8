/**
 * The routing table of one conversation (swarm-sync.md 5.2, 5.3): which devices are connected, being connected, or known, in buckets by how many first
 * bits of their ids are ours. Only the bucket around our own id ever splits, so the buckets are: all ids that share exactly 0, 1, 2 ... bits with ours,
 * and last the own one with all that share more.
 */

import type { Clock } from "../base/clock.ts";
import { type Random, shuffled } from "../base/random.ts";
import type { DeviceId } from "../identity/ids.ts";
import {
  DRT_CAPACITY,
  DRT_MAX_FAILURES,
  DRT_MAX_KNOWN,
  DRT_RETRY_FIRST,
  DRT_RETRY_LONGEST,
  DRT_STABLE,
} from "./constants.ts";

interface Entry {
  state: "connected" | "connecting" | "known";
  /** Only another peer spoke of it; we have not seen it ourselves. */
  heard: boolean;
  /** Attempts that failed in a row. */
  failures: number;
  /** No attempt before this time, ms. */
  notBefore: number;
  /** When it was connected last, ms. */
  since: number;
}

export class RoutingTable {
  #entries = new Map<DeviceId, Entry>();
  /** The number of the own bucket, which is the last one. */
  #own = 0;

  constructor(
    private readonly self: DeviceId,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Connected devices, in no order that means anything. */
  get connected(): DeviceId[] {
    return this.#in("connected");
  }

  get connecting(): DeviceId[] {
    return this.#in("connecting");
  }

  get known(): DeviceId[] {
    return this.#in("known");
  }

  isConnected(device: DeviceId): boolean {
    return this.#entries.get(device)?.state === "connected";
  }

  /** Would hearing of the device be news? */
  canHear(device: DeviceId): boolean {
    return device !== this.self && !this.#entries.has(device);
  }

  /** Are the two in one bucket? */
  together(a: DeviceId, b: DeviceId): boolean {
    return this.#bucket(a) === this.#bucket(b);
  }

  /**
   * Notes a device that may be connected to. What we have seen ourselves may be tried at once, even if it failed before; what is hearsay never pushes out
   * what is not.
   * @returns whether it is new to be tried
   */
  know(device: DeviceId, heard: boolean): boolean {
    const entry = this.#entries.get(device);
    if (device === this.self || entry && (heard || entry.state !== "known")) return false;
    if (!entry && !this.#makeRoom(heard)) return false;
    this.#entries.delete(device); // the one noted last is the last to go
    this.#entries.set(device, { state: "known", heard, failures: 0, notBefore: 0, since: 0 });
    return true;
  }

  /** A channel to the device is up. It is never refused; a full bucket splits if it is the own one, and else it grows. */
  connect(device: DeviceId): void {
    if (this.isConnected(device)) return;
    const failures = this.#entries.get(device)?.failures ?? 0;
    const now = this.clock.now();
    this.#entries.set(device, { state: "connected", heard: false, failures, notBefore: 0, since: now });
    const inOwn = (id: DeviceId) => this.isConnected(id) && this.#bucket(id) === this.#own;
    while (this.#bucket(device) === this.#own && this.connected.filter(inOwn).length > DRT_CAPACITY) this.#own++;
  }

  /** Marks the device as being connected to. */
  begin(device: DeviceId): void {
    const entry = this.#entries.get(device);
    if (entry?.state === "known") entry.state = "connecting";
  }

  /** The last channel to a device ended: it is known from now on. One that did not last counts as a failed attempt. */
  lose(device: DeviceId): void {
    const entry = this.#entries.get(device);
    if (entry?.state !== "connected") return;
    entry.state = "known";
    if (this.clock.now() - entry.since < DRT_STABLE) this.#postpone(device, entry);
    else entry.failures = 0;
  }

  /** An attempt failed: the next one waits, and after too many the device is forgotten until somebody speaks of it. */
  fail(device: DeviceId): void {
    const entry = this.#entries.get(device);
    if (entry?.state === "connecting") this.#postpone(device, entry);
  }

  #postpone(device: DeviceId, entry: Entry): void {
    if (++entry.failures >= DRT_MAX_FAILURES[entry.heard ? "heard" : "seen"]) {
      this.#entries.delete(device);
      return;
    }
    const wait = Math.min(DRT_RETRY_FIRST * 2 ** (entry.failures - 1), DRT_RETRY_LONGEST);
    entry.state = "known";
    entry.notBefore = this.clock.now() + wait * (0.75 + this.random.float() / 2);
  }

  forget(device: DeviceId): void {
    this.#entries.delete(device);
  }

  /** Chooses the devices to connect to now (5.3), and marks them: each bucket wants two, the own one two more than it has. */
  wanted(): DeviceId[] {
    const now = this.clock.now();
    const held = new Map<number, number>();
    for (const [device, { state }] of this.#entries) {
      const bucket = this.#bucket(device);
      const counts = state === "connecting" || state === "connected" && bucket !== this.#own;
      if (counts) held.set(bucket, (held.get(bucket) ?? 0) + 1);
    }
    const free = new Map<number, DeviceId[]>();
    for (const [device, { state, notBefore }] of this.#entries) {
      const bucket = this.#bucket(device);
      if (state !== "known" || notBefore > now || (held.get(bucket) ?? 0) >= DRT_CAPACITY) continue;
      const devices = free.get(bucket);
      if (devices) devices.push(device);
      else free.set(bucket, [device]);
    }
    return [...free].flatMap(([bucket, devices]) => {
      const chosen = shuffled(this.random, devices).slice(0, DRT_CAPACITY - (held.get(bucket) ?? 0));
      for (const device of chosen) this.begin(device);
      return chosen;
    });
  }

  /** When the next device that failed may be tried again, ms since 1970; `null` if there is none. */
  nextTry(): number | null {
    const now = this.clock.now();
    let next = Infinity;
    for (const { state, notBefore } of this.#entries.values()) {
      if (state === "known" && notBefore > now && notBefore < next) next = notBefore;
    }
    return next === Infinity ? null : next;
  }

  #in(state: Entry["state"]): DeviceId[] {
    return [...this.#entries].filter(([, entry]) => entry.state === state).map(([device]) => device);
  }

  #bucket(device: DeviceId): number {
    return Math.min(sharedBits(device, this.self), this.#own);
  }

  /** Room for one more known device: the oldest hearsay goes first, then, for one that we saw, the oldest of all. */
  #makeRoom(heard: boolean): boolean {
    let known = 0;
    let oldest: DeviceId | undefined, oldestHeard: DeviceId | undefined;
    for (const [device, entry] of this.#entries) {
      if (entry.state !== "known") continue;
      known++;
      oldest ??= device;
      if (entry.heard) oldestHeard ??= device;
    }
    if (known < DRT_MAX_KNOWN) return true;
    const last = oldestHeard ?? (heard ? undefined : oldest);
    return last !== undefined && this.#entries.delete(last);
  }
}

/** How many first bits two ids (hex) share. */
export function sharedBits(a: DeviceId, b: DeviceId): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return 4 * i + Math.clz32(parseInt(a[i], 16) ^ parseInt(b[i], 16)) - 28;
  }
  return 4 * a.length;
}
