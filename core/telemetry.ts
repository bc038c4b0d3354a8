/**
 * Sends spans to an OpenTelemetry collector (OTLP over HTTP, JSON encoding), when the settings name one.
 *
 * It is not Deno's own OpenTelemetry: that reports every request with its whole address, and addresses of join links and
 * of the set-up hold secrets.
 */

import { getLogger } from "@logtape/logtape";
import { type Clock, every } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import { within } from "./base/limits.ts";
import { listenToSpans, type Span } from "./base/trace.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["kituo", "telemetry"]);

/** Spans are sent so often, ms. */
const SEND_EVERY_MS = 5_000;
/** Spans that may wait; later ones are dropped when the collector is away. */
const MAX_WAITING = 4_096;
/** Spans of one request. */
const BATCH = 512;
/** What a collector may take to answer, ms. */
const PATIENCE_MS = 10_000;

/** What the last request may take when the node stops, of the 5 s it has in all, ms. */
const LAST_MS = 1_000;

/** Ends it, after what waits was sent. */
export type StopTelemetry = () => Promise<void>;

/** Begins to collect spans. @param endpoint of the collector: `/v1/traces` is added */
export function startTelemetry(endpoint: string, clock: Clock): StopTelemetry {
  const waiting: Span[] = [];
  let dropped = 0, sending: Promise<void> | null = null;
  listenToSpans((span) => {
    if (waiting.length < MAX_WAITING) waiting.push(span);
    else dropped++;
  });
  const sendAll = async () => {
    try {
      while (waiting.length > 0) await send(endpoint, waiting.splice(0, BATCH));
      if (dropped > 0) log.warn("{dropped} spans were dropped: the collector was away", { dropped });
      dropped = 0;
    } catch (error) {
      log.info("the collector at {endpoint} took no spans: {error}", { endpoint, error: messageOf(error) });
    }
  };
  const flush = () => sending ??= sendAll().finally(() => sending = null);
  const off = every(clock, SEND_EVERY_MS, () => void flush());
  return async () => {
    off();
    listenToSpans(null);
    await within(clock, LAST_MS, "the last spans", flush()).catch(() => {}); // reason: a stop does not wait for others
  };
}

async function send(endpoint: string, spans: Span[]): Promise<void> {
  const response = await fetch(`${endpoint}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(otlp(spans)),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`status ${response.status}`);
}

/** Kinds and states of spans (opentelemetry-proto, trace.proto). */
const INTERNAL = 1, SERVER = 2;
const FAILED = 2;

/** ExportTraceServiceRequest in the JSON encoding of OTLP: ids in hex, 64-bit numbers as texts. */
export function otlp(spans: Span[]) {
  return {
    resourceSpans: [{
      resource: { attributes: attributesOf({ "service.name": "kituo", "service.version": VERSION }) },
      scopeSpans: [{
        scope: { name: "kituo", version: VERSION },
        spans: spans.map(({ name, traceId, spanId, parentId, begun, ended, attributes, error }) => ({
          traceId,
          spanId,
          ...parentId && { parentSpanId: parentId },
          name: attributes["http.route"] ? `${attributes["http.request.method"]} ${attributes["http.route"]}` : name,
          kind: "http.route" in attributes ? SERVER : INTERNAL,
          startTimeUnixNano: nanoseconds(begun),
          endTimeUnixNano: nanoseconds(ended),
          attributes: attributesOf(error ? { ...attributes, "error.type": error } : attributes),
          status: error ? { code: FAILED } : {},
        })),
      }],
    }],
  };
}

function nanoseconds(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function attributesOf(attributes: Span["attributes"]) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: string | number | boolean) {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: `${value}` } : { doubleValue: value };
}
