/**
 * The commit that every write of ours comes down to (swarm-repository.md 2, 4): on top of the head, with our own
 * certificates brought along where they are missing, signed. Pure: nothing is stored, the caller keeps what is returned.
 */

import { utf8 } from "../base/bytes.ts";
import { KituoError } from "../base/errors.ts";
import { type Certificate, chainToPem } from "../identity/certificate.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PrivateKey } from "../identity/keys.ts";
import { devicePath } from "./author.ts";
import { certificateIn } from "./certificate_files.ts";
import { buildCommit, jsonMessage, signatureName } from "./commit.ts";
import { readCommit } from "./conversation_facts.ts";
import { MAX_TIME_AHEAD } from "./history_limits.ts";
import { treesOf } from "./members.ts";
import { blob, type GitObject, type ObjectReader, type Oid } from "./object.ts";
import { OverlayReader } from "./overlay.ts";
import { editTree, file, type FileEdits } from "./tree_edit.ts";

/** The device that writes; an `Identity` of core/identity fits. */
export interface Writer {
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly key: PrivateKey;
  /** Device certificate, then the account's and its issuers'. */
  readonly chain: Certificate[];
}

/** Where and as whom to write. */
export interface WriteContext {
  reader: ObjectReader;
  /** Current head of `main`. */
  head: Oid;
  identity: Writer;
  /** The name in the commit, which only people who read raw git see. */
  displayName: string;
  /** Milliseconds since 1970. */
  now: number;
}

/** What a write gives: store the objects durably, then move `main` to the head. */
export interface Written {
  objects: GitObject[];
  head: Oid;
  /** The new commits, oldest first; the head is the last. */
  commits: Oid[];
}

/** We may not, or cannot, write this here. */
export class WriteRefused extends KituoError {}

/** It is so already, or contradicts what is so. */
export class WriteConflict extends WriteRefused {}

/** What one commit is. */
export interface Draft {
  message: string;
  /** Files beside our own certificates. */
  edits?: FileEdits;
  /** Objects that the edits bring. */
  objects?: GitObject[];
  /**
   * What to do about our own certificates (the table in section 4, so that 2023 and today's peers accept it):
   * `renew`: add the device's and replace expired ones; `add`: add the device's; `none`: it must be there.
   */
  certificates: "renew" | "add" | "none";
  /** Further parents, for a merge; with the tree that replaces the head's. */
  merge?: { parent: Oid; tree: Oid };
}

/**
 * Writes one commit on the head.
 * @throws {WriteRefused} when our certificates do not allow it
 * @throws {MissingObject} @throws {ProtocolError} when the head cannot be read
 */
export async function writeCommit(context: WriteContext, draft: Draft): Promise<Written> {
  const { reader, head, identity } = context;
  const parent = await readCommit(reader, head);
  const others = draft.merge ? [await readCommit(reader, draft.merge.parent)] : [];
  const timestamp = commitTime(context.now, [parent, ...others].map((commit) => commit.timestamp));
  const root = draft.merge?.tree ?? parent.tree;
  const own = await ownCertificates(context, root, draft.certificates, timestamp);
  const edits = new Map([...own.edits, ...draft.edits ?? []]);
  const tree = await editTree(treesOf(reader), root, edits);
  const commit = await buildCommit({
    tree: tree.tree,
    parents: [head, ...others.map(({ id }) => id)],
    name: signatureName(context.displayName, identity.device),
    device: identity.device,
    timestamp,
    message: draft.message,
  }, identity.key);
  return {
    objects: [...draft.objects ?? [], ...own.objects, ...tree.objects, commit],
    head: commit.oid,
    commits: [commit.oid],
  };
}

/** One write after another: the second sees what the first made. */
export async function thenWrite(
  context: WriteContext,
  first: Written,
  next: (context: WriteContext) => Promise<Written>,
): Promise<Written> {
  const made = new Map(first.objects.map((object) => [object.oid, object]));
  const second = await next({ ...context, reader: new OverlayReader(context.reader, made), head: first.head });
  return {
    objects: [...first.objects, ...second.objects],
    head: second.head,
    commits: [...first.commits, ...second.commits],
  };
}

/** Type of the commit by which a device only shows its certificates: a plain one, which every peer carries and no client shows (5.4). */
const INTRODUCTION = "application/x-kituo-device";

/**
 * Writes what may not bring our certificates along (4): where they are missing or have expired, a commit that brings them comes
 * first, so that a device that never wrote here may do the same as others.
 */
export async function introduced(
  context: WriteContext,
  next: (context: WriteContext) => Promise<Written>,
): Promise<Written> {
  const { tree, timestamp } = await readCommit(context.reader, context.head);
  const own = await ownCertificates(context, tree, "renew", commitTime(context.now, [timestamp]));
  if (own.edits.size === 0) return await next(context);
  const message = jsonMessage({ type: INTRODUCTION });
  return await thenWrite(context, await writeCommit(context, { message, certificates: "renew" }), next);
}

/** Not before the parents, as long as they are not far in the future (2). Seconds. */
function commitTime(now: number, parents: number[]): number {
  const own = Math.floor(now / 1000);
  const newest = Math.max(...parents);
  return newest > own && newest - own <= MAX_TIME_AHEAD ? newest : own;
}

/** Device certificate alone in its file, account and issuers in the other (1.1). */
export function certificateBlobs(identity: Writer): { device: GitObject; account: GitObject } {
  const [device, ...issuers] = identity.chain;
  if (device === undefined || issuers.length === 0) throw new WriteRefused("our chain of certificates is incomplete");
  return { device: blob(utf8(device.toPem())), account: blob(utf8(chainToPem(issuers))) };
}

interface OwnCertificates {
  edits: Map<string, ReturnType<typeof file>>;
  objects: GitObject[];
}

async function ownCertificates(
  context: WriteContext,
  root: Oid,
  policy: Draft["certificates"],
  timestamp: number,
): Promise<OwnCertificates> {
  const { identity } = context;
  const trees = treesOf(context.reader);
  const blobs = certificateBlobs(identity);
  const result: OwnCertificates = { edits: new Map(), objects: [] };
  const put = (path: string, object: GitObject) => {
    result.edits.set(path, file(object.oid));
    result.objects.push(object);
  };
  const inTree = new Map([
    [devicePath(identity.device), blobs.device],
    [`members/${identity.account}.crt`, blobs.account],
    [`admins/${identity.account}.crt`, blobs.account],
  ]);
  for (const [path, current] of inTree) {
    const there = await trees.file(root, path);
    if (there === null) {
      if (current !== blobs.device) continue; // the rules of membership put it there, nothing else
      if (policy === "none") throw new WriteRefused("this device must write a message here first");
      put(path, current);
    } else if (there.oid !== current.oid && await hasExpired(context, there.oid, timestamp)) {
      if (policy !== "renew") throw new WriteRefused("our certificate here has expired; a message renews it");
      put(path, current);
    }
  }
  const expiry = Math.min(...identity.chain.slice(0, 2).map((certificate) => certificate.notAfter));
  if (expiry < timestamp * 1000) throw new WriteRefused("our own certificate has expired");
  return result;
}

async function hasExpired({ reader }: WriteContext, oid: Oid, timestamp: number): Promise<boolean> {
  const certificate = await certificateIn(treesOf(reader), oid);
  return certificate === null || certificate.notAfter < timestamp * 1000;
}
