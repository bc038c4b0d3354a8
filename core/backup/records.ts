/**
 * The inside of a back-up: files one after the other, each with its path and size, then how many there were.
 *
 * A file is `01`, the length of its path (2 bytes), the path in UTF-8, its size (8 bytes) and its content. A folder is `02`
 * and its path, for git wants some that are empty. The end is `00` and the number of both (8 bytes). Numbers are big-endian.
 */

import { type Bytes, concat, strictText, utf8 } from "../base/bytes.ts";
import { MAX_PATH, READ } from "./constants.ts";
import { BackupError } from "./errors.ts";
import { Reader } from "./reader.ts";

const END = 0;
const FILE = 1;
const FOLDER = 2;

/** A file of a back-up, or a folder. */
export interface BackupEntry {
  /** below the data folder, with `/` */
  path: string;
  size: number;
  /** exactly `size` bytes; null = a folder, which may be empty */
  content: AsyncIterable<Uint8Array> | null;
}

/** The entries as bytes. @throws {BackupError} "folder" when a content has not the size that was promised */
export async function* encodeRecords(entries: AsyncIterable<BackupEntry>): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const { path, size, content } of entries) {
    const name = utf8(path);
    yield concat(Uint8Array.of(content ? FILE : FOLDER), number(name.length, 2), name);
    count++;
    if (!content) continue;
    yield number(size, 8);
    let left = size;
    for await (const part of content) {
      left -= part.length;
      if (left < 0) break;
      yield part;
    }
    if (left !== 0) throw new BackupError("folder", `${path} changed while it was read.`);
  }
  yield concat(Uint8Array.of(END), number(count, 8));
}

/**
 * The entries of a back-up, in order; the content of each is read before the next is asked for.
 * @throws {BackupError} "damaged"
 */
export async function* decodeRecords(plain: AsyncIterable<Uint8Array>): AsyncGenerator<BackupEntry> {
  const source = new Reader(plain);
  for (let count = 0;; count++) {
    const kind = (await exactly(source, 1))[0];
    if (kind === END) {
      if (valueOf(await exactly(source, 8)) !== count || !await source.atEnd()) throw malformed("the number of files");
      return;
    }
    if (kind !== FILE && kind !== FOLDER) throw malformed("an unknown record");
    const path = await readPath(source);
    if (kind === FOLDER) {
      yield { path, size: 0, content: null };
      continue;
    }
    const size = valueOf(await exactly(source, 8));
    let left = size;
    const content = async function* () {
      while (left > 0) {
        const part = await source.some(Math.min(READ, left));
        if (part.length === 0) throw malformed("the end");
        left -= part.length;
        yield part;
      }
    };
    yield { path, size, content: content() };
    if (left !== 0) throw malformed("a content that nobody read");
  }
}

async function readPath(source: Reader): Promise<string> {
  const length = valueOf(await exactly(source, 2));
  if (length > MAX_PATH) throw malformed("a path that is too long");
  const path = strictText(await exactly(source, length));
  if (path === null || !isInside(path)) throw malformed("a path that leads elsewhere");
  return path;
}

/** Names a place below the folder it is put under, and nothing else. */
function isInside(path: string): boolean {
  // deno-lint-ignore no-control-regex -- they have no business in a name
  return !/[\0-\x1f\x7f\\]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

async function exactly(source: Reader, n: number): Promise<Bytes> {
  const bytes = await source.take(n);
  if (bytes.length < n) throw malformed("the end");
  return bytes;
}

function malformed(what: string): BackupError {
  return new BackupError("damaged", `The back-up is damaged inside: ${what}.`);
}

function number(value: number, bytes: 2 | 8): Bytes {
  const out = new Uint8Array(bytes), view = new DataView(out.buffer);
  if (bytes === 2) view.setUint16(0, value);
  else view.setBigUint64(0, BigInt(value));
  return out;
}

function valueOf(bytes: Bytes): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const value = bytes.length === 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
  if (!Number.isSafeInteger(value)) throw malformed("a size");
  return value;
}
