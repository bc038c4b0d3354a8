/** /logs: what the node logged lately, for its owners. */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { covers } from "../../core/admins/roles.ts";
import type { Clock } from "../../core/base/clock.ts";
import { type LogEntry, LOGGED_LEVELS, type LogQuery, type NodeApi } from "../../core/node_api.ts";
import { EVENTS_KEEP_ALIVE, EVENTS_RETRY, LOG_LINES, MAX_LOG_STREAMS, MAX_QUERY } from "../constants.ts";
import { problemResponse } from "../problem.ts";
import { router } from "../router.ts";
import { EventRing } from "./event_ring.ts";
import { jsonLines, recordsQuery } from "./records.ts";
import { everywhere, json, owner } from "./schemas.ts";

/** Records of one page when nothing is said. */
const DEFAULT_LIMIT = 200;

const record = z.object({
  number: z.int().openapi({ description: "from 1 at the start of the node" }),
  at: z.number().openapi({ description: "seconds since 1970, with milliseconds" }),
  level: z.enum(LOGGED_LEVELS),
  room: z.string().openapi({ description: "the part of Kituo that wrote it", example: "relay" }),
  text: z.string(),
}).openapi("LogRecord");

const filter = {
  level: z.enum(LOGGED_LEVELS).optional().openapi({ description: "at least of this weight" }),
  q: z.string().max(MAX_QUERY).optional().openapi({ description: "only with all these words, in any case" }),
};

const listLogs = createRoute({
  method: "get",
  path: "/logs",
  summary: "The newest records of the log, the last one first",
  description: "The last 5,000 since the start are kept in memory, of warnings and errors 500 more. They hold ids of " +
    "accounts and devices, never what people say.",
  ...owner,
  request: {
    query: recordsQuery(filter, DEFAULT_LIMIT),
  },
  responses: {
    200: json(z.object({ records: z.array(record), next: z.int().nullable() }), "The records"),
    ...everywhere,
  },
});

const exportLogs = createRoute({
  method: "get",
  path: "/logs/export",
  summary: "The same as JSON lines, the oldest first",
  ...owner,
  request: { query: z.strictObject(filter) },
  responses: jsonLines("record"),
});

const streamLogs = createRoute({
  method: "get",
  path: "/logs/stream",
  summary: "New records as they come (server-sent events of the type `log`)",
  ...owner,
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    ...everywhere,
    503: problemResponse("Too many streams are open."),
  },
});

/** The routes of the log. When `signal` is aborted all streams end and the log is no longer watched. */
export function logRoutes(api: NodeApi, clock: Clock, signal: AbortSignal) {
  const ring = new EventRing<LogEntry>(clock, LOG_LINES, clock.now().toString(36));
  const unsubscribe = api.logs.subscribe((entry) => ring.add(entry));
  signal.addEventListener("abort", () => {
    unsubscribe();
    ring.wake();
  }, { once: true });
  let streams = 0;

  return router()
    .openapi(listLogs, (c) => {
      const query: LogQuery = c.req.valid("query");
      const records = api.logs.page(query);
      return c.json({ records, next: records.length < query.limit ? null : records[records.length - 1].number }, 200);
    })
    .openapi(exportLogs, (c) => {
      const records = api.logs.page({ ...c.req.valid("query"), limit: Infinity }).toReversed();
      const answer = c.body(records.map((entry) => `${JSON.stringify(entry)}\n`).join(""), 200, {
        "content-type": "application/jsonl",
        "content-disposition": 'attachment; filename="kituo-log.jsonl"',
      });
      return answer as never; // reason: the types take every media type with "json" in it for one JSON value
    })
    .openapi(streamLogs, (c) => {
      if (signal.aborted) throw new HTTPException(503, { message: "The node is stopping." });
      if (streams >= MAX_LOG_STREAMS) {
        throw new HTTPException(503, { message: `At most ${MAX_LOG_STREAMS} streams may be open.` });
      }
      // asked again and again: whoever is signed out or removed while the stream is open hears no more
      const mayRead = () => {
        const caller = api.admins.present(c.get("caller"));
        return caller !== null && covers(caller.role, "owner");
      };
      streams++;
      return streamSSE(c, async (stream) => {
        stream.onAbort(() => ring.wake());
        try {
          await watch(stream, ring, () => !stream.aborted && !stream.closed && !signal.aborted && mayRead());
        } finally {
          streams--;
        }
      });
    });
}

/** Writes records as they come; who is too slow misses some. */
async function watch(stream: SSEStreamingApi, ring: EventRing<LogEntry>, goesOn: () => boolean): Promise<void> {
  let at = ring.last;
  await stream.write(`retry: ${EVENTS_RETRY}\n\n`);
  while (goesOn()) {
    const records = ring.after(at) ?? ring.after(ring.last - LOG_LINES) ?? [];
    for (const { number, event } of records) {
      at = number;
      if (!goesOn()) return;
      await stream.writeSSE({ event: "log", data: JSON.stringify(event) });
    }
    // nothing may be awaited between this check and the wait, or the wake-up of an abort would be missed
    if (goesOn() && await ring.next(at, EVENTS_KEEP_ALIVE)) await stream.write(": still here\n\n");
  }
}
