/** One conversation on disk: an ordinary git repository with one branch, `refs/heads/main` (swarm-repository.md 1). */

import git from "isomorphic-git";
import { join } from "node:path";
import { messageOf } from "../base/errors.ts";
import { KeyedMutex } from "../base/limits.ts";
import { durableFs, renameDurably } from "./durable_fs.ts";
import { LOOSE_AT_ONCE, REPACK_LOOSE_OBJECTS, REPACK_PACKS } from "./git_limits.ts";
import { type GitObject, MissingObject, ObjectError, type Oid } from "./object.ts";
import { ObjectStore, RepositoryError } from "./object_store.ts";
import { isOid } from "./oid.ts";
import type { PackedObject } from "./pack_file.ts";
import type { PackSource } from "./pack_writer.ts";
import { commitLinks, referencesOf } from "./reachable.ts";

export { RepositoryError } from "./object_store.ts";

const MAIN = "refs/heads/main";
/** Ending of a repository that is being made: it gets its name when it is whole. */
const UNFINISHED = ".new";

/**
 * A repository. One instance at a time may write to a folder.
 *
 * Objects are durable before {@link add} resolves, the branch before {@link setHead} does:
 * whatever moment the process dies at, the folder opens with the old or the new head and all of its history.
 */
export class Repository implements PackSource {
  #store: ObjectStore;
  #writing = new KeyedMutex<"write">();
  #head: Oid | null | undefined;

  /** @param dir as it was asked for; @param gitdir the folder with `objects` and `refs`, the same for a bare one */
  private constructor(readonly dir: string, readonly gitdir: string, private readonly readOnly: boolean) {
    this.#store = new ObjectStore(gitdir, !readOnly);
  }

  /**
   * Makes an empty bare repository, whole or not at all. The folder above must be there.
   * @throws {RepositoryError} when there is something at `dir` already
   */
  static async create(dir: string): Promise<Repository> {
    if (await isThere(dir)) throw new RepositoryError(`${dir} is there already`);
    const unfinished = dir + UNFINISHED;
    if (await isThere(unfinished)) await Deno.remove(unfinished, { recursive: true });
    await git.init({ fs: durableFs, gitdir: unfinished, bare: true, defaultBranch: "main" });
    await renameDurably(unfinished, dir);
    return new Repository(dir, dir, false);
  }

  /**
   * Opens a repository, bare or the one inside a work tree, and removes what a crash of ours left in it.
   * @param options.readOnly for repositories of others: nothing in them is touched
   * @throws {RepositoryError} when it is none
   */
  static async open(dir: string, options: { readOnly?: boolean } = {}): Promise<Repository> {
    const gitdir = await isRepository(join(dir, ".git")) ? join(dir, ".git") : dir;
    if (!await isRepository(gitdir)) throw new RepositoryError(`${dir} is not a git repository`);
    const repository = new Repository(dir, gitdir, options.readOnly ?? false);
    if (!options.readOnly) await repository.#clean();
    return repository;
  }

