/** /conversations/{id}/refused: histories that peers accepted and the node does not, and what the owner decides about them. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { MAX_REASON } from "../constants.ts";
import { router } from "../router.ts";
import {
  action,
  everywhere,
  id,
  json,
  mayConflict,
  moderator,
  notFound,
  owner,
  text,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const refused = z.object({
  commit: id.openapi({ description: "the first commit that breaks a rule" }),
  head: id.openapi({ description: "the newest commit of the history" }),
  from: z.object({ jamiId: z.string(), deviceId: z.string() }).openapi({ description: "who offered it" }),
  reason: z.string().openapi({ description: "which rule it breaks" }),
  detail: z.string().openapi({ description: "what exactly is wrong" }),
  type: z.string().openapi({ description: 'of the commit; "" = it cannot be read' }),
  author: z.string().nullable().openapi({ description: "Jami ID; null = unknown" }),
  received: time,
  overridable: z.boolean().openapi({
    description: "may it be accepted? Not when something is missing or the signature is not its author's",
  }),
  refusedBy: z.enum(["nobody", "today", "all"]).openapi({
    description: "which daemons refuse it as well: none, those of 2026, or those of 2023 too. " +
      "Once it is accepted here, they refuse everything that comes from this node: no harm only where nobody uses such a daemon",
  }),
}).openapi("RefusedHistory");

const histories = z.object({ refused: z.array(refused) });

const listRefused = createRoute({
  method: "get",
  path: "/conversations/{id}/refused",
  summary: "Histories that members have and the node refuses",
  description: "They are kept aside, the oldest of those who bring most give way.",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: { 200: json(histories, "The histories, the oldest first"), ...everywhere, ...notFound },
});

const overrideRefused = createRoute({
  method: "post",
  path: "/conversations/{id}/refused/{commit}/override",
  summary: "Accept a commit that breaks a rule, for good, and take in what was refused for it",
  ...owner,
  ...action(""), // the node notes it
  request: {
    params: z.object({ id, commit: id }),
    body: {
      required: true,
      content: {
        "application/json": { schema: z.strictObject({ reason: text(MAX_REASON).min(1) }).openapi("Override") },
      },
    },
  },
  responses: {
    200: json(histories, "What is refused for yet another commit"),
    ...everywhere,
    ...notFound,
    ...mayConflict,
    ...withBody,
  },
});

const dropRefused = createRoute({
  method: "delete",
  path: "/conversations/{id}/refused/{commit}",
  summary: "Drop what was refused for a commit; members who still have it may bring it again",
  ...owner,
  ...action(""),
  request: { params: z.object({ id, commit: id }) },
  responses: { 204: { description: "Dropped" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

/** The routes of refused histories. */
export function refusedRoutes(api: NodeApi) {
  return router()
    .openapi(listRefused, async (c) => c.json({ refused: await api.refused.list(c.req.valid("param").id) }, 200))
    .openapi(overrideRefused, async (c) => {
      const { id, commit } = c.req.valid("param");
      return c.json(await api.refused.override(id, commit, c.req.valid("json").reason, doerOf(c)), 200);
    })
    .openapi(dropRefused, async (c) => {
      const { id, commit } = c.req.valid("param");
      await api.refused.drop(id, commit, doerOf(c));
      return c.body(null, 204);
    });
}
