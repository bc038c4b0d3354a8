/** /conversations: the conversations that the node serves, and groups that it makes, names and leaves. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_DETAIL_MEMBERS, type NodeApi } from "../../core/node_api.ts";
import { made } from "../caller.ts";
import { router } from "../router.ts";
import { MAX_AVATAR, MAX_DESCRIPTION, MAX_TITLE } from "../constants.ts";
import { member } from "./members.ts";
import {
  deviceId,
  everywhere,
  id,
  isBlank,
  json,
  listQuery,
  mayConflict,
  moderator,
  next,
  notFound,
  text,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const summary = z.object({
  id,
  mode: z.int().openapi({ description: "0 one-to-one, 1 admin invites only, 2 invites only, 3 public" }),
  state: z.enum(["cloning", "active", "leaving", "left", "damaged"]).openapi({
    description: "damaged = its repository cannot be opened; the node's log says why",
  }),
  title: z.string(),
  members: z.int().openapi({ description: "how many, invited ones included" }),
  commits: z.int(),
  lastActivity: time.nullable(),
  waiting: z.object({ messages: z.int(), devices: z.int() }).openapi({
    description: "what is here and devices of members still lack: messages, and devices that lack some",
  }),
}).openapi("ConversationSummary");

/** Not an extension of the summary: there, members are a number. */
const detail = z.object({
  ...summary.shape,
  description: z.string(),
  avatar: z.string().openapi({ description: 'picture in base64; "" = none' }),
  defaultHost: z.object({ jamiId: z.string(), deviceId: z.string() }).nullable()
    .openapi({ description: "who hosts the group's calls" }),
  members: z.array(member).openapi({
    description: `at most ${MAX_DETAIL_MEMBERS}, admins first; \`/conversations/{id}/members\` has all, part by part`,
  }),
  memberCount: z.int().openapi({ description: "of all, also banned ones and those who have left" }),
  votes: z.array(
    z.object({
      kind: z.enum(["ban", "unban"]),
      target: z.string().openapi({ description: "Jami ID or device id" }),
      votes: z.array(id).openapi({ description: "the admins who voted for it" }),
      needed: z.int().openapi({ description: "how many must" }),
    }).openapi("Vote"),
  ).openapi({ description: "what admins vote on; empty where one admin decides" }),
}).openapi("Conversation");

/** A line of the profile: line breaks would end it. */
const line = (most: number, mayBeEmpty = true) =>
  text(most).regex(/^[^\r\n]*$/, "must have no line breaks")
    .refine((text) => text === "" ? mayBeEmpty : !isBlank(text), "must not be blank").trim();
const title = line(MAX_TITLE);
const description = line(MAX_DESCRIPTION);

const avatar = z.union([z.literal(""), z.base64()]).refine((text) => text.length <= MAX_AVATAR, {
  message: `must have ${MAX_AVATAR} characters at most`,
}).openapi({ type: "string", description: "PNG or JPEG in base64" });

const newGroup = z.strictObject({
  mode: z.enum(["admin-invites-only", "invites-only", "public"]),
  title: line(MAX_TITLE, false).openapi({ minLength: 1 }).optional(),
  description: description.optional(),
  avatar: avatar.optional(),
}).openapi("NewGroup");

const groupChanges = z.strictObject({
  title: title.optional(),
  description: description.optional(),
  avatar: avatar.optional(),
  defaultHost: z.strictObject({ jamiId: id, deviceId }).nullable().optional(),
}).openapi("GroupChanges", { description: "What is not there stays; an empty text or null takes a value away." });

const listConversations = createRoute({
  method: "get",
  path: "/conversations",
  summary: "The conversations",
  ...moderator,
  request: { query: listQuery },
  responses: {
    200: json(z.object({ conversations: z.array(summary), next }), "The conversations, by id"),
    ...everywhere,
  },
});

const createGroup = createRoute({
  method: "post",
  path: "/conversations",
  summary: "Make a group with the node as its only admin",
  ...moderator,
  request: { body: { required: true, content: { "application/json": { schema: newGroup } } } },
  responses: { 201: json(detail, "The group"), ...everywhere, ...mayConflict, ...withBody },
});

const updateGroup = createRoute({
  method: "patch",
  path: "/conversations/{id}",
  summary: "Change title, description, picture or default host of a group, as its admin",
  ...moderator,
  request: {
    params: z.object({ id }),
    body: { required: true, content: { "application/json": { schema: groupChanges } } },
  },
  responses: { 200: json(detail, "The group"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

const leaveGroup = createRoute({
  method: "post",
  path: "/conversations/{id}/leave",
  summary: "Leave a group. It is served until a member knows; asked a second time, not even that",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: { 204: { description: "Left, or leaving" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const eraseConversation = createRoute({
  method: "delete",
  path: "/conversations/{id}",
  summary: "Delete what is here of a conversation that was left",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: { 204: { description: "Deleted" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const getConversation = createRoute({
  method: "get",
  path: "/conversations/{id}",
  summary: "One conversation with its members and what their devices still miss",
  ...moderator,
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
    .openapi(createGroup, async (c) => {
      const group = await api.createGroup(c.req.valid("json"));
      made(c, group.id);
      return c.json(group, 201);
    })
    .openapi(updateGroup, async (c) => {
      return c.json(await api.updateGroup(c.req.valid("param").id, c.req.valid("json")), 200);
    })
    .openapi(leaveGroup, async (c) => {
      await api.leave(c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(eraseConversation, async (c) => {
      await api.erase(c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(getConversation, async (c) => c.json(await api.conversation(c.req.valid("param").id), 200));
}
