/** Votes of admins that have not led to a decision yet (swarm-repository.md 1.1, 4): a group of several admins decides by majority. */

import { LruMap } from "../base/limits.ts";
import { type AccountId, type DeviceId, isAccountId, isDeviceId } from "../identity/ids.ts";
import type { Oid } from "./object.ts";
import type { Folder, TreeReader } from "./tree_view.ts";

/** Share of the admins whose votes must be *exceeded* before we write the decision (4). */
export const DECIDING_SHARE = 0.5;

/** A ban, or the end of one, that some admins want. */
export interface OpenVote {
  readonly action: "ban" | "unban";
  readonly target: AccountId | DeviceId;
  /** The admins who voted, sorted. */
  readonly voters: AccountId[];
  /** How many must. */
  readonly needed: number;
}

/** The votes of these accounts that count: those of present admins. @param admins names of files in `admins/` */
export function countingVotes(voters: Iterable<string>, admins: Folder): AccountId[] {
  return [...voters].filter((voter) => isAccountId(voter) && admins.has(`${voter}.crt`)).sort();
}

/** Do so many votes decide among so many admins? */
export function isDecided(votes: number, admins: number): boolean {
  return votes / admins > DECIDING_SHARE;
}

/** Trees of one repository whose votes are remembered: most commits change nothing of them. */
const REMEMBERED = 4;

const remembered = new WeakMap<TreeReader, LruMap<Oid, Promise<OpenVote[]>>>();

/**
 * All that is being voted on at a tree. Remembered by tree.
 * @throws {MissingObject} @throws {ProtocolError} when it cannot be read
 */
export function openVotes(trees: TreeReader, tree: Oid): Promise<OpenVote[]> {
  const known = remembered.get(trees) ?? new LruMap(REMEMBERED);
  remembered.set(trees, known);
  let votes = known.get(tree);
  if (votes === undefined) {
    votes = readVotes(trees, tree);
    known.set(tree, votes);
    votes.catch(() => known.delete(tree));
  }
  return votes;
}

async function readVotes(trees: TreeReader, tree: Oid): Promise<OpenVote[]> {
  const admins = await trees.folderAt(tree, "admins");
  const needed = Math.floor(admins.size * DECIDING_SHARE) + 1;
  const open: OpenVote[] = [];
  for (const action of ["ban", "unban"] as const) {
    for (const list of (await trees.folderAt(tree, `votes/${action}`)).keys()) {
      for (const target of (await trees.folderAt(tree, `votes/${action}/${list}`)).keys()) {
        if (!isAccountId(target) && !isDeviceId(target)) continue;
        const box = await trees.folderAt(tree, `votes/${action}/${list}/${target}`);
        const voters = countingVotes(box.keys(), admins);
        if (voters.length > 0) open.push({ action, target, voters, needed });
      }
    }
  }
  return open;
}
