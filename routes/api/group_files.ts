/** /conversations/{id}/file-rules: how many files of a group are kept, and for how long. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import { action, everywhere, id, json, mayConflict, moderator, notFound, withBody } from "./schemas.ts";

/** As the setting `fileRetentionDays`: a hundred years. */
const MAX_DAYS = 36_500;

const quota = z.int().min(0).nullable().openapi({ description: "bytes; null = as the node's settings say" });
const retentionDays = z.int().min(0).max(MAX_DAYS).nullable()
  .openapi({ description: "0 = for ever; null = as the node's settings say" });

const rules = z.object({
  quota,
  retentionDays,
  used: z.int().openapi({ description: "bytes that its files take now" }),
  defaults: z.object({ quota: z.int(), retentionDays: z.int() }).openapi({ description: "the node's settings" }),
  total: z.int().openapi({ description: "room for the files of all conversations, bytes" }),
}).openapi("FileRules");

const changes = z.strictObject({ quota: quota.optional(), retentionDays: retentionDays.optional() })
  .openapi("FileRulesChanges", { description: "What is not there stays; null takes the group's own rule away." });

const getRules = createRoute({
  method: "get",
  path: "/conversations/{id}/file-rules",
  summary: "How many files of a group are kept, and for how long",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: { 200: json(rules, "The rules"), ...everywhere, ...notFound },
});

const changeRules = createRoute({
  method: "patch",
  path: "/conversations/{id}/file-rules",
  summary: "Keep more or fewer files of a group, longer or shorter. What no longer fits is given up at once",
  ...moderator,
  ...action("conversation.files"),
  request: { params: z.object({ id }), body: { required: true, content: { "application/json": { schema: changes } } } },
  responses: { 200: json(rules, "The rules"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

/** The routes of files' rules. */
export function groupFileRoutes({ groupFiles }: NodeApi) {
  return router()
    .openapi(getRules, (c) => c.json(groupFiles.rules(c.req.valid("param").id), 200))
    .openapi(changeRules, (c) => c.json(groupFiles.change(c.req.valid("param").id, c.req.valid("json")), 200));
}
