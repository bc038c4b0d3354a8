/** /conversations/{id}/export and /bundle: a conversation to take away. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Bytes } from "../../core/base/bytes.ts";
import type { NodeApi } from "../../core/node_api.ts";
import { EXPORT_BATCH } from "../constants.ts";
import { callerOf } from "../caller.ts";
import type { Privacy } from "../privacy.ts";
import { router } from "../router.ts";
import { everywhere, id, mayConflict, moderator, notFound } from "./schemas.ts";

const responses = { ...everywhere, ...notFound, ...mayConflict };

const exportJson = createRoute({
  method: "get",
  path: "/conversations/{id}/export",
  summary: "The conversation with its members and all messages as JSON, newest first",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: {
    200: {
      description: "`{ conversation, messages }`, in the forms of Conversation and Message",
      content: { "application/json": { schema: z.object({}).loose() } },
    },
    ...responses,
  },
});

const exportBundle = createRoute({
  method: "get",
  path: "/conversations/{id}/bundle",
  summary: "The whole history as a git bundle: `git clone FILE`",
  ...moderator,
  request: { params: z.object({ id }) },
  responses: {
    200: { description: "The bundle", content: { "application/x-git-bundle": { schema: z.string() } } },
    ...responses,
  },
});

/** The routes of exports. Only who may read the conversation may take it away. */
export function exportRoutes(api: NodeApi, privacy: Privacy) {
  const admit = (c: Context, id: string) => {
    const caller = callerOf(c);
    if (!privacy.mayRead(caller, id)) {
      throw new HTTPException(403, { message: "Reveal the conversation first, with a reason." });
    }
    const { name: actor, address } = caller;
    return () => api.admins.note({ actor, address, action: "conversation.export", target: id, detail: c.req.path });
  };
  return router()
    .openapi(exportJson, async (c) => {
      const { id } = c.req.valid("param");
      const record = admit(c, id);
      const body = await begun(jsonOf(api, id, await api.conversation(id)));
      record();
      // reason: the type of a JSON answer does not know streams
      return download(body, "application/json", `${id}.json`) as never;
    })
    .openapi(exportBundle, async (c) => {
      const { id } = c.req.valid("param");
      const record = admit(c, id);
      await api.conversation(id);
      const body = await begun(api.bundle(id));
      record();
      return download(body, "application/x-git-bundle", `${id}.bundle`);
    });
}

/** A body of which the beginning is here: what cannot be read at all is refused before an answer begins, and no audit entry says that it was taken. */
async function begun(chunks: AsyncIterable<Bytes>): Promise<ReadableStream<Bytes>> {
  const rest = chunks[Symbol.asyncIterator]();
  const first = await rest.next();
  return ReadableStream.from(async function* () {
    try {
      for (let next = first; !next.done; next = await rest.next()) yield next.value;
    } finally {
      await rest.return?.();
    }
  }());
}

/** The JSON in parts; the first page of messages is in the first. */
async function* jsonOf(api: NodeApi, id: string, conversation: unknown): AsyncGenerator<Bytes> {
  const encoder = new TextEncoder();
  const head = `{"conversation":${JSON.stringify(conversation)},"messages":[\n`;
  for (let before: string | undefined, first = true;; first = false) {
    const page = await api.messages(id, { limit: EXPORT_BATCH, before });
    const messages = page.map((message) => JSON.stringify(message)).join(",\n");
    yield encoder.encode((first ? head : page.length > 0 ? ",\n" : "") + messages);
    if (page.length < EXPORT_BATCH) break;
    before = page[page.length - 1].id;
  }
  yield encoder.encode("\n]}\n");
}

function download(body: ReadableStream<Uint8Array>, type: string, name: string): Response {
  return new Response(body, {
    headers: { "content-type": type, "content-disposition": `attachment; filename="${name}"` },
  });
}
