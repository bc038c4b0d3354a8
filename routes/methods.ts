/** Tells a path that does not exist from one that does not know the method. */

import type { OpenAPIHono } from "@hono/zod-openapi";

/** The methods that `app` answers at `path`, in order; empty when there is no such path. */
export function methodsAt(app: OpenAPIHono, path: string): string[] {
  const methods = app.routes
    .filter((route) => route.method !== "ALL" && matches(route.path, path))
    .flatMap(({ method }) => method === "GET" ? ["GET", "HEAD"] : [method]);
  return [...new Set(methods)].sort();
}

/** Does `/a/:id` fit `/a/b`? */
function matches(template: string, path: string): boolean {
  const wanted = template.split("/"), given = path.split("/");
  return wanted.length === given.length &&
    wanted.every((part, i) => part.startsWith(":") ? given[i] !== "" : part === given[i]);
}
