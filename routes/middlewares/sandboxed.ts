/** For what strangers sent: whatever a browser takes it for, it runs nothing, loads nothing and is of no origin. */

import type { MiddlewareHandler } from "hono";

/** To be used before {@link securityHeaders}, which would set its own policy. */
export const sandboxed: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
  c.header("x-content-type-options", "nosniff");
  c.header("cross-origin-resource-policy", "same-origin");
};
