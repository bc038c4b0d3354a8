/**
 * The contents of files on disk: `<2 hex>/<sha3>` when whole and checked, `parts/<commit>.part` while they come in. The names are hashes and commit ids
 * that were checked to be such; nothing else from the network ever becomes part of a path.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { KeyedMutex } from "../base/limits.ts";
import { renameDurably, syncFolder } from "../swarm/durable_fs.ts";
import type { Oid } from "../swarm/object.ts";
import { FILE_CHUNK } from "./constants.ts";

const SHA3 = /^[0-9a-f]{128}$/;
const PART = /^([0-9a-f]{40})\.part$/;

/** The folder of file contents. */
export class Blobs {
  readonly #mutex = new KeyedMutex<string>();

  constructor(private readonly dir: string) {}

  /** Makes the folders. */
  async start(): Promise<void> {
    await Deno.mkdir(join(this.dir, "parts"), { recursive: true, mode: 0o700 });
  }

  /** Opens a content for reading; `null` when it is not here, or not of this size. */
  async read(sha3: string, size: number): Promise<Deno.FsFile | null> {
    const file = await unlessMissing(Deno.open(this.#path(sha3)));
    if (!file) return null;
    if ((await file.stat()).size === size) return file;
    file.close();
    return null;
  }

  /** Bytes of a file that came in so far. */
  async partSize(id: Oid): Promise<number> {
    return (await unlessMissing(Deno.stat(this.#partPath(id))))?.size ?? 0;
  }

  /** As {@link partSize}; what is longer than the file can be is thrown away. */
  async begun(id: Oid, size: number): Promise<number> {
    const had = await this.partSize(id);
    if (had <= size) return had;
    await this.removePart(id);
    return 0;
  }

  /** Opens what came in of a file, to add to it. */
  part(id: Oid): Promise<Part> {
    return Part.open(this.#partPath(id));
  }

  /** Runs what depends on whether a content is here while nothing else changes that. */
  alone<T>(sha3: string, work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(sha3, work);
  }

  /** Gives a whole and closed part its place under its hash. */
  async settle(id: Oid, sha3: string): Promise<void> {
    const path = this.#path(sha3);
    const folder = join(this.dir, sha3.slice(0, 2));
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(this.dir);
    await renameDurably(this.#partPath(id), path);
  }

  async remove(sha3: string): Promise<void> {
    await unlessMissing(Deno.remove(this.#path(sha3)));
  }

  async removePart(id: Oid): Promise<void> {
    await unlessMissing(Deno.remove(this.#partPath(id)));
  }

  /** Removes what a crash left behind: contents and parts that nobody keeps. Files of other names are left alone. */
  async sweep(isKept: (sha3: string) => boolean, isPartKept: (id: Oid) => boolean): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(this.dir)) {
      if (!isDirectory || !/^[0-9a-f]{2}$/.test(name)) continue;
      for await (const blob of Deno.readDir(join(this.dir, name))) {
        if (SHA3.test(blob.name) && !isKept(blob.name)) await this.remove(blob.name);
      }
    }
    for await (const { name } of Deno.readDir(join(this.dir, "parts"))) {
      const [, id] = PART.exec(name) ?? [];
      if (id && !isPartKept(id)) await this.removePart(id);
    }
  }

  #path(sha3: string): string {
    if (!SHA3.test(sha3)) throw new TypeError("not a SHA3-512 hash");
    return join(this.dir, sha3.slice(0, 2), sha3);
  }

  #partPath(id: Oid): string {
    if (!PART.test(`${id}.part`)) throw new TypeError("not the id of a commit");
    return join(this.dir, "parts", `${id}.part`);
  }
}

/** A file that comes in: what is there was hashed when it was opened, what is added is hashed as it comes. */
export class Part {
  readonly #hash = createHash("sha3-512");
  #size = 0;

  private constructor(private readonly file: Deno.FsFile) {}

  /** Opens a part, or begins one. */
  static async open(path: string): Promise<Part> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    const part = new Part(file);
    try {
      const buffer = new Uint8Array(FILE_CHUNK);
      for (let n; (n = await file.read(buffer)) !== null;) part.#count(buffer.subarray(0, n));
    } catch (error) {
      file.close();
      throw error;
    }
    return part;
  }

  /** Bytes that are there. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.file.write(bytes.subarray(at));
    this.#count(bytes);
  }

  /** Flushes it to the disk. To be followed by nothing but {@link close}. Returns the SHA3-512 of all of it. */
  async finish(): Promise<string> {
    await this.file.sync();
    return this.#hash.digest("hex");
  }

  close(): void {
    this.file.close();
  }

  #count(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#size += bytes.length;
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
