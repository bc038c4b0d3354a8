/** GET /node: the node itself. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import { everywhere, id, json, registeredName, viewer } from "./schemas.ts";

/** The node as the API tells it. */
export const node = z.object({
  jamiId: id,
  deviceId: z.string().openapi({ description: "64 hex digits" }),
  name: z.string(),
  registeredName,
  version: z.string(),
  uptime: z.number().openapi({ description: "seconds" }),
  dht: z.object({
    status: z.enum(["connected", "connecting", "disconnected"]),
    nodes4: z.int(),
    nodes6: z.int(),
  }),
  connections: z.int(),
}).openapi("Node");

const getNode = createRoute({
  method: "get",
  path: "/node",
  summary: "The node: its names, its DHT, its connections",
  ...viewer,
  responses: { 200: json(node, "The node"), ...everywhere },
});

/** The routes of the node itself. */
export function nodeRoutes(api: NodeApi) {
  return router().openapi(getNode, (c) => c.json(api.info(), 200));
}
