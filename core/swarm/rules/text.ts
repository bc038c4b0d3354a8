/** Texts, replies, reactions, and today's form of an edit: `text/plain` (swarm-repository.md 2.2, 5.4). */

import type { RuleContext } from "./context.ts";
import { checkMessage } from "./message.ts";

/** Neither the length of a text is a rule, nor that what it answers or reacts to is there: that may come later. */
export function checkText(context: RuleContext): Promise<void> {
  return checkMessage(context);
}
