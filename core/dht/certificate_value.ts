/** Certificate chains as DHT values (opendht.md 4.5). */

import { text, utf8 } from "../base/bytes.ts";
import { KituoError } from "../base/errors.ts";
import { decode, encode } from "../base/msgpack.ts";
import { Certificate } from "../identity/certificate.ts";
import type { PublicKey } from "../identity/keys.ts";
import { type InfoHash, infoHashOf } from "./info_hash.ts";
import type { Value } from "./value.ts";

/** The value type of certificates. */
export const CERTIFICATE_TYPE = 8;
/** The one id under which a certificate is put. */
export const CERTIFICATE_ID = 1n;

const PEM_START = "-----BEGIN CERTIFICATE-----";

/** The value that publishes a chain (PEM, leaf first). */
export function certificateValue(chainPem: string): Value {
  return { id: CERTIFICATE_ID, type: CERTIFICATE_TYPE, data: encode(utf8(chainPem)) };
}

/** Where the chain of a key is published: first where peers since 2025 look, then where the older ones do. */
export function certificateKeys(key: PublicKey): [InfoHash, InfoHash] {
  return [longIdKey(key.longId), key.id];
}

/** The place of a device's chain, from its long id (64 hex digits). */
export function longIdKey(longId: string): InfoHash {
  return infoHashOf(Uint8Array.fromHex(longId));
}

/** The chain in a certificate value, leaf first; `null` when there is none. Checks no signature. */
export function readCertificates(value: Value): Certificate[] | null {
  if (value.type !== CERTIFICATE_TYPE || value.cypher) return null;
  const wrapped = unwrap(value.data);
  const bytes = wrapped ?? value.data;
  const pem = text(bytes);
  try {
    const start = pem.indexOf(PEM_START);
    if (start >= 0) return Certificate.listFromPem(pem.slice(start));
    return wrapped ? null : [Certificate.fromDer(value.data)];
  } catch (error) {
    if (error instanceof KituoError) return null;
    throw error;
  }
}

/** The key of the leaf certificate in the value, or `null`. */
export function certificateKey(value: Value): PublicKey | null {
  return readCertificates(value)?.[0]?.publicKey ?? null;
}

function unwrap(data: Uint8Array): Uint8Array | null {
  try {
    const inner = decode(data);
    return inner instanceof Uint8Array ? inner : null;
  } catch (error) {
    if (error instanceof KituoError) return null;
    throw error;
  }
}
