/** Routers whose requests are checked against the schemas they are described with. */

import { OpenAPIHono } from "@hono/zod-openapi";
import { TrieRouter } from "hono/router/trie-router";
import { problem } from "./problem.ts";

/** A router: a body that breaks its schema gets 422, a path or query that does gets 400. */
export function router(): OpenAPIHono {
  return new OpenAPIHono({
    // Hono's usual one tries to make one expression of all routes at the first request, which takes 70 ms and fails
    router: new TrieRouter(),
    defaultHook(result) {
      if (result.success) return;
      const detail = result.error.issues
        .map(({ path, message }) => path.length > 0 ? `${path.join(".")}: ${message}` : message).join("; ");
      return problem(result.target === "json" ? 422 : 400, detail);
    },
  });
}
