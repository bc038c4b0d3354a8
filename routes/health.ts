/** /healthz and /readyz: for who supervises the process. No token is needed and nothing is told. */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { NodeApi } from "../core/node_api.ts";
import { json } from "./api/schemas.ts";
import { problemResponse } from "./problem.ts";
import { router } from "./router.ts";

const status = z.object({ status: z.literal("ok") });

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  summary: "The process runs and answers",
  responses: { 200: json(status, "It does") },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  summary: "The DHT is connected and the device announced: others can find the node",
  responses: { 200: json(status, "They can"), 503: problemResponse("Not yet, or not now.") },
});

/** The routes of health. */
export function healthRoutes(api: NodeApi) {
  return router()
    .openapi(healthz, (c) => c.json({ status: "ok" as const }, 200))
    .openapi(readyz, (c) => {
      const { dht, announced, revoked } = api.ready();
      if (revoked) throw new HTTPException(503, { message: "This device was revoked by its own account." });
      if (dht && announced) return c.json({ status: "ok" as const }, 200);
      throw new HTTPException(503, { message: dht ? "The device is not announced yet." : "The DHT is not connected." });
    });
}
