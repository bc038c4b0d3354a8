/** Lets through only small bodies that are called JSON: the validator would take anything else for an empty object. */

import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { problem } from "../problem.ts";

/**
 * Answers 415 to a body that is not `application/json`, and 413 to one of more than `maxSize` bytes. A request without a body passes.
 */
export function jsonBody(maxSize: number): MiddlewareHandler {
  const limit = bodyLimit({ maxSize, onError: () => problem(413, `A body may have ${maxSize} bytes.`) });
  return async (c, next) => {
    if (!hasBody(c)) return await next();
    return await limit(c, async () => {
      if (typeOf(c) === "application/json") await next();
      else c.res = problem(415, "The body must be application/json.");
    });
  };
}

/**
 * Over HTTP/1.1 a request without length and encoding has no body (RFC 9112, 6), although `Deno.serve` gives every one but GET and HEAD a
 * stream. What no server made is judged by its stream.
 */
function hasBody(c: Context): boolean {
  const length = c.req.header("content-length");
  const isTold = typeOf(c) !== undefined || length !== undefined || c.req.header("transfer-encoding") !== undefined;
  return c.req.raw.body !== null && length !== "0" && isTold;
}

function typeOf(c: Context): string | undefined {
  return c.req.header("content-type")?.split(";")[0].trim().toLowerCase();
}