  /** The commit at `refs/heads/main`, or `null` before the first. */
  async head(): Promise<Oid | null> {
    if (this.#head === undefined) {
      const found = await this.resolve(MAIN);
      // While that was read, setHead may have moved it.
      if (this.#head === undefined) this.#head = found;
    }
    return this.#head;
  }

  /**
   * Moves `refs/heads/main`; durable once this resolves.
   * @throws {MissingObject} when the commit is not stored
   */
  async setHead(oid: Oid): Promise<void> {
    await this.#write(async () => {
      if (!await this.has(oid)) throw new MissingObject(oid);
      try {
        await git.writeRef({ fs: durableFs, gitdir: this.gitdir, ref: MAIN, value: oid, force: true });
        this.#head = oid;
      } catch (error) {
        this.#head = undefined;
        throw error;
      }
    });
  }

  /**
   * What a ref name (`refs/heads/bob`, `bob`, `HEAD`) or a whole object name stands for; `null` when there is none.
   * @throws {RepositoryError} when the ref is damaged
   */
  async resolve(ref: string): Promise<Oid | null> {
    if (isOid(ref)) return await this.has(ref) ? ref : null;
    try {
      const oid = await git.resolveRef({ fs: durableFs, gitdir: this.gitdir, ref });
      if (!isOid(oid)) throw new RepositoryError(`${ref} does not name an object`);
      return oid;
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) return null;
      throw error instanceof RepositoryError ? error : new RepositoryError(`${ref}: ${messageOf(error)}`);
    }
  }

  /**
   * @throws {MissingObject} when it is not there
   * @throws {RepositoryError} when it is there, but damaged
   */
  read(oid: Oid): Promise<GitObject> {
    return this.#store.read(oid);
  }

  has(oid: Oid): Promise<boolean> {
    return this.#store.has(oid);
  }

  packed(oid: Oid): PackedObject | null {
    return this.#store.packed(oid);
  }

  /**
   * The parents of a commit.
   * @throws {MissingObject} when it is not there
   * @throws {ObjectError} when it is no commit
   */
  async commitParents(oid: Oid): Promise<Oid[]> {
    const object = await this.read(oid);
    if (object.type !== "commit") throw new ObjectError(`${oid} is a ${object.type}`);
    return commitLinks(object.data).parents;
  }

  /**
   * Stores objects, those that are there already excepted; durable once this resolves.
   * A few become loose objects, each after those it names; many become one pack.
   */
  async add(objects: Iterable<GitObject>): Promise<void> {
    await this.#write(async () => {
      const fresh = new Map<Oid, GitObject>();
      for (const object of objects) if (!await this.has(object.oid)) fresh.set(object.oid, object);
      if (fresh.size > LOOSE_AT_ONCE) {
        await this.#store.writePack(readerOf(fresh), [...fresh.keys()]);
      } else {
        for (const object of dependenciesFirst(fresh)) await this.#store.writeLoose(object);
      }
    });
  }

  /**
   * Puts many loose objects, or many packs, into one pack. The new pack is durable before anything old is removed.
   * @returns whether there was enough to do
   */
  async repack(): Promise<boolean> {
    return await this.#write(async () => {
      const loose = [...this.#store.looseOids()];
      const packs = this.#store.packs();
      const all = packs.length > REPACK_PACKS;
      if (loose.length <= REPACK_LOOSE_OBJECTS && !all) return false;
      const oids = new Set(loose);
      const old = all ? packs : [];
      for (const pack of old) for (const oid of pack.index.oids()) oids.add(oid);
      const made = await this.#store.writePack(this.#store, [...oids]);
      await this.#store.dropLoose(loose);
      await this.#store.dropPacks(old.filter((pack) => pack.path !== made));
      return true;
    });
  }

  /** Forgets what is cached and closes all files, for a conversation at rest; it can be used again at any time. */
  release(): void {
    this.#store.release();
  }

  /** Waits for what is being written, then closes all files. */
  async close(): Promise<void> {
    await this.#writing.run("write", () => Promise.resolve());
    this.#store.release();
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    if (this.readOnly) return Promise.reject(new RepositoryError(`${this.dir} is open for reading only`));
    return this.#writing.run("write", work);
  }

  /** Locks and temporary files are of a process that is no more: one instance at a time may write. */
  async #clean(): Promise<void> {
    await removeLocks(this.gitdir, false);
    await removeLocks(join(this.gitdir, "refs"), true);
    await this.#store.clean();
  }
}

function readerOf(objects: ReadonlyMap<Oid, GitObject>): PackSource {
  const read = (oid: Oid) => objects.get(oid) ?? Promise.reject(new MissingObject(oid));
  return { read: (oid) => Promise.resolve(read(oid)), has: (oid) => Promise.resolve(objects.has(oid)) };
}

/** Each object after those it names: then what is there after a crash is complete in itself. */
function dependenciesFirst(objects: ReadonlyMap<Oid, GitObject>): GitObject[] {
  const out = new Set<GitObject>();
  const entered = new Set<Oid>();
  const visit = (object: GitObject) => {
    if (entered.has(object.oid)) return;
    entered.add(object.oid);
    for (const oid of namesIn(object)) {
      const next = objects.get(oid);
      if (next) visit(next);
    }
    out.add(object);
  };
  for (const object of objects.values()) visit(object);
  return [...out];
}

function namesIn(object: GitObject): Oid[] {
  try {
    return referencesOf(object);
  } catch (error) {
    if (error instanceof ObjectError) return []; // reason: whether objects are sound is for the rules to say
    throw error;
  }
}

async function isRepository(gitdir: string): Promise<boolean> {
  return await isThere(join(gitdir, "HEAD")) && await isThere(join(gitdir, "objects"));
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

async function removeLocks(folder: string, deep: boolean): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && deep) await removeLocks(join(folder, name), deep);
    else if (!isDirectory && name.endsWith(".lock")) await Deno.remove(join(folder, name));
  }
}
