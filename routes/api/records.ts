/** Records with running numbers, of the log or of the audit trail: a page of them, the newest first, and all as JSON lines. */

import { z } from "@hono/zod-openapi";
import { count, everywhere, running } from "./schemas.ts";

/** Records of one page at most. */
const MAX_LIMIT = 1_000;

/** The query of a page. @param filter which records @param limit how many when nothing is said */
export function recordsQuery<Filter extends z.ZodRawShape>(filter: Filter, limit: number) {
  return z.strictObject(filter).extend({
    limit: count(MAX_LIMIT, limit),
    before: running.optional()
      .openapi({ type: "integer", description: "only what came before this one: `next` of the page before" }),
  });
}

/** The answers of an export. @param what one record */
export function jsonLines(what: string) {
  return {
    200: { description: `One ${what} a line`, content: { "application/jsonl": { schema: z.string() } } },
    ...everywhere,
  };
}
