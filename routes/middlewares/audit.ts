/** Notes in the audit trail whatever was changed through the API, or taken away: who, from where, what, to what. */

import type { Context, MiddlewareHandler } from "hono";
import type { Admins } from "../../core/admins/admins.ts";
import { type Endpoints, templateOf } from "../endpoints.ts";

/** Fields of a body that name what something is done to. Never add one that may hold content or a secret. */
const NAMING = ["jamiId", "deviceId", "name", "role"] as const;

/** One entry for each request that succeeded; the target is made of the path's parameters, {@link NAMING} fields, and what the route says was made. */
export function audit(endpoints: Endpoints, admins: Admins): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (c.req.method === "HEAD" || c.res.status >= 400) return;
    const action = endpoints.of(c)?.action;
    if (!action) return;
    const body = await bodyOf(c);
    const named = NAMING.flatMap((field) => typeof body[field] === "string" ? [body[field]] : []);
    const made = c.get("made");
    const reason = c.req.query("reason") ?? body.reason;
    admins.note({
      actor: c.get("caller")?.name ?? "",
      address: c.get("address"),
      action,
      target: [...parametersOf(c), ...named, ...made ? [made.target] : []].join(" "),
      detail: typeof reason === "string" ? reason : made?.detail ?? "",
    });
  };
}

/** The values of the path's parameters: `c.req.param()` knows only those of the middleware's own pattern. */
function parametersOf(c: Context): string[] {
  const given = c.req.path.split("/");
  const template = templateOf(c)?.split(" ")[1] ?? "";
  return template.split("/").flatMap((part, i) => part.startsWith(":") ? [given[i]] : []);
}

/** The body as the route has read it (Hono keeps it). */
async function bodyOf(c: Context): Promise<Record<string, unknown>> {
  if (!c.req.header("content-type")?.toLowerCase().startsWith("application/json")) return {};
  const body: unknown = await c.req.json().catch(() => null);
  return typeof body === "object" && body !== null ? { ...body } : {};
}
