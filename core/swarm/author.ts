/**
 * Who speaks at a tree: which account a device belongs to there, with which key, and until when
 * ("the user is valid at this commit", swarm-repository.md 5.3).
 */

import { LruMap } from "../base/limits.ts";
import { type AccountId, type DeviceId, isAccountId, isDeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import { accountSignedDevice, certificateIn } from "./certificate_files.ts";
import type { Commit } from "./commit.ts";
import { CACHED_AUTHORITIES } from "./history_limits.ts";
import type { Oid } from "./object.ts";
import type { TreeReader } from "./tree_view.ts";

/** A device that may write at a tree. */
export interface Authority {
  readonly owner: AccountId;
  readonly key: PublicKey;
  /** Milliseconds since 1970: when the first of device and account certificate expires. */
  readonly notAfter: number;
}

/** Why a device may not write at a tree. */
export interface NoAuthority {
  readonly problem: string;
  /** The names fit, but the account never signed the device's certificate: what only Kituo checks (5.6). */
  readonly forged: boolean;
}

const authorities = new WeakMap<TreeReader, LruMap<string, Promise<Authority | NoAuthority>>>();

/** Path of a device's certificate. */
export function devicePath(device: DeviceId): string {
  return `devices/${device}.crt`;
}

/**
 * Account that the certificate of `device` at a tree names as its issuer; `null` when there is none.
 * @throws {MissingObject} @throws {ProtocolError} when the tree cannot be read
 */
export async function ownerAt(trees: TreeReader, tree: Oid, device: DeviceId): Promise<AccountId | null> {
  const file = isDeviceId(device) ? await trees.file(tree, devicePath(device)) : null;
  const uid = file && (await certificateIn(trees, file.oid))?.issuerUid;
  return isAccountId(uid) ? uid : null;
}

/**
 * The account of a commit's author: by the commit's tree, or its parent's when the commit takes the device away.
 * @param parent root tree of the first parent
 * @throws {MissingObject} @throws {ProtocolError} when a tree cannot be read
 */
export async function authorOf(trees: TreeReader, commit: Commit, parent: Oid | null): Promise<AccountId | null> {
  return await ownerAt(trees, commit.tree, commit.device) ??
    (parent === null ? null : await ownerAt(trees, parent, commit.device));
}

/**
 * The right of a device to write at a tree: all of 5.3 that does not depend on the commit's time and bytes, and that
 * the account really signed the device's certificate. Remembered by tree and device.
 * @throws {MissingObject} @throws {ProtocolError} when the tree cannot be read
 */
export function authorityAt(trees: TreeReader, tree: Oid, device: DeviceId): Promise<Authority | NoAuthority> {
  let known = authorities.get(trees);
  if (known === undefined) authorities.set(trees, known = new LruMap(CACHED_AUTHORITIES));
  const key = `${tree} ${device}`;
  let answer = known.get(key);
  if (answer === undefined) {
    answer = findAuthority(trees, tree, device);
    known.set(key, answer);
    answer.catch(() => known.delete(key));
  }
  return answer;
}

async function findAuthority(trees: TreeReader, tree: Oid, device: DeviceId): Promise<Authority | NoAuthority> {
  const no = (problem: string, forged = false): NoAuthority => ({ problem, forged });
  if (!isDeviceId(device)) return no("the author is no device id");
  const deviceFile = await trees.file(tree, devicePath(device));
  if (deviceFile === null) return no("the device is not in the conversation");
  const certificate = await certificateIn(trees, deviceFile.oid);
  if (certificate === null) return no("the device's certificate cannot be read");
  if (certificate.publicKey.longId !== device) return no("the certificate is another device's", true);
  const owner = certificate.issuerUid;
  if (!isAccountId(owner)) return no("the device's certificate names no account");
  const accountFile = await trees.file(tree, `members/${owner}.crt`) ??
    await trees.file(tree, `admins/${owner}.crt`);
  if (accountFile === null) return no("the account is neither member nor admin");
  const account = await certificateIn(trees, accountFile.oid);
  if (account === null || account.publicKey.id !== owner) return no("the account's certificate is not its own");
  if (!await accountSignedDevice(trees, accountFile.oid, deviceFile.oid)) {
    return no("the account did not sign the device's certificate", true);
  }
  return { owner, key: certificate.publicKey, notAfter: Math.min(certificate.notAfter, account.notAfter) };
}
