/** Names in the DHT: 20 bytes, written as 40 hex digits, and how near they are to each other (opendht.md 1). */

import { createHash } from "node:crypto";
import { type Bytes, fromHex, owned, utf8 } from "../base/bytes.ts";

/** A key or node id: 40 lower-case hex digits. */
export type InfoHash = string;

/** Length of an InfoHash in bytes. */
export const HASH_BYTES = 20;

/** The InfoHash that stands for "none" and is never valid. */
export const ZERO_HASH: InfoHash = "0".repeat(40);

/** SHA-1 of the UTF-8 bytes of a text. */
export function infoHash(text: string): InfoHash {
  return infoHashOf(utf8(text));
}

/** SHA-1 of bytes. */
export function infoHashOf(bytes: Uint8Array): InfoHash {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Is the text 40 lower-case hex digits, and not all zero? */
export function isInfoHash(text: unknown): text is InfoHash {
  return typeof text === "string" && /^[0-9a-f]{40}$/.test(text) && text !== ZERO_HASH;
}

/** The 20 bytes of an InfoHash. */
export function hashBytes(hash: InfoHash): Bytes {
  return owned(fromHex(hash));
}

/** Below zero when `a` is nearer to `target` than `b`, above when farther, 0 when they are the same. */
export function compareDistance(target: InfoHash, a: InfoHash, b: InfoHash): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const t = parseInt(target[i], 16);
    return (parseInt(a[i], 16) ^ t) - (parseInt(b[i], 16) ^ t);
  }
  return 0;
}

/** How many leading bits two hashes have in common, 0 to 160. */
export function commonBits(a: InfoHash, b: InfoHash): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return i * 4 + Math.clz32(parseInt(a[i], 16) ^ parseInt(b[i], 16)) - 28;
  }
  return a.length * 4;
}

/** A random hash whose first `bits` bits are those of `prefix` and whose next bit differs (if there is one). */
export function randomHashBeside(prefix: InfoHash, bits: number, random: { bytes(n: number): Bytes }): InfoHash {
  const out = random.bytes(HASH_BYTES);
  const own = hashBytes(prefix);
  for (let bit = 0; bit <= bits && bit < HASH_BYTES * 8; bit++) {
    const mask = 0x80 >> (bit & 7);
    const wanted = (own[bit >> 3] & mask) ^ (bit === bits ? mask : 0);
    out[bit >> 3] = (out[bit >> 3] & ~mask) | wanted;
  }
  return out.toHex();
}
