/** The rule of all messages that are no edits (swarm-repository.md 5.2 "everything else", 5.4). */

import { Mode } from "../conversation_facts.ts";
import type { RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/** Nothing changes but the author's own certificates. */
export async function checkPlain(context: RuleContext): Promise<void> {
  if (context.conversation.mode === Mode.document) context.refuse(Reason.document, "documents hold no messages");
  await checkOwnFilesOnly(context, Reason.commit);
}

/**
 * Allows the author's device certificate, new or renewed, and its account certificate, renewed.
 * @param reason what to say otherwise
 */
export async function checkOwnFilesOnly(context: RuleContext, reason: string): Promise<void> {
  if (context.changes.length === 0) return;
  const owner = await context.knownOwner(reason);
  for (const change of context.changes) {
    const isAccount = change.path === `admins/${owner}.crt` || change.path === `members/${owner}.crt`;
    const allowed = context.isOwnDevice(change.path)
      ? await context.isDeviceOf(owner, change)
      : isAccount && change.before !== null && await context.isAccountOf(owner, change);
    if (!allowed) context.refuse(reason, `not allowed: ${change.path}`);
  }
}
