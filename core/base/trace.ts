/**
 * Spans: how long pieces of work took, within which others, for who looks into a slow node. They say what was done and how
 * it ended, and nothing of whom: attributes are numbers and fixed words. Nothing happens unless somebody listens.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { systemClock } from "./clock.ts";
import { systemRandom } from "./random.ts";

/** What may be said of a piece of work. */
export type SpanAttributes = Record<string, string | number | boolean>;

/** A piece of work that has ended. */
export interface Span {
  name: string;
  /** 16 and 8 random bytes, hex (W3C Trace Context) */
  traceId: string;
  spanId: string;
  /** null = it stands for itself */
  parentId: string | null;
  /** ms since 1970 */
  begun: number;
  ended: number;
  attributes: SpanAttributes;
  /** name of the error that ended it; "" = it went well */
  error: string;
}

type Listener = (span: Span) => void;

interface Context {
  traceId: string;
  spanId: string;
}

let listener: Listener | null = null;
const current = new AsyncLocalStorage<Context>();

/** Has each span told to `to` from now on; null = nobody wants them. */
export function listenToSpans(to: Listener | null): void {
  listener = to;
}

/**
 * Runs `work` as a span named `name`; what `work` calls is within it.
 * @param attributes may be added to while it runs
 */
export async function traced<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
  if (listener === null) return await work();
  const outer = current.getStore();
  const context = { traceId: outer?.traceId ?? newId(16), spanId: newId(8) };
  const begun = systemClock.now();
  let error = "";
  try {
    return await current.run(context, work);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.name : "Error";
    throw thrown;
  } finally {
    listener?.({
      ...context,
      name,
      parentId: outer?.spanId ?? null,
      begun,
      ended: systemClock.now(),
      attributes,
      error,
    });
  }
}

function newId(bytes: number): string {
  return systemRandom.bytes(bytes).toHex();
}
