/** From passwords to keys, and the sealing under such a key (account.md 0 and 2.1). */

import { type Bytes, concat, owned, utf8 } from "../base/bytes.ts";

/** Length of the salt of an archive, in bytes. */
export const SALT = 16;
/** Length of an AES-GCM nonce, in bytes. */
export const NONCE = 12;
/** Length of an AES-GCM tag, in bytes. */
export const TAG = 16;

/** The field's parameters for every password (0). */
const ARGON2 = { memory: 65536, passes: 16, parallelism: 1, bits: 256 };

/** The 32-byte key of a password: Argon2i, then SHA-256. About a second, off the main loop. */
export async function stretch(password: string, salt: Uint8Array): Promise<Bytes> {
  const { memory, passes, parallelism, bits } = ARGON2;
  // reason: Argon2 is newer than the type library; name, format and parameters are those of the WebCrypto draft (stack.md 5)
  const [format, name] = ["raw-secret" as "raw", "Argon2i"];
  const secret = await crypto.subtle.importKey(format, utf8(password), name, false, ["deriveBits"]);
  const algorithm = { name, nonce: owned(salt), memory, passes, parallelism };
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await crypto.subtle.deriveBits(algorithm, secret, bits)));
}

/** `nonce ‖ AES-256-GCM ciphertext ‖ tag`, with a new nonce. */
export async function seal(key: Bytes, plain: Uint8Array): Promise<Bytes> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE));
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  return concat(iv, new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, aes, owned(plain))));
}

/** What `seal` hid, or `null` when the key is wrong or the bytes were changed. */
export async function unseal(key: Bytes, sealed: Uint8Array): Promise<Bytes | null> {
  if (sealed.length < NONCE + TAG) return null;
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  try {
    const iv = new Uint8Array(sealed.subarray(0, NONCE));
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, new Uint8Array(sealed.subarray(NONCE))),
    );
  } catch {
    return null;
  }
}
