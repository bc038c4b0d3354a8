/** The roles of admins. */

import type { Role } from "../store/admins.ts";

export { type Role, ROLES } from "../store/admins.ts";

/** Does `has` include all that `needed` may? Each role may what those before it may. */
export function covers(has: Role, needed: Role): boolean {
  return ORDER[has] >= ORDER[needed];
}

const ORDER: Record<Role, number> = { viewer: 0, moderator: 1, owner: 2 };
