/** Lets through only small bodies that are called JSON: the validator would take anything else for an empty object. */

import type { HonoRequest, MiddlewareHandler } from "hono";
import { problem } from "../problem.ts";

/**
 * Answers 415 to a request whose body is not called `application/json`. A request without a body passes. It reads the
 * body, so it stands behind the limit of its size.
 */
export const jsonBody: MiddlewareHandler = async (c, next) => {
  const type = c.req.header("content-type")?.split(";")[0].trim().toLowerCase();
  if (type !== "application/json" && await hasBody(c.req)) {
    return problem(415, "The body must be application/json.");
  }
  return await next();
};

/** Deno gives every POST and DELETE a stream: only its end tells that `curl -X POST` sent nothing. */
async function hasBody(request: HonoRequest): Promise<boolean> {
  return request.raw.body !== null && (await request.arrayBuffer()).byteLength > 0;
}
