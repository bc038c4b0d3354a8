/** Becoming one more device of an account that exists, by its archive (account.md 2.3). */

import { type Archive, readArchive } from "./archive.ts";
import { type Identity, newDevice, renewArchive } from "./identity.ts";
import { saveIdentity } from "./storage.ts";

/** What is being done: the archive is opened (a second when it has a password), its certificates are looked at, the device's key is made (seconds), all is written. */
export type ImportStep = "open" | "renew" | "keys" | "save";

/** All steps, in their order. */
export const IMPORT_STEPS: readonly ImportStep[] = ["open", "renew", "keys", "save"];

export interface ImportOptions {
  /** Of the archive; absent or "" when it has none. It protects the stored archive from then on. */
  password?: string;
  /** ms since 1970 */
  now: number;
  /** Told as each step begins. */
  onStep?: (step: ImportStep) => void;
}

/**
 * Makes a new device of the account in an archive file, and stores it with the archive: all or nothing. The node that starts in this folder next takes over
 * the archive's contacts, conversations and requests.
 * @param dir the identity folder to be made: absent or empty
 * @throws {ArchiveError} "wrong password", "password needed", "too large" or "malformed"
 * @throws {IdentityError} when the account's certificates do not hold and cannot be renewed
 * @throws {StorageError} "exists" when the folder has an identity
 */
export async function importArchive(dir: string, file: Uint8Array, options: ImportOptions): Promise<Identity> {
  options.onStep?.("open");
  return await joinAccount(dir, await readArchive(file, options.password), options);
}

/** The same with an archive that was opened already. @throws {IdentityError} @throws {StorageError} */
export async function joinAccount(dir: string, archive: Archive, options: ImportOptions): Promise<Identity> {
  const { password, now, onStep } = options;
  onStep?.("renew");
  const renewed = await renewArchive(archive, now);
  onStep?.("keys");
  const identity = await newDevice(renewed, now);
  onStep?.("save");
  await saveIdentity(dir, identity, renewed, password, renewed);
  return identity;
}
