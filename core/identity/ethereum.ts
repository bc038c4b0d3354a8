/** The Ethereum address of an account: kept for the name servers, which call it the owner of a name (account.md 2.2). */

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { type Bytes, hex, owned } from "../base/bytes.ts";
import { KeyError } from "./keys.ts";

/** A new secp256k1 secret key, 32 bytes. */
export function newEthereumKey(): Bytes {
  return owned(secp256k1.utils.randomSecretKey());
}

/**
 * The address of a secret key: 40 hex digits, without "0x".
 * @throws {KeyError} when it is not a secp256k1 secret key
 */
export function ethereumAddress(secret: Uint8Array): string {
  if (!secp256k1.utils.isValidSecretKey(secret)) throw new KeyError("not a secp256k1 key");
  const point = secp256k1.getPublicKey(secret, false);
  return hex(keccak_256(point.subarray(1)).subarray(-20));
}
