/** The head of each object in a pack, and deltas: the pure parts of git's pack format. */

import { type Bytes, hex } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import type { ObjectType, Oid } from "./object.ts";

/** A pack, or its index, breaks its format or a limit. */
export class PackError extends ProtocolError {
  constructor(message: string, options?: ErrorOptions) {
    super("pack", message, options);
  }
}

/** `PACK`, version, number of objects. */
export const PACK_HEADER_BYTES = 12;
/** SHA-1 of everything before it, at the end of packs and indexes. */
export const PACK_TRAILER_BYTES = 20;

const OBJECT_TYPES: readonly (ObjectType | null)[] = [null, "commit", "tree", "blob", "tag"];
const OFS_DELTA = 6;
const REF_DELTA = 7;
/** No honest size or distance needs more groups of seven bits. */
const MAX_VARINT_BYTES = 7;

/** What stands before the deflated bytes of an entry. */
export interface EntryHeader {
  /** `null` for a delta. */
  type: ObjectType | null;
  /** Where a delta's base stands: its offset in the pack, or its name. */
  base: number | Oid | null;
  /** Inflated size of what follows: the object, or the delta. */
  size: number;
  /** Where the deflated bytes start. */
  dataAt: number;
}

/**
 * Reads the head of the entry at `at`.
 * @param bytes the pack or a window of it; `at` counts in it
 * @param offset the entry's offset in the whole pack
 * @throws {PackError} when it is none, or is cut
 */
export function readEntryHeader(bytes: Uint8Array, at: number, offset = at): EntryHeader {
  let byte = byteAt(bytes, at++);
  const code = (byte >> 4) & 7;
  let size = byte & 0x0f;
  for (let scale = 16, n = 1; byte & 0x80; scale *= 128, n++) {
    if (n > MAX_VARINT_BYTES) throw new PackError("an object size is too long");
    byte = byteAt(bytes, at++);
    size += (byte & 0x7f) * scale;
  }
  if (!Number.isSafeInteger(size)) throw new PackError("an object size is too large");
  if (code === OFS_DELTA) {
    const distance = readDistance(bytes, at);
    if (distance.value <= 0 || distance.value > offset) throw new PackError("a delta's base is outside the pack");
    return { type: null, base: offset - distance.value, size, dataAt: distance.end };
  }
  if (code === REF_DELTA) {
    if (at + 20 > bytes.length) throw new PackError("cut");
    return { type: null, base: hex(bytes.subarray(at, at + 20)), size, dataAt: at + 20 };
  }
  const type = OBJECT_TYPES[code] ?? null;
  if (type === null) throw new PackError(`unknown object type ${code}`);
  return { type, base: null, size, dataAt: at };
}

/** A backwards distance: big-endian groups of seven bits, each continuation adding one. */
function readDistance(bytes: Uint8Array, at: number): { value: number; end: number } {
  let byte = byteAt(bytes, at++);
  let value = byte & 0x7f;
  for (let n = 1; byte & 0x80; n++) {
    if (n > MAX_VARINT_BYTES) throw new PackError("a delta distance is too long");
    byte = byteAt(bytes, at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, end: at };
}

/** The head of an entry that is no delta. */
export function writeEntryHeader(type: ObjectType, size: number): Bytes {
  const out = [(OBJECT_TYPES.indexOf(type) << 4) | (size & 0x0f)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    out[out.length - 1] |= 0x80;
    out.push(rest % 128);
  }
  return Uint8Array.from(out);
}

/**
 * The size of what a delta makes.
 * @throws {PackError} when it is cut
 */
export function deltaResultSize(delta: Uint8Array): number {
  return readSize(delta, readSize(delta, 0).end).value;
}

/**
 * Applies a delta to its base.
 * @throws {PackError} when the delta is malformed or not for this base
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Bytes {
  const baseSize = readSize(delta, 0);
  if (baseSize.value !== base.length) throw new PackError("a delta is for another base");
  const resultSize = readSize(delta, baseSize.end);
  const out = new Uint8Array(resultSize.value);
  let at = resultSize.end;
  let filled = 0;
  while (at < delta.length) {
    const code = delta[at++];
    let from = delta;
    let start = at;
    let length = code;
    if (code & 0x80) {
      [start, at] = readSparse(delta, at, code & 0x0f, 4);
      [length, at] = readSparse(delta, at, (code >> 4) & 0x07, 3);
      if (length === 0) length = 0x10000;
      from = base;
    } else if (code === 0) throw new PackError("a delta has a reserved instruction");
    else at += length;
    if (start + length > from.length || filled + length > out.length) throw new PackError("a delta goes too far");
    out.set(from.subarray(start, start + length), filled);
    filled += length;
  }
  if (filled !== out.length) throw new PackError("a delta makes less than it says");
  return out;
}

/** A little-endian number of which only the bytes whose bit is set in `mask` are there. */
function readSparse(bytes: Uint8Array, at: number, mask: number, width: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < width; i++) {
    if (mask & (1 << i)) value += byteAt(bytes, at++) * 2 ** (8 * i);
  }
  return [value, at];
}

/** A little-endian number in groups of seven bits. */
function readSize(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let n = 0, scale = 1; n < MAX_VARINT_BYTES; n++, scale *= 128) {
    const byte = byteAt(bytes, at++);
    value += (byte & 0x7f) * scale;
    if (!(byte & 0x80)) return { value, end: at };
  }
  throw new PackError("a size is too long");
}

function byteAt(bytes: Uint8Array, at: number): number {
  if (at >= bytes.length) throw new PackError("cut");
  return bytes[at];
}
