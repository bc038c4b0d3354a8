/** Lets through only bodies that are called JSON: the validator would take anything else for an empty object. */

import type { MiddlewareHandler } from "hono";
import { problem } from "../problem.ts";

/** Answers 415 to a POST, PUT or PATCH whose body is not `application/json`. A request without a body passes. */
export const jsonBody: MiddlewareHandler = async (c, next) => {
  const type = c.req.header("content-type")?.split(";")[0].trim().toLowerCase();
  const hasBody = c.req.raw.body !== null && c.req.header("content-length") !== "0";
  if (hasBody && type !== "application/json") return problem(415, "The body must be application/json.");
  return await next();
};
