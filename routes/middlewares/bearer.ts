/** Lets through only who shows the admin token (RFC 6750). */

import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { problem } from "../problem.ts";

/** Answers 401 unless the request has `Authorization: Bearer <token>`. */
export function bearer(token: string): MiddlewareHandler {
  const wanted = digest(token);
  return async (c, next) => {
    const [, given] = /^Bearer +([^\s]+) *$/i.exec(c.req.header("authorization") ?? "") ?? [];
    // equally long digests: neither the length nor the first wrong character shows in the time taken
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return await next();
    const challenge = given === undefined ? "Bearer" : 'Bearer error="invalid_token"';
    return problem(401, "The admin token is needed: Authorization: Bearer <content of admin.token>.", {
      "www-authenticate": challenge,
    });
  };
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
