/** What the DHT stores: values, and their exact bytes (opendht.md 3). */

import { createHash } from "node:crypto";
import { type Bytes, owned, utf8 } from "../base/bytes.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import {
  asBytes,
  asMap,
  asText,
  asUint,
  asUint64,
  decode,
  type Decoded,
  type Encodable,
  encode,
} from "../base/msgpack.ts";
import { PublicKey } from "../identity/keys.ts";
import { HASH_BYTES, type InfoHash } from "./info_hash.ts";

/**
 * One value. Plain, signed (`owner`, `seq` and `signature` together), or encrypted (`cypher`; nothing else can be
 * seen).
 */
export interface Value {
  /** Chosen by the publisher, unique per key; 0 only until it is put. */
  readonly id: bigint;
  /** Decides lifetime and policies (5.1); 0 when encrypted. */
  readonly type: number;
  readonly data: Bytes;
  readonly userType?: string;
  readonly owner?: PublicKey;
  /** Version of a signed value. */
  readonly seq?: number;
  /** Key id of the recipient, inside an encrypted value. */
  readonly to?: InfoHash;
  readonly signature?: Bytes;
  /** Push priority: 0 (high) when absent. Neither signed nor encrypted. */
  readonly priority?: number;
  /** What a push notification is about. Neither signed nor encrypted. */
  readonly pushType?: string;
  /** The encrypted content: then only `id`, `priority` and `pushType` mean anything besides. */
  readonly cypher?: Bytes;
}

const NO_BYTES: Bytes = new Uint8Array(0);

/** The packed bytes of a value (3.1). */
export function packValue(value: Value): Bytes {
  return encode(valueFields(value));
}

/**
 * The value of packed bytes.
 * @throws {ProtocolError} when they are not a value that can be used: also when it has an owner but no signature, or
 * an owner key not of this network
 */
export function unpackValue(bytes: Uint8Array): Value {
  return readValue(decode(bytes));
}

/** The value as it stands inside a packet. */
export function valueFields(value: Value): Encodable {
  return {
    id: value.id,
    dat: value.cypher ?? contentFields(value),
    p: value.priority || undefined,
    pt: value.pushType || undefined,
  };
}

/** Body and signature: what an encrypted value holds in its cypher. */
export function contentFields(value: Value): { [key: string]: Encodable | undefined } {
  return { body: bodyFields(value), sig: value.signature };
}

/** The bytes that the signature covers (4.1): the canonical body. */
export function signedBytes(value: Value): Bytes {
  return encode(bodyFields(value));
}

function bodyFields(value: Value): Encodable {
  const signed = value.owner !== undefined;
  return {
    seq: signed ? value.seq ?? 0 : undefined,
    owner: value.owner?.spki,
    to: signed && value.to ? owned(Uint8Array.fromHex(value.to)) : undefined,
    type: value.type,
    data: value.data,
    utype: value.userType || undefined,
  };
}

/** A value decoded from a packet. @throws {ProtocolError} as `unpackValue` */
export function readValue(decoded: Decoded): Value {
  const map = asMap(decoded, "value");
  const id = asUint64(map.get("id"), "value id");
  const priority = map.has("p") ? asUint(map.get("p"), "priority") : 0;
  const pushType = map.has("pt") ? asText(map.get("pt"), "push type") : "";
  const dat = map.get("dat");
  const outer = { ...(priority ? { priority } : {}), ...(pushType ? { pushType } : {}) };
  if (dat instanceof Map) return { id, ...readContent(dat), ...outer };
  return { id, type: 0, data: NO_BYTES, cypher: blob(dat, "cypher"), ...outer };
}

/** Body and signature, as they stand in a value or in its decrypted cypher. @throws {ProtocolError} */
export function readContent(content: Map<Decoded, Decoded>): Omit<Value, "id"> {
  const body = asMap(content.get("body"), "body");
  const userType = body.has("utype") ? asText(body.get("utype"), "user type") : "";
  const plain = {
    type: asUint(body.get("type"), "type", 0xffff),
    data: blob(body.get("data"), "data"),
    ...(userType ? { userType } : {}),
  };
  if (!body.has("owner")) return plain;
  return {
    ...plain,
    owner: readOwner(blob(body.get("owner"), "owner")),
    seq: asUint(body.get("seq"), "seq", 0xffff),
    signature: blob(content.get("sig"), "signature"),
    ...(body.has("to") ? { to: readHash(body.get("to"), "recipient") } : {}),
  };
}

function readOwner(spki: Bytes): PublicKey {
  try {
    return PublicKey.fromSpki(spki);
  } catch (error) {
    throw new ProtocolError("dht value", `owner: ${messageOf(error)}`);
  }
}

/** 20 bytes of msgpack bin as an InfoHash. @throws {ProtocolError} for anything else */
export function readHash(decoded: Decoded | undefined, what: string): InfoHash {
  const bytes = asBytes(decoded, what);
  if (bytes.length !== HASH_BYTES) throw new ProtocolError("dht", `${what} is not ${HASH_BYTES} bytes`);
  return bytes.toHex();
}

/**
 * Bytes as any peer writes them: bin, str, or an array of small integers (1). @throws {ProtocolError} for anything
 * else
 */
export function blob(decoded: Decoded | undefined, what: string): Bytes {
  if (typeof decoded === "string") return utf8(decoded);
  if (Array.isArray(decoded)) return Uint8Array.from(decoded, (item) => asUint(item, what, 0xff));
  return asBytes(decoded, what);
}

/** What the size limit of stored values counts (2.8). */
export function valueSize(value: Value): number {
  return (value.cypher?.length ?? 0) + value.data.length + (value.signature?.length ?? 0) +
    utf8(value.userType ?? "").length + utf8(value.pushType ?? "").length;
}

const digests = new WeakMap<Value, string>();

/** Equal for values of the same content (3.1): same cypher, or same owner, type, data, user type and signature. */
export function contentDigest(value: Value): string {
  const known = digests.get(value);
  if (known) return known;
  const { cypher, owner, type, data, userType = "", signature } = value;
  const content = cypher ?? [owner?.spki ?? null, type, data, userType, (owner && signature) ?? null];
  const digest = createHash("sha256").update(encode(content)).digest("base64");
  digests.set(value, digest);
  return digest;
}

/** Equal for values of the same id and content. */
export function valueKey(value: Value): string {
  return `${value.id}/${contentDigest(value)}`;
}
