/** STUN messages as ICE over TCP uses them: codec, short-term integrity, fingerprint (connection.md 4.3, RFC 5389). */

import { createHmac, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { isIPv4 } from "node:net";
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";

export const StunType = {
  request: 0x0001,
  indication: 0x0011,
  success: 0x0101,
  error: 0x0111,
} as const;

export const StunAttribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** An attribute without its padding. */
export interface StunAttr {
  type: number;
  value: Bytes;
}

export interface StunMessage {
  type: number;
  /** 12 bytes. */
  transactionId: Bytes;
  /** In order, MESSAGE-INTEGRITY and FINGERPRINT not included when encoding. */
  attributes: StunAttr[];
}

const HEADER = 20;
const COOKIE = 0x2112a442;
const FINGERPRINT_XOR = 0x5354554e;
const INTEGRITY_SIZE = 4 + 20;
const FINGERPRINT_SIZE = 4 + 4;

/** Is this frame STUN, and not application data (4.2)? */
export function isStun(frame: Uint8Array): boolean {
  if (frame.length < HEADER || (frame[0] & 0xc0) !== 0) return false;
  const view = viewOf(frame);
  return view.getUint32(4) === COOKIE && view.getUint16(2) + HEADER === frame.length;
}

/**
 * The bytes of a message, with FINGERPRINT, and with MESSAGE-INTEGRITY when a key is given.
 * @param key the ICE password of the receiver of the request, for requests and responses alike
 */
export function encodeStun(message: StunMessage, key?: string): Bytes {
  const parts: Bytes[] = [new Uint8Array(HEADER)];
  const head = viewOf(parts[0]);
  head.setUint16(0, message.type);
  head.setUint32(4, COOKIE);
  parts[0].set(message.transactionId, 8);
  for (const { type, value } of message.attributes) parts.push(packAttribute(type, value));
  const lengthWith = (extra: number) => {
    head.setUint16(2, parts.reduce((n, p) => n + p.length, 0) - HEADER + extra);
  };
  if (key !== undefined) {
    lengthWith(INTEGRITY_SIZE);
    parts.push(packAttribute(StunAttribute.messageIntegrity, hmac(key, ...parts)));
  }
  lengthWith(FINGERPRINT_SIZE);
  parts.push(packAttribute(StunAttribute.fingerprint, fingerprintOf(concat(...parts))));
  return concat(...parts);
}

function packAttribute(type: number, value: Uint8Array): Bytes {
  const out = new Uint8Array(4 + Math.ceil(value.length / 4) * 4);
  const view = viewOf(out);
  view.setUint16(0, type);
  view.setUint16(2, value.length);
  out.set(value, 4);
  return out;
}

/**
 * Reads a message; attribute values are copies.
 * @throws {ProtocolError}
 */
export function decodeStun(bytes: Uint8Array): StunMessage {
  if (!isStun(bytes)) throw new ProtocolError("stun", "no STUN header");
  const view = viewOf(bytes);
  const attributes: StunAttr[] = [];
  let at = HEADER;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new ProtocolError("stun", "attribute header cut off");
    const length = view.getUint16(at + 2);
    if (at + 4 + length > bytes.length) throw new ProtocolError("stun", "attribute cut off");
    attributes.push({ type: view.getUint16(at), value: new Uint8Array(bytes.subarray(at + 4, at + 4 + length)) });
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { type: view.getUint16(0), transactionId: new Uint8Array(bytes.subarray(8, 20)), attributes };
}

/** The first attribute of a type. */
export function attributeOf(message: StunMessage, type: number): Bytes | undefined {
  return message.attributes.find((a) => a.type === type)?.value;
}

/** Where an attribute's header begins in the encoded message, or -1. */
function positionOf(bytes: Uint8Array, type: number): number {
  const view = viewOf(bytes);
  for (let at = HEADER; at + 4 <= bytes.length; at += 4 + Math.ceil(view.getUint16(at + 2) / 4) * 4) {
    if (view.getUint16(at) === type) return at;
  }
  return -1;
}

/** Was the message made by someone who knows the key? False when it has no MESSAGE-INTEGRITY. `bytes` must be STUN. */
export function hasIntegrity(bytes: Uint8Array, key: string): boolean {
  const at = positionOf(bytes, StunAttribute.messageIntegrity);
  if (at < 0 || at + INTEGRITY_SIZE > bytes.length || viewOf(bytes).getUint16(at + 2) !== 20) return false;
  const covered = new Uint8Array(bytes.subarray(0, at));
  // The header's length counts the integrity attribute and nothing after it.
  viewOf(covered).setUint16(2, at + INTEGRITY_SIZE - HEADER);
  return timingSafeEqual(hmac(key, covered), bytes.subarray(at + 4, at + INTEGRITY_SIZE));
}

/** Does the message end with a right FINGERPRINT? `bytes` must be STUN. */
export function hasFingerprint(bytes: Uint8Array): boolean {
  const at = positionOf(bytes, StunAttribute.fingerprint);
  if (at < 0 || at + FINGERPRINT_SIZE !== bytes.length) return false;
  return viewOf(bytes).getUint32(at + 4) === viewOf(fingerprintOf(bytes.subarray(0, at))).getUint32(0);
}

function hmac(key: string, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac("sha1", utf8(key));
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function fingerprintOf(before: Uint8Array): Bytes {
  return uint32((crc32(before) ^ FINGERPRINT_XOR) >>> 0);
}

/** Four big-endian bytes. */
export function uint32(value: number): Bytes {
  const out = new Uint8Array(4);
  viewOf(out).setUint32(0, value);
  return out;
}

/** The value of XOR-MAPPED-ADDRESS for an address without zone. */
export function xorMappedAddress(address: string, port: number, transactionId: Uint8Array): Bytes {
  const ip = isIPv4(address) ? Uint8Array.from(address.split("."), Number) : ipv6Bytes(address);
  const mask = concat(uint32(COOKIE), transactionId);
  const out = new Uint8Array(4 + ip.length);
  out[1] = ip.length === 4 ? 1 : 2;
  viewOf(out).setUint16(2, port ^ (COOKIE >>> 16));
  for (let i = 0; i < ip.length; i++) out[4 + i] = ip[i] ^ mask[i];
  return out;
}

function ipv6Bytes(address: string): Bytes {
  // The URL parser normalises every legal spelling, an embedded IPv4 address included.
  const [before, after] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string | undefined) => part ? part.split(":").map((g) => parseInt(g, 16)) : [];
  const left = groups(before), right = groups(after);
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Uint8Array.from(all.flatMap((g) => [g >> 8, g & 0xff]));
}

/** The value of ERROR-CODE. */
export function errorCode(code: number, reason: string): Bytes {
  return concat(Uint8Array.of(0, 0, Math.floor(code / 100), code % 100), utf8(reason));
}

/** The number in an ERROR-CODE value, or 0 when there is none. */
export function errorNumber(value: Uint8Array | undefined): number {
  return value && value.length >= 4 ? (value[2] & 7) * 100 + value[3] : 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
