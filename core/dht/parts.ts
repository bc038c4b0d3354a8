/** Values too large for one datagram: cutting them into parts, and putting parts together again (opendht.md 2.8). */

import { type Bytes, concat } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { ProtocolError } from "../base/errors.ts";
import { type Address, addressText, sourceOf } from "./address.ts";
import * as limit from "./constants.ts";
import type { Part, ValueSlot } from "./packet.ts";
import { packValue, unpackValue, type Value } from "./value.ts";

/** What the header carries, and the parts that must follow it. */
export function splitValues(values: readonly Value[]): { slots: ValueSlot[]; parts: Part[] } {
  const packed = values.map(packValue);
  const total = packed.reduce((sum, bytes) => sum + bytes.length, 0);
  if (values.length < limit.INLINE_VALUES && total < limit.INLINE_BYTES) return { slots: [...values], parts: [] };
  const parts: Part[] = [];
  packed.forEach((bytes, index) => {
    for (let offset = 0; offset < bytes.length; offset += limit.PART_BYTES) {
      parts.push({ index, offset, data: bytes.slice(offset, offset + limit.PART_BYTES) });
    }
  });
  return { slots: packed.map((bytes) => bytes.length), parts };
}

/** Told once: the values there are, and whether they are all. */
type Assembled = (values: Value[], complete: boolean) => void;

/** A slice costs more memory than its bytes. */
const SLICE_OVERHEAD = 64;

class Assembly {
  /** `null` until the header has come. */
  slots: readonly ValueSlot[] | null = null;
  done: Assembled = () => {};
  bytes = 0;
  lastPart: number;
  cancelTimer: () => void = () => {};
  #slices = new Map<number, Part[]>();

  constructor(readonly key: string, readonly source: string, readonly started: number) {
    this.lastPart = started;
  }

  /** Keeps a part unless it is empty, overlaps another one or exceeds what was announced; the bytes it costs. */
  add(part: Part): number {
    if (part.data.length === 0 || !this.#fits(part)) return 0;
    const slices = this.#slices.get(part.index) ?? [];
    let at = slices.length;
    while (at > 0 && slices[at - 1].offset > part.offset) at--;
    const before = slices[at - 1];
    const after = slices[at];
    if (before && before.offset + before.data.length > part.offset) return 0;
    if (after && part.offset + part.data.length > after.offset) return 0;
    slices.splice(at, 0, part);
    this.#slices.set(part.index, slices);
    const cost = part.data.length + SLICE_OVERHEAD;
    this.bytes += cost;
    return cost;
  }

  open(slots: readonly ValueSlot[], done: Assembled): void {
    const early = [...this.#slices.values()].flat();
    this.slots = slots;
    this.done = done;
    this.#slices.clear();
    this.bytes = 0;
    for (const part of early) this.add(part);
  }

  /** The values that are whole, in order. */
  values(): Value[] {
    const values = (this.slots ?? []).map((slot, i) => typeof slot === "number" ? this.#whole(i, slot) : slot);
    return values.filter((value) => value !== null);
  }

  get complete(): boolean {
    return this.slots?.every((slot, i) => typeof slot !== "number" || skipped(slot) || this.#length(i) === slot) ??
      false;
  }

  #fits(part: Part): boolean {
    const end = part.offset + part.data.length;
    if (!this.slots) return end <= limit.MAX_ANNOUNCED_BYTES;
    const slot = this.slots[part.index];
    return typeof slot === "number" && !skipped(slot) && end <= slot;
  }

  #length(index: number): number {
    return (this.#slices.get(index) ?? []).reduce((sum, part) => sum + part.data.length, 0);
  }

  #whole(index: number, length: number): Value | null {
    const slices = this.#slices.get(index) ?? [];
    if (skipped(length) || this.#length(index) !== length) return null;
    try {
      return unpackValue(concat(...slices.map((part): Bytes => part.data)));
    } catch (error) {
      if (error instanceof ProtocolError) return null;
      throw error;
    }
  }
}

function skipped(length: number): boolean {
  return length === 0 || length > limit.MAX_ANNOUNCED_BYTES;
}

/** Puts parts together, keyed by address and transaction, in any order and even before their header. */
export class Assembler {
  #assemblies = new Map<string, Assembly>();
  #perSource = new Map<string, number>();
  #bytes = 0;

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return this.#assemblies.size;
  }

  /**
   * A header came that announces lengths. `done` is called exactly once, later or at once.
   * @returns false when the limits do not allow it: `done` is then never called
   */
  open(from: Address, tid: number, slots: readonly ValueSlot[], done: Assembled): boolean {
    const announced = slots.reduce<number>((sum, s) => typeof s === "number" && !skipped(s) ? sum + s : sum, 0);
    if (announced > limit.MAX_ASSEMBLY_BYTES) return false;
    const assembly = this.#assemblies.get(keyOf(from, tid)) ?? this.#create(from, tid);
    if (!assembly) return false;
    if (assembly.slots) return true; // a header sent again: its first copy's `done` serves both
    const early = assembly.bytes;
    assembly.open(slots, done);
    this.#bytes += assembly.bytes - early;
    this.#check(assembly);
    return true;
  }

  /**
   * A part came. Without its header it is kept only if `early` says that one may follow.
   * @returns false when the part belongs to nothing
   */
  add(from: Address, tid: number, part: Part, early: boolean): boolean {
    const known = this.#assemblies.get(keyOf(from, tid));
    const assembly = known ?? (early ? this.#create(from, tid) : null);
    if (!assembly) return false;
    const cost = part.data.length + SLICE_OVERHEAD;
    const most = assembly.slots ? Infinity : limit.MAX_EARLY_BYTES;
    if (assembly.bytes + cost > most || this.#bytes + cost > limit.MAX_ASSEMBLIES_BYTES) return true;
    this.#bytes += assembly.add(part);
    assembly.lastPart = this.clock.now();
    this.#check(assembly);
    return true;
  }

  /** Is a header with this transaction being completed? */
  has(from: Address, tid: number): boolean {
    return this.#assemblies.get(keyOf(from, tid))?.slots != null;
  }

  #create(from: Address, tid: number): Assembly | null {
    const source = sourceOf(from);
    const count = this.#perSource.get(source) ?? 0;
    if (this.#assemblies.size >= limit.MAX_ASSEMBLIES || count >= limit.MAX_ASSEMBLIES_PER_ADDRESS) return null;
    const assembly = new Assembly(keyOf(from, tid), source, this.clock.now());
    this.#assemblies.set(assembly.key, assembly);
    this.#perSource.set(source, count + 1);
    this.#watch(assembly);
    return assembly;
  }

  #watch(assembly: Assembly): void {
    const now = this.clock.now();
    const end = Math.min(assembly.lastPart + limit.ASSEMBLY_IDLE, assembly.started + limit.ASSEMBLY_LIFE);
    if (now >= end) this.#finish(assembly, false);
    else assembly.cancelTimer = this.clock.after(end - now, () => this.#watch(assembly));
  }

  #check(assembly: Assembly): void {
    if (assembly.complete) this.#finish(assembly, true);
  }

  #finish(assembly: Assembly, complete: boolean): void {
    assembly.cancelTimer();
    this.#assemblies.delete(assembly.key);
    this.#bytes -= assembly.bytes;
    const count = (this.#perSource.get(assembly.source) ?? 1) - 1;
    if (count > 0) this.#perSource.set(assembly.source, count);
    else this.#perSource.delete(assembly.source);
    assembly.done(assembly.values(), complete);
  }
}

function keyOf(from: Address, tid: number): string {
  return `${addressText(from)}/${tid}`;
}
