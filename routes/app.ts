/** The HTTP face: puts the routes together and gives every error its form. */

import { getLogger } from "@logtape/logtape";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { type Clock, systemClock } from "../core/base/clock.ts";
import { isDiskFull } from "../core/base/disk_full.ts";
import { type NodeApi, NodeError, type NodeFault } from "../core/node_api.ts";
import { VERSION } from "../core/version.ts";
import { contactRoutes } from "./api/contacts.ts";
import { conversationRoutes } from "./api/conversations.ts";
import { eventRoutes } from "./api/events.ts";
import { joinLinkRoutes } from "./api/join_links.ts";
import { memberRoutes } from "./api/members.ts";
import { fileRoutes } from "./api/files.ts";
import { messageRoutes } from "./api/messages.ts";
import { nameRoutes } from "./api/names.ts";
import { nodeRoutes } from "./api/node.ts";
import { refusedRoutes } from "./api/refused.ts";
import { requestRoutes } from "./api/requests.ts";
import { searchRoutes } from "./api/search.ts";
import { MAX_BODY } from "./constants.ts";
import { healthRoutes } from "./health.ts";
import { joinGate, joinRoutes } from "./join.ts";
import { methodsAt } from "./methods.ts";
import { bearer } from "./middlewares/bearer.ts";
import { jsonBody } from "./middlewares/json_body.ts";
import { sameOrigin } from "./middlewares/same_origin.ts";
import { securityHeaders } from "./middlewares/security_headers.ts";
import { problem } from "./problem.ts";
import { router } from "./router.ts";

const log = getLogger(["kituo", "http"]);

/** Where the API stands. */
const API = "/api/v1";

/** Which status tells of which refusal of the node. */
const STATUS_OF: Record<NodeFault, number> = {
  "bad request": 400,
  "forbidden": 403,
  "not found": 404,
  "conflict": 409,
  "too many": 429,
  "unavailable": 502,
};

/** What the HTTP face is given besides the node. */
export interface AppOptions {
  /** the admin token */
  token: string;
  /** when aborted, event streams end, so that the server can shut down */
  signal: AbortSignal;
  clock?: Clock;
}

/** Builds the HTTP face of a node. */
export function createApp(node: NodeApi, { token, signal, clock = systemClock }: AppOptions): OpenAPIHono {
  const app = router();
  app.use("/join/*", joinGate(clock)); // its headers replace those of all other answers
  app.use(securityHeaders, sameOrigin);
  // what nobody answers needs no look at its body
  const known: MiddlewareHandler = async (c, next) => nothingAt(app, c) ?? await next();
  app.use(`${API}/*`, noStore, bearer(token), known, bodyLimit({ maxSize: MAX_BODY, onError: tooLarge }), jsonBody);
  app.get("/", (c) => c.text(`Kituo ${VERSION}. The API is described at ${API}/openapi.json (admin token needed).\n`));
  app.route("/", healthRoutes(node));
  app.route("/", joinRoutes(node));
  const resources = [
    nodeRoutes,
    requestRoutes,
    contactRoutes,
    conversationRoutes,
    fileRoutes,
    joinLinkRoutes,
    memberRoutes,
    messageRoutes,
    nameRoutes,
    refusedRoutes,
    searchRoutes,
  ];
  for (const routes of resources) {
    app.route(API, routes(node));
  }
  app.route(API, eventRoutes(node, clock, signal));
  describe(app);
  app.notFound((c) => nothingAt(app, c) ?? problem(404, "There is nothing at this path."));
  app.onError(answerError);
  return app;
}

/** The refusal of a path that does not exist, or does not know the method; null when the path knows it. */
function nothingAt(app: OpenAPIHono, { req: { method, path } }: Context): Response | null {
  const methods = methodsAt(app, path);
  if (methods.length === 0) return problem(404, "There is nothing at this path.");
  if (methods.includes(method)) return null;
  return problem(405, `Possible here: ${methods.join(", ")}.`, { allow: methods.join(", ") });
}

/** Answers of the API are for this one request only. */
const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-store");
};

/** Serves the description, made from the schemas that check the requests. */
function describe(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "The content of admin.token in the data folder.",
  });
  app.doc31(`${API}/openapi.json`, {
    openapi: "3.1.0",
    info: {
      title: "Kituo",
      version: VERSION,
      description: "An always-on Jami peer. Ids are lower-case hex, times seconds since 1970, errors RFC 9457.",
    },
  });
}

/** What went wrong, without anything internal. */
function answerError(error: Error): Response {
  if (isDiskFull(error)) {
    log.error("no room on the disk: {error}", { error });
    return problem(507, "The disk is full: the node could not write.");
  }
  if (error instanceof NodeError) return problem(STATUS_OF[error.fault], error.message);
  if (error instanceof HTTPException) return problem(error.status, error.message);
  log.error("a request failed: {error}", { error });
  return problem(500, "The node failed at this; its log says why.");
}

function tooLarge(): Response {
  return problem(413, `A body may have ${MAX_BODY} bytes.`);
}
