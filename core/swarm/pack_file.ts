/**
 * One pack on disk, read entry by entry.
 *
 * Reads are synchronous: they are small, mostly answered by the page cache within a microsecond,
 * and so can never interleave with the removal of the file.
 */

import type { Bytes } from "../base/bytes.ts";
import { MAX_PACK_FILE_BYTES } from "./git_limits.ts";
import type { ObjectType, Oid } from "./object.ts";
import { PACK_TRAILER_BYTES, PackError, readEntryHeader } from "./pack_entry.ts";
import { PackIndex } from "./pack_index.ts";
import { inflateAt } from "./pack_parser.ts";

/** An object as it stands in a pack: ready to be copied into another. */
export interface PackedObject {
  type: ObjectType;
  /** Inflated. */
  size: number;
  deflated: Bytes;
}

export class PackFile {
  readonly index: PackIndex;
  #file: Deno.FsFile;
  /** Where the last entry ends. */
  #end: number;

  /**
   * @param path of the pack, without its ending
   * @throws {PackError} when the pack and its index do not belong together
   */
  constructor(readonly path: string) {
    this.index = new PackIndex(Deno.readFileSync(`${path}.idx`));
    this.#file = Deno.openSync(`${path}.pack`);
    const size = this.#file.statSync().size;
    this.#end = size - PACK_TRAILER_BYTES;
    try {
      if (size > MAX_PACK_FILE_BYTES) throw new PackError("a pack beyond 2 GiB");
      const sum = this.#slice(this.#end, size);
      if (sum.some((byte, i) => byte !== this.index.packSum[i])) throw new PackError("an index is for another pack");
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  has(oid: Oid): boolean {
    return this.index.find(oid) !== null;
  }

  /**
   * The object as it stands there; `null` when it is not in this pack; "delta" when it is stored as one.
   * @throws {PackError} when the pack is damaged
   */
  packed(oid: Oid): PackedObject | "delta" | null {
    const offset = this.index.find(oid);
    if (offset === null) return null;
    const entry = this.#slice(offset, this.index.endOf(offset, this.#end));
    const { type, size, dataAt } = readEntryHeader(entry, 0, offset);
    return type === null ? "delta" : { type, size, deflated: entry.subarray(dataAt) };
  }

  /** Closes the file; reading is over. */
  close(): void {
    this.#file.close();
  }

  #slice(from: number, to: number): Bytes {
    if (from < 0 || to < from) throw new PackError("an index points outside its pack");
    const out = new Uint8Array(to - from);
    this.#file.seekSync(from, Deno.SeekMode.Start);
    for (let at = 0; at < out.length;) {
      const n = this.#file.readSync(out.subarray(at));
      if (n === null) throw new PackError("a pack file is cut");
      at += n;
    }
    return out;
  }
}

/**
 * The content of a packed object.
 * @throws {PackError} when it does not inflate to its size
 */
export function unpack({ size, deflated }: PackedObject): Bytes {
  return inflateAt(deflated, 0, size).data;
}
