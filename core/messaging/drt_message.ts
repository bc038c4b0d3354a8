/** Messages of the distributed routing table on `swarm://` channels (swarm-sync.md 5.1, 5.5). */

import { type Bytes, fromHex, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asBytes, decode, type Decoded, type Encodable, encode } from "../base/msgpack.ts";
import { type AccountId, type DeviceId, isDeviceId } from "../identity/ids.ts";
import type { ConversationId } from "./channel_name.ts";
import {
  DRT_MAX,
  DRT_MAX_CERT,
  DRT_MAX_CERT_IDS,
  DRT_MAX_CERTS,
  DRT_MAX_MOBILE_INFOS,
  DRT_MAX_NODES,
  LEASE_MAX_CONVERSATION,
  LEASE_MAX_SIGNATURE,
} from "./constants.ts";
import { Fields, hexId } from "./msgpack_map.ts";

/** Query number of a request that asks for the nodes nearest to an id. */
export const FIND = 1;
/** Query number of the answer. */
export const FOUND = 2;

export interface DrtMessage {
  version: number;
  isMobile: boolean;
  selfMobileInfo: MobileNodeInfo | null;
  request: DrtRequest | null;
  response: DrtResponse | null;
  certRequest: readonly DeviceId[] | null;
  /** Certificates in DER form. */
  certResponse: readonly Bytes[] | null;
}

export interface DrtRequest {
  /** {@link FIND}; others are to be ignored. */
  query: number;
  /** How many nodes are wanted. */
  count: number;
  node: DeviceId;
}

export interface DrtResponse {
  /** {@link FOUND}. */
  query: number;
  nodes: readonly DeviceId[];
  mobileNodes: readonly DeviceId[];
  mobileNodeInfos: readonly MobileNodeInfo[];
}

export interface MobileNodeInfo {
  id: DeviceId;
  lease: Lease | null;
}

/** A mobile device's signed word that it belongs to a conversation for some time. Times are seconds since 1970. */
export interface Lease {
  formatVersion: number;
  conversation: ConversationId;
  issuer: AccountId;
  device: DeviceId;
  issuedAt: number;
  expiresAt: number;
  signature: Bytes;
}

/** The bytes of a message, all keys in the peers' order. */
export function encodeDrt(message: DrtMessage): Bytes {
  const { request, response } = message;
  return encode({
    v: message.version,
    is_mobile: message.isMobile,
    self_mobile_info: message.selfMobileInfo && writeInfo(message.selfMobileInfo),
    request: request && { q: request.query, num: request.count, nodeId: fromHex(request.node) },
    response: response && {
      q: response.query,
      nodes: response.nodes.map(fromHex),
      mobile_nodes: response.mobileNodes.map(fromHex),
      mobile_node_infos: response.mobileNodeInfos.map(writeInfo),
    },
    cert_request: message.certRequest && { ids: message.certRequest.map(fromHex) },
    cert_response: message.certResponse && { certificates: message.certResponse },
  });
}

function writeInfo({ id, lease }: MobileNodeInfo): Encodable {
  return { id: fromHex(id), lease: lease && writeLease(lease) };
}

function writeLease(lease: Lease): Encodable {
  return {
    format_version: lease.formatVersion,
    conversation_id: lease.conversation,
    issuer_id: fromHex(lease.issuer),
    device_id: fromHex(lease.device),
    issued_at: lease.issuedAt,
    expires_at: lease.expiresAt,
    signature: lease.signature,
  };
}

/** The bytes of a lease alone, to be kept. */
export function encodeLease(lease: Lease): Bytes {
  return encode(writeLease(lease));
}

/** The lease that was kept. @throws {ProtocolError} */
export function decodeLease(bytes: Uint8Array): Lease {
  return readLease(decode(bytes));
}

/** The bytes that the device of a lease signs. */
export function leasePayload(lease: Lease): Bytes {
  const { formatVersion, conversation, issuer, device, issuedAt, expiresAt } = lease;
  return encode(["DRT-MOBILE", formatVersion, conversation, fromHex(issuer), device, issuedAt, expiresAt]);
}

/**
 * The message that `bytes` hold.
 * @throws {ProtocolError} when it is not one
 */
