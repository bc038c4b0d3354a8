/** /held: members and files that wait until a moderator has looked. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { banWish, target } from "./bans.ts";
import {
  action,
  everywhere,
  id,
  json,
  mayConflict,
  moderator,
  notFound,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const held = z.object({
  kind: z.enum(["member", "device", "file"]),
  conversationId: id,
  title: z.string(),
  target: z.string().openapi({ description: "Jami ID, device id, or the commit that announces the file" }),
  jamiId: z.string(),
  name: z.string(),
  reason: z.string(),
  by: z.string(),
  at: time,
}).openapi("Held");

const params = z.object({ id, target });

const list = createRoute({
  method: "get",
  path: "/held",
  summary: "What waits, the newest first",
  ...moderator,
  responses: { 200: json(z.object({ held: z.array(held) }), "What is held"), ...everywhere },
});

const release = createRoute({
  method: "post",
  path: "/held/{id}/{target}/release",
  summary: "Let the member come back, by a commit; or serve the file",
  ...moderator,
  ...action("held.release"),
  request: { params },
  responses: { 204: { description: "Done" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const confirm = createRoute({
  method: "post",
  path: "/held/{id}/{target}/confirm",
  summary: "The hold becomes a ban; a file is given up for good",
  ...moderator,
  ...action("held.confirm"),
  request: {
    params,
    body: { content: { "application/json": { schema: z.strictObject(banWish).openapi("BanWish") } } },
  },
  responses: { 204: { description: "Done" }, ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

/** The routes of what is held. */
export function heldRoutes({ moderation }: NodeApi) {
  return router()
    .openapi(list, (c) => c.json({ held: moderation.held() }, 200))
    .openapi(release, async (c) => {
      const { id, target } = c.req.valid("param");
      await moderation.releaseHeld(id, target);
      return c.body(null, 204);
    })
    .openapi(confirm, (c) => {
      const { id, target } = c.req.valid("param");
      const { name: actor, address } = callerOf(c);
      moderation.confirmHeld(id, target, c.req.valid("json"), { actor, address });
      return c.body(null, 204);
    });
}
