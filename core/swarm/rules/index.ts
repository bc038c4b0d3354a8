/** Which rule a commit must pass, in the order of swarm-repository.md 5.2. */

import type { NodeLookup } from "../ancestry.ts";
import { type Commit, field } from "../commit.ts";
import { type ConversationFacts, isPeersFault } from "../conversation_facts.ts";
import { MissingObject, type ObjectReader, type Oid } from "../object.ts";
import { checkCheckpoint } from "./checkpoint.ts";
import { RuleContext } from "./context.ts";
import { checkEdit } from "./edit.ts";
import { checkInitial } from "./initial.ts";
import { checkAdd } from "./member_add.ts";
import { checkBan } from "./member_ban.ts";
import { checkJoin } from "./member_join.ts";
import { checkRemove } from "./member_remove.ts";
import { checkMerge } from "./merge.ts";
import { checkPlain } from "./plain.ts";
import { checkProfile } from "./profile.ts";
import { OwnReason, Reason, RuleViolation } from "./violation.ts";
import { checkVote } from "./vote.ts";

export { OwnReason, Reason, RuleViolation } from "./violation.ts";

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

async function checkOrdinary(context: RuleContext, parent: Oid): Promise<void> {
  const { commit } = context;
  const isRemoval = commit.type === "member" && field(commit.body, "action") === "remove";
  await checkByType(context, parent);
  await context.requireValidUser(isRemoval ? parent : commit.tree);
}

function checkByType(context: RuleContext, parent: Oid): Promise<void> {
  const { type, body } = context.commit;
  switch (type) {
    case "":
      context.refuse(Reason.emptyType, "no JSON with a type");
      break; // not reached: refuse throws
    case "vote":
      return checkVote(context);
    case "member":
      return checkMember(context, parent);
    case "application/update-profile":
      return checkProfile(context);
    case "application/checkpoint":
      return checkCheckpoint(context);
    case "application/edited-message":
      return checkEdit(context);
  }
  return field(body, "edit") === "" ? checkPlain(context) : checkEdit(context);
}

function checkMember(context: RuleContext, parent: Oid): Promise<void> {
  const { body } = context.commit;
  if (!/^(?!0{40})[0-9a-fA-F]{40}/.test(field(body, "uri"))) context.refuse(Reason.memberUri, "not 40 hex digits");
  const action = field(body, "action");
  switch (action) {
    case "add":
      return checkAdd(context);
    case "join":
      return checkJoin(context);
    case "remove":
      return checkRemove(context, parent);
    case "ban":
    case "unban":
      return checkBan(context, parent, action);
    default:
      return context.refuse(Reason.action, `unknown action "${action}"`);
  }
}
