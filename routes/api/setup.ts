/** /setup: the first admin, the name of the node, and whom it lets in. Only who has the link from the start may. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Admins } from "../../core/admins/admins.ts";
import { ACCEPT_POLICIES, nodeName } from "../../core/config.ts";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import type { Sites } from "../site.ts";
import { givenName, me, meOf, newcomer, passkeyOptions, secret } from "./admin_schemas.ts";
import { action, anybody, counted, everywhere, json, mayConflict, withBody } from "./schemas.ts";
import { letIn } from "./session.ts";

const getSetup = createRoute({
  method: "get",
  path: "/setup",
  summary: "Has the node to be set up?",
  ...anybody,
  responses: { 200: json(z.object({ needed: z.boolean() }), "Whether it has"), ...everywhere },
});

const beginSetup = createRoute({
  method: "post",
  path: "/setup/passkey",
  summary: "Begin to make the passkey of the first admin",
  ...anybody,
  ...action(""),
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ secret, name: givenName }).openapi("BeginSetup") } },
    },
  },
  responses: {
    200: json(passkeyOptions, "For `navigator.credentials.create`"),
    ...everywhere,
    ...mayConflict,
    ...withBody,
    ...counted,
  },
});

const setUp = createRoute({
  method: "post",
  path: "/setup",
  summary: "Make the first admin, an owner, with a password or a passkey; the answer signs in",
  ...anybody,
  ...action("node.setup"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            secret: secret.openapi({ description: "from the link that the start printed" }),
            admin: z.strictObject(newcomer),
            steps: z.boolean().default(false).openapi({ description: "the pages of the set-up follow" }),
            node: z.strictObject({ name: nodeName.optional(), acceptRequests: z.enum(ACCEPT_POLICIES).optional() })
              .default({}),
          }).openapi("Setup"),
        },
      },
    },
  },
  responses: { 201: json(me, "Set up and signed in"), ...everywhere, ...mayConflict, ...withBody, ...counted },
});

/** The routes of the first set-up. */
export function setupRoutes(node: NodeApi, admins: Admins, sites: Sites) {
  return router()
    .openapi(getSetup, (c) => c.json({ needed: admins.setupNeeded }, 200))
    .openapi(beginSetup, async (c) => {
      const { secret, name } = c.req.valid("json");
      return c.json({ ...await admins.beginSetup(secret, sites.need(c), name) }, 200);
    })
    .openapi(setUp, async (c) => {
      const { secret, admin, node: settings, steps } = c.req.valid("json");
      const site = sites.need(c);
      admins.checkSetup(secret);
      if (steps) node.setup.begin();
      await node.configure(settings); // before there is an admin: where it fails, the link stays good
      const signedIn = await admins.setUp(secret, admin, site);
      return c.json(meOf(letIn(c, admins, signedIn)), 201);
    });
}