export function decodeDrt(bytes: Uint8Array): DrtMessage {
  if (bytes.length > DRT_MAX) throw new ProtocolError("drt", "too long");
  return readDrt(decode(bytes));
}

/**
 * The message in a msgpack value. Keys come in any order; missing ones are nil or 0, as with peers before version 3.
 * @throws {ProtocolError} when a value has the wrong type or a list is too long
 */
export function readDrt(value: Decoded): DrtMessage {
  const fields = new Fields(value, "message");
  return {
    version: fields.uint("v"),
    isMobile: fields.flag("is_mobile"),
    selfMobileInfo: fields.has("self_mobile_info") ? readInfo(fields.raw("self_mobile_info")) : null,
    request: fields.has("request") ? readRequest(fields.raw("request")) : null,
    response: fields.has("response") ? readResponse(fields.raw("response")) : null,
    certRequest: fields.has("cert_request")
      ? readIds(new Fields(fields.raw("cert_request"), "cert_request"), "ids", DRT_MAX_CERT_IDS)
      : null,
    certResponse: fields.has("cert_response") ? readCertificates(fields.raw("cert_response")) : null,
  };
}

function readRequest(value: Decoded): DrtRequest {
  const fields = new Fields(value, "request");
  const query = fields.uint("q");
  // The parameters of another query are unknown: they must not make the whole message fail.
  if (query !== FIND) return { query, count: 0, node: "0".repeat(64) };
  return { query, count: fields.uint("num"), node: hexId(fields.raw("nodeId"), 32, "nodeId") };
}

function readResponse(value: Decoded): DrtResponse {
  const fields = new Fields(value, "response");
  return {
    query: fields.uint("q"),
    nodes: readIds(fields, "nodes", DRT_MAX_NODES),
    mobileNodes: readIds(fields, "mobile_nodes", DRT_MAX_NODES),
    mobileNodeInfos: fields.list("mobile_node_infos", DRT_MAX_MOBILE_INFOS).map(readInfo),
  };
}

function readIds(fields: Fields, key: string, max: number): DeviceId[] {
  return fields.list(key, max).map((id) => hexId(id, 32, key));
}

function readInfo(value: Decoded): MobileNodeInfo {
  const fields = new Fields(value, "mobile node");
  return {
    id: hexId(fields.raw("id"), 32, "id"),
    lease: fields.has("lease") ? readLease(fields.raw("lease")) : null,
  };
}

function readLease(value: Decoded): Lease {
  const fields = new Fields(value, "lease");
  const lease: Lease = {
    formatVersion: fields.uint("format_version"),
    conversation: fields.text("conversation_id"),
    issuer: hexId(fields.raw("issuer_id"), 20, "issuer_id"),
    device: hexId(fields.raw("device_id"), 32, "device_id"),
    issuedAt: fields.uint("issued_at"),
    expiresAt: fields.uint("expires_at"),
    signature: fields.bytes("signature"),
  };
  if (utf8(lease.conversation).length > LEASE_MAX_CONVERSATION || lease.signature.length > LEASE_MAX_SIGNATURE) {
    throw new ProtocolError("drt", "lease too long");
  }
  return lease;
}

function readCertificates(value: Decoded): Bytes[] {
  const list = new Fields(value, "cert_response").list("certificates", DRT_MAX_CERT_IDS);
  const certificates = list.map((item) => asBytes(item, "certificate"));
  const total = certificates.reduce((sum, certificate) => sum + certificate.length, 0);
  if (certificates.some((c) => c.length > DRT_MAX_CERT) || total > DRT_MAX_CERTS) {
    throw new ProtocolError("drt", "certificates too long");
  }
  return certificates;
}

/** The `count` ids that are nearest to `target` by XOR, nearest first. */
export function nearest(ids: Iterable<DeviceId>, target: DeviceId, count: number): DeviceId[] {
  if (!isDeviceId(target)) return [];
  const to = BigInt(`0x${target}`);
  return [...ids]
    .map((id) => ({ id, distance: BigInt(`0x${id}`) ^ to }))
    .sort((a, b) => a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0)
    .slice(0, count)
    .map(({ id }) => id);
}
