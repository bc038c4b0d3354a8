/** The HTTP face: puts the routes together and gives every error its form. */

import { getLogger } from "@logtape/logtape";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { type Clock, systemClock } from "../core/base/clock.ts";
import { isDiskFull } from "../core/base/disk_full.ts";
import { type NodeApi, NodeError, type NodeFault } from "../core/node_api.ts";
import { AccessError, type AccessFault } from "../core/admins/errors.ts";
import { VERSION } from "../core/version.ts";
import { accountPages } from "./account_pages.tsx";
import { accountRoutes } from "./api/account.ts";
import { adminRoutes } from "./api/admins.ts";
import { auditRoutes } from "./api/audit.ts";
import { backupRoutes } from "./api/backups.ts";
import { assetRoutes, type Assets, NO_ASSETS } from "./assets.ts";
import { banListRoutes } from "./api/ban_lists.ts";
import { banRoutes } from "./api/bans.ts";
import { contactRoutes } from "./api/contacts.ts";
import { conversationRoutes } from "./api/conversations.ts";
import { eventRoutes, ringOf } from "./api/events.ts";
import { exportRoutes } from "./api/exports.ts";
import { deviceRoutes } from "./api/devices.ts";
import { groupFileRoutes } from "./api/group_files.ts";
import { heldRoutes } from "./api/held.ts";
import { joinLinkRoutes } from "./api/join_links.ts";
import { fileRoutes } from "./api/files.ts";
import { logRoutes } from "./api/logs.ts";
import { memberRoutes } from "./api/members.ts";
import { messageRoutes } from "./api/messages.ts";
import { nameRoutes } from "./api/names.ts";
import { networkRoutes } from "./api/network.ts";
import { nodeRoutes } from "./api/node.ts";
import { overviewRoutes } from "./api/overview.ts";
import { protectionRoutes } from "./api/protections.ts";
import { refusedRoutes } from "./api/refused.ts";
import { reportRoutes } from "./api/reports.ts";
import { requestRoutes } from "./api/requests.ts";
import { revealRoutes } from "./api/reveal.ts";
import { searchRoutes } from "./api/search.ts";
import { sessionRoutes } from "./api/session.ts";
import { settingsRoutes } from "./api/settings.ts";
import { setupRoutes } from "./api/setup.ts";
import { setupStepRoutes } from "./api/setup_steps.ts";
import { tokenRoutes } from "./api/tokens.ts";
import { healthRoutes } from "./health.ts";
import { joinGate, joinRoutes } from "./join.ts";
import { METRICS, metricsRoutes } from "./metrics.ts";
import { methodsAt } from "./methods.ts";
import { Endpoints } from "./endpoints.ts";
import { audit } from "./middlewares/audit.ts";
import { findCaller } from "./middlewares/caller.ts";
import { gate } from "./middlewares/gate.ts";
import { measure } from "./middlewares/measure.ts";
import { limitBody } from "./middlewares/limit_body.ts";
import { jsonBody } from "./middlewares/json_body.ts";
import { sameOrigin } from "./middlewares/same_origin.ts";
import { takesPart } from "./middlewares/takes_part.ts";
import { sandboxed } from "./middlewares/sandboxed.ts";
import { securityHeaders } from "./middlewares/security_headers.ts";
import type { ApiDocument } from "./api_document.ts";
import { operationsPages } from "./operations_pages.tsx";
import { Renderer } from "./_page.tsx";
import { errorAnswer, pageRoutes } from "./pages.tsx";
import { Privacy } from "./privacy.ts";
import { problem } from "./problem.ts";
import { router } from "./router.ts";
import { SESSION_COOKIE } from "./session_cookie.ts";
import { Sites } from "./site.ts";
import { setupPages } from "./setup.tsx";

const log = getLogger(["kituo", "http"]);

/** Where the API stands. */
const API = "/api/v1";

/** Which status tells of which refusal of the node. */
const STATUS_OF: Record<NodeFault, number> = {
  "bad request": 400,
  "forbidden": 403,
  "not found": 404,
  "conflict": 409,
  "unfit": 422,
  "too many": 429,
  "unavailable": 502,
};

/** Which status tells of which refusal of the accounts. */
const STATUS_OF_ACCESS: Record<AccessFault, number> = {
  "unauthorised": 401,
  "forbidden": 403,
  "not found": 404,
  "conflict": 409,
  "unfit": 422,
  "too many": 429,
};

/** Seconds that somebody who tried too often is asked to wait. */
const RETRY_AFTER = "60";

/** What the HTTP face is given besides the node. */
export interface AppOptions {
  /** the admin token */
  token: string;
  /** when aborted, event streams end, so that the server can shut down */
  signal: AbortSignal;
  clock?: Clock;
  /** where a proxy shows the console under TLS */
  origins?: readonly string[];
  /** proxies whose `X-Forwarded-For` is believed */
  proxies?: readonly string[];
  /** scripts and styles of the pages */
  assets?: Assets;
  /** nobody may read messages */
  blind?: boolean;
}

