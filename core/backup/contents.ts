/**
 * What of a data folder belongs into a back-up, in an order that is consistent although the node goes on meanwhile.
 *
 * A commit becomes part of a conversation in this order: its objects, then the branch, then its row in the database. So
 * the copy goes the other way. First the list of the repositories, so that each of them has its row; then the database as
 * it is at one moment; then of each repository the branches, and only then its objects. Objects are only ever added:
 * whatever the database or a branch names is there when the objects are read. What came in between lacks its rows, and a
 * start makes those up from git, as after a crash.
 *
 * Only repacking removes something: loose objects once a pack has them, and packs once a larger one has theirs. Therefore
 * packs are listed after the loose objects were read, and all are opened before the first of them is: an open file stays
 * readable when it loses its name.
 */

import { join } from "node:path";
import { utf8 } from "../base/bytes.ts";
import { conversationsPath, filesPath, repositoryIds, repositoryPath } from "../store/places.ts";
import { PACK_TRIES, READ } from "./constants.ts";
import { BackupError } from "./errors.ts";
import type { BackupEntry } from "./records.ts";
import { isSnapshot, openSnapshot } from "./snapshot.ts";

/** What a back-up says of itself: the first of its files, which no restore puts anywhere. */
export interface About {
  /** when it was made, ISO 8601 */
  made: string;
  /** version of Kituo that made it */
  kituo: string;
  jamiId: string;
  /** are the files that members sent in it? */
  files: boolean;
}

export const ABOUT = "backup.json";

/** How back-up files end; one in the data folder does not go into the next one. */
export const BACKUP_ENDING = ".kituo-backup";

/** What is copied in its own way, made anew by a start, or on its way to its place. */
const NOT_AS_IT_IS = /^(lock|kituo\.db.*|conversations|files)$|\.(new|part|restoring|kituo-backup)$/;

/** The entries of a back-up of the folder `data`. @throws {BackupError} "folder" */
export async function* contentsOf(data: string, about: About): AsyncGenerator<BackupEntry> {
  yield inMemory(ABOUT, JSON.stringify(about));
  const repositories = await isThere(conversationsPath(data)) ? await repositoryIds(conversationsPath(data)) : [];
  yield* oneFile("kituo.db", await openSnapshot(data));
  for await (const { name } of Deno.readDir(data)) {
    if (!NOT_AS_IT_IS.test(name) && !isSnapshot(name)) yield* tree(data, name);
  }
  for (const id of repositories) yield* repository(data, repositoryPath("conversations", id));
  if (!about.files || !await isThere(filesPath(data))) return;
  for await (const { name } of Deno.readDir(filesPath(data))) {
    // what is still coming in is asked for again
    if (name !== "parts") yield* tree(data, join("files", name));
  }
}

/** Branches before objects, loose objects before packs. */
async function* repository(data: string, path: string): AsyncGenerator<BackupEntry> {
  // git moves a branch from refs/ to packed-refs, never back
  yield* tree(data, join(path, "refs"));
  yield folder(path);
  for (const name of await names(join(data, path))) {
    if (name !== "refs" && name !== "objects") yield* tree(data, join(path, name));
  }
  const objects = join(path, "objects");
  for (const name of await names(join(data, objects))) if (name !== "pack") yield* tree(data, join(objects, name));
  yield* packs(data, join(objects, "pack"));
}

async function* packs(data: string, path: string): AsyncGenerator<BackupEntry> {
  yield folder(path);
  const open = await openPacks(join(data, path));
  try {
    for (const [name, file] of open) {
      open.delete(name);
      yield* oneFile(join(path, name), file);
    }
  } finally {
    for (const file of open.values()) file.close();
  }
}

/** All packs of one moment; there are a few dozen at most, or the repository would have been repacked. */
async function openPacks(place: string): Promise<Map<string, Deno.FsFile>> {
  for (let tries = 0; tries < PACK_TRIES; tries++) {
    const open = new Map<string, Deno.FsFile>();
    try {
      for (const name of await names(place)) {
        if (name.startsWith("pack-")) open.set(name, await Deno.open(join(place, name)));
      }
      return open;
    } catch (error) {
      for (const file of open.values()) file.close();
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new BackupError("folder", `${place} changes all the time.`);
}

/** A file, or all files below a folder. What vanishes meanwhile was given up, or has gone elsewhere. */
async function* tree(data: string, path: string): AsyncGenerator<BackupEntry> {
  const place = join(data, path);
  const info = await unlessGone(Deno.lstat(place));
  if (info?.isDirectory) {
    yield folder(path);
    for (const name of await names(place)) if (!isOnItsWay(name)) yield* tree(data, join(path, name));
  } else if (info?.isFile) {
    const file = await unlessGone(Deno.open(place));
    if (file) yield* oneFile(path, file);
  }
}

/** Temporary files of git and ours. */
function isOnItsWay(name: string): boolean {
  return /^tmp_|\.(lock|new|part)$/.test(name);
}

/** Closes the file at the end. */
async function* oneFile(path: string, file: Deno.FsFile): AsyncGenerator<BackupEntry> {
  try {
    const { size } = await file.stat();
    yield { path, size, content: contentOf(file) };
  } finally {
    file.close();
  }
}

async function* contentOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ);
  for (let n; (n = await file.read(buffer)) !== null;) yield buffer.subarray(0, n);
}

function folder(path: string): BackupEntry {
  return { path, size: 0, content: null };
}

function inMemory(path: string, text: string): BackupEntry {
  const bytes = utf8(text);
  return { path, size: bytes.length, content: ReadableStream.from([bytes]) };
}

async function names(place: string): Promise<string[]> {
  const entries = await unlessGone(Array.fromAsync(Deno.readDir(place)));
  return (entries ?? []).map(({ name }) => name).sort();
}

async function isThere(path: string): Promise<boolean> {
  return await unlessGone(Deno.stat(path)) !== null;
}

async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
