/** /overview: how the node does, and did in the last hour and day. /waiting: which devices lack messages. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_WAITING_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import { storage } from "./files.ts";
import { node } from "./node.ts";
import { called, count, deviceId, everywhere, id, json, moderator, time, viewer } from "./schemas.ts";

const sample = z.object({
  at: time,
  connections: z.int(),
  waiting: z.int().openapi({ description: "messages that devices of members still lack" }),
  loopDelay: z.number().openapi({ description: "ms that the event loop was late at most" }),
  memory: z.int().openapi({ description: "bytes" }),
  bytesIn: z.int().openapi({ description: "a second, on all connections with peers" }),
  bytesOut: z.int(),
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

const getDay = createRoute({
  method: "get",
  path: "/overview/history",
  summary: "How the node did in the last day, a point every five minutes",
  description: "It lives through restarts; times when the node did not run are missing.",
  ...viewer,
  responses: { 200: json(z.object({ samples: z.array(sample) }), "The points, the oldest first"), ...everywhere },
});

const listWaiting = createRoute({
  method: "get",
  path: "/waiting",
  summary: "Devices of members that lack messages, who waits longest first",
  ...moderator,
  request: { query: z.strictObject({ limit: count(MAX_WAITING_LIMIT, MAX_WAITING_LIMIT) }) },
  responses: {
    200: json(
      z.object({
        devices: z.array(z.object({
          conversationId: id,
          title: z.string(),
          jamiId: id,
          ...called,
          deviceId,
          messages: z.int(),
          since: time.nullable().openapi({ description: "when the oldest message that it lacks was written" }),
          online: z.boolean(),
        })),
        total: z.int(),
      }),
      "The devices; `total` counts those beyond the limit, too",
    ),
    ...everywhere,
  },
});

/** The routes of the overview. */
export function overviewRoutes(api: NodeApi) {
  return router()
    .openapi(getOverview, (c) => c.json(api.overview(), 200))
    .openapi(getDay, (c) => c.json({ samples: api.health.day() }, 200))
    .openapi(listWaiting, (c) => {
      const { items, total } = api.health.waiting(c.req.valid("query").limit);
      return c.json({ devices: items, total }, 200);
    });
}