/** Builds the HTTP face of a node. */
export function createApp(node: NodeApi, options: AppOptions): OpenAPIHono {
  const { token, signal, clock = systemClock, origins = [], proxies = [], assets = NO_ASSETS, blind = false } = options;
  const { admins } = node;
  const privacy = new Privacy(clock, blind);
  const ring = ringOf(node, clock, signal);
  const renderer = new Renderer(node, assets, () => ring.idOf(ring.last));
  const app = router();
  const sites = new Sites(origins);
  const endpoints = new Endpoints(app, API);
  app.use(measure(node.metrics));
  app.use(findCaller({ admins, token, sites, proxies }));
  app.use("/join/*", joinGate(clock, assets)); // its headers replace those of all other answers
  app.use(`${API}/conversations/:id/files/:fileId/content`, sandboxed); // here, too
  app.use(securityHeaders, sameOrigin);
  app.use(
    `${API}/*`,
    noStore,
    gate(app, endpoints, admins, nothingAt),
    audit(endpoints, admins),
    takesPart(endpoints, node, API),
    limitBody(endpoints),
    jsonBody,
  );
  app.use(METRICS, noStore, gate(app, endpoints, admins, nothingAt));
  app.route("/", setupPages({ node, renderer, sites }));
  app.route("/", accountPages({ node, admins, sites, draw: (c, draw, options) => renderer.page(c, draw, options) }));
  app.route("/", pageRoutes({ api: node, renderer, privacy }));
  // reason: the library's type allows references in places where the definitions have none
  const document = () => app.getOpenAPI31Document(DESCRIPTION) as unknown as ApiDocument;
  app.route("/", operationsPages({ api: node, renderer, assets, document }));
  app.route("/", assetRoutes(assets));
  app.route("/", healthRoutes(node));
  app.route("/", metricsRoutes(node));
  app.route("/", joinRoutes(node, assets));
  const resources = [
    nodeRoutes,
    requestRoutes,
    contactRoutes,
    conversationRoutes,
    fileRoutes,
    groupFileRoutes,
    deviceRoutes,
    joinLinkRoutes,
    memberRoutes,
    messageRoutes,
    nameRoutes,
    refusedRoutes,
    searchRoutes,
    overviewRoutes,
    setupStepRoutes,
    networkRoutes,
    settingsRoutes,
    revealRoutes,
    exportRoutes,
    backupRoutes,
    protectionRoutes,
    banRoutes,
    banListRoutes,
    heldRoutes,
    reportRoutes,
  ];
  for (const routes of resources) {
    app.route(API, routes(node, privacy));
  }
  app.route(API, eventRoutes(node, privacy, ring, signal));
  app.route(API, logRoutes(node, clock, signal));
  app.route(API, setupRoutes(node, admins, sites));
  app.route(API, sessionRoutes(admins, sites));
  app.route(API, accountRoutes(admins, sites));
  app.route(API, adminRoutes(admins, sites));
  app.route(API, tokenRoutes(admins));
  app.route(API, auditRoutes(admins));
  describe(app);
  app.notFound((c) => {
    return errorAnswer(renderer, c) ?? nothingAt(app, c) ?? problem(404, "There is nothing at this path.");
  });
  app.onError((error, c) => {
    const answer = answerError(error);
    return errorAnswer(renderer, c, error) ?? answer;
  });
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

/** What the description says of the whole. */
const DESCRIPTION = {
  openapi: "3.1.0",
  info: {
    title: "Kituo",
    version: VERSION,
    description: "An always-on Jami peer. Ids are lower-case hex, times seconds since 1970, errors RFC 9457.",
  },
};

/** Serves the description, made from the schemas that check the requests. */
function describe(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "The content of admin.token in the data folder (an owner), or an API token.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description: "A person who signed in; `x-kituo-role` of a route is the least role that may use it.",
  });
  app.doc31(`${API}/openapi.json`, DESCRIPTION);
}

/** What went wrong, without anything internal. */
function answerError(error: Error): Response {
  if (isDiskFull(error)) {
    log.error("no room on the disk: {error}", { error });
    return problem(507, "The disk is full: the node could not write.");
  }
  if (error instanceof AccessError) return accessProblem(error);
  if (error instanceof NodeError) return problem(STATUS_OF[error.fault], error.message);
  if (error instanceof HTTPException) return problem(error.status, error.message);
  log.error("a request failed: {error}", { error });
  return problem(500, "The node failed at this; its log says why.");
}

function accessProblem({ fault, message }: AccessError): Response {
  const status = STATUS_OF_ACCESS[fault];
  if (status === 429) return problem(status, message, { "retry-after": RETRY_AFTER });
  return problem(status, message, status === 401 ? { "www-authenticate": "Bearer" } : {});
}
