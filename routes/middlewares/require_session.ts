/** Lets through to a page only who is signed in, and has the role for it. */

import type { MiddlewareHandler } from "hono";
import { covers, type Role } from "../../core/admins/roles.ts";

/**
 * Leads to the sign-in who is not known.
 * @param role the least that may see the page
 * @param refuse what others are shown
 */
export function requireSession(role: Role, refuse: MiddlewareHandler): MiddlewareHandler {
  return async (c, next) => {
    const caller = c.get("caller");
    if (!caller) {
      const next = c.req.path + new URL(c.req.url).search;
      return c.redirect(`/sign-in?next=${encodeURIComponent(next)}`, 303);
    }
    return covers(caller.role, role) ? await next() : await refuse(c, next);
  };
}
