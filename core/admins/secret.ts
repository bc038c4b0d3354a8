/** Random secrets that are handed out once: what is kept is their hash, so that the database opens nothing. */

import { createHash } from "node:crypto";
import type { Random } from "../base/random.ts";

/** Random bytes of a secret. */
const SECRET_BYTES = 32;

/** Characters of a secret: base64url of {@link SECRET_BYTES}. */
const FORM = /^[A-Za-z0-9_-]{43}$/;

/** A new secret. */
export function newSecret(random: Random): string {
  return random.bytes(SECRET_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** What is kept of a secret. It has 256 random bits, so nothing slower than SHA-256 is needed. */
export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The hash of what may be a secret; null when it is none by its form. */
export function hashOfGiven(given: string): string | null {
  return FORM.test(given) ? secretHash(given) : null;
}

/** A short random name that is no secret. */
export function newId(random: Random, bytes = 8): string {
  return random.bytes(bytes).toHex();
}
