/** Calls that were, and starts and ends of a group's: `application/call-history+json` (swarm-repository.md 2.2, 5.4). */

import type { RuleContext } from "./context.ts";
import { checkMessage } from "./message.ts";

/** That `uri` and `device` are the author's is no rule: the display shows as host whoever is named. */
export function checkCallHistory(context: RuleContext): Promise<void> {
  return checkMessage(context);
}
