/** Who besides Kituo refuses a commit that breaks a rule (swarm-repository.md 5.2, 10): what an override would part it from. */

import { OwnReason, Reason } from "./violation.ts";

/** Daemons that refuse a commit: none, today's, or those of 2023 as well. */
export const REFUSERS = ["nobody", "today", "all"] as const;
export type Refusers = typeof REFUSERS[number];

/** What only today's daemons check, or they only in this form. */
const TODAYS: ReadonlySet<string> = new Set([
  Reason.checkpoint,
  Reason.document,
  Reason.emptyType,
  Reason.memberUri,
  Reason.merge,
]);

/** No daemon gets on with these, though none has such a rule. */
const BROKEN: ReadonlySet<string> = new Set([
  OwnReason.fileMode,
  OwnReason.missing,
  OwnReason.notTheConversation,
  OwnReason.unreadable,
]);

const OURS: ReadonlySet<string> = new Set(Object.values(OwnReason));

/** Words of the details by which one reason is told from others of its name. */
const SIGNATURE = /signature/;
const FOR_ANOTHER = /joins for another/;

/** @param refused what was refused, with the reason, the detail and the type that the refusal tells */
export function refusedBy({ reason, detail, type }: { reason: string; detail: string; type: string }): Refusers {
  if (BROKEN.has(reason)) return "all";
  if (OURS.has(reason)) return "nobody";
  if (TODAYS.has(reason) || SIGNATURE.test(detail)) return "today";
  if (reason === Reason.edit && type !== "application/edited-message") return "today";
  return reason === Reason.join && FOR_ANOTHER.test(detail) ? "today" : "all";
}
