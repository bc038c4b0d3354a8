/** Refuses bodies that are too large; a route may ask for more room than others, by `...room(bytes)` in its description. */

import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { MAX_BODY } from "../constants.ts";
import type { Endpoints } from "../endpoints.ts";
import { problem } from "../problem.ts";

/** Answers 413. */
export function limitBody(endpoints: Endpoints): MiddlewareHandler {
  return (c, next) => {
    const maxSize = endpoints.of(c)?.room ?? MAX_BODY;
    return bodyLimit({ maxSize, onError: () => problem(413, `A body may have ${maxSize} bytes.`) })(c, next);
  };
}
