/** From the passphrase to the key of a back-up (Argon2id, RFC 9106). */

import { type Bytes, utf8 } from "../base/bytes.ts";
import { MAX_PASSPHRASE, MIN_PASSPHRASE } from "./constants.ts";
import { BackupError } from "./errors.ts";

/** What deriving a key costs, as the head of a file says it. */
export interface KdfCost {
  /** KiB */
  memory: number;
  passes: number;
}

/** What a passphrase gives. */
export interface BackupKey {
  key: CryptoKey;
  /** tells a wrong passphrase from a damaged file, and nothing about the key */
  check: Bytes;
}

const KEY_BYTES = 32;

/** Bytes by which a wrong passphrase is noticed at once. */
export const CHECK_BYTES = 16;

/** @throws {BackupError} "passphrase" when it is too short or too long for a new back-up */
export function checkPassphrase(passphrase: string): void {
  const length = [...normalised(passphrase)].length;
  if (length < MIN_PASSPHRASE) {
    throw new BackupError("passphrase", `A passphrase has at least ${MIN_PASSPHRASE} characters.`);
  }
  if (length > MAX_PASSPHRASE) {
    throw new BackupError("passphrase", `A passphrase has at most ${MAX_PASSPHRASE} characters.`);
  }
}

/** The key for a file with this salt. */
export async function deriveKey(passphrase: string, salt: Bytes, { memory, passes }: KdfCost): Promise<BackupKey> {
  // reason: TypeScript's library does not know these names yet (stack.md, recipe 8)
  const name = "Argon2id" as never, form = "raw-secret" as never;
  const secret = await crypto.subtle.importKey(form, utf8(normalised(passphrase)), name, false, ["deriveBits"]);
  const parameters = { name, nonce: salt, memory, passes, parallelism: 1 } as never; // reason: as above
  const bits = new Uint8Array(await crypto.subtle.deriveBits(parameters, secret, (KEY_BYTES + CHECK_BYTES) * 8));
  const key = await crypto.subtle.importKey("raw", bits.subarray(0, KEY_BYTES), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
  return { key, check: bits.slice(KEY_BYTES) };
}

/** The same text, however it was typed. */
function normalised(passphrase: string): string {
  return passphrase.normalize("NFKC");
}
