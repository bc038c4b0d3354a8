/** What the descriptions of the routes say of who may ask and how the audit trail calls it. */

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { type Role, ROLES } from "../core/admins/roles.ts";

/** One route. */
export interface Endpoint {
  /** undefined = the description does not say: closed to all */
  role: Role | "anybody" | undefined;
  /** `noun.verb`; "" = nothing is changed, and nothing taken away */
  action: string;
  /** bytes that a body may have; undefined = as everywhere */
  room?: number;
}

/** The routes by method and path, as the router writes them: "POST /api/v1/requests/:id/accept". */
export class Endpoints {
  #found: Map<string, Endpoint> | null = null;

  /** @param root where the API stands in `app` */
  constructor(private readonly app: OpenAPIHono, private readonly root: string) {}

  /** The route that answers a request; null = none of the API's. */
  of(c: Context): Endpoint | null {
    this.#found ??= this.#read(); // at the first request all routes are there
    return this.#found.get(templateOf(c) ?? "") ?? null;
  }

  #read(): Map<string, Endpoint> {
    const found = new Map<string, Endpoint>();
    for (const definition of this.app.openAPIRegistry.definitions) {
      if (definition.type !== "route") continue;
      const { method, path, ...described } = definition.route;
      const role: unknown = described["x-kituo-role"], action: unknown = described["x-kituo-action"];
      const room: unknown = described["x-kituo-room"];
      const template = path.replace(/\{(\w+)\}/g, ":$1");
      found.set(`${method.toUpperCase()} ${template}`, {
        role: role === "anybody" ? role : ROLES.find((name) => name === role),
        action: typeof action === "string"
          ? action
          : method === "get"
          ? ""
          : actionOf(method, template.slice(this.root.length)),
        ...typeof room === "number" && { room },
      });
    }
    return found.set(`GET ${this.root}/openapi.json`, { role: "viewer", action: "" }); // it does not describe itself
  }
}

/** "POST /api/v1/requests/:id/accept": the very route that the router has chosen; null = none. */
export function templateOf(c: Context): string | null {
  const route = matchedRoutes(c).find(({ method }) => method !== "ALL");
  return route ? `${route.method} ${route.path}` : null;
}

const VERBS: Record<string, string> = { post: "create", put: "set", patch: "update", delete: "remove" };

/** `POST /requests/:id/accept` is "request.accept", `DELETE /contacts/:jamiId` is "contact.remove". */
export function actionOf(method: string, path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  const words = parts.filter((part) => !part.startsWith(":"));
  const last = words.at(-1) ?? "", before = words.at(-2);
  const isVerb = method === "post" && parts.at(-1) === last && before !== undefined && !last.endsWith("s");
  return isVerb ? `${singular(before)}.${last}` : `${singular(last)}.${VERBS[method] ?? method}`;
}

function singular(noun: string): string {
  return noun.replace(/s$/, "");
}
