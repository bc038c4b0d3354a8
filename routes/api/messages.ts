/** /conversations/{id}/messages: what was said, and saying something as the node. */

import { createRoute, z } from "@hono/zod-openapi";
import { DEFAULT_MESSAGES_LIMIT, MAX_MESSAGES_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { MAX_TEXT } from "../constants.ts";
import type { Privacy } from "../privacy.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { message } from "./message_schema.ts";
import {
  action,
  count,
  everywhere,
  id,
  isBlank,
  json,
  mayConflict,
  moderator,
  notFound,
  text,
  withBody,
} from "./schemas.ts";

const newMessage = z.strictObject({
  body: text(MAX_TEXT).min(1).refine((text) => !isBlank(text), "must not be blank").openapi({
    description: "well-formed Unicode without U+0000",
  }),
}).openapi("NewMessage");

const listMessages = createRoute({
  method: "get",
  path: "/conversations/{id}/messages",
  summary: "A page of the conversation, newest first",
  ...moderator,
  request: {
    params: z.object({ id }),
    query: z.strictObject({
      after: id.optional().openapi({
        description: "only messages newer than this one, those next to it; not with `before`",
      }),
      limit: count(MAX_MESSAGES_LIMIT, DEFAULT_MESSAGES_LIMIT),
      before: id.optional().openapi({ description: "only messages older than this one: the last of the page before" }),
      view: z.enum(["entries"]).optional().openapi({
        description: "entries: what a person sees, so no edits, reactions and merges; else every commit",
      }),
    }).refine(
      ({ before, after }) => before === undefined || after === undefined,
      "must not have both before and after",
    ),
  },
  responses: {
    200: json(z.object({ messages: z.array(message) }), "The messages"),
    ...everywhere,
    ...notFound,
    ...mayConflict,
  },
});

const postMessage = createRoute({
  method: "post",
  path: "/conversations/{id}/messages",
  summary: "Post a text as the node",
  ...moderator,
  ...action("message.post"),
  request: {
    params: z.object({ id }),
    body: { required: true, content: { "application/json": { schema: newMessage } } },
  },
  responses: { 201: json(message, "The message, durable"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

/** The routes of messages. */
export function messageRoutes(api: NodeApi, privacy: Privacy) {
  return router()
    .openapi(listMessages, async (c) => {
      const { id } = c.req.valid("param");
      const messages = await api.messages(id, c.req.valid("query"));
      return c.json({ messages: messages.map((message) => privacy.message(callerOf(c), id, message)) }, 200);
    })
    .openapi(postMessage, async (c) => {
      const message = await api.post(c.req.valid("param").id, c.req.valid("json").body);
      return c.json(message, 201);
    });
}
