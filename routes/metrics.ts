/** GET /metrics: the node's numbers for Prometheus, for the role viewer: a token of that role is all that Prometheus needs. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../core/node_api.ts";
import { everywhere, viewer } from "./api/schemas.ts";
import { router } from "./router.ts";

/** Where Prometheus looks unless it is told otherwise. */
export const METRICS = "/metrics";

const getMetrics = createRoute({
  method: "get",
  path: METRICS,
  summary: "The node's numbers in Prometheus' text format",
  ...viewer,
  responses: {
    200: { description: "The numbers", content: { "text/plain": { schema: z.string() } } },
    ...everywhere,
  },
});

/** The route of the numbers. */
export function metricsRoutes({ metrics }: NodeApi) {
  return router().openapi(getMetrics, async (c) => {
    return c.text(await metrics.text(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  });
}
