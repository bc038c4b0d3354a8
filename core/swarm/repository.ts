/** One conversation on disk: an ordinary bare git repository with one branch, `refs/heads/main`. */

import git from "isomorphic-git";
import { join } from "node:path";
import { KituoError, messageOf } from "../base/errors.ts";
import { owned } from "../base/bytes.ts";
import { durableFs } from "./durable_fs.ts";
import { type GitObject, MissingObject, type ObjectReader, type Oid } from "./object.ts";

/** The repository on disk cannot be used: not one, damaged, or opened only for reading. */
export class RepositoryError extends KituoError {}

const MAIN = "refs/heads/main";

export class Repository implements ObjectReader {
  #cache = {};

  private constructor(readonly dir: string, readonly gitdir: string) {}

  static async create(dir: string): Promise<Repository> {
    await git.init({ fs: durableFs, gitdir: dir, bare: true, defaultBranch: "main" });
    return new Repository(dir, dir);
  }

  static async open(dir: string): Promise<Repository> {
    const inner = join(dir, ".git");
    const gitdir = await Deno.stat(join(inner, "HEAD")).then(() => inner, () => dir);
    await Deno.stat(join(gitdir, "HEAD")).catch((error) => {
      throw new RepositoryError(`${dir} is not a git repository: ${messageOf(error)}`);
    });
    return new Repository(dir, gitdir);
  }

  head(): Promise<Oid | null> {
    return this.resolve(MAIN);
  }

  async setHead(oid: Oid): Promise<void> {
    await git.writeRef({ fs: durableFs, gitdir: this.gitdir, ref: MAIN, value: oid, force: true });
  }

  async resolve(ref: string): Promise<Oid | null> {
    try {
      return await git.resolveRef({ fs: durableFs, gitdir: this.gitdir, ref });
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) return null;
      throw new RepositoryError(messageOf(error));
    }
  }

  async read(oid: Oid): Promise<GitObject> {
    try {
      const found = await git.readObject({
        fs: durableFs,
        gitdir: this.gitdir,
        oid,
        format: "content",
        cache: this.#cache,
      });
      if (found.format !== "content") throw new RepositoryError("not the content");
      return { oid, type: found.type, data: owned(found.object as Uint8Array) };
    } catch (error) {
      if (error instanceof git.Errors.NotFoundError) throw new MissingObject(oid);
      throw error;
    }
  }

  has(oid: Oid): Promise<boolean> {
    return this.read(oid).then(() => true, (error) => {
      if (error instanceof MissingObject) return false;
      throw error;
    });
  }

  async add(objects: Iterable<GitObject>): Promise<void> {
    for (const object of objects) {
      await git.writeObject({
        fs: durableFs,
        gitdir: this.gitdir,
        type: object.type,
        format: "content",
        object: object.data,
      });
    }
  }

  close(): void {
    this.#cache = {};
  }
}
