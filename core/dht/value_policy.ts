/** How long values live, which ones a node stores, and which ones may replace others (opendht.md 5.1, 5.2). */

import { equal } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { decode } from "../base/msgpack.ts";
import { CERTIFICATE_TYPE, certificateKey, certificateKeys } from "./certificate_value.ts";
import { LIFETIMES, MAX_VALUE_BYTES } from "./constants.ts";
import type { InfoHash } from "./info_hash.ts";
import { contentDigest, signedBytes, type Value, valueSize } from "./value.ts";

const USER_DATA = 0;
const DHT_MESSAGE = 1;
/** Its policy rewrites the address in it; nobody in this network uses it, so it is refused (12). */
const IP_SERVICE = 2;

/** Milliseconds a value lives after it was put or refreshed; that of type 0 for encrypted ones. */
export function lifetime(value: Value): number {
  const type = value.cypher ? USER_DATA : value.type;
  return LIFETIMES.get(type) ?? LIFETIMES.get(USER_DATA) ?? 0;
}

/** Would a storage node take this value under a new (key, id)? Signatures are checked before. */
export function mayStore(key: InfoHash, value: Value): boolean {
  if (value.id === 0n || valueSize(value) > MAX_VALUE_BYTES) return false;
  if (value.cypher) return true;
  switch (value.type) {
    case DHT_MESSAGE:
      return value.owner !== undefined || hasService(value);
    case IP_SERVICE:
      return false;
    case CERTIFICATE_TYPE: {
      const leaf = certificateKey(value);
      return leaf !== null && certificateKeys(leaf).includes(key);
    }
  }
  return true;
}

/** May `next` take the place of the different value `old` of the same key and id? Signatures are checked before. */
export function mayReplace(key: InfoHash, old: Value, next: Value): boolean {
  if (!mayStore(key, next)) return false;
  if (!old.cypher && !next.cypher && old.type === CERTIFICATE_TYPE && next.type === CERTIFICATE_TYPE) {
    const leaf = certificateKey(old);
    return leaf !== null && certificateKey(next)?.id === leaf.id;
  }
  if (old.cypher || next.cypher || !old.owner || !next.owner) return false;
  if (!equal(old.owner.spki, next.owner.spki)) return false;
  const [before, after] = [old.seq ?? 0, next.seq ?? 0];
  return after > before || (after === before && equal(signedBytes(old), signedBytes(next)));
}

/** Same content: the lifetime starts again, nothing else changes. */
export function isSame(a: Value, b: Value): boolean {
  return contentDigest(a) === contentDigest(b);
}

function hasService(value: Value): boolean {
  try {
    const message = decode(value.data);
    return Array.isArray(message) && typeof message[0] === "string" && message[0] !== "";
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
