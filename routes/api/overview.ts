/** GET /overview: how the node does, and did in the last hour. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import { storage } from "./files.ts";
import { node } from "./node.ts";
import { everywhere, json, time, viewer } from "./schemas.ts";

const sample = z.object({
  at: time,
  connections: z.int(),
  waiting: z.int().openapi({ description: "messages that devices of members still lack" }),
  loopDelay: z.number().openapi({ description: "ms that the event loop was late at most" }),
  memory: z.int().openapi({ description: "bytes" }),
}).openapi("Sample");

const overview = z.object({
  node,
  ready: z.object({
    dht: z.boolean(),
    announced: z.boolean(),
    revoked: z.boolean().openapi({ description: "the account has revoked this device: it takes part in nothing" }),
  }),
  totals: z.object({ conversations: z.int(), people: z.int(), online: z.int(), requests: z.int() }),
  waiting: z.object({ messages: z.int(), devices: z.int() }),
  storage,
  warnings: z.array(z.object({
    at: time,
    level: z.enum(["warning", "error"]),
    room: z.string(),
    text: z.string(),
  })).openapi({ description: "of the log, the last one first" }),
  sample,
  samples: z.array(sample).openapi({ description: "of the last hour, the oldest first" }),
}).openapi("Overview");

const getOverview = createRoute({
  method: "get",
  path: "/overview",
  summary: "How the node does, and did in the last hour",
  description: "The event `overview` brings the same, without `samples`, every 10 s and when something happened.",
  ...viewer,
  responses: { 200: json(overview, "The numbers"), ...everywhere },
});

/** The route of the overview. */
export function overviewRoutes(api: NodeApi) {
  return router().openapi(getOverview, (c) => c.json(api.overview(), 200));
}
