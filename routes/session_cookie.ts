/** The cookie of a session. */

import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Admins, SignedIn } from "../core/admins/admins.ts";
import { SESSION_AGE } from "../core/admins/constants.ts";

/**
 * `__Host-` (RFC 6265bis, 4.1.3.2): only over TLS or on this machine, for this host alone, whatever other programs on
 * other ports or sub-domains try to set.
 */
export const SESSION_COOKIE = "__Host-kituo";

const OPTIONS = { httpOnly: true, secure: true, sameSite: "Strict", path: "/" } as const;

/** The secret that a browser shows; undefined = none. */
export function sessionSecret(c: Context): string | undefined {
  return getCookie(c, SESSION_COOKIE);
}

/** Gives the browser the secret of its session, and notes which browser it is. */
export function giveSession(c: Context, admins: Admins, { secret, actor }: SignedIn): void {
  admins.describeSession(actor.session ?? "", c.get("address"), c.req.header("user-agent") ?? "");
  setCookie(c, SESSION_COOKIE, secret, { ...OPTIONS, maxAge: SESSION_AGE / 1000 });
}

/** Takes it away. */
export function takeSession(c: Context): void {
  deleteCookie(c, SESSION_COOKIE, OPTIONS);
}
