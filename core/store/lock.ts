/** One running node for each data folder. */

import { join } from "node:path";
import { StoreError } from "./errors.ts";

/** A held lock. */
export interface FolderLock {
  /** Lets the next one in. */
  release(): void;
}

/**
 * Takes the data folder for this process. The lock is the operating system's (flock on the file `lock`), so it ends with
 * the process however that ends; the file itself stays.
 * @throws {StoreError} "in use" when another process (or another lock of this one) holds it
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, "lock");
  const file = Deno.openSync(path, { create: true, read: true, write: true, mode: 0o600 });
  if (!file.tryLockSync(true)) {
    file.close();
    throw new StoreError("in use", `the data folder ${folder} is in use by another running node`);
  }
  return { release: () => file.close() };
}
