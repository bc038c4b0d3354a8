/** Trust requests: "be my contact", sent to each device's inbox on the DHT (account.md 6.1). */

import type { Bytes } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asBytes, asMap, asText, decode, encode } from "../base/msgpack.ts";
import { MAX_REQUEST_PAYLOAD } from "./constants.ts";

/** The DHT value type of a trust request, inside its encryption. */
export const TRUST_REQUEST_TYPE = 4;

export interface TrustRequest {
  /** The one-to-one conversation offered, 40 hex digits, or "" from peers without swarms. */
  conversation: string;
  /** The sender's vCard, may be empty. */
  payload: Bytes;
  /** Is it the answer to a request of ours? */
  confirm: boolean;
  /** When the sender first asked (ms since 1970); 0 or absent when unknown. */
  invitedMs?: number;
}

/** The packed form, keys in the order of account.md 6.1. */
export function encodeTrustRequest(request: TrustRequest): Bytes {
  return encode({
    service: "cx.ring",
    conversationId: request.conversation,
    payload: request.payload,
    confirm: request.confirm,
    invitedMs: request.invitedMs,
  });
}

/**
 * Reads a packed trust request.
 * @throws {ProtocolError} when it is none, or is of another service
 */
export function decodeTrustRequest(bytes: Uint8Array): TrustRequest {
  const map = asMap(decode(bytes), "trust request");
  if (asText(map.get("service"), "service") !== "cx.ring") throw new ProtocolError("trust request", "another service");
  const conversation = asText(map.get("conversationId") ?? "", "conversationId");
  if (conversation !== "" && !/^[0-9a-f]{40}$/.test(conversation)) {
    throw new ProtocolError("trust request", "malformed conversation id");
  }
  const payload = asBytes(map.get("payload") ?? new Uint8Array(), "payload");
  const invited = map.get("invitedMs");
  return {
    conversation,
    payload: payload.length < MAX_REQUEST_PAYLOAD ? payload : new Uint8Array(),
    confirm: map.get("confirm") === true,
    invitedMs: typeof invited === "number" && Number.isSafeInteger(invited) && invited >= 0 ? invited : undefined,
  };
}
