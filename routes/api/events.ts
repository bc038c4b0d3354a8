/** GET /events: what happens, as it happens (server-sent events, HTML 9.2). */

import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { covers } from "../../core/admins/roles.ts";
import type { Clock } from "../../core/base/clock.ts";
import type { NodeApi, NodeEvent } from "../../core/node_api.ts";
import { EVENTS_KEEP_ALIVE, EVENTS_KEPT, EVENTS_RETRY, MAX_EVENT_STREAMS } from "../constants.ts";
import { problemResponse } from "../problem.ts";
import type { Privacy } from "../privacy.ts";
import { callerOf } from "../caller.ts";
import { router } from "../router.ts";
import { EventRing } from "./event_ring.ts";
import { everywhere, viewer } from "./schemas.ts";

/** What a viewer hears: nothing about people. */
const HEALTH: ReadonlySet<string> = new Set(["status", "overview"]);

const getEvents = createRoute({
  method: "get",
  path: "/events",
  summary: "A stream of what happens; `Last-Event-ID` takes it up where it was lost",
  description: "Each event has an id, a type (`status`, `request`, `request-gone`, `contact`, `contact-gone`, " +
    "`conversation`, `conversation-gone`, `conversation.refused`, `message`, `file`, `presence`, `name`, `delivery`, " +
    "`overview`, `device`, `link`, `moderation`) and JSON data. The type `reset` says that events were missed: read everything again. A viewer hears of " +
    "`status` and `overview` only.",
  ...viewer,
  request: {
    headers: z.object({ "last-event-id": z.string().max(100).optional() }),
    query: z.object({
      since: z.string().max(100).optional().openapi({
        description: "id of an event after which the stream begins; `Last-Event-ID` counts for more",
      }),
    }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    ...everywhere,
    503: problemResponse("Too many streams are open."),
  },
});

/** What happens at the node, kept until `signal` is aborted. */
export function ringOf(api: NodeApi, clock: Clock, signal: AbortSignal): EventRing {
  const ring = new EventRing(clock, EVENTS_KEPT, clock.now().toString(36));
  const unsubscribe = api.subscribe((event) => ring.add(event));
  signal.addEventListener("abort", () => {
    unsubscribe();
    ring.wake();
  }, { once: true });
  return ring;
}

/** The route of events. When `signal` is aborted all streams end. */
export function eventRoutes(api: NodeApi, privacy: Privacy, ring: EventRing, signal: AbortSignal) {
  let streams = 0;

  const mayWatch = (c: Context) => {
    const caller = api.admins.present(c.get("caller"));
    return caller && { all: covers(caller.role, "moderator") };
  };

  return router().openapi(getEvents, (c) => {
    if (signal.aborted) throw new HTTPException(503, { message: "The node is stopping." });
    if (streams >= MAX_EVENT_STREAMS) {
      throw new HTTPException(503, { message: `At most ${MAX_EVENT_STREAMS} streams may be open.` });
    }
    const from = c.req.valid("header")["last-event-id"] ?? c.req.valid("query").since;
    const caller = callerOf(c);
    streams++;
    return streamSSE(c, async (stream) => {
      stream.onAbort(() => ring.wake());
      try {
        await watch(stream, ring, from, signal, () => mayWatch(c), (event) => privacy.eventData(caller, event));
      } finally {
        streams--;
      }
    });
  });
}

/** Writes events to `stream` until either side ends it. */
async function watch(
  stream: SSEStreamingApi,
  ring: EventRing,
  lastId: string | undefined,
  signal: AbortSignal,
  rights: () => { all: boolean } | null,
  tell: (event: NodeEvent) => unknown,
) {
  // asked again and again: whoever is signed out or removed while the stream is open hears no more
  const ended = () => stream.aborted || stream.closed || signal.aborted || rights() === null;
  // an id of another run is a gap, too
  let at = lastId === undefined ? ring.last : ring.numberOf(lastId) ?? -1;
  await stream.write(`retry: ${EVENTS_RETRY}\n\n`);
  while (!ended()) {
    const events = at < 0 ? null : ring.after(at);
    if (events === null) {
      at = ring.last;
      await stream.writeSSE({ event: "reset", data: "{}", id: ring.idOf(at) });
      continue;
    }
    for (const { number, event } of events) {
      if (ended()) return;
      at = number;
      if (!rights()?.all && !HEALTH.has(event.type)) continue;
      await stream.writeSSE({ event: event.type, data: JSON.stringify(tell(event)), id: ring.idOf(number) });
    }
    // nothing may be awaited between this check and the wait, or the wake-up of an abort would be missed
    if (!ended() && await ring.next(at, EVENTS_KEEP_ALIVE)) await stream.write(": still here\n\n");
  }
}
