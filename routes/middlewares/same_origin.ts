/** Refuses what a browser sends on behalf of another site. */

import type { MiddlewareHandler } from "hono";
import { problem } from "../problem.ts";

/** Answers 400 without a usable `Host`, and 403 when a browser names an `Origin` that is not this host. */
export const sameOrigin: MiddlewareHandler = async (c, next) => {
  // Deno.serve puts the Host header into the URL, and refuses what does not fit there
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (!/^[a-z0-9.:[\]-]+$/i.test(host)) return problem(400, "The Host header is not a host.");
  const origin = c.req.header("origin");
  if (origin !== undefined && hostOf(origin) !== host.toLowerCase()) {
    return problem(403, "Requests from pages of other sites are refused.");
  }
  return await next();
};

/** The host and port of an origin; null for "null" and what is no URL. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? /^https?:\/\/([^/]+)$/i.exec(origin)?.[1].toLowerCase() ?? null : null;
}
