/** /conversations/{id}/reveal: an admin says why they must read a conversation, and may, for some minutes. */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { NodeApi } from "../../core/node_api.ts";
import { MAX_REASON, MIN_REASON } from "../constants.ts";
import type { Privacy } from "../privacy.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { action, everywhere, id, json, moderator, notFound, text, time, withBody, withoutBody } from "./schemas.ts";

const reading = z.strictObject({
  reason: text(MAX_REASON).trim().min(MIN_REASON).openapi({ description: "why; it stands in the audit trail" }),
}).openapi("Reading");

const reveal = createRoute({
  method: "post",
  path: "/conversations/{id}/reveal",
  summary: "Lets this session read the messages of a conversation for 15 minutes; the audit trail tells of it",
  description: "Without it a session gets `null` in place of everything that somebody wrote. Requests with the admin " +
    "token need it not. On a node with the setting `blind` nobody can read anything.",
  ...moderator,
  request: { params: z.object({ id }), body: { required: true, content: { "application/json": { schema: reading } } } },
  responses: {
    201: json(z.object({ until: time }), "The texts are there until then"),
    ...everywhere,
    ...notFound,
    ...withBody,
  },
});

const hide = createRoute({
  method: "delete",
  path: "/conversations/{id}/reveal",
  ...action("conversation.hide"),
  summary: "Ends that before its time",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: { 204: { description: "Hidden again" }, ...everywhere, ...notFound, ...withoutBody },
});

/** The routes of reading. */
export function revealRoutes(api: NodeApi, privacy: Privacy) {
  return router()
    .openapi(reveal, async (c) => {
      const { id } = c.req.valid("param");
      const caller = callerOf(c);
      if (privacy.blind) throw new HTTPException(403, { message: "This node is blind: nobody can read messages." });
      await api.conversation(id); // there is such a one
      return c.json({ until: Math.floor(privacy.reveal(caller, id) / 1000) }, 201);
    })
    .openapi(hide, async (c) => {
      const { id } = c.req.valid("param");
      await api.conversation(id);
      privacy.hide(callerOf(c), id);
      return c.body(null, 204);
    });
}
