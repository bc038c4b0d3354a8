/** The merge commit of two heads (swarm-repository.md 7). */

import { historyNodes, type NodeLookup } from "./ancestry.ts";
import { mergeMessage } from "./commit.ts";
import { membersAt } from "./members.ts";
import { mergeTrees } from "./merge.ts";
import type { Oid } from "./object.ts";
import { OverlayReader } from "./overlay.ts";
import { writeCommit, type WriteContext, WriteRefused, type Written } from "./write.ts";

/** A written merge. */
export interface WrittenMerge extends Written {
  /** Paths that both sides changed differently, the profile aside: alert the operator (7). */
  conflicts: string[];
}

/**
 * Merges a fetched and checked head into ours: parents [ours, theirs]. Look at `nextStep` first.
 * @param nodes where to find commits; the reader unless given
 * @throws {WriteRefused} when after the merge we would be no member, or our device not in it: nobody would accept it
 * @throws {MissingObject} @throws {ProtocolError} @throws {LimitError} when the histories cannot be compared
 */
export async function mergeHeads(context: WriteContext, theirs: Oid, nodes?: NodeLookup): Promise<WrittenMerge> {
  const { reader, head, identity } = context;
  const merged = await mergeTrees(reader, nodes ?? historyNodes(reader), head, theirs);
  const made = new Map(merged.objects.map((object) => [object.oid, object]));
  const all = new OverlayReader(reader, made);
  const { roles, devices } = await membersAt(all, merged.tree);
  const role = roles.get(identity.account);
  if (role !== "admin" && role !== "member") throw new WriteRefused("we are no member of the other side");
  if (!devices.has(identity.device)) throw new WriteRefused("this device has not written here yet");
  const written = await writeCommit({ ...context, reader: all }, {
    message: mergeMessage(theirs),
    certificates: "none",
    merge: { parent: theirs, tree: merged.tree },
  });
  return { ...written, objects: [...merged.objects, ...written.objects], conflicts: merged.conflicts };
}
