/**
 * The objects of one repository on disk: loose ones and packs.
 *
 * Our own packs hold no deltas and are read here; loose objects, and deltas that others packed, through isomorphic-git.
 */

import { getLogger } from "@logtape/logtape";
import git from "isomorphic-git";
import { basename, join } from "node:path";
import { type Bytes, hex, owned } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { LruMap } from "../base/limits.ts";
import { durableFs, syncFolder, TEMPORARY_OBJECT, writeFlushed } from "./durable_fs.ts";
import { CACHED_OBJECT_BYTES, CACHED_OBJECTS, FOREIGN_READS_CACHED, RACY_FOLDER_MS } from "./git_limits.ts";
import { type GitObject, hashObject, MissingObject, type Oid } from "./object.ts";
import { type PackedObject, PackFile, unpack } from "./pack_file.ts";
import { type IndexEntry, writePackIndex } from "./pack_index.ts";
import { buildPack, type PackSource } from "./pack_writer.ts";

const log = getLogger(["kituo", "swarm"]);

/** The repository on disk cannot be used: not one, damaged, or opened only for reading. */
export class RepositoryError extends KituoError {}

const TEMPORARY_PACK = "tmp_pack_";
const TEMPORARY_INDEX = "tmp_idx_";
/** All files that may stand beside a pack; the index first, for without it the others mean nothing. */
const PACK_ENDINGS = [".idx", ".rev", ".bitmap", ".mtimes", ".pack"];

export class ObjectStore implements PackSource {
  readonly #objects: string;
  readonly #packFolder: string;
  #packs: Map<string, PackFile> | null = null;
  #packsSeen = { changed: 0, at: 0 };
  #loose: Set<Oid> | null = null;
  #cache = new LruMap<Oid, GitObject>(CACHED_OBJECTS);
  #foreign = { cache: {}, reads: 0 };
  #counter = 0;

  /** @param mayClean whether leftovers of a crash may be removed: nobody else writes there */
  constructor(private readonly gitdir: string, private readonly mayClean: boolean) {
    this.#objects = join(gitdir, "objects");
    this.#packFolder = join(this.#objects, "pack");
  }

  /**
   * @throws {MissingObject} when it is not there
   * @throws {RepositoryError} when it is there, but damaged
   */
  async read(oid: Oid): Promise<GitObject> {
    const cached = this.#cache.get(oid);
    if (cached) return cached;
    const object = await this.#find(oid) ?? (this.#reload() ? await this.#find(oid) : null);
    if (object === null) throw new MissingObject(oid);
    if (object.type !== "commit" && object.data.length <= CACHED_OBJECT_BYTES) this.#cache.set(oid, object);
    return object;
  }

