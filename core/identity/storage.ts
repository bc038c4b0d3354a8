/**
 * The identity folder: the device's key, its chain and its receipt, and beside them the archive, which alone holds the keys of the account and of its
 * authority. Everything is for the owner only (files 0600, folder 0700), and each file is either the old or the new one whatever happens.
 */

import { dirname, join } from "node:path";
import { type Bytes, text, utf8 } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { type Archive, readArchive, writeArchive } from "./archive.ts";
import { Certificate } from "./certificate.ts";
import { assembleIdentity, createIdentity, type Identity, IdentityError } from "./identity.ts";
import { type AccountId, isAccountId } from "./ids.ts";
import { formatInheritance, type Inheritance, parseInheritance } from "./inheritance.ts";
import { PrivateKey } from "./keys.ts";

const DEVICE_KEY = "device.key";
const CHAIN = "chain.pem";
const RECEIPT = "receipt.json";
const RECEIPT_SIGNATURE = "receipt.sig";
const ARCHIVE = "archive.gz";
const INHERITANCE = "inherited.json";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** A file that was written aside and did not come to its place. */
const LEFTOVER = /^\.(?:device\.key|chain\.pem|receipt\.json|receipt\.sig|archive\.gz|inherited\.json)\.[0-9a-f-]{36}$/;

/** What is wrong with an identity folder. */
export type StorageFault = "missing" | "incomplete" | "damaged" | "not valid" | "exists";

/** An identity folder that cannot be used. */
export class StorageError extends KituoError {
  constructor(readonly reason: StorageFault, detail: string, options?: ErrorOptions) {
    super(`identity folder: ${reason}: ${detail}`, options);
  }
}

/**
 * Stores a new identity and its archive, all or nothing: the folder is written aside and takes its place when it is whole and on the disk.
 * @param dir absent or empty
 * @param password for the archive; absent or "" leaves it unprotected
 * @param inherited what the node that starts here is to take over
 * @throws {StorageError} "exists": an archive is never written over here
 */
export async function saveIdentity(
  dir: string,
  identity: Identity,
  archive: Archive,
  password = "",
  inherited?: Inheritance,
): Promise<void> {
  for (const name of [DEVICE_KEY, ARCHIVE]) {
    if (await isThere(join(dir, name))) throw new StorageError("exists", `${dir} has ${name} already`);
  }
  const aside = asideOf(dir);
  await removeIfThere(aside);
  try {
    await Deno.mkdir(aside, { recursive: true, mode: FOLDER_MODE });
    await saveArchive(aside, archive, password);
    if (inherited) await writeDurably(aside, INHERITANCE, utf8(formatInheritance(inherited)));
    await saveDevice(aside, identity);
    await Deno.rename(aside, dir);
  } catch (error) {
    await removeIfThere(aside).catch(() => {}); // reason: the first error is the one to tell
    throw error;
  }
  await syncFolder(dirname(dir));
}

/**
 * Before the folder is used: removes what a crash left over of files and folders that never came to their places (nobody has heard of an identity in
 * there), and takes from others the right to look, should they have got it by a copy.
 */
export async function tidyIdentity(dir: string): Promise<void> {
  await removeIfThere(asideOf(dir));
  if (!await isThere(dir)) return;
  await makePrivate(dir, FOLDER_MODE);
  for await (const { name, isFile } of Deno.readDir(dir)) {
    if (LEFTOVER.test(name)) await Deno.remove(join(dir, name));
    else if (isFile) await makePrivate(join(dir, name), FILE_MODE);
  }
}

/** Stores the device's files only: for a device that was made new from the archive in the folder. */
export async function saveDevice(dir: string, identity: Identity): Promise<void> {
  await writeDurably(dir, CHAIN, utf8(identity.chainPem));
  await writeDurably(dir, RECEIPT, utf8(identity.receipt));
  await writeDurably(dir, RECEIPT_SIGNATURE, identity.receiptSignature);
  await writeDurably(dir, DEVICE_KEY, utf8(identity.key.toPem()));
}

/** Stores the archive in place of the one before. */
export async function saveArchive(dir: string, archive: Archive, password = ""): Promise<void> {
  await writeDurably(dir, ARCHIVE, await writeArchive(archive, password));
}

/**
 * The archive of the folder: only while the account's keys are needed.
 * @throws {StorageError} "missing" when there is none
 * @throws {ArchiveError} when it cannot be read, or not with this password
 */
export async function loadArchive(dir: string, password = ""): Promise<Archive> {
  return await readArchive(await archiveFile(dir), password);
}

