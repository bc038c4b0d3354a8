/**
 * Files that survive a crash: whole and on the disk, or not there at all.
 *
 * A write goes to a temporary name, is flushed, takes its final name in one step, and then the folder is flushed.
 */

import { Buffer } from "node:buffer";
import * as node from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** How temporary files are called where objects live: `git fsck` and `git gc` know these names. */
export const TEMPORARY_OBJECT = "tmp_obj_";

let counter = 0;

/** Flushes the entries of a folder, i.e. the names in it. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await Deno.open(path);
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}

/** Gives `from` its final name `to`, in the same folder or another; durable once this resolves. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
  await syncFolder(dirname(to));
}

/** Writes a whole file at `path` and flushes its content; its name is not durable yet. */
export async function writeFlushed(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    }
    await file.sync();
  } finally {
    file.close();
  }
}

/**
 * Replaces the file at `path` by `content`, in one step.
 * Temporary names never look like a ref or an object: `.lock` beside refs and configuration, `tmp_obj_` beside objects.
 */
export async function writeDurably(path: string, content: Uint8Array): Promise<void> {
  const name = basename(path);
  const isObject = /^[0-9a-f]{38}$/.test(name);
  const temporary = join(dirname(path), isObject ? `${TEMPORARY_OBJECT}${Deno.pid}_${counter++}` : `${name}.lock`);
  try {
    await writeFlushed(temporary, [content]);
    await renameDurably(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // reason: the first error is the one to tell
    throw error;
  }
}

/** Makes one folder, durably. */
async function makeFolder(path: string): Promise<void> {
  await node.mkdir(path);
  await syncFolder(dirname(path));
}

/** What isomorphic-git asks of a file system, with durable writes. */
export const durableFs = {
  promises: {
    readFile: node.readFile,
    // isomorphic-git makes missing folders and tries again when a write fails with ENOENT, as node's does.
    writeFile: (path: string, data: Uint8Array | string) => writeDurably(path, Buffer.from(data)),
    mkdir: makeFolder,
    rmdir: node.rmdir,
    unlink: node.unlink,
    stat: node.stat,
    lstat: node.lstat,
    readdir: node.readdir,
    readlink: node.readlink,
    symlink: node.symlink,
  },
};
