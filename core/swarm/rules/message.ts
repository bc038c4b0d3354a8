/** What every kind of message may be: one of its own, or an edit of an earlier one (swarm-repository.md 5.2). */

import { field } from "../commit.ts";
import type { RuleContext } from "./context.ts";
import { checkEdit } from "./edit.ts";
import { checkPlain } from "./plain.ts";

/** With an `edit` the rule for edits, else that for plain types. */
export function checkMessage(context: RuleContext): Promise<void> {
  return field(context.commit.body, "edit") === "" ? checkPlain(context) : checkEdit(context);
}
