/** /reports: what members report, and what protections tell of. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { callerOf } from "../caller.ts";
import { MAX_NOTE } from "../constants.ts";
import type { Privacy } from "../privacy.ts";
import { router } from "../router.ts";
import { numberedQuery } from "./protections.ts";
import { everywhere, id, json, moderator, notFound, running, text, time, withBody } from "./schemas.ts";

const report = z.object({
  id: z.number(),
  at: time,
  kind: z.enum(["report", "finding"]),
  jamiId: id.openapi({ description: "who reports; of a finding: whom it is about" }),
  name: z.string(),
  conversationId: id,
  title: z.string(),
  commit: z.string(),
  text: z.string().nullable().openapi({
    description: "null = hidden: reveal the conversation that it came in, with a reason",
  }),
  common: z.array(z.object({ id, title: z.string() })).openapi({
    description: "groups of both the account and the node",
  }),
  resolved: z.object({ at: time, by: z.string(), note: z.string() }).nullable(),
}).openapi("Report");

const list = createRoute({
  method: "get",
  path: "/reports",
  summary: "What members and protections tell, newest first",
  description: "A member reports by writing `/report` and what happened to the node, one to one.",
  ...moderator,
  request: { query: z.strictObject({ ...numberedQuery, state: z.enum(["open", "resolved"]).default("open") }) },
  responses: {
    200: json(z.object({ reports: z.array(report), next: z.number().nullable() }), "The reports"),
    ...everywhere,
  },
});

const resolve = createRoute({
  method: "post",
  path: "/reports/{number}/resolve",
  summary: "Say what was done about it",
  ...moderator,
  request: {
    params: z.object({ number: running }),
    body: {
      content: {
        "application/json": { schema: z.strictObject({ note: text(MAX_NOTE).default("") }).openapi("Resolution") },
      },
    },
  },
  responses: { 204: { description: "Done" }, ...everywhere, ...notFound, ...withBody },
});

/** The routes of reports. */
export function reportRoutes({ moderation }: NodeApi, privacy: Privacy) {
  return router()
    .openapi(list, (c) => {
      const { state, ...query } = c.req.valid("query");
      const { items, next } = moderation.reports(state, query);
      const caller = callerOf(c);
      return c.json({ reports: items.map((report) => privacy.report(caller, report)), next }, 200);
    })
    .openapi(resolve, (c) => {
      const { name: actor, address } = callerOf(c);
      moderation.resolveReport(c.req.valid("param").number, c.req.valid("json").note, { actor, address });
      return c.body(null, 204);
    });
}
