/** /setup and /setup/import after the first admin is made: the node's name, its account, and whom it lets in. */

import { createRoute, z } from "@hono/zod-openapi";
import { fromBase64 } from "../../core/base/bytes.ts";
import { ACCEPT_POLICIES, nodeName } from "../../core/config.ts";
import { type NodeApi, SETUP_STEPS } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { MAX_ALLOWED, MAX_ARCHIVE_BODY, MAX_ARCHIVE_TEXT, MAX_AVATAR, MAX_PASSWORD } from "../constants.ts";
import { router } from "../router.ts";
import { action, everywhere, givenJamiId, id, json, mayConflict, owner, room, text, withBody } from "./schemas.ts";

const step = z.enum(SETUP_STEPS).openapi("SetupStep");

const finished = z.strictObject({
  done: step,
  name: nodeName.optional(),
  picture: z.base64().min(1).max(MAX_AVATAR).optional().openapi({
    description: "of the node, PNG or JPEG in base64: a file in the data folder is made of it",
  }),
  acceptRequests: z.enum(ACCEPT_POLICIES).optional(),
  allowlist: z.array(givenJamiId).max(MAX_ALLOWED).optional(),
}).openapi("FinishedStep");

const finishStep = createRoute({
  method: "patch",
  path: "/setup",
  summary: "Finish a step of the set-up",
  ...owner,
  ...action("node.configure"),
  request: { body: { required: true, content: { "application/json": { schema: finished } } } },
  responses: {
    200: json(z.object({ step: step.nullable() }), "The next step; null = that was the last"),
    ...everywhere,
    ...mayConflict,
    ...withBody,
  },
});

const faults = ["wrong password", "password needed", "too large", "malformed", "not valid", "failed"] as const;
const importState = z.discriminatedUnion("state", [
  z.object({ state: z.literal("none") }),
  z.object({ state: z.literal("running"), step: z.enum(["open", "renew", "keys", "save", "restart"]) }),
  z.object({ state: z.literal("done"), jamiId: id }),
  z.object({ state: z.literal("failed"), fault: z.enum(faults) }),
]).openapi("Import");

const getImport = createRoute({
  method: "get",
  path: "/setup/import",
  summary: "How the import of an account's archive stands",
  ...owner,
  responses: { 200: json(importState, "Its state"), ...everywhere },
});

/** Not by a pattern: those of zod need a stack as deep as the text is long. */
const archive = z.string().min(1).max(MAX_ARCHIVE_TEXT).transform((text, context) => {
  try {
    return fromBase64(text);
  } catch {
    context.addIssue({ code: "custom", message: "must be base64" });
    return z.NEVER;
  }
});

const beginImport = createRoute({
  method: "post",
  path: "/setup/import",
  summary: "Become one more device of the account in an archive, while nobody knows this node yet",
  description: "It takes seconds, at the end of which the node starts again by itself: ask how it stands.",
  ...owner,
  ...room(MAX_ARCHIVE_BODY),
  ...action(""), // the node notes it
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            archive: archive.openapi({ type: "string", description: "the file, in base64" }),
            password: text(MAX_PASSWORD).default("").openapi({ description: "of the archive, if it has one" }),
          }).openapi("NewImport"),
        },
      },
    },
  },
  responses: { 202: json(importState, "It is under way"), ...everywhere, ...mayConflict, ...withBody },
});

/** The routes of the set-up's steps. */
export function setupStepRoutes({ setup }: NodeApi) {
  return router()
    .openapi(finishStep, async (c) => {
      const { done, ...changes } = c.req.valid("json");
      return c.json({ step: await setup.finish(done, changes) }, 200);
    })
    .openapi(getImport, (c) => c.json(setup.importing, 200))
    .openapi(beginImport, (c) => {
      const { archive, password } = c.req.valid("json");
      setup.importArchive(archive, password, doerOf(c));
      return c.json(setup.importing, 202);
    });
}
