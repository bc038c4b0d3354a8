/** /ban-lists: lists of bans that others keep, applied to this node. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { callerOf, made } from "../caller.ts";
import { MAX_LIST_FILE, MAX_LIST_INTERVAL, MAX_URL, MIN_LIST_INTERVAL } from "../constants.ts";
import { router } from "../router.ts";
import { banListFile } from "./bans.ts";
import {
  action,
  count,
  everywhere,
  json,
  mayConflict,
  moderator,
  notFound,
  owner,
  room,
  text,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const banList = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string().nullable().openapi({ description: "null = put in by hand" }),
  allowPrivate: z.boolean(),
  interval: z.number().openapi({ description: "seconds between fetches" }),
  entries: z.number(),
  fetched: time.nullable(),
  next: time.nullable(),
  error: z.string().openapi({ description: "why the last fetch failed; empty = it did not" }),
  added: time,
  addedBy: z.string(),
}).openapi("BanList");

const listId = z.object({
  listId: z.string().regex(/^[0-9a-f]{16}$/, "must be 16 hex digits").openapi({ example: "0123456789abcdef" }),
});

const lists = createRoute({
  method: "get",
  path: "/ban-lists",
  summary: "The lists, the oldest first",
  ...moderator,
  responses: { 200: json(z.object({ lists: z.array(banList) }), "The lists"), ...everywhere },
});

const subscribe = createRoute({
  method: "post",
  path: "/ban-lists",
  summary: "Subscribe to a list, which is fetched at once",
  description:
    "The node asks for it with its ETag, follows few redirects, and never goes to a private address unless " +
    "`allowPrivate` says so. When it cannot be fetched, what it said the last time goes on.",
  ...owner,
  ...action("ban-list.subscribe"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            url: text(MAX_URL),
            allowPrivate: z.boolean().default(false),
            interval: z.int().min(MIN_LIST_INTERVAL).max(MAX_LIST_INTERVAL).default(86_400)
              .openapi({ description: "seconds between fetches" }),
          }).openapi("NewBanList"),
        },
      },
    },
  },
  responses: {
    201: json(banList, "The list; `error` says when it did not come"),
    ...everywhere,
    ...mayConflict,
    ...withBody,
  },
});

const putIn = createRoute({
  method: "post",
  path: "/ban-lists/files",
  summary: "Put in a list by hand",
  ...owner,
  ...action("ban-list.put"),
  ...room(MAX_LIST_FILE),
  request: { body: { required: true, content: { "application/json": { schema: banListFile } } } },
  responses: { 201: json(banList, "The list"), ...everywhere, ...mayConflict, ...withBody },
});

const refresh = createRoute({
  method: "post",
  path: "/ban-lists/{listId}/refresh",
  summary: "Fetch a list now",
  ...moderator,
  ...action("ban-list.refresh"),
  request: { params: listId },
  responses: { 200: json(banList, "The list"), ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const remove = createRoute({
  method: "delete",
  path: "/ban-lists/{listId}",
  summary: "End a list: what only it banned is banned no more",
  ...owner,
  ...action("ban-list.remove"),
  request: { params: listId },
  responses: { 204: { description: "Done" }, ...everywhere, ...notFound, ...withoutBody },
});

const entries = createRoute({
  method: "get",
  path: "/ban-lists/{listId}/entries",
  summary: "What a list says",
  ...moderator,
  request: {
    params: listId,
    query: z.strictObject({
      limit: count(1_000, 100),
      offset: z.string().regex(/^[0-9]{1,6}$/, "must be a whole number").transform(Number).optional()
        .openapi({ type: "integer" }),
    }),
  },
  responses: {
    200: json(
      z.object({
        entries: z.array(z.object({ target: z.string(), reason: z.string(), expires: time.nullable() })),
      }),
      "The entries, by target",
    ),
    ...everywhere,
    ...notFound,
  },
});

/** The routes of lists. */
export function banListRoutes({ moderation }: NodeApi) {
  return router()
    .openapi(lists, (c) => c.json({ lists: moderation.banLists() }, 200))
    .openapi(subscribe, async (c) => {
      const { name: actor, address } = callerOf(c);
      const wish = c.req.valid("json");
      const list = await moderation.subscribeBanList(wish, { actor, address });
      made(c, list.id, placeOf(wish.url));
      return c.json(list, 201);
    })
    .openapi(putIn, (c) => {
      const { name: actor, address } = callerOf(c);
      const list = moderation.putBanList(c.req.valid("json"), { actor, address });
      made(c, list.id);
      return c.json(list, 201);
    })
    .openapi(refresh, async (c) => c.json(await moderation.refreshBanList(c.req.valid("param").listId), 200))
    .openapi(remove, (c) => {
      moderation.removeBanList(c.req.valid("param").listId);
      return c.body(null, 204);
    })
    .openapi(entries, (c) => {
      const { limit, offset = 0 } = c.req.valid("query");
      return c.json({ entries: moderation.banListEntries(c.req.valid("param").listId, limit, offset) }, 200);
    });
}

/** Where a list comes from, without what may be a secret: name, password and query. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
