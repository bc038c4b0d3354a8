/** /bans: who is kept out of the whole node, and what is known of bans in groups. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { callerOf } from "../caller.ts";
import { MAX_BAN_SECONDS, MAX_REASON } from "../constants.ts";
import { router } from "../router.ts";
import {
  action,
  everywhere,
  givenJamiId,
  id,
  json,
  moderator,
  notFound,
  text,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

/** Jami ID or device id. */
export const target = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "must be a Jami ID or a device id")
  .openapi({ description: "Jami ID (40 hex digits) or device id (64)" });

const terms = {
  reason: z.string().openapi({ description: "empty = not known here" }),
  by: z.string(),
  at: time,
  expires: time.nullable().openapi({ description: "null = until somebody ends it" }),
};

/** What is known of a ban. */
export const banInfo = z.object({ ...terms, held: z.boolean() }).openapi("BanTerms");

const whose = { kind: z.enum(["account", "device"]), name: z.string() };

const nodeBan = z.object({ target: z.string(), ...whose, ...terms, lists: z.array(z.string()) }).openapi("NodeBan");

const groupBan = z.object({
  conversationId: id,
  title: z.string(),
  target: z.string(),
  ...whose,
  ...terms,
  held: z.boolean().openapi({ description: "only until a moderator has looked" }),
}).openapi("GroupBan");

/** The reason and the end of a ban, in a body. */
export const banWish = {
  reason: text(MAX_REASON).optional(),
  expiresIn: z.int().min(1).max(MAX_BAN_SECONDS).optional().openapi({
    description: "seconds; without it the ban lasts until somebody ends it",
  }),
};

/** The form of a list of bans. */
export const banListFile = z.object({
  name: z.string(),
  entries: z.array(z.object({
    jamiId: z.string().optional(),
    deviceId: z.string().optional(),
    reason: z.string(),
    expires: time.optional(),
  })),
}).openapi("BanListFile");

const listBans = createRoute({
  method: "get",
  path: "/bans",
  summary: "Who is banned from the node, and what is known of bans in groups; newest first",
  ...moderator,
  responses: {
    200: json(z.object({ bans: z.array(nodeBan), groupBans: z.array(groupBan) }), "The bans"),
    ...everywhere,
  },
});

const addBan = createRoute({
  method: "post",
  path: "/bans",
  summary: "Ban an account or a device from the node",
  description: "It is not connected with, and its requests and invitations are not taken. What others relay of it in " +
    "groups where it still is a member is part of their histories; with `inGroups` it is banned from those, too, " +
    "whose admin this node is.",
  ...moderator,
  ...action("ban.create"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            jamiId: givenJamiId.optional(),
            deviceId: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits in lower case").optional(),
            ...banWish,
            inGroups: z.boolean().optional(),
          }).refine(
            ({ jamiId, deviceId }) => (jamiId === undefined) !== (deviceId === undefined),
            "must have either jamiId or deviceId",
          ).openapi("NewBan"),
        },
      },
    },
  },
  responses: {
    201: json(z.object({ ban: nodeBan, groups: z.array(id) }), "The ban, and the groups it was banned from"),
    ...everywhere,
    ...withBody,
  },
});

const removeBan = createRoute({
  method: "delete",
  path: "/bans/{target}",
  summary: "End a ban for the node: all is again as it was. Lists may still name the target",
  ...moderator,
  ...action("ban.end"),
  request: { params: z.object({ target }) },
  responses: { 204: { description: "Done" }, ...everywhere, ...notFound, ...withoutBody },
});

const exportBans = createRoute({
  method: "get",
  path: "/bans/export",
  summary: "The node's own bans as a list that others can subscribe to",
  ...moderator,
  responses: { 200: json(banListFile, "The list"), ...everywhere },
});

/** The routes of bans. */
export function banRoutes({ moderation }: NodeApi) {
  return router()
    .openapi(exportBans, (c) => {
      c.header("content-disposition", 'attachment; filename="bans.json"');
      return c.json(moderation.exportBans(), 200);
    })
    .openapi(listBans, (c) => c.json({ bans: moderation.bans(), groupBans: moderation.groupBans() }, 200))
    .openapi(addBan, async (c) => {
      const { jamiId, deviceId, ...wish } = c.req.valid("json");
      const { name: actor, address } = callerOf(c);
      return c.json(await moderation.ban(jamiId ?? deviceId ?? "", wish, { actor, address }), 201);
    })
    .openapi(removeBan, (c) => {
      moderation.unban(c.req.valid("param").target);
      return c.body(null, 204);
    });
}
