/** States of a collaborative document (swarm-repository.md 3.2, 5.2 `application/checkpoint`). */

import { Mode } from "../conversation_facts.ts";
import type { RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/** Only in documents; an attachment bears the name of its content. */
export async function checkCheckpoint(context: RuleContext): Promise<void> {
  const bad = (detail: string): never => context.refuse(Reason.checkpoint, detail);
  if (context.conversation.mode !== Mode.document) bad("not a document");
  for (const change of context.changes) {
    if (context.isOwnDevice(change.path)) {
      const owner = await context.knownOwner(Reason.checkpoint);
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
    } else if (change.after === null || change.path !== `attachments/${change.after.oid}`) {
      bad(`not allowed: ${change.path}`);
    }
  }
}
