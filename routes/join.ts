/** /join/{secret}: where a join link leads. Everybody may come here, so everything is counted. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { secureHeaders } from "hono/secure-headers";
import type { Clock } from "../core/base/clock.ts";
import { LruMap, TokenBucket } from "../core/base/limits.ts";
import { networkOf } from "../core/base/network.ts";
import { type NodeApi, NodeError, type NodeFault } from "../core/node_api.ts";
import { givenJamiId, id, json } from "./api/schemas.ts";
import { JOIN_ADDRESSES, JOIN_BURST, JOIN_RATE, MAX_JOIN_BODY } from "./constants.ts";
import { ASSETS, type Assets } from "./assets.ts";
import { joinedPage, type JoinLook, joinPage, laterPage, refusedPage } from "./join_page.ts";
import { joinTexts } from "./texts/join.ts";
import { languageFor } from "./texts/index.ts";
import { problem, problemResponse } from "./problem.ts";
import { router } from "./router.ts";

/** Which status tells of which refusal. */
const STATUS: Record<NodeFault, 400 | 403 | 404 | 409 | 429 | 502> = {
  "not found": 404,
  "forbidden": 403,
  "too many": 429,
  "bad request": 400,
  "unfit": 400,
  "unavailable": 502,
  "conflict": 409,
};

const params = z.object({ secret: z.string().max(100) });
const wish = z.strictObject({ jamiId: z.string().trim().pipe(givenJamiId) }).openapi("JoinWish");
const htmlPage = (description: string) => ({ description, content: { "text/html": { schema: z.string() } } });
const refusals = {
  400: problemResponse("It is no Jami ID that can be invited."),
  403: problemResponse("The account is banned, or a page of another site asked."),
  404: problemResponse("The link does not work, or not any more."),
  409: problemResponse("The group cannot be joined at the moment."),
  413: problemResponse("The body is too large."),
  415: problemResponse("The body is neither JSON nor a form."),
  429: problemResponse("Too many requests from this address, or for this link."),
};

const showPage = createRoute({
  method: "get",
  path: "/join/{secret}",
  summary: "The page of a join link",
  request: { params },
  responses: { 200: htmlPage("It asks for a Jami ID"), 404: htmlPage("The link does not work"), 429: refusals[429] },
});

const askToJoin = createRoute({
  method: "post",
  path: "/join/{secret}",
  summary: "Have an account invited by a join link; a form is answered with pages",
  request: {
    params,
    body: { content: { "application/json": { schema: wish }, "application/x-www-form-urlencoded": { schema: wish } } },
  },
  responses: {
    200: {
      ...json(z.object({ result: z.enum(["invited", "member"]), inviter: id }), "The result, and who invites"),
    },
    ...refusals,
  },
});

/** What stands before the join pages: a limit for each address, small bodies, and headers that let the form be sent. */
export function joinGate(clock: Clock, assets: Assets): MiddlewareHandler {
  return every(pageHeaders, perAddress(clock, assets), bodyLimit({ maxSize: MAX_JOIN_BODY, onError: tooLarge }));
}

/** The routes of join links' pages. */
export function joinRoutes(api: NodeApi, assets: Assets) {
  const routes = router();
  // not `openapi()`: what is wrong with a form is said on its page, and that check knows problems only
  routes.get("/join/:secret", async (c) => {
    try {
      return c.html(joinPage(lookOf(c, assets), await api.joinLinks.offer(c.req.param("secret"))));
    } catch (error) {
      return refusal(c, assets, error);
    }
  });
  routes.post("/join/:secret", (c) => isForm(c) ? answerForm(api, assets, c) : answerJson(api, c));
  for (const route of [showPage, askToJoin]) routes.openAPIRegistry.registerPath(route);
  return routes;
}

/** In the language of the browser, as the console looks. */
function lookOf(c: Context, { css }: Assets): JoinLook {
  return { lang: languageFor(undefined, c.req.header("accept-language")), css: css && `${ASSETS}/${css}` };
}

async function answerForm(api: NodeApi, assets: Assets, c: Context): Promise<Response> {
  const secret = c.req.param("secret") ?? "";
  try {
    const offer = await api.joinLinks.offer(secret);
    const given = wish.safeParse({ jamiId: (await c.req.parseBody()).jamiId });
    const look = lookOf(c, assets);
    if (!given.success) return c.html(joinPage(look, offer, true), 400);
    return c.html(joinedPage(look, offer, await api.joinLinks.join(secret, given.data.jamiId, c.get("address"))));
  } catch (error) {
    return refusal(c, assets, error);
  }
}

async function answerJson(api: NodeApi, c: Context): Promise<Response> {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("content-type") ?? "")) {
    return problem(415, "The body must be application/json or a form.");
  }
  const secret = c.req.param("secret") ?? "";
  const { jamiId: inviter } = await api.joinLinks.offer(secret);
  const given = wish.safeParse(await c.req.json().catch(() => null));
  if (!given.success) return problem(400, "jamiId: must be a Jami ID: 40 hex digits");
  return c.json({ result: await api.joinLinks.join(secret, given.data.jamiId, c.get("address")), inviter });
}

/** A refusal of the node as a page; other errors go on. */
function refusal(c: Context, assets: Assets, error: unknown): Response | Promise<Response> {
  if (!(error instanceof NodeError)) throw error;
  return c.html(refusedPage(lookOf(c, assets), error.fault), STATUS[error.fault]);
}

function isForm(c: Context): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(c.req.header("content-type") ?? "");
}

/**
 * No scripts, the console's stylesheet, a form that goes to this host. The referrer stays here: it holds the link's secret. With "no-referrer" browsers would send the form
 * with the origin "null", which {@link sameOrigin} refuses.
 */
const pageHeaders: MiddlewareHandler = every(
  secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: "same-origin",
    strictTransportSecurity: false,
    xFrameOptions: "DENY",
  }),
  async (c: Context, next: () => Promise<void>) => {
    await next();
    c.header("cache-control", "no-store");
  },
);

function perAddress(clock: Clock, assets: Assets): MiddlewareHandler {
  const requests = new LruMap<string, TokenBucket>(JOIN_ADDRESSES);
  return async (c, next) => {
    const network = networkOf(c.get("address"));
    const bucket = requests.get(network) ?? new TokenBucket(clock, JOIN_RATE, JOIN_BURST);
    requests.set(network, bucket);
    if (bucket.take()) return await next();
    const why = joinTexts.en.tooMany;
    return c.req.method === "GET" || isForm(c) ? c.html(laterPage(lookOf(c, assets)), 429) : problem(429, why);
  };
}

function tooLarge(): Response {
  return problem(413, `A body may have ${MAX_JOIN_BODY} bytes.`);
}
