/** Makes back-ups: as a stream, or as a file that is whole or not there. */

import { dirname } from "node:path";
import { accountIn } from "../identity/storage.ts";
import { messageOf } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { databasePath, identityPath } from "../store/places.ts";
import { VERSION } from "../version.ts";
import { newSeal, type Seal, seal } from "./container.ts";
import { type About, contentsOf } from "./contents.ts";
import { BackupError } from "./errors.ts";
import { checkPassphrase } from "./passphrase.ts";
import { encodeRecords } from "./records.ts";

/** A back-up that is about to be made: the passphrase is not needed any more. */
export interface PreparedBackup {
  about: About;
  seal: Seal;
}

/** What is to be made. */
export interface BackupWish {
  passphrase: string;
  /** with the files that members sent? */
  files: boolean;
  /** ms since 1970 */
  now: number;
}

/**
 * Looks whether the folder can be backed up, and derives the key.
 * @throws {BackupError} "folder" or "passphrase"
 */
export async function prepareBackup(data: string, { passphrase, files, now }: BackupWish): Promise<PreparedBackup> {
  checkPassphrase(passphrase);
  const jamiId = await accountOf(data);
  const about = { made: new Date(now).toISOString(), kituo: VERSION, jamiId, files };
  return { about, seal: await newSeal(passphrase, systemRandom) };
}

/** The bytes of a back-up. The node may be running. @throws {BackupError} "folder" */
export function backUp(
  data: string,
  { about, seal: prepared }: PreparedBackup,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  return seal(prepared, encodeRecords(contentsOf(data, about)));
}

/**
 * Makes a back-up at `path`, for its owner only; whole and on the disk once this resolves.
 * @returns its size
 * @throws {BackupError} "folder" also when there is something at `path`
 */
export async function backUpTo(path: string, data: string, prepared: PreparedBackup): Promise<number> {
  if (await Deno.lstat(path).catch(() => null)) {
    throw new BackupError("folder", `There is something at ${path} already.`);
  }
  const draft = `${path}.part`;
  let size = 0;
  try {
    using file = await Deno.open(draft, { write: true, create: true, truncate: true, mode: 0o600 });
    for await (const bytes of backUp(data, prepared)) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      size += bytes.length;
    }
    await file.sync();
    await Deno.rename(draft, path);
    using folder = await Deno.open(dirname(path));
    await folder.sync();
    return size;
  } catch (error) {
    await Deno.remove(draft).catch(() => {}); // reason: the first error is the one to tell
    throw error;
  }
}

async function accountOf(data: string): Promise<string> {
  try {
    await Deno.stat(databasePath(data));
    return await accountIn(identityPath(data));
  } catch (error) {
    throw new BackupError("folder", `${data} is not the data folder of a node: ${messageOf(error)}`, { cause: error });
  }
}
