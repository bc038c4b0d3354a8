/** Parts that the descriptions of sessions, admins and tokens share. */

import { z } from "@hono/zod-openapi";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Actor } from "../../core/admins/admins.ts";
import { MAX_NAME, MAX_PASSWORD } from "../../core/admins/constants.ts";
import { ROLES } from "../../core/admins/roles.ts";
import { text, time } from "./schemas.ts";

/** What an admin or a token may do. */
export const role = z.enum(ROLES).openapi("Role", {
  description: "`owner` all; `moderator` requests, members and conversations; `viewer` only whether the node is well",
});

/** A name as somebody types it. */
export const givenName = text(MAX_NAME).min(1);

/** A password as somebody types it; what is too long to be one is not even looked at. */
export const givenPassword = z.string().min(1).max(4 * MAX_PASSWORD);

/** The secret of a link or a token. */
export const secret = z.string().max(200);

/** Short random names. */
export const shortId = z.string().regex(/^[0-9a-f]{16,32}$/, "must be 16 to 32 hex digits");

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/, "must be base64url");

const credential = z.looseObject({
  id: base64url,
  rawId: base64url,
  type: z.literal("public-key"),
  clientExtensionResults: z.looseObject({}),
});

/** What a browser made of the options: `credential.toJSON()`. */
export const newPasskey = credential.extend({
  response: z.looseObject({ clientDataJSON: base64url, attestationObject: base64url }),
}).transform((made) => made as RegistrationResponseJSON) // reason: the fields that are used were checked
  .openapi("NewPasskey", { type: "object" });

/** What a browser shows to sign in: `credential.toJSON()`. */
export const shownPasskey = credential.extend({
  response: z.looseObject({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url }),
}).transform((shown) => shown as AuthenticationResponseJSON) // reason: as above
  .openapi("ShownPasskey", { type: "object" });

/** What a browser needs for a passkey dialogue: for `PublicKeyCredential.parse…OptionsFromJSON`. */
export const passkeyOptions = z.looseObject({ challenge: z.string() }).openapi("PasskeyOptions");

/** Who is signed in. */
export const me = z.object({
  name: z.string(),
  role,
  kind: z.enum(["session", "token"]),
  id: z.string().nullable().openapi({ description: "of the admin; null = a token" }),
}).openapi("Me");

/** {@link me} for an actor. */
export function meOf({ name, role, admin }: Actor): z.infer<typeof me> {
  return { name, role, kind: admin === undefined ? "token" : "session", id: admin ?? null };
}

/** How somebody new will sign in. */
export const newcomer = {
  name: givenName,
  password: givenPassword.optional().openapi({ description: "at least 12 characters; or a passkey" }),
  passkey: newPasskey.optional(),
};

/** Seconds since 1970 of a time in milliseconds. */
export function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/** {@link secondsOf}, where there may be none. */
export function secondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : secondsOf(ms);
}

/** A time that may be missing. */
export const timeOrNull = time.nullable();
