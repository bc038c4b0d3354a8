/** /search and /conversations/{id}/search: finding messages by their words. */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { DEFAULT_SEARCH_LIMIT, MAX_SEARCH_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { MAX_QUERY } from "../constants.ts";
import type { Privacy } from "../privacy.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { message } from "./message_schema.ts";
import { count, everywhere, id, json, mayConflict, moderator, notFound } from "./schemas.ts";

const seconds = z.string().regex(/^[0-9]{1,12}$/, "must be seconds since 1970").transform(Number);

const query = z.strictObject({
  q: z.string().min(1).max(MAX_QUERY).openapi({
    description:
      "words: a text or the name of a file is found when each of them begins a word of it (in scripts without spaces: is a part of it)",
  }),
  author: id.optional(),
  type: z.string().max(MAX_QUERY).optional().openapi({ description: "a commit type", example: "text/plain" }),
  after: seconds.optional().openapi({ type: "integer", description: "written then or later, seconds since 1970" }),
  before: seconds.optional().openapi({ type: "integer", description: "written earlier than this" }),
  limit: count(MAX_SEARCH_LIMIT, DEFAULT_SEARCH_LIMIT),
});

const found = json(
  z.object({ results: z.array(z.object({ conversationId: id, message })) }),
  "What was found, newest first: present texts only, nothing that was deleted",
);

const searchConversation = createRoute({
  method: "get",
  path: "/conversations/{id}/search",
  summary: "Search in one conversation",
  ...moderator,
  request: { params: z.object({ id }), query },
  responses: { 200: found, ...everywhere, ...notFound, ...mayConflict },
});

const searchAll = createRoute({
  method: "get",
  path: "/search",
  summary: "Search in all conversations",
  ...moderator,
  request: { query },
  responses: { 200: found, ...everywhere },
});

/** The routes of the search. That something is found tells what was said: only who may read may search. */
export function searchRoutes(api: NodeApi, privacy: Privacy) {
  return router()
    .openapi(searchConversation, async (c) => {
      const { id } = c.req.valid("param");
      const results = await api.search(id, c.req.valid("query"));
      if (!privacy.mayRead(callerOf(c), id)) {
        throw new HTTPException(403, { message: "Reveal the conversation first, with a reason." });
      }
      return c.json({ results }, 200);
    })
    .openapi(searchAll, async (c) => {
      const found = await api.search(null, c.req.valid("query"));
      const results = found.filter(({ conversationId }) => privacy.mayRead(callerOf(c), conversationId));
      return c.json({ results }, 200);
    });
}
