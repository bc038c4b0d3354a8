/**
 * Brings a back-up into an empty folder, all of it or nothing: everything is written beside (`DIR.restoring`), checked, and
 * takes its place in one step.
 */

import { DatabaseSync } from "node:sqlite";
import { dirname, join, resolve } from "node:path";
import { text } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import { accountIn } from "../identity/storage.ts";
import { lockFolder } from "../store/lock.ts";
import { databasePath, identityPath } from "../store/places.ts";
import { unseal } from "./container.ts";
import { ABOUT, type About } from "./contents.ts";
import { READ } from "./constants.ts";
import { BackupError } from "./errors.ts";
import { type BackupEntry, decodeRecords } from "./records.ts";

/** Files that are forced to the disk at a time: a repository may have a thousand small ones. */
const SYNCS = 32;

/** Longest {@link ABOUT} that is read. */
const MAX_ABOUT = 64 * 1024;

/** What came back. */
export interface Restored extends About {
  entries: number;
  bytes: number;
}

/**
 * @param file the back-up
 * @param data absent or empty; the folder above it must be there, on the same volume
 * @throws {BackupError} with nothing changed
 */
export async function restore(file: Deno.FsFile, passphrase: string, data: string): Promise<Restored> {
  const target = resolve(data);
  await checkTarget(target);
  const aside = `${target}.restoring`;
  const done = await unpackBeside(file, passphrase, aside);
  try {
    await Deno.rename(aside, target); // in the place of an empty folder, too
  } catch (error) {
    await Deno.remove(aside, { recursive: true });
    throw new BackupError("folder", `${data} cannot be put in its place: ${messageOf(error)}`, { cause: error });
  }
  await syncFolder(dirname(target));
  return done;
}

async function unpackBeside(file: Deno.FsFile, passphrase: string, aside: string): Promise<Restored> {
  let isOurs = false;
  try {
    await Deno.mkdir(aside, { recursive: true, mode: 0o700 });
    const lock = lockFolder(aside); // of another restore, perhaps
    try {
      isOurs = true;
      // what a killed restore left
      for await (const { name } of Deno.readDir(aside)) {
        if (name !== "lock") await Deno.remove(join(aside, name), { recursive: true });
      }
      const done = await unpack(decodeRecords(unseal(bytesOf(file), passphrase)), aside);
      await check(aside, done);
      await syncFolders(aside);
      return done;
    } finally {
      lock.release();
    }
  } catch (error) {
    if (isOurs) await Deno.remove(aside, { recursive: true });
    throw error;
  }
}

/** @throws {BackupError} "folder" */
async function checkTarget(target: string): Promise<void> {
  const above = await Deno.stat(dirname(target)).catch(() => null);
  if (!above?.isDirectory) throw new BackupError("folder", `There is no folder ${dirname(target)}.`);
  const info = await Deno.lstat(target).catch(() => null);
  if (!info) return;
  if (!info.isDirectory || (await Array.fromAsync(Deno.readDir(target))).length > 0) {
    throw new BackupError("folder", `${target} is not an empty folder: a restore never writes over anything.`);
  }
  if (info.dev !== above.dev) {
    const inside = join(target, "data");
    throw new BackupError("folder", `${target} is where a volume is mounted: name a folder in it, such as ${inside}.`);
  }
}

async function unpack(entries: AsyncIterable<BackupEntry>, aside: string): Promise<Restored> {
  let about: About | null = null;
  let count = 0, bytes = 0;
  const flush = new Flush();
  try {
    for await (const entry of entries) {
      if (about === null) {
        about = await readAbout(entry);
        continue;
      }
      const path = join(aside, entry.path);
      await Deno.mkdir(entry.content ? dirname(path) : path, { recursive: true, mode: 0o700 });
      if (!entry.content) continue;
      await flush.add(await write(path, entry.content));
      count++;
      bytes += entry.size;
    }
  } finally {
    await flush.all();
  }
  if (about === null) throw new BackupError("damaged", "The back-up is empty.");
  return { ...about, entries: count, bytes };
}

/** Forces files to the disk and closes them, several at a time. */
class Flush {
  #pending: Promise<void>[] = [];

  async add(file: Deno.FsFile): Promise<void> {
    const done = file.sync().finally(() => file.close());
    done.catch(() => {}); // it is told by all()
    this.#pending.push(done);
    if (this.#pending.length >= SYNCS) await this.all();
  }

  /** @throws what the first one did */
  async all(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
  }
}

/** The file, still open. */
async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    for await (const part of content) {
      for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readAbout({ path, size, content }: BackupEntry): Promise<About> {
  if (path !== ABOUT || size > MAX_ABOUT || !content) {
    throw new BackupError("damaged", "The back-up does not say what it is.");
  }
  let json = "";
  for await (const part of content) json += text(part);
  const { made, kituo, jamiId, files }: Partial<Record<keyof About, unknown>> = JSON.parse(json);
  return { made: String(made), kituo: String(kituo), jamiId: String(jamiId), files: files === true };
}

/** Is it a node's folder, of the account that it says? @throws {BackupError} "damaged" */
async function check(aside: string, { jamiId }: About): Promise<void> {
  const path = databasePath(aside);
  try {
    const db = new DatabaseSync(path); // not for reading only: that would leave its helper files
    try {
      const verdict = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
      if (verdict !== "ok") throw new BackupError("damaged", String(verdict));
    } finally {
      db.close();
    }
    if (await accountIn(identityPath(aside)) !== jamiId) throw new BackupError("damaged", "it is another account's");
  } catch (error) {
    throw new BackupError("damaged", `What is in the back-up is damaged: ${messageOf(error)}`, { cause: error });
  }
}

async function* bytesOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(READ); // a new one each time: the reader keeps what it was given
    const n = await file.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

/** The names in all folders, the innermost first. */
async function syncFolders(path: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(path)) if (isDirectory) await syncFolders(join(path, name));
  await syncFolder(path);
}

async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}
