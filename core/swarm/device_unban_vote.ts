/**
 * The vote to end the ban of a device. Daemons of both generations refuse a vote about a device whose file is not in `devices/` of the parent
 * (swarm-repository.md 5.2 `vote`), and a banned device's is not: their own votes could never end such a ban. So the vote is written where the file was last, before
 * the ban, and merged into the head; each path of the merge equals one parent, and the un-ban that follows finds the vote in its parent.
 */

import { devicePath } from "./author.ts";
import { type Commit, jsonMessage, mergeMessage } from "./commit.ts";
import { readCommit } from "./conversation_facts.ts";
import { MAX_COMMITS } from "./history_limits.ts";
import { treesOf } from "./members.ts";
import { popNewest, pushNewest } from "./newest_first.ts";
import { blob, type ObjectReader, type Oid } from "./object.ts";
import { file } from "./tree_edit.ts";
import { thenWrite, writeCommit, WriteConflict, type WriteContext, type Written } from "./write.ts";
import type { DeviceId } from "../identity/ids.ts";

const EMPTY = blob(new Uint8Array());

/**
 * Writes the vote beside the head, and a merge of both.
 * @param path of the vote file
 * @throws {WriteConflict} when the device never wrote here
 */
export async function voteBeforeBan(context: WriteContext, device: DeviceId, path: string): Promise<Written> {
  const { reader, head } = context;
  const before = await lastWith(reader, head, devicePath(device));
  const vote = { edits: new Map([[path, file(EMPTY.oid)]]), objects: [EMPTY] };
  const message = jsonMessage({ type: "vote", uri: device });
  const beside = await writeCommit({ ...context, head: before }, { ...vote, message, certificates: "add" });
  return await thenWrite(context, beside, async (next) => {
    const { tree } = await readCommit(reader, head);
    const merge = { parent: beside.head, tree };
    const message = mergeMessage(beside.head);
    return await writeCommit({ ...next, head }, { ...vote, message, merge, certificates: "none" });
  });
}

/** The newest commit at or below `head` whose tree has a file at `path`. */
async function lastWith(reader: ObjectReader, head: Oid, path: string): Promise<Oid> {
  const open: Commit[] = [await readCommit(reader, head)];
  const seen = new Set([head]);
  for (let commit = popNewest(open); commit !== undefined && seen.size < MAX_COMMITS; commit = popNewest(open)) {
    if (await treesOf(reader).file(commit.tree, path) !== null) return commit.id;
    for (const parent of commit.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      pushNewest(open, await readCommit(reader, parent));
    }
  }
  throw new WriteConflict("the device never wrote here");
}
