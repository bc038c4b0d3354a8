/** /session: coming in and going out. */

import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type Admins, endOf, type SignedIn } from "../../core/admins/admins.ts";
import type { SessionRow } from "../../core/store/access.ts";
import { router } from "../router.ts";
import { giveSession, sessionSecret, takeSession } from "../session_cookie.ts";
import type { Sites } from "../site.ts";
import { givenPassword, me, meOf, passkeyOptions, secondsOf, shortId, shownPasskey } from "./admin_schemas.ts";
import {
  action,
  anybody,
  counted,
  everywhere,
  json,
  mayConflict,
  notFound,
  text,
  time,
  viewer,
  withBody,
  withoutBody,
} from "./schemas.ts";
import { accountOf } from "./account.ts";

const session = z.object({
  id: shortId,
  created: time,
  used: time.openapi({ description: "last, to the minute" }),
  ends: time.openapi({ description: "unless it is used before; in any case a week after it began" }),
  address: z.string().openapi({ description: "from which network address it was begun; empty = unknown" }),
  agent: z.string().openapi({ description: "what the browser calls itself" }),
  here: z.boolean().openapi({ description: "the one that asks" }),
}).openapi("Session");

/** Digits of a session's hash that name it. */
const SESSION_ID = 16;

const signIn = createRoute({
  method: "post",
  path: "/session",
  summary: "Sign in with a password; the answer sets the cookie of a new session",
  ...anybody,
  ...action("session.begin"),
  request: {
    body: {
      required: true,
      content: {
        "application/json": { schema: z.strictObject({ name: text(200), password: givenPassword }).openapi("SignIn") },
      },
    },
  },
  responses: { 200: json(me, "Signed in"), ...everywhere, ...withBody, ...counted },
});

const beginPasskey = createRoute({
  method: "post",
  path: "/session/passkey",
  summary: "Begin to sign in with a passkey",
  ...anybody,
  ...action(""),
  responses: {
    200: json(passkeyOptions, "For `navigator.credentials.get`"),
    ...everywhere,
    ...mayConflict,
    ...withoutBody,
    ...counted,
  },
});

const finishPasskey = createRoute({
  method: "post",
  path: "/session/passkey/finish",
  summary: "Sign in with the passkey that the browser showed; the answer sets the cookie of a new session",
  ...anybody,
  ...action("session.begin"),
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ passkey: shownPasskey }).openapi("PasskeySignIn") } },
    },
  },
  responses: { 200: json(me, "Signed in"), ...everywhere, ...mayConflict, ...withBody, ...counted },
});

const getSession = createRoute({
  method: "get",
  path: "/session",
  summary: "Who asks",
  ...viewer,
  responses: { 200: json(me, "You"), ...everywhere },
});

const signOut = createRoute({
  method: "delete",
  path: "/session",
  summary: "Sign out",
  ...viewer,
  ...action("session.end"),
  responses: { 204: { description: "Signed out" }, ...everywhere, ...mayConflict, ...withoutBody },
});

const signOutEverywhere = createRoute({
  method: "delete",
  path: "/sessions",
  summary: "Sign out everywhere: all sessions of your account end, this one too",
  ...viewer,
  ...action("session.end-all"),
  responses: { 204: { description: "Signed out" }, ...everywhere, ...mayConflict, ...withoutBody },
});

const listSessions = createRoute({
  method: "get",
  path: "/sessions",
  summary: "Where you are signed in",
  ...viewer,
  responses: {
    200: json(z.object({ sessions: z.array(session) }), "The sessions, the one used last first"),
    ...everywhere,
    ...mayConflict,
  },
});

const endSession = createRoute({
  method: "delete",
  path: "/sessions/{sessionId}",
  summary: "Sign out of one of your browsers",
  ...viewer,
  ...action("session.end"),
  request: { params: z.object({ sessionId: shortId }) },
  responses: { 204: { description: "Signed out" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

/** The routes of sessions. */
export function sessionRoutes(admins: Admins, sites: Sites) {
  return router()
    .openapi(signIn, async (c) => {
      sites.need(c);
      const { name, password } = c.req.valid("json");
      return c.json(meOf(letIn(c, admins, await admins.signIn(name, password, c.get("address")))), 200);
    })
    .openapi(beginPasskey, async (c) => c.json({ ...await admins.passkeys.beginSignIn(sites.need(c)) }, 200))
    .openapi(finishPasskey, async (c) => {
      const { passkey } = c.req.valid("json");
      const signedIn = await admins.signInWithPasskey(passkey, sites.need(c), c.get("address"));
      return c.json(meOf(letIn(c, admins, signedIn)), 200);
    })
    .openapi(getSession, (c) => c.json(meOf(callerOf(c)), 200))
    .openapi(signOut, (c) => {
      accountOf(c);
      goOut(c, admins);
      return c.body(null, 204);
    })
    .openapi(listSessions, (c) => {
      const sessions = admins.sessionsOf(accountOf(c));
      return c.json({ sessions: sessions.map((session) => sessionView(session, callerOf(c).session)) }, 200);
    })
    .openapi(endSession, (c) => {
      admins.endSession(accountOf(c), c.req.valid("param").sessionId);
      return c.body(null, 204);
    })
    .openapi(signOutEverywhere, (c) => {
      admins.signOutEverywhere(accountOf(c));
      takeSession(c);
      return c.body(null, 204);
    });
}

/** A session as its owner sees it: by the beginning of its hash, which opens nothing. */
export function sessionView(row: SessionRow, present: string | undefined): z.infer<typeof session> {
  const { hash, created, used, address, agent } = row;
  return {
    id: hash.slice(0, SESSION_ID),
    created: secondsOf(created),
    used: secondsOf(used),
    ends: secondsOf(endOf(row)),
    address,
    agent,
    here: hash === present,
  };
}

/** Begins the session in the browser; one that it had before ends. */
export function letIn(c: Context, admins: Admins, signedIn: SignedIn): SignedIn["actor"] {
  const { actor } = signedIn;
  const before = sessionSecret(c);
  if (before !== undefined) admins.signOut(before);
  giveSession(c, admins, signedIn);
  c.set("caller", { ...actor, kind: "session", id: actor.session ?? "", address: c.get("address") });
  return actor;
}

/** Ends the session in the browser. */
export function goOut(c: Context, admins: Admins): void {
  const secret = sessionSecret(c);
  if (secret !== undefined) admins.signOut(secret);
  takeSession(c);
}

/** Who asks, behind the gate. */
function callerOf(c: Context) {
  const caller = c.get("caller");
  if (!caller) throw new Error("this route stands before the gate");
  return caller;
}
