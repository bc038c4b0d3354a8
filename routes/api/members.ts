/** /conversations/{id}/members and …/devices: who takes part in a group, and who is kept out. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { MAX_LIST_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { callerOf } from "../caller.ts";
import { MAX_BAN_SECONDS, MAX_QUERY, MAX_REASON } from "../constants.ts";
import { router } from "../router.ts";
import { banInfo } from "./bans.ts";
import {
  action,
  called,
  count,
  deviceId,
  everywhere,
  id,
  jamiIdOf,
  json,
  mayConflict,
  mayNotBeKnown,
  moderator,
  notFound,
  someone,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

/** A member as the API tells it. */
export const member = z.object({
  jamiId: id,
  ...called,
  role: z.enum(["admin", "member", "invited", "banned", "left"]),
  ban: banInfo.nullable().openapi({ description: "null = not banned, or by another admin's app" }),
  online: z.boolean(),
  devices: z.array(z.object({
    deviceId: z.string().openapi({ description: "64 hex digits" }),
    lag: z.int().nullable().openapi({ description: "commits the device is not known to have; null = unknown" }),
    online: z.boolean().openapi({ description: "announced or connected now" }),
    lastSeen: time.nullable(),
    banned: z.boolean(),
    ban: banInfo.nullable(),
  })),
}).openapi("Member");

/** Members in a part when nothing is said. */
const MEMBERS_PAGE = 100;

/** Where a part ends: the rank of a role, and who. */
const place = z.string().regex(/^[0-9]-[0-9a-f]{40}$/, "must be what `next` said");

const wish = z.strictObject({
  reason: z.string().max(MAX_REASON).optional().openapi({
    description: "kept by this node: the protocol has no place",
  }),
  expiresIn: z.string().regex(/^[0-9]{1,9}$/, "must be a whole number").transform(Number)
    .pipe(z.int().min(1).max(MAX_BAN_SECONDS)).optional()
    .openapi({ type: "integer", description: "seconds until the node ends the ban by itself" }),
});

const listMembers = createRoute({
  method: "get",
  path: "/conversations/{id}/members",
  summary: "Who takes part, part by part: admins, then members, invited, banned and left ones",
  description: "Of a conversation that the node has left: as they were then.",
  ...moderator,
  request: {
    params: z.object({ id }),
    query: z.strictObject({
      limit: count(MAX_LIST_LIMIT, MEMBERS_PAGE),
      after: place.optional().openapi({ description: "`next` of the part before" }),
      q: z.string().max(MAX_QUERY).optional().openapi({
        description: "only those of whom each word is in the name or the registered name, or begins the Jami ID",
      }),
    }),
  },
  responses: {
    200: json(
      z.object({
        members: z.array(member),
        next: place.nullable().openapi({ description: "`after` of the next part; null at the end" }),
        total: z.int().openapi({ description: "how many fit" }),
      }),
      "The members",
    ),
    ...everywhere,
    ...notFound,
  },
});

const inviteMember = createRoute({
  method: "post",
  path: "/conversations/{id}/members",
  summary: "Invite an account, contact or not",
  description: "It is sent the invitation whenever a device of it can be reached, until it joins or is removed. " +
    "Who is invited already is sent it anew; who is banned is un-banned, if the node is an admin.",
  ...moderator,
  ...action("member.invite"),
  request: {
    params: z.object({ id }),
    body: {
      required: true,
      content: { "application/json": { schema: someone.openapi("NewMember") } },
    },
  },
  responses: {
    201: json(member, "The invited"),
    ...everywhere,
    ...notFound,
    ...mayConflict,
    ...mayNotBeKnown,
    ...withBody,
  },
});

const answers = { 204: { description: "Done" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody };

const banMember = createRoute({
  method: "delete",
  path: "/conversations/{id}/members/{jamiId}",
  summary: "Ban a member or an invited account, as an admin; where there are several, vote for it",
  ...moderator,
  ...action("member.ban"),
  request: { params: z.object({ id, jamiId: id }), query: wish },
  responses: answers,
});

const unbanMember = createRoute({
  method: "post",
  path: "/conversations/{id}/members/{jamiId}/unban",
  summary: "End a ban: the account is again what it was",
  ...moderator,
  request: { params: z.object({ id, jamiId: id }) },
  responses: answers,
});

const banDevice = createRoute({
  method: "delete",
  path: "/conversations/{id}/devices/{deviceId}",
  summary: "Ban one device of a member, as an admin; where there are several, vote for it",
  ...moderator,
  ...action("device.ban"),
  request: { params: z.object({ id, deviceId }), query: wish },
  responses: answers,
});

const unbanDevice = createRoute({
  method: "post",
  path: "/conversations/{id}/devices/{deviceId}/unban",
  summary: "End the ban of a device",
  ...moderator,
  request: { params: z.object({ id, deviceId }) },
  responses: answers,
});

/** The routes of members. */
export function memberRoutes(api: NodeApi) {
  const by = (c: Context) => {
    const { name: actor, address } = callerOf(c);
    return { actor, address };
  };
  return router()
    .openapi(listMembers, async (c) => {
      const { items, next, total } = await api.members.list(c.req.valid("param").id, c.req.valid("query"));
      return c.json({ members: items, next, total }, 200);
    })
    .openapi(inviteMember, async (c) => {
      const jamiId = await jamiIdOf(c.req.valid("json"), api);
      return c.json(await api.invite(c.req.valid("param").id, jamiId), 201);
    })
    .openapi(banMember, async (c) => {
      const { id, jamiId } = c.req.valid("param");
      await api.moderation.banMember(id, jamiId, c.req.valid("query"), by(c));
      return c.body(null, 204);
    })
    .openapi(unbanMember, async (c) => {
      const { id, jamiId } = c.req.valid("param");
      await api.moderation.unbanMember(id, jamiId);
      return c.body(null, 204);
    })
    .openapi(banDevice, async (c) => {
      const { id, deviceId } = c.req.valid("param");
      await api.moderation.banMember(id, deviceId, c.req.valid("query"), by(c));
      return c.body(null, 204);
    })
    .openapi(unbanDevice, async (c) => {
      const { id, deviceId } = c.req.valid("param");
      await api.moderation.unbanMember(id, deviceId);
      return c.body(null, 204);
    });
}
