/** The roles of admins and tokens, for choosing one. */

import type { AdminsTexts } from "../../routes/texts/admins.ts";

/** The roles, the one that may most first. */
export const ROLES = ["owner", "moderator", "viewer"] as const;

export type Role = typeof ROLES[number];

/** The roles as choices, the one that may least first, each with what it may. */
export function roleOptions(t: AdminsTexts): { value: string; name: string }[] {
  return ROLES.toReversed().map((value) => ({ value, name: `${t.roles[value]} – ${t.roleHints[value]}` }));
}
