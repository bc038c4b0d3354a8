/** /backups: the whole node as one encrypted file, made while it is fetched. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { doerOf, made } from "../caller.ts";
import { MAX_PASSPHRASE } from "../constants.ts";
import { router } from "../router.ts";
import { counted, everywhere, json, mayConflict, notFound, owner, text, time, withBody } from "./schemas.ts";

const backup = z.object({
  id: z.string().openapi({ description: "fetches it, once" }),
  name: z.string().openapi({ description: "what to call the file" }),
  files: z.boolean(),
  expires: time,
}).openapi("Backup");

const schedule = z.object({
  folder: z.string(),
  every: z.int().openapi({ description: "hours" }),
  keep: z.int().openapi({ description: "how many are kept" }),
  made: z.array(z.object({ name: z.string(), at: time, size: z.int() })).openapi({ description: "the newest first" }),
  problem: z.string().openapi({ description: "why the last try failed; empty = it did not" }),
}).openapi("BackupSchedule");

const prepare = createRoute({
  method: "post",
  path: "/backups",
  summary: "Gets a back-up ready to be fetched: identity, database, repositories, settings",
  description:
    "It is made when it is fetched with `GET /backups/{backupId}`, within 5 minutes and once. Whoever has the " +
    "file and the passphrase is the node, and reads all messages.",
  ...owner,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            passphrase: text(MAX_PASSPHRASE).openapi({
              description: "at least 12 characters; nobody can open it without",
            }),
            files: z.boolean().default(true).openapi({ description: "with the files that members sent" }),
          }).openapi("NewBackup"),
        },
      },
    },
  },
  responses: { 201: json(backup, "It is ready"), ...everywhere, ...withBody, ...mayConflict, ...counted },
});

const fetchBackup = createRoute({
  method: "get",
  path: "/backups/{backupId}",
  summary: "The file, for `deno task restore`",
  ...owner,
  request: { params: z.object({ backupId: z.string().regex(/^[0-9a-f]{32}$/, "must be 32 hex digits") }) },
  responses: {
    200: {
      description: "An encrypted file; docs/operating.md describes its form",
      content: { "application/octet-stream": { schema: z.string() } },
    },
    ...everywhere,
    ...notFound,
    ...mayConflict,
  },
});

const getSchedule = createRoute({
  method: "get",
  path: "/backups",
  summary: "The back-ups that the node makes by itself (`--backup-dir`)",
  ...owner,
  responses: { 200: json(z.object({ schedule: schedule.nullable() }), "null = it makes none"), ...everywhere },
});

/** The routes of back-ups. */
export function backupRoutes(api: NodeApi) {
  return router()
    .openapi(prepare, async (c) => {
      const offer = await api.backups.prepare(c.req.valid("json"));
      made(c, offer.name, offer.files ? "with files" : "without files");
      return c.json(offer, 201);
    })
    .openapi(getSchedule, async (c) => c.json({ schedule: await api.backups.schedule() }, 200))
    .openapi(fetchBackup, (c) => {
      const { name, files, content } = api.backups.take(c.req.valid("param").backupId);
      const detail = files ? "with files" : "without files";
      api.admins.note({ ...doerOf(c), action: "backup.fetch", target: name, detail });
      return new Response(ReadableStream.from(content), {
        headers: {
          "content-type": "application/octet-stream",
          "content-disposition": `attachment; filename="${name}"`,
        },
      });
    });
}
