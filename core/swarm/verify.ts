/** Replays a whole conversation and reports on every commit: what `deno task verify` prints. */

import type { AccountId, DeviceId } from "../identity/ids.ts";
import { conversationFacts, isPeersFault, readCommit } from "./conversation_facts.ts";
import { checkHistory } from "./history.ts";
import { MAX_COMMITS } from "./history_limits.ts";
import { type Role, rolesWithLeft } from "./members.ts";
import type { OverrideNote } from "./override_file.ts";
import type { ObjectReader, Oid } from "./object.ts";

/** One line of the report, in the order it is printed. */
export interface VerifyLine {
  commit: Oid;
  /** "merge" for two parents; "" when there is none. */
  type: string;
  /** Account of the author's device by the certificates in the conversation; `null` when unknown. */
  author: AccountId | null;
  /** `null` when the commit cannot be read. */
  device: DeviceId | null;
  valid: boolean;
  /** The rule that it breaks. */
  reason?: string;
  /** Why the operator accepts it nevertheless; it is valid then. */
  overridden?: string;
  members: Record<AccountId, Role>;
}

/**
 * The verdicts on every commit reachable from `head`, oldest first.
 * @param conversation its id; found by following first parents when not given
 * @param overrides what the operator accepts
 * @throws {LimitError} when there are more commits than {@link MAX_COMMITS}
 */
export async function* verifyHistory(
  reader: ObjectReader,
  head: Oid,
  conversation?: Oid,
  overrides: readonly OverrideNote[] = [],
): AsyncGenerator<VerifyLine> {
  const id = conversation ?? await findRoot(reader, head);
  const initialMembers = await initialMembersOf(reader, id);
  const accepted = new Map(overrides.map((note) => [note.commit, note]));
  const options = { head, conversation: id, known: () => false, overrides: new Set(accepted.keys()) };
  for await (const verdict of checkHistory(reader, options)) {
    const { commit, author, members, valid, reason } = verdict;
    yield {
      commit: verdict.id,
      type: commit?.type ?? "",
      author,
      device: commit?.device ?? null,
      valid,
      ...(reason === null ? {} : { reason }),
      ...(valid && reason !== null ? { overridden: accepted.get(verdict.id)?.reason ?? "" } : {}),
      members: members === null ? {} : Object.fromEntries(rolesWithLeft(members, initialMembers)),
    };
  }
}

/** The commit at the end of the first parents; the last readable one when the chain is broken. */
async function findRoot(reader: ObjectReader, head: Oid): Promise<Oid> {
  let id = head;
  for (let steps = 0; steps < MAX_COMMITS; steps++) {
    const parent = await orNull(readCommit(reader, id).then((commit) => commit.parents[0] ?? null));
    if (parent === null) break;
    id = parent;
  }
  return id;
}

async function initialMembersOf(reader: ObjectReader, conversation: Oid): Promise<readonly AccountId[]> {
  return (await orNull(conversationFacts(reader, conversation)))?.initialMembers ?? [];
}

/** What cannot be read is `null`: the verdict says so anyway. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isPeersFault(error)) return null;
    throw error;
  }
}
