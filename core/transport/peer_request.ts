/** The body of a signalling value: a connection request or its answer (connection.md 2.2). */

import { type Bytes, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asMap, asText, asUint64, decode, encode } from "../base/msgpack.ts";
import { MAX_CONN_TYPE, MAX_ICE_TEXT, MAX_SIGNALLING_VALUE } from "./constants.ts";

/** `user_type` of the DHT values that carry signalling. */
export const PEER_REQUEST_TYPE = "peer_request";

/** A request (`isAnswer` false) or the answer with the same id. */
export interface PeerRequest {
  /** Connection id, chosen by the requester. */
  id: bigint;
  /** The ICE text of section 3. */
  iceText: string;
  isAnswer: boolean;
  /** Reason, for push notifications; empty in answers. */
  connType: string;
}

/** The bytes of a request, in the peers' order of keys. */
export function encodePeerRequest(request: PeerRequest): Bytes {
  return encode({
    id: request.id,
    ice_msg: request.iceText,
    isAnswer: request.isAnswer,
    connType: request.connType,
  });
}

/**
 * Reads a request; entries are found by name, others are ignored.
 * @throws {ProtocolError}
 */
export function decodePeerRequest(bytes: Uint8Array): PeerRequest {
  if (bytes.length > MAX_SIGNALLING_VALUE) throw new ProtocolError("peer request", "too long");
  const map = asMap(decode(bytes), "peer request");
  const id = asUint64(map.get("id"), "id");
  if (id === 0n) throw new ProtocolError("peer request", "id is 0");
  const isAnswer = map.get("isAnswer");
  if (typeof isAnswer !== "boolean") throw new ProtocolError("peer request", "isAnswer is not a boolean");
  return {
    id,
    iceText: short(map.get("ice_msg"), "ice_msg", MAX_ICE_TEXT),
    isAnswer,
    connType: short(map.get("connType") ?? "", "connType", MAX_CONN_TYPE),
  };
}

function short(value: Parameters<typeof asText>[0], what: string, limit: number): string {
  const text = asText(value, what);
  if (utf8(text).length > limit) throw new ProtocolError("peer request", `${what} over ${limit} bytes`);
  return text;
}
