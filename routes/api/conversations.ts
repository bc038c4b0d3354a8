/** /conversations: the conversations that the node serves. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import { everywhere, id, json, listQuery, next, notFound, security, time } from "./schemas.ts";

const summary = z.object({
  id,
  mode: z.int().openapi({ description: "0 one-to-one, 1 admin invites only, 2 invites only, 3 public" }),
  state: z.enum(["cloning", "active", "leaving", "left"]),
  title: z.string(),
  members: z.int().openapi({ description: "how many, invited ones included" }),
  commits: z.int(),
  lastActivity: time.nullable(),
}).openapi("ConversationSummary");

const member = z.object({
  jamiId: id,
  name: z.string().openapi({ description: "in the profile that it sent; empty = unknown" }),
  role: z.enum(["admin", "member", "invited", "banned", "left"]),
  online: z.boolean(),
  devices: z.array(z.object({
    deviceId: z.string().openapi({ description: "64 hex digits" }),
    lag: z.int().nullable().openapi({ description: "commits the device is not known to have; null = unknown" }),
  })),
}).openapi("Member");

const detail = summary.extend({ members: z.array(member) }).openapi("Conversation");

const listConversations = createRoute({
  method: "get",
  path: "/conversations",
  summary: "The conversations",
  security,
  request: { query: listQuery },
  responses: {
    200: json(z.object({ conversations: z.array(summary), next }), "The conversations, by id"),
    ...everywhere,
  },
});

const getConversation = createRoute({
  method: "get",
  path: "/conversations/{id}",
  summary: "One conversation with its members and what their devices still miss",
  security,
  request: { params: z.object({ id }) },
  responses: { 200: json(detail, "The conversation"), ...everywhere, ...notFound },
});

/** The routes of conversations. */
export function conversationRoutes(api: NodeApi) {
  return router()
    .openapi(listConversations, (c) => {
      const { items, next } = api.conversations(c.req.valid("query"));
      return c.json({ conversations: items, next }, 200);
    })
    .openapi(getConversation, async (c) => c.json(await api.conversation(c.req.valid("param").id), 200));
}
