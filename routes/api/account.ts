/** /passkeys, /password and one's own name: how the one who is signed in signs in, and is called. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Admins } from "../../core/admins/admins.ts";
import { AccessError } from "../../core/admins/errors.ts";
import type { PasskeyRow } from "../../core/store/admins.ts";
import { router } from "../router.ts";
import { giveSession } from "../session_cookie.ts";
import type { Sites } from "../site.ts";
import {
  givenName,
  givenPassword,
  me,
  meOf,
  newPasskey,
  passkeyOptions,
  secondsOf,
  secondsOrNull,
  timeOrNull,
} from "./admin_schemas.ts";
import {
  action,
  counted,
  everywhere,
  json,
  mayConflict,
  notFound,
  time,
  viewer,
  withBody,
  withoutBody,
} from "./schemas.ts";

const passkey = z.object({ id: z.string(), name: z.string(), created: time, used: timeOrNull }).openapi("Passkey");

const passkeyParam = z.object({ passkeyId: z.string().regex(/^[A-Za-z0-9_-]{1,1400}$/, "must be base64url") });

const listPasskeys = createRoute({
  method: "get",
  path: "/passkeys",
  summary: "Your passkeys",
  ...viewer,
  responses: { 200: json(z.object({ passkeys: z.array(passkey) }), "The passkeys"), ...everywhere, ...mayConflict },
});

const beginPasskey = createRoute({
  method: "post",
  path: "/passkeys/begin",
  summary: "Begin to make one more passkey",
  ...viewer,
  ...action(""),
  responses: {
    200: json(passkeyOptions, "For `navigator.credentials.create`"),
    ...everywhere,
    ...mayConflict,
    ...withoutBody,
  },
});

const addPasskey = createRoute({
  method: "post",
  path: "/passkeys",
  summary: "Keep the passkey that the browser made",
  ...viewer,
  ...action("passkey.add"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": { schema: z.strictObject({ name: givenName, passkey: newPasskey }).openapi("AddPasskey") },
      },
    },
  },
  responses: { 201: json(passkey, "The passkey"), ...everywhere, ...mayConflict, ...withBody },
});

const removePasskey = createRoute({
  method: "delete",
  path: "/passkeys/{passkeyId}",
  summary: "Remove one of your passkeys",
  ...viewer,
  request: { params: passkeyParam },
  responses: { 204: { description: "Removed" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

const renamePasskey = createRoute({
  method: "patch",
  path: "/passkeys/{passkeyId}",
  summary: "Name one of your passkeys anew",
  ...viewer,
  ...action("passkey.rename"),
  request: {
    params: passkeyParam,
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ name: givenName }).openapi("PasskeyChanges") } },
    },
  },
  responses: { 200: json(passkey, "The passkey"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

const rename = createRoute({
  method: "patch",
  path: "/session",
  summary: "Change your name",
  ...viewer,
  ...action("admin.rename"),
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ name: givenName }).openapi("MyChanges") } },
    },
  },
  responses: { 200: json(me, "You"), ...everywhere, ...mayConflict, ...withBody },
});

const setPassword = createRoute({
  method: "put",
  path: "/password",
  summary: "Change your password, or set your first; all your sessions end, and this one begins anew",
  ...viewer,
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({ present: givenPassword.optional(), password: givenPassword }).openapi("SetPassword"),
        },
      },
    },
  },
  responses: { 204: { description: "Changed" }, ...everywhere, ...mayConflict, ...withBody, ...counted },
});

/** The routes of one's own account. */
export function accountRoutes(admins: Admins, sites: Sites) {
  return router()
    .openapi(listPasskeys, (c) => c.json({ passkeys: admins.passkeysOf(accountOf(c)).map(passkeyView) }, 200))
    .openapi(beginPasskey, async (c) => c.json({ ...await admins.beginPasskey(accountOf(c), sites.need(c)) }, 200))
    .openapi(addPasskey, async (c) => {
      const { name, passkey } = c.req.valid("json");
      return c.json(passkeyView(await admins.addPasskey(accountOf(c), sites.need(c), name, passkey)), 201);
    })
    .openapi(removePasskey, (c) => {
      admins.removePasskey(accountOf(c), c.req.valid("param").passkeyId);
      return c.body(null, 204);
    })
    .openapi(renamePasskey, (c) => {
      const { name } = c.req.valid("json");
      return c.json(passkeyView(admins.renamePasskey(accountOf(c), c.req.valid("param").passkeyId, name)), 200);
    })
    .openapi(rename, (c) => {
      const { name, role, id } = admins.rename(accountOf(c), c.req.valid("json").name);
      return c.json(meOf({ name, role, admin: id }), 200);
    })
    .openapi(setPassword, async (c) => {
      const { present, password } = c.req.valid("json");
      giveSession(c, admins, await admins.changePassword(accountOf(c), present, password));
      return c.body(null, 204);
    });
}

/** The id of the admin who asks. @throws {AccessError} "conflict" for a token, which has no account */
export function accountOf(c: Context): string {
  const admin = c.get("caller")?.admin;
  if (admin !== undefined) return admin;
  throw new AccessError("conflict", "This is about the account that is signed in, and a token has none.");
}

export function passkeyView({ id, name, created, used }: PasskeyRow): z.infer<typeof passkey> {
  return { id, name, created: secondsOf(created), used: secondsOrNull(used) };
}
