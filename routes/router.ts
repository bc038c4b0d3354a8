/** Routers whose requests are checked against the schemas they are described with. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { problem } from "./problem.ts";

/** A router: a body that breaks its schema gets 422, a path or query that does gets 400. */
export function router(): OpenAPIHono {
  return new OpenAPIHono({
    defaultHook(result) {
      if (result.success) return;
      const detail = result.error.issues
        .map(({ path, message }) => path.length > 0 ? `${path.join(".")}: ${message}` : message).join("; ");
      return problem(result.target === "json" ? 422 : 400, detail);
    },
  });
}
