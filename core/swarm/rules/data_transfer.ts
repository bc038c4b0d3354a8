/** Announced files, and their deletion: `application/data-transfer+json` (swarm-repository.md 2.2, 5.4). */

import type { RuleContext } from "./context.ts";
import { checkMessage } from "./message.ts";

/** What the keys say of the file is no rule: who fetches it checks size and hash (swarm-sync.md 6). A deletion is an edit. */
export function checkDataTransfer(context: RuleContext): Promise<void> {
  return checkMessage(context);
}
