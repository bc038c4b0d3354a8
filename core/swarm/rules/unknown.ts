/** Types of a later Jami, or of nobody's (swarm-repository.md 5.2 "everything else", 5.4): kept and passed on. */

import type { RuleContext } from "./context.ts";
import { checkMessage } from "./message.ts";

/** Whatever the keys mean, nothing changes but the author's own certificates. */
export function checkUnknown(context: RuleContext): Promise<void> {
  return checkMessage(context);
}
