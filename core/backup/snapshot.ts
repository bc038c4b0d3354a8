/** The database as it is at one moment, also of a running node. */

import { join } from "node:path";
import { databasePath } from "../store/places.ts";
import { SNAPSHOT_STALE } from "./constants.ts";
import { BackupError } from "./errors.ts";
import type { SnapshotAnswer, SnapshotOrder } from "./snapshot_worker.ts";

const NAME = /^snapshot-[0-9a-f-]{36}\.db(?:-journal|-wal|-shm)?$/;

/** Is this the name of a snapshot under way? */
export function isSnapshot(name: string): boolean {
  return NAME.test(name);
}

/**
 * A copy of the database, open for reading. It has no name any more: when it is closed, or the process dies, it is gone.
 * @param data the data folder: there is room where the database is, and nobody else may look there
 * @throws {BackupError} "folder" when the database cannot be read, or the copy not be written
 */
export async function openSnapshot(data: string): Promise<Deno.FsFile> {
  await sweep(data);
  const path = join(data, `snapshot-${crypto.randomUUID()}.db`);
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
    const failed = await copy({ from: databasePath(data), to: path });
    if (failed !== null) throw new BackupError("folder", `The database cannot be copied: ${failed}`);
    return await Deno.open(path);
  } finally {
    for (const ending of ["", "-journal", "-wal", "-shm"]) await Deno.remove(path + ending).catch(() => {});
  }
}

/** Removes what a killed process left: it holds what people wrote. */
async function sweep(data: string): Promise<void> {
  for await (const { name } of Deno.readDir(data)) {
    if (!isSnapshot(name)) continue;
    const { mtime } = await Deno.stat(join(data, name)).catch(() => ({ mtime: null }));
    if (mtime && Date.now() - mtime.getTime() > SNAPSHOT_STALE) await Deno.remove(join(data, name)).catch(() => {});
  }
}

/** Copies in a worker. @returns why it failed; null = it did not */
async function copy(order: SnapshotOrder): Promise<string | null> {
  const worker = new Worker(new URL("./snapshot_worker.ts", import.meta.url), { type: "module", name: "snapshot" });
  try {
    return await new Promise((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<SnapshotAnswer>) => resolve(data.failed);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
      worker.postMessage(order);
    });
  } finally {
    worker.terminate();
  }
}
