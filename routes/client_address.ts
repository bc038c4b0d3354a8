/** From where a request came. */

import type { Context } from "hono";

/**
 * The address that a request came from, "" when it is not known.
 * @param proxies addresses whose `X-Forwarded-For` is believed
 */
export function clientAddress(c: Context, proxies: readonly string[] = []): string {
  const address: unknown = c.env?.remoteAddr?.hostname; // as Deno.serve gives it to its handler
  if (typeof address !== "string") return "";
  // the last entry is the proxy's own word; those before it may be anybody's
  const told = proxies.includes(address) ? c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim() : undefined;
  return told || address;
}
