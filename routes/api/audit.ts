/** /audit: who did what. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Admins } from "../../core/admins/admins.ts";
import type { AuditFilter, AuditRow } from "../../core/store/audit.ts";
import { router } from "../router.ts";
import { jsonLines, recordsQuery } from "./records.ts";
import { everywhere, json, owner } from "./schemas.ts";

/** Entries read at a time for an export. */
const BATCH = 1_000;
/** Entries of one page when nothing is said. */
const DEFAULT_LIMIT = 100;

const entry = z.object({
  seq: z.int().openapi({ description: "from 1, without gaps" }),
  at: z.number().openapi({ description: "seconds since 1970, with milliseconds" }),
  actor: z.string().openapi({
    description: "an admin's name, `token:` and a token's name, `admin` = admin.token, `system` = Kituo by itself",
  }),
  address: z.string().openapi({ description: "from where; empty = unknown, or nobody asked" }),
  action: z.string().openapi({ example: "member.ban" }),
  target: z.string(),
  detail: z.string(),
  hash: z.string().openapi({ description: "SHA-256 over this entry and the hash of the one before" }),
}).openapi("AuditEntry");

const seconds = z.string().regex(/^[0-9]{1,11}$/, "must be seconds since 1970").transform((text) => Number(text) * 1000)
  .optional();

const filter = {
  actor: z.string().max(200).optional(),
  action: z.string().max(200).optional().openapi({ description: "one, or all of a noun: `member.`" }),
  target: z.string().max(2_000).optional().openapi({ description: "has this in it" }),
  from: seconds.openapi({ description: "at this time or later, seconds since 1970" }),
  to: seconds.openapi({ description: "earlier than this" }),
};

const listAudit = createRoute({
  method: "get",
  path: "/audit",
  summary: "The audit trail, newest first",
  ...owner,
  request: {
    query: recordsQuery(filter, DEFAULT_LIMIT),
  },
  responses: {
    200: json(z.object({ entries: z.array(entry), next: z.int().nullable() }), "The entries"),
    ...everywhere,
  },
});

const exportAudit = createRoute({
  method: "get",
  path: "/audit/export",
  summary: "The audit trail as JSON lines, newest first",
  ...owner,
  request: { query: z.strictObject(filter) },
  responses: jsonLines("entry"),
});

const checkAudit = createRoute({
  method: "get",
  path: "/audit/check",
  summary: "Go through the whole audit trail: does each entry hold the hash of the one before?",
  ...owner,
  responses: {
    200: json(
      z.object({
        rows: z.int().openapi({ description: "entries that are sound, from the first on" }),
        head: z.string().openapi({
          description: "hash of the last of them: kept elsewhere, it shows that none was cut off",
        }),
        broken: z.int().nullable().openapi({ description: "the first that is not; null = none" }),
      }).openapi("AuditCheck"),
      "What was found",
    ),
    ...everywhere,
  },
});

/** The routes of the audit trail. */
export function auditRoutes(admins: Admins) {
  return router()
    .openapi(listAudit, (c) => {
      const { limit, ...wanted } = c.req.valid("query");
      const rows = admins.audit(wanted, limit);
      return c.json(
        { entries: rows.map(entryView), next: rows.length < limit ? null : rows[rows.length - 1].seq },
        200,
      );
    })
    .openapi(checkAudit, async (c) => c.json(await admins.checkAudit(), 200))
    .openapi(exportAudit, (c) => {
      const answer = c.body(ReadableStream.from(lines(admins, c.req.valid("query"))), 200, {
        "content-type": "application/jsonl",
        "content-disposition": 'attachment; filename="kituo-audit.jsonl"',
      });
      return answer as never; // reason: the types take every media type with "json" in it for one JSON value
    });
}

/** A page at a time: the trail may be long, and who reads it slow. */
async function* lines(admins: Admins, filter: AuditFilter): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let before: number | undefined;
  while (true) {
    const rows = admins.audit({ ...filter, before }, BATCH);
    yield encoder.encode(rows.map((row) => `${JSON.stringify(entryView(row))}\n`).join(""));
    if (rows.length < BATCH) return;
    before = rows[rows.length - 1].seq;
    await Promise.resolve();
  }
}

function entryView({ at, ...row }: AuditRow): z.infer<typeof entry> {
  return { ...row, at: at / 1000 };
}
