/** /admins and /admin-invitations: who else may use the console. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Admins, AdminView } from "../../core/admins/admins.ts";
import type { AdminInvitationRow } from "../../core/store/access.ts";
import { router } from "../router.ts";
import type { Sites } from "../site.ts";
import {
  givenName,
  me,
  meOf,
  newcomer,
  passkeyOptions,
  role,
  secondsOf,
  secondsOrNull,
  secret,
  shortId,
  timeOrNull,
} from "./admin_schemas.ts";
import {
  action,
  anybody,
  counted,
  everywhere,
  json,
  mayConflict,
  notFound,
  owner,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";
import { letIn } from "./session.ts";

/** Days that an invitation is good for: when nothing is said, and at most. */
const INVITATION_DAYS = 3;
const MAX_INVITATION_DAYS = 30;
const DAY = 24 * 3_600_000;

const admin = z.object({
  id: shortId,
  name: z.string(),
  role,
  created: time,
  password: z.boolean().openapi({ description: "has one" }),
  passkeys: z.int().openapi({ description: "has so many" }),
  sessions: z.int().openapi({ description: "browsers that are signed in" }),
  seen: timeOrNull.openapi({ description: "when a browser of theirs was used last, to the minute; null = not known" }),
}).openapi("Admin");

const invitation = z.object({
  id: shortId,
  role,
  madeBy: z.string(),
  created: time,
  expires: time,
}).openapi("AdminInvitation");

const listAdmins = createRoute({
  method: "get",
  path: "/admins",
  summary: "Who may use the console",
  ...owner,
  responses: { 200: json(z.object({ admins: z.array(admin) }), "The admins, the first one first"), ...everywhere },
});

const changeAdmin = createRoute({
  method: "patch",
  path: "/admins/{adminId}",
  summary: "Change the role of an admin",
  ...owner,
  ...action("admin.role"),
  request: {
    params: z.object({ adminId: shortId }),
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ role }).openapi("AdminChanges") } },
    },
  },
  responses: { 200: json(admin, "The admin"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

const removeAdmin = createRoute({
  method: "delete",
  path: "/admins/{adminId}",
  summary: "Remove an admin, with all sessions; the last owner stays",
  ...owner,
  request: { params: z.object({ adminId: shortId }) },
  responses: { 204: { description: "Removed" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const signOutAdmin = createRoute({
  method: "delete",
  path: "/admins/{adminId}/sessions",
  summary: "Sign an admin out everywhere",
  ...owner,
  ...action("admin.sign-out"),
  request: { params: z.object({ adminId: shortId }) },
  responses: { 204: { description: "Signed out" }, ...everywhere, ...notFound, ...withoutBody },
});

const listInvitations = createRoute({
  method: "get",
  path: "/admin-invitations",
  summary: "Open invitations of admins",
  ...owner,
  responses: { 200: json(z.object({ invitations: z.array(invitation) }), "The invitations"), ...everywhere },
});

const inviteAdmin = createRoute({
  method: "post",
  path: "/admin-invitations",
  summary: "Invite an admin: who opens the link first becomes one",
  ...owner,
  ...action("admin.invite"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            role,
            days: z.int().min(1).max(MAX_INVITATION_DAYS).default(INVITATION_DAYS),
          }).openapi("NewAdminInvitation"),
        },
      },
    },
  },
  responses: {
    201: json(
      invitation.extend({ link: z.string().openapi({ description: "told this once" }) }).openapi("MadeAdminInvitation"),
      "The invitation",
    ),
    ...everywhere,
    ...mayConflict,
    ...withBody,
  },
});

const cancelInvitation = createRoute({
  method: "delete",
  path: "/admin-invitations/{invitationId}",
  summary: "Take an invitation back",
  ...owner,
  ...action("admin.uninvite"),
  request: { params: z.object({ invitationId: shortId }) },
  responses: { 204: { description: "Taken back" }, ...everywhere, ...notFound, ...withoutBody },
});

const beginAccept = createRoute({
  method: "post",
  path: "/admin-invitations/accept/passkey",
  summary: "Begin to make the passkey with which an invited admin will sign in",
  ...anybody,
  ...action(""),
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ secret, name: givenName }).openapi("BeginAccept") } },
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

const acceptInvitation = createRoute({
  method: "post",
  path: "/admin-invitations/accept",
  summary: "Become an admin by an invitation, with a password or a passkey; the answer signs in",
  ...anybody,
  ...action("admin.join"),
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ secret, ...newcomer }).openapi("AcceptInvitation") } },
    },
  },
  responses: { 201: json(me, "Signed in"), ...everywhere, ...mayConflict, ...withBody, ...counted },
});

/** The routes of admins. */
export function adminRoutes(admins: Admins, sites: Sites) {
  return router()
    .openapi(listAdmins, (c) => c.json({ admins: admins.list().map(adminView) }, 200))
    .openapi(changeAdmin, (c) => {
      return c.json(adminView(admins.setRole(c.req.valid("param").adminId, c.req.valid("json").role)), 200);
    })
    .openapi(removeAdmin, (c) => {
      admins.remove(c.req.valid("param").adminId);
      return c.body(null, 204);
    })
    .openapi(signOutAdmin, (c) => {
      admins.signOutEverywhere(c.req.valid("param").adminId);
      return c.body(null, 204);
    })
    .openapi(listInvitations, (c) => c.json({ invitations: admins.invitations().map(invitationView) }, 200))
    .openapi(inviteAdmin, (c) => {
      const { role, days } = c.req.valid("json");
      const made = admins.invite(role, days * DAY, c.get("caller")?.name ?? "");
      const origin = sites.of(c)?.origin ?? "";
      return c.json({ ...invitationView(made), link: `${origin}/admin-invitation?secret=${made.secret}` }, 201);
    })
    .openapi(cancelInvitation, (c) => {
      admins.cancelInvitation(c.req.valid("param").invitationId);
      return c.body(null, 204);
    })
    .openapi(beginAccept, async (c) => {
      const { secret, name } = c.req.valid("json");
      return c.json({ ...await admins.beginAccept(secret, sites.need(c), name) }, 200);
    })
    .openapi(acceptInvitation, async (c) => {
      const { secret, ...newcomer } = c.req.valid("json");
      return c.json(meOf(letIn(c, admins, await admins.accept(secret, newcomer, sites.need(c)))), 201);
    });
}

export function adminView({ created, seen, ...rest }: AdminView): z.infer<typeof admin> {
  return { ...rest, created: secondsOf(created), seen: secondsOrNull(seen) };
}

export function invitationView({ id, role, madeBy, created, expires }: AdminInvitationRow): z.infer<typeof invitation> {
  return { id, role, madeBy, created: secondsOf(created), expires: secondsOf(expires) };
}
