/** /protections: what watches over the groups by itself, how it is set, and what it did. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_NUMBERED, type NodeApi } from "../../core/node_api.ts";
import { MAX_BAN_SECONDS } from "../constants.ts";
import { router } from "../router.ts";
import {
  action,
  count,
  everywhere,
  givenJamiId,
  id,
  json,
  mayConflict,
  moderator,
  notFound,
  running,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const mode = z.enum(["off", "dry", "on"]).openapi({ description: "dry: it only notes what it would do" });
const consequence = z.enum(["notify", "hold", "ban"]).openapi({
  description: "a report; a ban until a moderator has looked (or the file is not served); a ban",
});
const banHours = z.int().min(0).max(MAX_BAN_SECONDS / 3_600).openapi({
  description: "how long its bans last; 0 = until somebody ends them",
});
const conversations = z.array(id).max(1_000).openapi({ description: "the only groups it looks at; empty = all" });

const protection = z.object({
  name: z.string().openapi({ example: "flood" }),
  mode,
  consequence,
  banHours,
  conversations,
  settings: z.record(z.string(), z.unknown()),
  schema: z.record(z.string(), z.unknown()).openapi({ description: "JSON Schema of `settings`" }),
  lastDay: z.object({ dry: z.number(), real: z.number() }).openapi({ description: "findings of the last 24 hours" }),
}).openapi("Protection");

const done = z.object({
  id: z.number(),
  at: time,
  protection: z.string(),
  conversationId: id,
  jamiId: id,
  name: z.string(),
  deviceId: z.string(),
  commit: z.string(),
  consequence,
  dry: z.boolean(),
  reason: z.string(),
  outcome: z.enum(["noted", "done", "failed", "undone", "confirmed"]),
  detail: z.string(),
}).openapi("ProtectionAction");

/** The query of a list that is ordered by number. */
export const numberedQuery = {
  limit: count(MAX_NUMBERED, 50),
  before: running.optional().openapi({
    type: "integer",
    description: "only those with a lower number: `next` of the page before",
  }),
};

const list = createRoute({
  method: "get",
  path: "/protections",
  summary: "All protections, and whom they never touch",
  ...moderator,
  responses: {
    200: json(z.object({ protections: z.array(protection), allowlist: z.array(id) }), "The protections"),
    ...everywhere,
  },
});

const change = createRoute({
  method: "patch",
  path: "/protections/{protection}",
  summary: "Change how a protection is set; what is not given stays",
  ...moderator,
  request: {
    params: z.object({ protection: z.string().regex(/^[a-z-]{1,30}$/, "must be the name of a protection") }),
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            mode: mode.optional(),
            consequence: consequence.optional(),
            banHours: banHours.optional(),
            conversations: conversations.optional(),
            settings: z.record(z.string(), z.unknown()).optional(),
          }).openapi("ProtectionChanges"),
        },
      },
    },
  },
  responses: { 200: json(protection, "How it is set now"), ...everywhere, ...notFound, ...withBody },
});

const allow = createRoute({
  method: "put",
  path: "/protections/allowlist",
  summary: "Set whom no protection and no list of bans ever touches",
  ...moderator,
  ...action("protection.allowlist"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({ jamiIds: z.array(givenJamiId).max(1_000) }).openapi("Allowlist"),
        },
      },
    },
  },
  responses: { 200: json(z.object({ allowlist: z.array(id) }), "The list"), ...everywhere, ...withBody },
});

const actions = createRoute({
  method: "get",
  path: "/protections/actions",
  summary: "What protections did, or would have done; newest first",
  ...moderator,
  request: { query: z.strictObject({ ...numberedQuery, protection: z.string().max(30).optional() }) },
  responses: {
    200: json(z.object({ actions: z.array(done), next: z.number().nullable() }), "What was done"),
    ...everywhere,
  },
});

const undo = createRoute({
  method: "post",
  path: "/protections/actions/{number}/undo",
  summary: "Take back what a protection did: the ban is ended by a commit, the file is served",
  ...moderator,
  ...action("protection.undo"),
  request: {
    params: z.object({ number: running }),
  },
  responses: { 200: json(done, "What it is now"), ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

/** The routes of protections. */
export function protectionRoutes({ moderation }: NodeApi) {
  return router()
    .openapi(list, (c) => {
      return c.json({ protections: moderation.protections(), allowlist: moderation.allowlist() }, 200);
    })
    .openapi(allow, (c) => {
      moderation.setAllowlist(c.req.valid("json").jamiIds);
      return c.json({ allowlist: moderation.allowlist() }, 200);
    })
    .openapi(actions, (c) => {
      const { items, next } = moderation.actions(c.req.valid("query"));
      return c.json({ actions: items, next }, 200);
    })
    .openapi(undo, async (c) => c.json(await moderation.undoAction(c.req.valid("param").number), 200))
    .openapi(change, (c) => {
      return c.json(moderation.setProtection(c.req.valid("param").protection, c.req.valid("json")), 200);
    });
}
