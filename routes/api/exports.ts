/** /conversations/{id}/export and /bundle: a conversation to take away. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
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
      const conversation = await api.conversation(id);
      record();
      // reason: the type of a JSON answer does not know streams
      return download(ReadableStream.from(jsonOf(api, id, conversation)), "application/json", `${id}.json`) as never;
    })
    .openapi(exportBundle, async (c) => {
      const { id } = c.req.valid("param");
      const record = admit(c, id);
      await api.conversation(id);
      const bundle = api.bundle(id);
      record();
      return download(ReadableStream.from(bundle), "application/x-git-bundle", `${id}.bundle`);
    });
}

async function* jsonOf(api: NodeApi, id: string, conversation: unknown): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  yield encoder.encode(`{"conversation":${JSON.stringify(conversation)},"messages":[\n`);
  for (let before: string | undefined, first = true;; first = false) {
    const page = await api.messages(id, { limit: EXPORT_BATCH, before });
    if (page.length > 0) yield encoder.encode((first ? "" : ",\n") + page.map((m) => JSON.stringify(m)).join(",\n"));
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
