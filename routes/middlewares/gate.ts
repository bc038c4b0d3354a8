/** Lets through to a route of the API only who has the role that its description demands. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import type { Admins } from "../../core/admins/admins.ts";
import { covers } from "../../core/admins/roles.ts";
import type { Caller } from "../caller.ts";
import { problem } from "../problem.ts";
import type { Endpoint, Endpoints } from "../endpoints.ts";

/** Methods that change nothing (RFC 9110, 9.2.1). */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** What is answered where no route is. */
type NothingAt = (app: OpenAPIHono, c: Context) => Response | null;

/** Answers 401, 403 or 404; a route whose description names no role is closed to all. */
export function gate(app: OpenAPIHono, endpoints: Endpoints, admins: Admins, nothingAt: NothingAt): MiddlewareHandler {
  return async (c, next) => {
    const endpoint = endpoints.of(c), caller = c.get("caller");
    const refusal = foreign(c, caller);
    if (refusal) return refusal;
    if (endpoint?.role === "anybody") {
      if (!isSafe(c.req.method)) admins.attempts.fromAddress(c.get("address"));
      return await next();
    }
    if (!caller) return unknownCaller(c);
    return nothingAt(app, c) ?? refuseRole(caller, endpoint) ?? await next();
  };
}

function refuseRole(caller: Caller, endpoint: Endpoint | null): Response | null {
  if (endpoint?.role === undefined || endpoint.role === "anybody") return problem(403, "Nobody may do this.");
  return covers(caller.role, endpoint.role) ? null : problem(403, `This is for the role ${endpoint.role}.`);
}

function unknownCaller(c: Context): Response {
  const given = /^Bearer +[^\s]+ *$/i.test(c.req.header("authorization") ?? "");
  return problem(401, "Sign in, or send a token: Authorization: Bearer <content of admin.token, or an API token>.", {
    "www-authenticate": given ? 'Bearer error="invalid_token"' : "Bearer",
  });
}

/**
 * Refuses what a browser sends on behalf of another site. `Origin` was compared with the host before (same_origin.ts);
 * a session is a browser's, and a browser says where an unsafe request comes from: silence is no answer.
 */
export function foreign(c: Context, caller: Caller | null): Response | null {
  const from = c.req.header("sec-fetch-site");
  const ours = from === undefined || from === "same-origin" || from === "none";
  const silent = from !== "same-origin" && c.req.header("origin") === undefined;
  if (ours && !(caller?.kind === "session" && !isSafe(c.req.method) && silent)) return null;
  return problem(403, "Requests from pages of other sites are refused.");
}
