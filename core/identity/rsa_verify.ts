/**
 * RSASSA-PKCS1-v1_5 signatures, verified (RFC 8017, 8.2.2). Nothing in it is secret, so whole numbers of the language do; V8's are four times
 * as fast as the cryptography that comes with Deno, and taking in a history is for the most part verifying it.
 */

import { createHash } from "node:crypto";
import { type Bytes, concat, hex } from "../base/bytes.ts";

/** The digests that occur in signatures. */
export type Digest = "SHA-256" | "SHA-384" | "SHA-512";

/** The numbers of an RSA key; both odd, the modulus large enough for every digest. */
export interface RsaNumbers {
  modulus: bigint;
  exponent: bigint;
}

/** DigestInfo up to the digest, with the NULL that every signer writes (RFC 8017, 9.2 note 1). */
const DIGEST_INFO: Record<Digest, Bytes> = {
  "SHA-256": Uint8Array.fromHex("3031300d060960864801650304020105000420"),
  "SHA-384": Uint8Array.fromHex("3041300d060960864801650304020205000430"),
  "SHA-512": Uint8Array.fromHex("3051300d060960864801650304020305000440"),
};

/**
 * Did the owner of the key sign `data`? The block that the signature stands for is compared as a whole with the only one
 * that is right: nothing in it is parsed.
 * @param size bytes in the modulus
 */
export function isSignedWith(
  digest: Digest,
  { modulus, exponent }: RsaNumbers,
  size: number,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== size) return false;
  const number = numberOf(signature);
  return number < modulus && power(number, exponent, modulus) === numberOf(blockOf(digest, size, data));
}

/** 00 01 FF … FF 00 DigestInfo (RFC 8017, 9.2). */
function blockOf(digest: Digest, size: number, data: Uint8Array): Bytes {
  const info = concat(DIGEST_INFO[digest], createHash(digest.replace("-", "").toLowerCase()).update(data).digest());
  const block = new Uint8Array(size).fill(0xff);
  block.set([0, 1]);
  block[size - info.length - 1] = 0;
  block.set(info, size - info.length);
  return block;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex(bytes)}`);
}

/** base ** exponent % modulus, by squaring; the exponent is public and small. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = result * result % modulus;
    if (bit === "1") result = result * base % modulus;
  }
  return result;
}
