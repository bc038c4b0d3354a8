/** /conversations/{id}/join-link: a link by which people have themselves invited into a group. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { LINK_SECONDS, LINK_USES, MAX_LINK_SECONDS, MAX_LINK_USES } from "../constants.ts";
import { router } from "../router.ts";
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

const link = z.object({
  created: time,
  expires: time,
  maxUses: z.int().openapi({ description: "how many people may be invited by it" }),
  uses: z.int().openapi({ description: "how many were" }),
}).openapi("JoinLink");

const newLink = link.extend({
  path: z.string().openapi({
    description: "the page behind the host's name; it holds the secret and is told this once",
    example: "/join/…",
  }),
}).openapi("NewJoinLink");

const terms = z.strictObject({
  expiresIn: z.int().min(60).max(MAX_LINK_SECONDS).default(LINK_SECONDS).openapi({ description: "seconds" }),
  maxUses: z.int().min(1).max(MAX_LINK_USES).default(LINK_USES),
}).openapi("JoinLinkTerms");

const path = "/conversations/{id}/join-link";
const request = { params: z.object({ id }) };

const makeLink = createRoute({
  method: "post",
  path,
  summary: "Make the join link of a group; an earlier one ends",
  description: "Whoever opens it can have an account invited. Not for one-to-one conversations.",
  ...moderator,
  ...action(""), // the node notes it
  request: { ...request, body: { required: true, content: { "application/json": { schema: terms } } } },
  responses: { 201: json(newLink, "The link"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

const getLink = createRoute({
  method: "get",
  path,
  summary: "The join link of a group, without its secret",
  ...moderator,
  request,
  responses: { 200: json(link, "The link"), ...everywhere, ...notFound },
});

const revokeLink = createRoute({
  method: "delete",
  path,
  summary: "End the join link of a group",
  ...moderator,
  ...action(""),
  request,
  responses: { 204: { description: "Ended" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

/** The routes of join links. */
export function joinLinkRoutes(api: NodeApi) {
  return router()
    .openapi(makeLink, async (c) => {
      const { secret, ...link } = await api.joinLinks.create(c.req.valid("param").id, c.req.valid("json"), doerOf(c));
      return c.json({ ...link, path: `/join/${secret}` }, 201);
    })
    .openapi(getLink, (c) => c.json(api.joinLinks.get(c.req.valid("param").id), 200))
    .openapi(revokeLink, async (c) => {
      await api.joinLinks.revoke(c.req.valid("param").id, doerOf(c));
      return c.body(null, 204);
    });
}