  has(oid: Oid): Promise<boolean> {
    try {
      return Promise.resolve(this.#has(oid) || (this.#reload() && this.#has(oid)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The object as one of the packs holds it; `null` when none does, or only as a delta. */
  packed(oid: Oid): PackedObject | null {
    for (const pack of this.#openPacks().values()) {
      const found = this.#checked(() => pack.packed(oid));
      if (found !== null) return found === "delta" ? null : found;
    }
    return null;
  }

  /** The names of all loose objects. */
  looseOids(): ReadonlySet<Oid> {
    return this.#looseSet();
  }

  /** The packs there are. */
  packs(): PackFile[] {
    return [...this.#openPacks().values()];
  }

  /** Stores one object loose; durable once this resolves. */
  async writeLoose({ oid, type, data }: GitObject): Promise<void> {
    const written = await git.writeObject({
      fs: durableFs,
      gitdir: this.gitdir,
      type,
      format: "content",
      object: data,
    });
    if (written !== oid) throw new RepositoryError(`object ${oid} has the name ${written}`);
    this.#looseSet().add(oid);
  }

  /**
   * Stores these objects as one pack; durable once this resolves, and there all at once.
   * @returns the pack's path, without its ending
   */
  async writePack(source: PackSource, oids: readonly Oid[]): Promise<string> {
    const unique = `${Deno.pid}_${this.#counter++}`;
    const pack = join(this.#packFolder, TEMPORARY_PACK + unique);
    const index = join(this.#packFolder, TEMPORARY_INDEX + unique);
    try {
      const entries: IndexEntry[] = [];
      let last: Uint8Array = new Uint8Array(0);
      const tap = async function* (chunks: AsyncIterable<Bytes>) {
        for await (const chunk of chunks) yield last = chunk;
      };
      await writeFlushed(pack, tap(buildPack(source, oids, (entry) => entries.push(entry))));
      await writeFlushed(index, [writePackIndex(entries, last)]);
      const path = join(this.#packFolder, `pack-${hex(last)}`);
      await Deno.rename(pack, `${path}.pack`);
      await Deno.rename(index, `${path}.idx`);
      await syncFolder(this.#packFolder);
      const packs = this.#openPacks();
      if (!packs.has(path)) packs.set(path, new PackFile(path));
      return path;
    } catch (error) {
      for (const path of [pack, index]) await Deno.remove(path).catch(() => {}); // reason: the first error is the one to tell
      throw error;
    }
  }

  /** Removes loose objects that stand in a pack now. */
  async dropLoose(oids: Iterable<Oid>): Promise<void> {
    for (const oid of oids) {
      this.#looseSet().delete(oid);
      await removeIfThere(join(this.#objects, oid.slice(0, 2), oid.slice(2)));
    }
  }

  /** Removes packs whose objects stand in another one now, except those that somebody marked to be kept. */
  async dropPacks(packs: Iterable<PackFile>): Promise<void> {
    // An index over several packs would still name them.
    await removeIfThere(join(this.#packFolder, "multi-pack-index"));
    for (const pack of packs) {
      if (await exists(`${pack.path}.keep`)) continue;
      this.#packs?.delete(pack.path);
      pack.close();
      for (const ending of PACK_ENDINGS) await removeIfThere(pack.path + ending);
    }
    this.#foreign = { cache: {}, reads: 0 };
  }

  /** Forgets everything cached and closes all files; the next use opens them again. */
  release(): void {
    for (const pack of this.#packs?.values() ?? []) pack.close();
    this.#packs = null;
    this.#loose = null;
    this.#cache.clear();
    this.#foreign = { cache: {}, reads: 0 };
  }

  /** Removes what a crash left among the packs: unfinished files, and packs that never got their index. */
  async clean(): Promise<void> {
    const names = new Set((await Array.fromAsync(Deno.readDir(this.#packFolder))).map((entry) => entry.name));
    for (const name of names) {
      const lonely = name.startsWith("pack-") && !name.endsWith(".keep") &&
        !(names.has(name.replace(/\.\w+$/, ".idx")) && names.has(name.replace(/\.\w+$/, ".pack")));
      if (!name.startsWith("tmp_") && !lonely) continue;
      log.info("removing {name}, left over from a crash", { name });
      await removeIfThere(join(this.#packFolder, name));
    }
  }

  async #find(oid: Oid): Promise<GitObject | null> {
    for (const pack of this.#openPacks().values()) {
      const found = this.#checked(() => pack.packed(oid));
      if (found === "delta") return await this.#readForeign(oid);
      if (found === null) continue;
      const data = this.#checked(() => unpack(found));
      if (hashObject(found.type, data) !== oid) throw new RepositoryError(`object ${oid} is damaged`);
      return { oid, type: found.type, data };
    }
    return this.#looseSet().has(oid) ? await this.#readForeign(oid) : null;
  }

  /** Reads through isomorphic-git, which also checks the hash; `null` when the object has gone. */
  async #readForeign(oid: Oid): Promise<GitObject | null> {
    if (++this.#foreign.reads > FOREIGN_READS_CACHED) this.#foreign = { cache: {}, reads: 0 };
    try {
      const found = await git.readObject({
        fs: durableFs,
        gitdir: this.gitdir,
        oid,
        format: "content",
        cache: this.#foreign.cache,
      });
      if (found.format !== "content") throw new RepositoryError(`object ${oid} came in another form`);
      return { oid, type: found.type, data: plain(found.object) };
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) return null;
      throw error instanceof KituoError
        ? error
        : new RepositoryError(`object ${oid} cannot be read: ${messageOf(error)}`);
    }
  }

  #has(oid: Oid): boolean {
    for (const pack of this.#openPacks().values()) if (pack.has(oid)) return true;
    return this.#looseSet().has(oid);
  }

  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new RepositoryError(`a pack of ${this.gitdir} is damaged: ${messageOf(error)}`);
    }
  }

  #openPacks(): Map<string, PackFile> {
    if (this.#packs === null) {
      this.#packs = new Map();
      this.#scanPacks(this.#packs);
    }
    return this.#packs;
  }

  /** Looks again when others changed the packs (`git gc`): only then was a miss perhaps none. */
  #reload(): boolean {
    const changed = modified(this.#packFolder);
    if (changed === this.#packsSeen.changed && this.#packsSeen.at - changed > RACY_FOLDER_MS) return false;
    this.#scanPacks(this.#openPacks());
    return true;
  }

  #scanPacks(packs: Map<string, PackFile>): void {
    this.#packsSeen = { changed: modified(this.#packFolder), at: Date.now() };
    const there = new Set<string>();
    for (const { name } of Deno.readDirSync(this.#packFolder)) {
      if (name.startsWith("pack-") && name.endsWith(".idx")) {
        there.add(join(this.#packFolder, name.slice(0, -".idx".length)));
      }
    }
    for (const [path, pack] of packs) {
      if (there.has(path)) continue;
      pack.close();
      packs.delete(path);
    }
    for (const path of there) if (!packs.has(path)) this.#openPack(packs, path);
  }

  #openPack(packs: Map<string, PackFile>, path: string): void {
    try {
      packs.set(path, new PackFile(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return; // reason: removed since the folder was listed
      throw new RepositoryError(`${basename(path)} cannot be opened: ${messageOf(error)}`);
    }
  }

  #looseSet(): Set<Oid> {
    return this.#loose ??= new Set(this.#listLoose());
  }

  *#listLoose(): Generator<Oid> {
    for (const folder of Deno.readDirSync(this.#objects)) {
      if (!/^[0-9a-f]{2}$/.test(folder.name)) continue;
      for (const { name } of Deno.readDirSync(join(this.#objects, folder.name))) {
        if (/^[0-9a-f]{38}$/.test(name)) yield folder.name + name;
        else if (this.mayClean && name.startsWith(TEMPORARY_OBJECT)) {
          Deno.removeSync(join(this.#objects, folder.name, name));
        }
      }
    }
  }
}

/** isomorphic-git gives node Buffers, whose type says less than it should. */
function plain(data: unknown): Bytes {
  if (!(data instanceof Uint8Array)) throw new RepositoryError("an object is not bytes");
  return owned(new Uint8Array(data.buffer, data.byteOffset, data.length));
}

function modified(folder: string): number {
  return Deno.statSync(folder).mtime?.getTime() ?? 0;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
