/** Refs, and the making of an empty repository (gitrepository-layout): files of their own, or lines of `packed-refs`. */

import { dirname, join } from "node:path";
import { utf8 } from "../base/bytes.ts";
import { makeFolder, writeDurably } from "./durable_fs.ts";
import { MAX_SYMBOLIC_REFS } from "./git_limits.ts";
import { isOid, type Oid } from "./oid.ts";
import { RepositoryError } from "./repository_error.ts";

/** Where a short name is looked for, in git's order. */
const PLACES = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];

/** Names that git allows, or fewer: they become paths. */
// deno-lint-ignore no-control-regex
const NAME = /^(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)))[^/.\x00-\x20\x7f~^:?*\[\\][^\x00-\x20\x7f~^:?*\[\\]*$/;

/**
 * What a ref names, whole (`refs/heads/main`) or short (`main`, `HEAD`); `null` when there is no such ref.
 * @throws {RepositoryError} when it is damaged
 */
export async function resolveRef(gitdir: string, name: string): Promise<Oid | null> {
  for (const place of PLACES) {
    const found = await follow(gitdir, place + name);
    if (found !== null) return found;
  }
  return null;
}

/** Writes a ref; durable once this resolves. */
export async function writeRef(gitdir: string, name: string, oid: Oid): Promise<void> {
  const path = join(gitdir, name);
  try {
    await writeDurably(path, utf8(`${oid}\n`));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeFolder(dirname(path)); // `git gc` may have taken an empty one away
    await writeDurably(path, utf8(`${oid}\n`));
  }
}

/** Makes an empty bare repository whose branch will be `main`. */
export async function initRepository(gitdir: string): Promise<void> {
  for (const folder of ["", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"]) {
    await makeFolder(join(gitdir, folder));
  }
  const config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
  await writeDurably(join(gitdir, "config"), utf8(config));
  await writeDurably(join(gitdir, "HEAD"), utf8("ref: refs/heads/main\n"));
}

async function follow(gitdir: string, name: string): Promise<Oid | null> {
  for (let hops = 0, ref = name; hops <= MAX_SYMBOLIC_REFS; hops++) {
    if (!NAME.test(ref)) return null;
    const value = await readIfThere(join(gitdir, ref)) ?? await packed(gitdir, ref);
    if (value === null || isOid(value)) return value;
    const target = /^ref: *(\S+)$/.exec(value)?.[1];
    if (target === undefined) throw new RepositoryError(`${ref} does not name an object`);
    ref = target;
  }
  throw new RepositoryError(`${name} names only other refs`);
}

async function packed(gitdir: string, ref: string): Promise<Oid | null> {
  for (const line of (await readIfThere(join(gitdir, "packed-refs")))?.split("\n") ?? []) {
    if (line.slice(41) === ref && isOid(line.slice(0, 40))) return line.slice(0, 40);
  }
  return null;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    const { IsADirectory, NotADirectory, NotFound } = Deno.errors;
    if ([IsADirectory, NotADirectory, NotFound].some((kind) => error instanceof kind)) return null;
    throw error;
  }
}
