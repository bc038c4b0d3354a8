/** /conversations/{id}/files and /storage: what members sent, and what room it takes. */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { NodeApi } from "../../core/node_api.ts";
import type { Privacy } from "../privacy.ts";
import { attachment } from "../attachment.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { action, everywhere, id, json, listQuery, moderator, next, notFound, time, viewer } from "./schemas.ts";

const bytes = z.int().openapi({ description: "bytes" });

const file = z.object({
  id: id.openapi({ description: "the commit that announces it" }),
  name: z.string().nullable().openapi({
    description: "its sender's name for it: any characters, never a path; null = hidden from this session",
  }),
  size: bytes,
  sha3: z.string().openapi({ description: "SHA3-512 of the content: 128 hex digits" }),
  state: z.enum(["waiting", "partial", "stored", "too large", "deleted", "evicted"]).openapi({
    description: "`waiting` = nobody who has it was reached yet, `too large` = over the limit and not fetched, " +
      "`evicted` = given up for its age or for newer ones",
  }),
  received: z.int().openapi({ description: "bytes that are here" }),
  author: id,
  timestamp: time,
}).openapi("File");

/** The room that files take, as the API tells it. */
export const storage = z.object({
  files: z.object({
    used: z.int().openapi({ description: "bytes of stored files, and reserved for those that are coming in" }),
    quota: bytes,
    conversationQuota: bytes,
    maxSize: bytes,
    retentionDays: z.int().openapi({ description: "0 = for ever" }),
    counts: z.object({
      waiting: z.int(),
      partial: z.int(),
      stored: z.int(),
      "too large": z.int(),
      deleted: z.int(),
      evicted: z.int(),
    }).openapi({ description: "how many files are in which state" }),
  }),
}).openapi("Storage");

const listFiles = createRoute({
  method: "get",
  path: "/conversations/{id}/files",
  summary: "The files that members sent",
  ...moderator,
  request: { params: z.object({ id }), query: listQuery },
  responses: { 200: json(z.object({ files: z.array(file), next }), "The files, by id"), ...everywhere, ...notFound },
});

const getStorage = createRoute({
  method: "get",
  path: "/storage",
  summary: "The room that files take, and may take",
  ...viewer,
  responses: { 200: json(storage, "The room"), ...everywhere },
});

const getContent = createRoute({
  method: "get",
  path: "/conversations/{id}/files/{fileId}/content",
  summary: "A file that a member sent, as it is",
  description: "For who may read the conversation: sessions within the time for which they revealed it, never on a " +
    "blind node. Nobody has looked at what is in it: it may be harmful. The audit trail keeps that it was taken.",
  ...moderator,
  ...action("file.download"),
  request: { params: z.object({ id, fileId: id }) },
  responses: {
    200: {
      description: "The content, under its sender's name for it as far as that can be a file's",
      content: { "application/octet-stream": { schema: z.string() } },
    },
    ...everywhere,
    ...notFound,
  },
});

/** The routes of files. */
export function fileRoutes(api: NodeApi, privacy: Privacy) {
  return router()
    .openapi(listFiles, async (c) => {
      const { id } = c.req.valid("param");
      const { items, next } = await api.files(id, c.req.valid("query"));
      return c.json({ files: items.map((file) => privacy.file(callerOf(c), id, file)), next }, 200);
    })
    .openapi(getContent, async (c) => {
      const { id, fileId } = c.req.valid("param");
      if (!privacy.mayRead(callerOf(c), id)) {
        throw new HTTPException(403, {
          message: privacy.blind
            ? "This node is blind: nobody can read here."
            : "Reveal the conversation first, with a reason.",
        });
      }
      const { name, size, content } = await api.groupFiles.content(id, fileId);
      return new Response(ReadableStream.from(content), {
        headers: {
          "content-type": "application/octet-stream",
          "content-length": `${size}`,
          "content-disposition": attachment(name),
        },
      });
    })
    .openapi(getStorage, (c) => c.json(api.storage(), 200));
}
