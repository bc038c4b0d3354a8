/** Announced collaborative documents, and their removal: `application/collab-doc+json` (swarm-repository.md 2.2, 3.2). */

import type { RuleContext } from "./context.ts";
import { checkMessage } from "./message.ts";

/** The document is a conversation of its own, with rules for itself. A removal is an edit. */
export function checkDocument(context: RuleContext): Promise<void> {
  return checkMessage(context);
}
