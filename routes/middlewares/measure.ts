/** Counts requests and how long their answers took to begin; each is a span, named by its route and never by its address. */

import type { MiddlewareHandler } from "hono";
import { type SpanAttributes, traced } from "../../core/base/trace.ts";
import type { AnsweredRequest, MetricsApi } from "../../core/node_api.ts";
import { templateOf } from "../endpoints.ts";

const KINDS: [RegExp, AnsweredRequest["kind"]][] = [
  [/^\/api\/v1\/(events|logs\/stream)$/, "events"],
  [/^\/api\/v1\//, "api"],
  [/^\/static\//, "asset"],
  [/^\/(healthz|readyz|metrics)$/, "health"],
  [/^\/join\//, "join"],
  [
    /^\/($|add|conversations|requests|protection|network|audit|settings|account|api$|sign-in|setup|preferences)/,
    "page",
  ],
];

/** One observation for each answer. */
export function measure(metrics: MetricsApi): MiddlewareHandler {
  return async (c, next) => {
    const begun = performance.now();
    const attributes: SpanAttributes = { "http.request.method": c.req.method };
    await traced("http", attributes, async () => {
      await next();
      attributes["http.route"] = templateOf(c)?.split(" ")[1] ?? "none";
      attributes["http.response.status_code"] = c.res.status;
    });
    const kind = KINDS.find(([path]) => path.test(c.req.path))?.[1] ?? "other";
    metrics.answered({ kind, status: c.res.status, seconds: (performance.now() - begun) / 1000 });
  };
}
