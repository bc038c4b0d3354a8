/** Counts requests and how long their answers took to begin. */

import type { MiddlewareHandler } from "hono";
import type { AnsweredRequest, MetricsApi } from "../../core/node_api.ts";

const KINDS: [RegExp, AnsweredRequest["kind"]][] = [
  [/^\/api\/v1\/(events|logs\/stream)$/, "events"],
  [/^\/api\/v1\//, "api"],
  [/^\/static\//, "asset"],
  [/^\/(healthz|readyz|metrics)$/, "health"],
  [/^\/join\//, "join"],
  [/^\/($|conversations|requests|protection|network|audit|settings|account|api$|sign-in|setup|preferences)/, "page"],
];

/** One observation for each answer. */
export function measure(metrics: MetricsApi): MiddlewareHandler {
  return async (c, next) => {
    const begun = performance.now();
    await next();
    const kind = KINDS.find(([path]) => path.test(c.req.path))?.[1] ?? "other";
    metrics.answered({ kind, status: c.res.status, seconds: (performance.now() - begun) / 1000 });
  };
}
