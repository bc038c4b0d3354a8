/** What the rules look at: one commit, its parent, what it changes, and who wrote it. */

import { type AccountId, isDeviceId } from "../../identity/ids.ts";
import type { NodeLookup } from "../ancestry.ts";
import { authorityAt, authorOf, devicePath } from "../author.ts";
import { certificateIn } from "../certificate_files.ts";
import type { Commit } from "../commit.ts";
import type { ConversationFacts } from "../conversation_facts.ts";
import { type Change, changedFiles } from "../diff.ts";
import { treesOf } from "../members.ts";
import type { ObjectReader, Oid, TreeEntry } from "../object.ts";
import { FILE_MODE, type TreeReader } from "../tree_view.ts";
import { OwnReason, Reason, RuleViolation } from "./violation.ts";

/** The empty blob: invitations and votes are such files (1.1). */
export const EMPTY_BLOB: Oid = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/** A path's files at the two ends of a change. */
export type Certified = Pick<Change, "before" | "after">;

/** One commit under examination. Every method throws MissingObject or ProtocolError when objects cannot be read. */
export class RuleContext {
  readonly trees: TreeReader;
  #owner: Promise<AccountId | null> | undefined;

  /**
   * @param parent root tree of the (first) parent, `null` for an initial commit
   * @param changes what differs from that parent
   * @param nodes where to find the commit's ancestors
   */
  private constructor(
    readonly reader: ObjectReader,
    readonly conversation: ConversationFacts,
    readonly commit: Commit,
    readonly parent: Oid | null,
    readonly changes: readonly Change[],
    readonly nodes: NodeLookup,
  ) {
    this.trees = treesOf(reader);
  }

  /** Reads what the commit changes. @throws {RuleViolation} when that can be of no honest writer */
  static async create(
    reader: ObjectReader,
    conversation: ConversationFacts,
    commit: Commit,
    parent: Oid | null,
    nodes: NodeLookup,
  ): Promise<RuleContext> {
    const changes = parent === commit.tree ? [] : await changedFiles(treesOf(reader), parent, commit.tree);
    const context = new RuleContext(reader, conversation, commit, parent, changes, nodes);
    for (const { path, after } of changes) {
      if (after === null) continue;
      if (after.mode !== FILE_MODE) context.refuse(OwnReason.fileMode, path);
      if (!await reader.has(after.oid)) context.refuse(OwnReason.missing, path);
    }
    return context;
  }

  /** Ends the examination. */
  refuse(reason: string, detail: string): never {
    throw new RuleViolation(this.commit.id, reason, detail);
  }

  /** The account of the author's device: by the commit's tree, or its parent's when the commit removes the device. */
  owner(): Promise<AccountId | null> {
    return this.#owner ??= authorOf(this.trees, this.commit, this.parent);
  }

  /** As {@link owner}. @throws {RuleViolation} with `reason` when there is none */
  async knownOwner(reason: string): Promise<AccountId> {
    return await this.owner() ?? this.refuse(reason, "the author's device is unknown");
  }

  /** The file at a path in the commit's tree. */
  file(path: string): Promise<TreeEntry | null> {
    return this.trees.file(this.commit.tree, path);
  }

  /** The file at a path in the parent's tree. */
  parentFile(path: string): Promise<TreeEntry | null> {
    return this.parent === null ? Promise.resolve(null) : this.trees.file(this.parent, path);
  }

  /** Is this path the certificate of the writing device? */
  isOwnDevice(path: string): boolean {
    return isDeviceId(this.commit.device) && path === devicePath(this.commit.device);
  }

  /**
   * A new or renewed device certificate of `owner`, for the writing device (5.5)?
   * Kituo: the file holds that very device's key, so a renewal cannot change it.
   */
  async isDeviceOf(owner: AccountId, file: Certified): Promise<boolean> {
    const certificate = file.after && await certificateIn(this.trees, file.after.oid);
    return certificate !== null && certificate.issuerUid === owner &&
      certificate.publicKey.longId === this.commit.device;
  }

  /** An account certificate of `owner` (5.5)? Its id is that of its key, so a renewal cannot change the key. */
  async isAccountOf(owner: AccountId, file: Certified): Promise<boolean> {
    const certificate = file.after && await certificateIn(this.trees, file.after.oid);
    return certificate !== null && certificate.publicKey.id === owner;
  }

  /**
   * "The user is valid at this commit" (5.3): every commit ends with this.
   * @param tree where the author must have its rights: the commit's tree, or the parent's for "remove"
   * @param reason what to say otherwise
   */
  async requireValidUser(tree: Oid, reason: string = Reason.user): Promise<void> {
    const { device, timestamp, signature, payload } = this.commit;
    const authority = await authorityAt(this.trees, tree, device);
    if ("problem" in authority) {
      this.refuse(authority.forged ? OwnReason.forgedDevice : reason, authority.problem);
    }
    if (authority.notAfter < timestamp * 1000) this.refuse(reason, "a certificate had expired");
    if (signature === null || !await authority.key.verify(payload, signature)) {
      this.refuse(reason, "the signature is not the device's");
    }
  }
}
