/**
 * MessagePack, exact: the shortest form of every integer, 64-bit integers without loss, integer and binary map keys, and bytes that come out the same
 * each time, because OpenDHT signs them (opendht.md 1 and 14).
 */

import { type Bytes, concat, text, utf8 } from "./bytes.ts";
import { ProtocolError } from "./errors.ts";

/** What can be encoded. An object is a map with string keys in insertion order; properties that are `undefined` are left out. */
export type Encodable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Encodable[]
  | ReadonlyMap<Encodable, Encodable>
  | { readonly [key: string]: Encodable | undefined };

/** What decoding gives: integers as `number` when that is exact, else `bigint`; every map as `Map`. */
export type Decoded = null | boolean | number | bigint | string | Bytes | Decoded[] | Map<Decoded, Decoded>;

const MAX_DEPTH = 32;

/**
 * The bytes of a value.
 * @throws {RangeError} an integer beyond 64 bits, or a value nested too deep: our own mistake, never a peer's
 */
export function encode(value: Encodable): Bytes {
  const out: Uint8Array[] = [];
  write(out, value, 0);
  return concat(...out);
}

function write(out: Uint8Array[], value: Encodable, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError("msgpack: nested too deep");
  if (value === null) out.push(byte(0xc0));
  else if (typeof value === "boolean") out.push(byte(value ? 0xc3 : 0xc2));
  else if (typeof value === "bigint") writeInteger(out, value);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "string") {
    const bytes = utf8(value);
    if (bytes.length < 32) out.push(byte(0xa0 | bytes.length));
    else out.push(header(bytes.length, 0xd9, 0xda, 0xdb));
    out.push(bytes);
  } else if (value instanceof Uint8Array) {
    out.push(header(value.length, 0xc4, 0xc5, 0xc6), value);
  } else if (Array.isArray(value)) {
    out.push(value.length < 16 ? byte(0x90 | value.length) : header(value.length, null, 0xdc, 0xdd));
    for (const item of value) write(out, item, depth + 1);
  } else {
    const entries = value instanceof Map
      ? [...value.entries()]
      : Object.entries(value).filter(([, item]) => item !== undefined);
    out.push(entries.length < 16 ? byte(0x80 | entries.length) : header(entries.length, null, 0xde, 0xdf));
    for (const [key, item] of entries) {
      write(out, key, depth + 1);
      write(out, item, depth + 1);
    }
  }
}

function byte(b: number): Bytes {
  return Uint8Array.of(b);
}

