/** A node that its account has revoked takes part in nothing: what needs the others is refused, for nobody would hear of it. */

import type { MiddlewareHandler } from "hono";
import type { NodeApi } from "../../core/node_api.ts";
import { type Endpoints, templateOf } from "../endpoints.ts";
import { problem } from "../problem.ts";
import { isSafe } from "./gate.ts";

/** First parts of paths under the API under which all stays possible: what is this machine's own, and changes nothing for others. */
const AT_HOME = new Set([
  "admin-invitations",
  "admins",
  "backups",
  "name-server",
  "passkeys",
  "password",
  "session",
  "sessions",
  "settings",
  "setup",
  "tokens",
]);

/** The same for single routes: reading with a reason, taking the account's archive along, and putting away what is here. */
const ALSO_AT_HOME = new Set([
  "DELETE /conversations/:id",
  "DELETE /conversations/:id/reveal",
  "POST /conversations/:id/leave",
  "POST /conversations/:id/reveal",
  "POST /devices/archive",
]);

/** Answers 409 where it is so. @param root where the API stands */
export function takesPart(endpoints: Endpoints, node: Pick<NodeApi, "ready">, root: string): MiddlewareHandler {
  return async (c, next) => {
    const isWrite = endpoints.of(c) !== null && !isSafe(c.req.method);
    if (!isWrite || isAtHome(templateOf(c) ?? "", root) || !node.ready().revoked) return await next();
    return problem(
      409,
      "The account has revoked this device: it takes part in nothing any more, and nobody would hear of this.",
    );
  };
}

function isAtHome(template: string, root: string): boolean {
  const own = template.replace(root, "");
  return ALSO_AT_HOME.has(own) || AT_HOME.has(own.split("/")[1]);
}
