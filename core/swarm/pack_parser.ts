/** A received pack into objects, with hard limits on everything it may cost. No I/O: runs in a worker or in line. */

import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { type Bytes, equal } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import type { PackLimits } from "./git_limits.ts";
import { type GitObject, hashObject, type Oid } from "./object.ts";
import {
  applyDelta,
  deltaResultSize,
  PACK_HEADER_BYTES,
  PACK_TRAILER_BYTES,
  PackError,
  readEntryHeader,
} from "./pack_entry.ts";

const SIGNATURE = 0x5041434b; // "PACK"
/** zlib's smallest output step, and one that makes most objects of a swarm a single step. */
const MIN_INFLATE_STEP = 64;
const MAX_INFLATE_STEP = 64 * 1024;

/**
 * Number of objects a pack says it has.
 * @throws {PackError} when it is no pack
 */
export function packCount(pack: Uint8Array): number {
  if (pack.length < PACK_HEADER_BYTES + PACK_TRAILER_BYTES) throw new PackError("too short");
  const view = new DataView(pack.buffer, pack.byteOffset, pack.byteLength);
  const version = view.getUint32(4);
  if (view.getUint32(0) !== SIGNATURE || (version !== 2 && version !== 3)) throw new PackError("not a pack");
  return view.getUint32(8);
}

/**
 * Inflates what stands at `at`; `used` says how many bytes it took.
 * The window is bounded, so a stream padded with empty blocks is refused instead of read.
 * @throws {PackError} unless it is exactly `size` bytes
 */
export function inflateAt(bytes: Uint8Array, at: number, size: number): { data: Bytes; used: number } {
  const window = bytes.subarray(at, at + size + (size >> 6) + 256);
  try {
    const { buffer, engine } = inflateSync(window, {
      info: true,
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.min(Math.max(size, MIN_INFLATE_STEP), MAX_INFLATE_STEP),
    }) as unknown as { buffer: Uint8Array<ArrayBuffer>; engine: { bytesWritten: number } }; // reason: @types/node does not know `info`
    if (buffer.length !== size) throw new PackError("an object is shorter than it says");
    return { data: new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length), used: engine.bytesWritten };
  } catch (error) {
    if (error instanceof PackError) throw error;
    throw new PackError(`an object does not inflate: ${messageOf(error)}`, { cause: error });
  }
}

interface Delta {
  data: Bytes;
  /** Offset of its entry: others may build on it. */
  offset: number;
}

interface Resolved {
  object: GitObject;
  offset: number | null;
  depth: number;
}

/**
 * One pack on its way to objects: {@link scan} once, then {@link supply} as long as bases outside the pack are wanted.
 *
 * Deltas wait under their base's offset or name until that is known; nothing recurses, so depth costs no stack.
 */
export class PackParser {
  readonly objects = new Map<Oid, GitObject>();
  #byOffset = new Map<number, Delta[]>();
  #byName = new Map<Oid, Delta[]>();
  #total = 0;

  constructor(private readonly pack: Uint8Array, private readonly limits: PackLimits) {}

  /**
   * Reads the whole pack.
   * @returns names of objects outside the pack that deltas in it build on
   * @throws {PackError} when the pack is malformed or beyond a limit
   */
  scan(): Oid[] {
    const { pack, limits } = this;
    if (pack.length > limits.bytes) throw new PackError("too many bytes");
    const count = packCount(pack);
    if (count > limits.objects) throw new PackError("too many objects");
    const end = pack.length - PACK_TRAILER_BYTES;
    const sum = createHash("sha1").update(pack.subarray(0, end)).digest();
    if (!equal(sum, pack.subarray(end))) throw new PackError("the checksum is wrong");
    const body = pack.subarray(0, end);
    const whole: Resolved[] = [];
    let at = PACK_HEADER_BYTES;
    for (let i = 0; i < count; i++) at = this.#entry(body, at, whole);
    if (at !== end) throw new PackError("bytes after the last object");
    this.#resolve(whole);
    return this.#wanted();
  }

  /**
   * Takes objects from outside the pack that {@link scan} or this asked for.
   * @returns what is still wanted
   * @throws {PackError} as `scan`
   */
  supply(bases: readonly GitObject[]): Oid[] {
    this.#resolve(bases.map((object) => ({ object, offset: null, depth: 0 })));
    return this.#wanted();
  }

  #entry(body: Uint8Array, offset: number, whole: Resolved[]): number {
    const { type, base, size, dataAt } = readEntryHeader(body, offset);
    this.#account(size);
    const { data, used } = inflateAt(body, dataAt, size);
    if (type !== null) {
      const object = { oid: hashObject(type, data), type, data };
      this.objects.set(object.oid, object);
      whole.push({ object, offset, depth: 0 });
    } else if (typeof base === "number") push(this.#byOffset, base, { data, offset });
    else if (base !== null) push(this.#byName, base, { data, offset });
    return dataAt + used;
  }

  #account(size: number): void {
    if (size > this.limits.objectBytes) throw new PackError("an object is too large");
    this.#total += size;
    if (this.#total > this.limits.totalBytes) throw new PackError("too large when inflated");
  }

  /** Resolves all deltas that build, directly or not, on `ready`. */
  #resolve(ready: Resolved[]): void {
    for (let next = ready.pop(); next; next = ready.pop()) {
      const { object, offset, depth } = next;
      const waiting = [...take(this.#byName, object.oid), ...(offset === null ? [] : take(this.#byOffset, offset))];
      if (waiting.length > 0 && depth + 1 > this.limits.deltaDepth) throw new PackError("deltas too deep");
      for (const delta of waiting) {
        this.#account(deltaResultSize(delta.data));
        const data = applyDelta(object.data, delta.data);
        const made = { oid: hashObject(object.type, data), type: object.type, data };
        this.objects.set(made.oid, made);
        ready.push({ object: made, offset: delta.offset, depth: depth + 1 });
      }
    }
  }

  #wanted(): Oid[] {
    // A base by offset is in the pack or nowhere; it can only still come when it waits for a named one itself.
    if (this.#byName.size === 0 && this.#byOffset.size > 0) throw new PackError("a delta's base is not an object");
    return [...this.#byName.keys()];
  }
}

function push<Key>(map: Map<Key, Delta[]>, key: Key, delta: Delta): void {
  const list = map.get(key);
  if (list) list.push(delta);
  else map.set(key, [delta]);
}

function take<Key>(map: Map<Key, Delta[]>, key: Key): Delta[] {
  const list = map.get(key) ?? [];
  map.delete(key);
  return list;
}