function header(length: number, one: number | null, two: number, four: number): Bytes {
  if (one !== null && length < 0x100) return Uint8Array.of(one, length);
  if (length < 0x10000) return Uint8Array.of(two, length >> 8, length & 0xff);
  return Uint8Array.of(four, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}

function writeNumber(out: Uint8Array[], value: number): void {
  if (Number.isSafeInteger(value)) return writeInteger(out, BigInt(value));
  const bytes = new Uint8Array(9);
  bytes[0] = 0xcb;
  new DataView(bytes.buffer).setFloat64(1, value);
  out.push(bytes);
}

function writeInteger(out: Uint8Array[], value: bigint): void {
  const sized = (tag: number, length: number) => {
    const bytes = new Uint8Array(length + 1);
    bytes[0] = tag;
    for (let i = length, rest = BigInt.asUintN(64, value); i > 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    out.push(bytes);
  };
  if (value >= 0n) {
    if (value < 0x80n) out.push(byte(Number(value)));
    else if (value < 0x100n) sized(0xcc, 1);
    else if (value < 0x10000n) sized(0xcd, 2);
    else if (value < 0x100000000n) sized(0xce, 4);
    else if (value < 0x10000000000000000n) sized(0xcf, 8);
    else throw new RangeError("msgpack: integer beyond 64 bits");
  } else {
    if (value >= -0x20n) out.push(byte(Number(value) & 0xff));
    else if (value >= -0x80n) sized(0xd0, 1);
    else if (value >= -0x8000n) sized(0xd1, 2);
    else if (value >= -0x80000000n) sized(0xd2, 4);
    else if (value >= -0x8000000000000000n) sized(0xd3, 8);
    else throw new RangeError("msgpack: integer beyond 64 bits");
  }
}

/**
 * The one value that `bytes` hold. Byte strings in it are copies.
 * @throws {ProtocolError} on anything else, bytes left over included
 */
export function decode(bytes: Uint8Array): Decoded {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new ProtocolError("msgpack", "bytes after the value");
  return value;
}

/**
 * The first value in `bytes` and where it ends.
 * @throws {Incomplete} when the bytes end before the value does
 * @throws {ProtocolError} when they are not msgpack
 */
export function decodeFirst(bytes: Uint8Array, from = 0): { value: Decoded; end: number } {
  const reader = new Reader(bytes, from);
  const value = reader.value(0);
  return { value, end: reader.at };
}

/** The bytes end before the value does. */
export class Incomplete extends ProtocolError {
  constructor() {
    super("msgpack", "unexpected end");
  }
}

class Reader {
  #view: DataView;

  constructor(private readonly bytes: Uint8Array, public at = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(depth: number): Decoded {
    if (depth > MAX_DEPTH) throw new ProtocolError("msgpack", "nested too deep");
    const tag = this.#uint(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return text(this.#take(tag & 0x1f));
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#take(this.#uint(1)).slice();
      case 0xc5:
        return this.#take(this.#uint(2)).slice();
      case 0xc6:
        return this.#take(this.#uint(4)).slice();
      case 0xca:
        return this.#at(4, (at) => this.#view.getFloat32(at));
      case 0xcb:
        return this.#at(8, (at) => this.#view.getFloat64(at));
      case 0xcc:
        return this.#uint(1);
      case 0xcd:
        return this.#uint(2);
      case 0xce:
        return this.#uint(4);
      case 0xcf:
        return exact(this.#at(8, (at) => this.#view.getBigUint64(at)));
      case 0xd0:
        return this.#at(1, (at) => this.#view.getInt8(at));
      case 0xd1:
        return this.#at(2, (at) => this.#view.getInt16(at));
      case 0xd2:
        return this.#at(4, (at) => this.#view.getInt32(at));
      case 0xd3:
        return exact(this.#at(8, (at) => this.#view.getBigInt64(at)));
      case 0xd9:
        return text(this.#take(this.#uint(1)));
      case 0xda:
        return text(this.#take(this.#uint(2)));
      case 0xdb:
        return text(this.#take(this.#uint(4)));
      case 0xdc:
        return this.#array(this.#uint(2), depth);
      case 0xdd:
        return this.#array(this.#uint(4), depth);
      case 0xde:
        return this.#map(this.#uint(2), depth);
      case 0xdf:
        return this.#map(this.#uint(4), depth);
    }
    throw new ProtocolError("msgpack", `unsupported type 0x${tag.toString(16)}`);
  }

  #array(length: number, depth: number): Decoded[] {
    const out: Decoded[] = [];
    for (let i = 0; i < length; i++) out.push(this.value(depth + 1));
    return out;
  }

  #map(length: number, depth: number): Map<Decoded, Decoded> {
    const out = new Map<Decoded, Decoded>();
    for (let i = 0; i < length; i++) {
      const key = this.value(depth + 1);
      out.set(key, this.value(depth + 1));
    }
    return out;
  }

  #take(length: number): Bytes {
    return this.#at(length, (at) => this.bytes.subarray(at, at + length)) as Bytes; // reason: only copied or decoded from
  }

  #uint(length: 1 | 2 | 4): number {
    return this.#at(
      length,
      (at) =>
        length === 1 ? this.#view.getUint8(at) : length === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at),
    );
  }

  #at<T>(length: number, read: (at: number) => T): T {
    if (this.at + length > this.bytes.length) throw new Incomplete();
    const value = read(this.at);
    this.at += length;
    return value;
  }
}

function exact(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** Values from a stream that cuts them anywhere. The work is proportional to the bytes, however small the chunks. */
export class Unpacker {
  /** The beginning of a value that has not ended yet: `#rest[0 .. #length]`. */
  #rest = new Uint8Array(0);
  #length = 0;
  #boundary: Boundary;

  /**
   * @param limit the largest value accepted, in bytes
   * @param values the most values accepted in one value, itself and its map keys included: it bounds the memory of what is decoded
   */
  constructor(private readonly limit: number, values = Infinity) {
    this.#boundary = new Boundary(limit, values);
  }

  /**
   * The values that are complete now.
   * @throws {ProtocolError} when the stream is not msgpack or one value exceeds the limit; the stream is of no use afterwards
   */
  push(chunk: Uint8Array): Decoded[] {
    const out: Decoded[] = [];
    let at = 0;
    for (let end = this.#boundary.next(chunk, at); end !== null; end = this.#boundary.next(chunk, at)) {
      this.#checkLimit(end - at);
      const last = chunk.subarray(at, end);
      out.push(decode(this.#length ? concat(this.#rest.subarray(0, this.#length), last) : last));
      this.#length = 0;
      at = end;
    }
    this.#keep(chunk.subarray(at));
    return out;
  }

  #keep(part: Uint8Array): void {
    this.#checkLimit(part.length);
    const length = this.#length + part.length;
    if (length > this.#rest.length) {
      const larger = new Uint8Array(Math.max(length, this.#rest.length * 2));
      larger.set(this.#rest.subarray(0, this.#length));
      this.#rest = larger;
    }
    this.#rest.set(part, this.#length);
    this.#length = length;
    if (length === 0) this.#rest = new Uint8Array(0);
  }

  #checkLimit(more: number): void {
    if (this.#length + more > this.limit) throw new ProtocolError("msgpack", `a value over ${this.limit} bytes`);
  }
}

/** Finds where a value ends without decoding it, byte after byte over chunks. */
class Boundary {
  /** How many values are still to come in each open array or map, outermost first. */
  #open: number[] = [];
  /** Bytes of a number or string still to come. */
  #payload = 0;
  /** Bytes of a length still to come, what is known of it, and what it counts. */
  #lengthBytes = 0;
  #length = 0;
  #counts: "bytes" | "items" | "pairs" = "bytes";
  #values = 0;

  constructor(private readonly limit: number, private readonly maxValues: number) {}

  /** Where in `chunk` the value that is under way at `from` ends; `null` when it does not. */
  next(chunk: Uint8Array, from: number): number | null {
    for (let at = from; at < chunk.length;) {
      let complete: boolean;
      if (this.#payload) {
        const taken = Math.min(this.#payload, chunk.length - at);
        at += taken;
        this.#payload -= taken;
        complete = this.#payload === 0;
      } else if (this.#lengthBytes) {
        this.#length = this.#length * 256 + chunk[at++];
        complete = --this.#lengthBytes === 0 && this.#enter(this.#counts, this.#length);
      } else complete = this.#tag(chunk[at++]);
      if (complete && this.#leave()) {
        this.#values = 0;
        return at;
      }
    }
    return null;
  }

  /** Reads a type byte. Is the value complete with it? */
  #tag(tag: number): boolean {
    if (++this.#values > this.maxValues) throw new ProtocolError("msgpack", "too many values");
    if (tag < 0x80 || tag >= 0xe0 || tag === 0xc0 || tag === 0xc2 || tag === 0xc3) return true;
    if (tag < 0x90) return this.#enter("pairs", tag & 0x0f);
    if (tag < 0xa0) return this.#enter("items", tag & 0x0f);
    if (tag < 0xc0) return this.#enter("bytes", tag & 0x1f);
    if (tag >= 0xc4 && tag <= 0xc6) return this.#expect("bytes", 1 << (tag - 0xc4));
    if (tag === 0xca || tag === 0xcb) return this.#enter("bytes", tag === 0xca ? 4 : 8);
    if (tag >= 0xcc && tag <= 0xd3) return this.#enter("bytes", 1 << (tag & 3));
    if (tag >= 0xd9 && tag <= 0xdb) return this.#expect("bytes", 1 << (tag - 0xd9));
    if (tag === 0xdc || tag === 0xdd) return this.#expect("items", tag === 0xdc ? 2 : 4);
    if (tag === 0xde || tag === 0xdf) return this.#expect("pairs", tag === 0xde ? 2 : 4);
    throw new ProtocolError("msgpack", `unsupported type 0x${tag.toString(16)}`);
  }

  #expect(counts: "bytes" | "items" | "pairs", lengthBytes: number): boolean {
    this.#counts = counts;
    this.#lengthBytes = lengthBytes;
    this.#length = 0;
    return false;
  }

  /** Begins what has a known length. Is it complete, because it is empty? */
  #enter(counts: "bytes" | "items" | "pairs", length: number): boolean {
    if (length > this.limit) throw new ProtocolError("msgpack", `a value over ${this.limit} bytes`);
    if (length === 0) return true;
    if (counts === "bytes") this.#payload = length;
    else {
      if (this.#open.length >= MAX_DEPTH) throw new ProtocolError("msgpack", "nested too deep");
      this.#open.push(counts === "pairs" ? length * 2 : length);
    }
    return false;
  }

  /** A value is complete. Was it the outermost one? */
  #leave(): boolean {
    while (this.#open.length && --this.#open[this.#open.length - 1] === 0) this.#open.pop();
    return this.#open.length === 0;
  }
}

/**
 * A decoded value that must be a map.
 * @throws {ProtocolError} when it is not
 */
export function asMap(value: Decoded | undefined, what: string): Map<Decoded, Decoded> {
  if (value instanceof Map) return value;
  throw new ProtocolError("msgpack", `${what} is not a map`);
}

/** A decoded value that must be a text. @throws {ProtocolError} when it is not */
export function asText(value: Decoded | undefined, what: string): string {
  if (typeof value === "string") return value;
  throw new ProtocolError("msgpack", `${what} is not a text`);
}

/** A decoded value that must be bytes. @throws {ProtocolError} when it is not */
export function asBytes(value: Decoded | undefined, what: string): Bytes {
  if (value instanceof Uint8Array) return value;
  throw new ProtocolError("msgpack", `${what} is not bytes`);
}

/** A decoded value that must be a whole number in `0 .. max`. @throws {ProtocolError} when it is not */
export function asUint(value: Decoded | undefined, what: string, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
  throw new ProtocolError("msgpack", `${what} is not a number in 0..${max}`);
}

/** A decoded value that must be an unsigned 64-bit number. @throws {ProtocolError} when it is not */
export function asUint64(value: Decoded | undefined, what: string): bigint {
  if (typeof value === "bigint" && value >= 0n) return value;
  return BigInt(asUint(value, what));
}
