/** /tokens: secrets with which programs use the API. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Admins } from "../../core/admins/admins.ts";
import type { ApiTokenRow } from "../../core/store/access.ts";
import { router } from "../router.ts";
import { givenName, role, secondsOf, secondsOrNull, shortId, timeOrNull } from "./admin_schemas.ts";
import { everywhere, json, mayConflict, notFound, owner, time, withBody, withoutBody } from "./schemas.ts";

/** Days that a token may be good for: ten years. */
const MAX_DAYS = 3_650;
const DAY = 24 * 3_600_000;

const token = z.object({
  id: shortId,
  name: z.string(),
  role,
  madeBy: z.string(),
  created: time,
  expires: timeOrNull.openapi({ description: "null = never" }),
  used: timeOrNull.openapi({ description: "last, to the minute; null = never" }),
}).openapi("ApiToken");

const listTokens = createRoute({
  method: "get",
  path: "/tokens",
  summary: "The API tokens, expired ones included",
  ...owner,
  responses: { 200: json(z.object({ tokens: z.array(token) }), "The tokens, the oldest first"), ...everywhere },
});

const addToken = createRoute({
  method: "post",
  path: "/tokens",
  summary: "Make an API token",
  ...owner,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            name: givenName,
            role,
            days: z.int().min(1).max(MAX_DAYS).nullable().openapi({ description: "null = until it is removed" }),
          }).openapi("NewApiToken"),
        },
      },
    },
  },
  responses: {
    201: json(
      token.extend({ token: z.string().openapi({ description: "told this once" }) }).openapi("MadeApiToken"),
      "The token",
    ),
    ...everywhere,
    ...mayConflict,
    ...withBody,
  },
});

const removeToken = createRoute({
  method: "delete",
  path: "/tokens/{tokenId}",
  summary: "Remove an API token: it opens nothing any more",
  ...owner,
  request: { params: z.object({ tokenId: shortId }) },
  responses: { 204: { description: "Removed" }, ...everywhere, ...notFound, ...withoutBody },
});

/** The routes of API tokens. */
export function tokenRoutes(admins: Admins) {
  return router()
    .openapi(listTokens, (c) => c.json({ tokens: admins.tokens().map(tokenView) }, 200))
    .openapi(addToken, (c) => {
      const { name, role, days } = c.req.valid("json");
      const made = admins.addToken(name, role, days === null ? null : days * DAY, c.get("caller")?.name ?? "");
      return c.json({ ...tokenView(made), token: made.secret }, 201);
    })
    .openapi(removeToken, (c) => {
      admins.removeToken(c.req.valid("param").tokenId);
      return c.body(null, 204);
    });
}

export function tokenView({ id, name, role, madeBy, created, expires, used }: ApiTokenRow): z.infer<typeof token> {
  return {
    id,
    name,
    role,
    madeBy,
    created: secondsOf(created),
    expires: secondsOrNull(expires),
    used: secondsOrNull(used),
  };
}
