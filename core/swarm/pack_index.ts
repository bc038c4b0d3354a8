/** Pack indexes, version 2: which object stands where in a pack. Kept as the few flat arrays of the file itself. */

import { createHash } from "node:crypto";
import { type Bytes, equal, fromHex, hex } from "../base/bytes.ts";
import type { Oid } from "./object.ts";
import { PACK_TRAILER_BYTES, PackError } from "./pack_entry.ts";

const MAGIC = 0xff744f63;
const VERSION = 2;
const HEADER_BYTES = 8;
const FANOUT_BYTES = 256 * 4;
const OID_BYTES = 20;
/** Name, CRC and offset. */
const ROW_BYTES = OID_BYTES + 4 + 4;
/** Set in offsets that stand in the 64-bit table, which no pack of ours needs. */
const LARGE_OFFSET = 0x80000000;

/** One object of a pack, for {@link writePackIndex}. */
export interface IndexEntry {
  oid: Oid;
  /** CRC-32 of its bytes in the pack, head included. */
  crc: number;
  offset: number;
}

/**
 * The index of a pack.
 * @param packSum the pack's own checksum
 * @throws {RangeError} when an offset needs more than 31 bits
 */
export function writePackIndex(entries: readonly IndexEntry[], packSum: Uint8Array): Bytes {
  const sorted = [...entries].sort((a, b) => (a.oid < b.oid ? -1 : a.oid > b.oid ? 1 : 0));
  const count = sorted.length;
  const out = new Uint8Array(HEADER_BYTES + FANOUT_BYTES + count * ROW_BYTES + 2 * PACK_TRAILER_BYTES);
  const view = new DataView(out.buffer);
  const names = HEADER_BYTES + FANOUT_BYTES;
  const crcs = names + count * OID_BYTES;
  const offsets = crcs + count * 4;
  view.setUint32(0, MAGIC);
  view.setUint32(4, VERSION);
  const upTo = new Uint32Array(256);
  sorted.forEach(({ oid, crc, offset }, i) => {
    if (offset >= LARGE_OFFSET) throw new RangeError("pack index: offset beyond 31 bits");
    const name = fromHex(oid);
    upTo[name[0]]++;
    out.set(name, names + i * OID_BYTES);
    view.setUint32(crcs + i * 4, crc);
    view.setUint32(offsets + i * 4, offset);
  });
  for (let i = 0, sum = 0; i < 256; i++) view.setUint32(HEADER_BYTES + i * 4, sum += upTo[i]);
  out.set(packSum, out.length - 2 * PACK_TRAILER_BYTES);
  const sum = createHash("sha1").update(out.subarray(0, out.length - PACK_TRAILER_BYTES)).digest();
  out.set(sum, out.length - PACK_TRAILER_BYTES);
  return out;
}

/** A pack index in memory: 32 bytes for each object. */
export class PackIndex {
  readonly count: number;
  /** The checksum of the pack it belongs to. */
  readonly packSum: Bytes;
  #fanout: Uint32Array;
  #names: Bytes;
  #offsets: Uint32Array;
  /** The offsets in their order in the pack: the next one is where an entry ends. */
  #ordered: Uint32Array;

  /**
   * @param file the whole index file
   * @throws {PackError} when it is not a sound index of version 2
   */
  constructor(file: Uint8Array) {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const body = file.length - PACK_TRAILER_BYTES;
    if (body < HEADER_BYTES + FANOUT_BYTES + PACK_TRAILER_BYTES) throw new PackError("an index is cut");
    if (view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION) throw new PackError("not an index of version 2");
    if (!equal(createHash("sha1").update(file.subarray(0, body)).digest(), file.subarray(body))) {
      throw new PackError("the checksum of an index is wrong");
    }
    this.#fanout = Uint32Array.from({ length: 256 }, (_, i) => view.getUint32(HEADER_BYTES + i * 4));
    this.count = this.#fanout[255];
    const names = HEADER_BYTES + FANOUT_BYTES;
    const offsets = names + this.count * (OID_BYTES + 4);
    if (names + this.count * ROW_BYTES + 2 * PACK_TRAILER_BYTES > file.length) throw new PackError("an index is cut");
    if (this.#fanout.some((n, i) => i > 0 && n < this.#fanout[i - 1])) throw new PackError("an index is not sorted");
    this.#names = file.slice(names, names + this.count * OID_BYTES);
    this.#offsets = Uint32Array.from({ length: this.count }, (_, i) => view.getUint32(offsets + i * 4));
    if (this.#offsets.some((offset) => offset >= LARGE_OFFSET)) throw new PackError("a pack beyond 2 GiB");
    this.#ordered = this.#offsets.toSorted();
    this.packSum = file.slice(body - PACK_TRAILER_BYTES, body);
  }

  /** Where the entry of an object starts in the pack, or `null`. */
  find(oid: Oid): number | null {
    const name = fromHex(oid);
    let low = name[0] === 0 ? 0 : this.#fanout[name[0] - 1];
    let high = this.#fanout[name[0]];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(middle, name);
      if (order === 0) return this.#offsets[middle];
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return null;
  }

  /** Where the entry that starts at `offset` ends, given the end of the last one. */
  endOf(offset: number, lastEnd: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ordered[middle] <= offset) low = middle + 1;
      else high = middle;
    }
    return low < this.count ? this.#ordered[low] : lastEnd;
  }

  /** The names of all objects, sorted. */
  *oids(): Generator<Oid> {
    for (let i = 0; i < this.count; i++) yield hex(this.#names.subarray(i * OID_BYTES, (i + 1) * OID_BYTES));
  }

  #compare(i: number, name: Uint8Array): number {
    const at = i * OID_BYTES;
    for (let k = 0; k < OID_BYTES; k++) {
      const order = this.#names[at + k] - name[k];
      if (order !== 0) return order;
    }
    return 0;
  }
}