/** The archive of the folder as it stands. @throws {StorageError} "missing" when there is none */
export async function archiveFile(dir: string): Promise<Bytes> {
  const file = await readIfThere(join(dir, ARCHIVE));
  if (!file) throw new StorageError("missing", `${dir} has no ${ARCHIVE}`);
  return file;
}

/**
 * What the node is still to take over from the archive it was made from; `null` when it has done so, or has no such past.
 * @throws {StorageError} "damaged"
 */
export async function loadInheritance(dir: string): Promise<Inheritance | null> {
  const there = await isThere(join(dir, INHERITANCE));
  return there ? await part(dir, INHERITANCE, (bytes) => parseInheritance(text(bytes))) : null;
}

/** The inheritance was taken over. */
export async function dropInheritance(dir: string): Promise<void> {
  await removeIfThere(join(dir, INHERITANCE));
  await syncFolder(dir);
}

/** Is there an identity in the folder (whole or not)? */
export async function hasIdentity(dir: string): Promise<boolean> {
  return await isThere(join(dir, DEVICE_KEY)) || await isThere(join(dir, ARCHIVE));
}

/**
 * The identity of the folder, all of account.md 3 checked.
 * @param now ms since 1970
 * @throws {StorageError} "missing": nothing there; "incomplete": some file is missing; "damaged": some file cannot be read; "not valid": the files
 * can be read but do not hold together, or no longer (an expired certificate)
 */
export async function loadIdentity(dir: string, now: number): Promise<Identity> {
  if (!await hasIdentity(dir)) throw new StorageError("missing", `${dir} has no identity`);
  const key = await part(dir, DEVICE_KEY, (bytes) => PrivateKey.fromPem(text(bytes)));
  const chain = await part(dir, CHAIN, (bytes) => Certificate.listFromPem(text(bytes)));
  const receipt = await part(dir, RECEIPT, text);
  const receiptSignature = await part(dir, RECEIPT_SIGNATURE, (bytes) => bytes);
  try {
    return await assembleIdentity({ key, chain, receipt, receiptSignature }, { now });
  } catch (error) {
    if (error instanceof IdentityError) throw new StorageError("not valid", error.message, { cause: error });
    throw error;
  }
}

/**
 * Whose folder it is, by the chain alone: also when its certificates have expired.
 * @throws {StorageError} "incomplete" or "damaged"
 */
export function accountIn(dir: string): Promise<AccountId> {
  return part(dir, CHAIN, (bytes) => {
    const [{ issuerUid }] = Certificate.listFromPem(text(bytes));
    if (!isAccountId(issuerUid)) throw new StorageError("not valid", `${CHAIN} names no account`);
    return issuerUid;
  });
}

async function part<T>(dir: string, name: string, read: (bytes: Bytes) => T): Promise<T> {
  const bytes = await readIfThere(join(dir, name));
  if (!bytes) throw new StorageError("incomplete", `${dir} has no ${name}`);
  try {
    return read(bytes);
  } catch (error) {
    throw new StorageError("damaged", `${name}: ${messageOf(error)}`, { cause: error });
  }
}

async function readIfThere(path: string): Promise<Bytes | null> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Where the folder is written before it takes its place. */
function asideOf(dir: string): string {
  return `${dir.replace(/\/+$/, "")}.new`;
}

async function removeIfThere(path: string): Promise<void> {
  if (await isThere(path)) await Deno.remove(path, { recursive: true });
}

async function makePrivate(path: string, mode: number): Promise<void> {
  const now = (await Deno.stat(path)).mode ?? mode;
  if ((now & 0o777 & ~mode) !== 0) await Deno.chmod(path, mode);
}

async function syncFolder(dir: string): Promise<void> {
  using folder = await Deno.open(dir);
  await folder.sync();
}

/** Writes beside, forces to disk, then puts in place: a crash leaves the old file or the new one. */
async function writeDurably(dir: string, name: string, bytes: Uint8Array): Promise<void> {
  const aside = join(dir, `.${name}.${crypto.randomUUID()}`);
  try {
    using file = await Deno.open(aside, { write: true, createNew: true, mode: FILE_MODE });
    // Not through file.writable: in Deno 2.9 its writes resolve before the bytes are in the file, and sync() would be too early.
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    await Deno.rename(aside, join(dir, name));
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw error;
  }
  await syncFolder(dir);
}

/**
 * The identity in a folder; a new account is made in an empty one, which takes some seconds.
 * @param now ms
 * @throws {StorageError} as `loadIdentity`
 */
export async function identityIn(dir: string, now: number): Promise<Identity> {
  await tidyIdentity(dir);
  if (await hasIdentity(dir)) return await loadIdentity(dir, now);
  const { identity, archive } = await createIdentity({ now });
  await saveIdentity(dir, identity, archive);
  return identity;
}
