/** Packs as streams: no deltas, and objects that already stand deflated in a pack are copied as they are (stack.md 4). */

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { crc32, deflate, deflateSync } from "node:zlib";
import type { Bytes } from "../base/bytes.ts";
import { concat, owned } from "../base/bytes.ts";
import { Breather } from "./breather.ts";
import { PACK_CHUNK_BYTES, SYNC_DEFLATE_BYTES, ZLIB_LEVEL } from "./git_limits.ts";
import type { ObjectReader, Oid } from "./object.ts";
import { PACK_HEADER_BYTES, writeEntryHeader } from "./pack_entry.ts";
import type { PackedObject } from "./pack_file.ts";
import type { IndexEntry } from "./pack_index.ts";

/** A reader that may hold objects deflated already. */
export interface PackSource extends ObjectReader {
  /** The object as a pack holds it, or `null` when it must be read and deflated. */
  packed?(oid: Oid): PackedObject | null;
}

const deflateOff = promisify(deflate);

/**
 * A pack of these objects, in this order, in chunks of about 64 KiB. Only one chunk and one object are in memory at a time.
 * @param oids without repetitions
 * @param onEntry told of each object, for an index
 * @throws {MissingObject} when the source lacks one: the stream then ends early and is no pack
 */
export async function* buildPack(
  source: PackSource,
  oids: readonly Oid[],
  onEntry?: (entry: IndexEntry) => void,
): AsyncGenerator<Bytes> {
  const sum = createHash("sha1");
  const breather = new Breather();
  let parts: Uint8Array[] = [packHeader(oids.length)];
  let pending = PACK_HEADER_BYTES;
  let offset = 0;
  const flush = () => {
    const chunk = concat(...parts);
    parts = [];
    pending = 0;
    sum.update(chunk);
    return chunk;
  };
  offset += pending;
  for (const oid of oids) {
    const { type, size, deflated } = source.packed?.(oid) ?? await pack(source, oid);
    const header = writeEntryHeader(type, size);
    onEntry?.({ oid, offset, crc: crc32(deflated, crc32(header)) });
    parts.push(header, deflated);
    pending += header.length + deflated.length;
    offset += header.length + deflated.length;
    if (pending >= PACK_CHUNK_BYTES) yield flush();
    await breather.pause();
  }
  if (pending > 0) yield flush();
  yield owned(new Uint8Array(sum.digest()));
}

function packHeader(count: number): Bytes {
  const header = new Uint8Array(PACK_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x5041434b); // "PACK"
  view.setUint32(4, 2);
  view.setUint32(8, count);
  return header;
}

async function pack(source: ObjectReader, oid: Oid): Promise<PackedObject> {
  const { type, data } = await source.read(oid);
  const options = { level: ZLIB_LEVEL };
  const deflated = data.length > SYNC_DEFLATE_BYTES ? await deflateOff(data, options) : deflateSync(data, options);
  return { type, size: data.length, deflated: new Uint8Array(deflated) };
}
