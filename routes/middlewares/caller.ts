/** Finds out who asks: by a token (RFC 6750) or by the cookie of a session. It refuses nobody. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import type { Actor, Admins } from "../../core/admins/admins.ts";
import type { Caller } from "../caller.ts";
import { clientAddress } from "../client_address.ts";
import { sessionSecret } from "../session_cookie.ts";
import type { Sites } from "../site.ts";

/** What is needed to know who asks. */
export interface CallerOptions {
  admins: Admins;
  /** the content of admin.token: an owner without an account */
  token: string;
  sites: Sites;
  /** addresses whose `X-Forwarded-For` is believed */
  proxies: readonly string[];
}

/** Sets `caller` and `address`. */
export function findCaller(options: CallerOptions): MiddlewareHandler {
  const isMaster = comparison(options.token);
  return async (c, next) => {
    const address = clientAddress(c, options.proxies);
    c.set("address", address);
    c.set("caller", callerOf(c, options, isMaster, address));
    return await next();
  };
}

/** Who shows a token is judged by it alone: a wrong one is not mended by a cookie. */
function callerOf(
  c: Context,
  { admins, sites }: CallerOptions,
  isMaster: (text: string) => boolean,
  address: string,
): Caller | null {
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) {
    const token = /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1] ?? "";
    const actor: Actor | null = isMaster(token) ? { name: "admin", role: "owner" } : admins.byToken(token);
    return actor && { ...actor, kind: "token", id: actor.name, address };
  }
  const secret = sessionSecret(c);
  const actor = secret === undefined || !sites.of(c) ? null : admins.bySession(secret);
  return actor && { ...actor, kind: "session", id: actor.session ?? "", address };
}

/** Compares with one secret; digests are equally long, so that neither length nor first wrong character shows in the time. */
function comparison(secret: string): (text: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const wanted = digest(secret);
  return (text) => timingSafeEqual(digest(text), wanted);
}
