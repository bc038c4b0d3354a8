/**
 * The envelope of a refused commit (swarm-repository.md 2.1, 5.3): did a device of the account that it names really write it? An operator may accept
 * what breaks a rule (5.6), but nobody can vouch for bytes that are missing, or that were signed by nobody knows whom.
 */

import { isAccountId, isDeviceId } from "../../identity/ids.ts";
import { devicePath } from "../author.ts";
import { accountSignedDevice, certificateIn } from "../certificate_files.ts";
import type { Commit } from "../commit.ts";
import { isPeersFault } from "../conversation_facts.ts";
import type { ObjectReader, Oid } from "../object.ts";
import { treesOf } from "../members.ts";
import type { TreeReader } from "../tree_view.ts";
import { OwnReason } from "./violation.ts";

/** Where an account's certificate may stand: a banned member still wrote what it wrote, with a device whose file stays (1.1). */
const ACCOUNTS = ["members", "admins", "banned/members", "banned/admins"];

/** Reasons that nobody can override, whatever the signature: such a commit is no part of this conversation, or no plain git. */
const NEVER: ReadonlySet<string> = new Set([
  OwnReason.fileMode,
  OwnReason.forgedDevice,
  OwnReason.initialSignature,
  OwnReason.missing,
  OwnReason.notTheConversation,
  OwnReason.unreadable,
]);

/**
 * May the operator accept this commit, which was refused for `reason`?
 * @param parents root trees of the parents; an initial commit has none and is never accepted
 */
export async function isOverridable(
  reader: ObjectReader,
  commit: Commit,
  parents: readonly Oid[],
  reason: string,
): Promise<boolean> {
  if (parents.length === 0 || NEVER.has(reason)) return false;
  try {
    for (const tree of [commit.tree, ...parents]) if (await isSignedBy(treesOf(reader), tree, commit)) return true;
    return false;
  } catch (error) {
    if (isPeersFault(error)) return false;
    throw error;
  }
}

/** Is the commit signed by its device, and the device by its account, with the certificates of this tree? */
async function isSignedBy(trees: TreeReader, tree: Oid, { device, signature, payload }: Commit): Promise<boolean> {
  if (signature === null || !isDeviceId(device)) return false;
  const file = await trees.file(tree, devicePath(device));
  const certificate = file && await certificateIn(trees, file.oid);
  if (!file || certificate?.publicKey.longId !== device || !isAccountId(certificate.issuerUid)) return false;
  for (const list of ACCOUNTS) {
    const account = await trees.file(tree, `${list}/${certificate.issuerUid}.crt`);
    const isOwn = account && (await certificateIn(trees, account.oid))?.publicKey.id === certificate.issuerUid;
    if (!isOwn || !await accountSignedDevice(trees, account.oid, file.oid)) continue;
    return await certificate.publicKey.verify(payload, signature);
  }
  return false;
}
