/** Which rule a commit must pass, in the order of swarm-repository.md 5.2. */

import type { NodeLookup } from "../ancestry.ts";
import { type Commit, field } from "../commit.ts";
import { type ConversationFacts, isPeersFault } from "../conversation_facts.ts";
import { MissingObject, type ObjectReader, type Oid } from "../object.ts";
import { checkCallHistory } from "./call_history.ts";
import { checkCheckpoint } from "./checkpoint.ts";
import { RuleContext } from "./context.ts";
import { checkDataTransfer } from "./data_transfer.ts";
import { checkDocument } from "./document.ts";
import { checkEdit } from "./edit.ts";
import { checkInitial } from "./initial.ts";
import { checkMember } from "./member.ts";
import { checkMerge } from "./merge.ts";
import { checkProfile } from "./profile.ts";
import { checkText } from "./text.ts";
import { checkUnknown } from "./unknown.ts";
import { OwnReason, Reason, RuleViolation } from "./violation.ts";
import { checkVote } from "./vote.ts";

export { OwnReason, Reason, RuleViolation } from "./violation.ts";

/** A rule: throws when the commit breaks it. `parent` is the root tree of the only parent. */
type Rule = (context: RuleContext, parent: Oid) => Promise<void>;

/**
 * Checks one commit; its parents are taken to be valid, its ancestors to be readable.
 * @param parents root trees of the parents, in the commit's order
 * @param nodes where to find its ancestors
 * @throws {RuleViolation} when it must not get into the conversation
 * @throws {LimitError} when looking at it costs too much
 */
export async function checkCommit(
  reader: ObjectReader,
  conversation: ConversationFacts,
  commit: Commit,
  parents: readonly Oid[],
  nodes: NodeLookup,
): Promise<void> {
  try {
    if (commit.signature === null) throw new RuleViolation(commit.id, Reason.commit, "no signature");
    const context = await RuleContext.create(reader, conversation, commit, parents[0] ?? null, nodes);
    if (parents.length === 0) await checkInitial(context);
    else if (parents.length > 1) await checkMerge(context, parents[1]);
    else await checkOrdinary(context, parents[0]);
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    const reason = error instanceof MissingObject ? OwnReason.missing : OwnReason.unreadable;
    throw new RuleViolation(commit.id, reason, error.message);
  }
}

/**
 * The rule for each type of commit with one parent. All other types, and what this version knows to carry but not to
 * check, have the rule for unknown ones.
 */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["application/call-history+json", checkCallHistory],
  ["application/checkpoint", checkCheckpoint],
  ["application/collab-doc+json", checkDocument],
  ["application/data-transfer+json", checkDataTransfer],
  ["application/edited-message", checkEdit],
  ["application/update-profile", checkProfile],
  ["member", checkMember],
  ["text/plain", checkText],
  ["vote", checkVote],
]);

async function checkOrdinary(context: RuleContext, parent: Oid): Promise<void> {
  const { commit } = context;
  if (commit.type === "") context.refuse(Reason.emptyType, "no JSON with a type");
  await (RULES.get(commit.type) ?? checkUnknown)(context, parent);
  const isRemoval = commit.type === "member" && field(commit.body, "action") === "remove";
  await context.requireValidUser(isRemoval ? parent : commit.tree);
}
