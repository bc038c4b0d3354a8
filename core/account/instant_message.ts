/** Messages that 2023's daemons leave in the inbox on the DHT when no channel is open yet (swarm-sync.md 3.7). */

import type { Bytes } from "../base/bytes.ts";
import { asMap, asText, asUint64, decode, encode } from "../base/msgpack.ts";
import { MAX_INSTANT_MESSAGE } from "./constants.ts";
import { ProtocolError } from "../base/errors.ts";

/** The DHT value type of an instant message, inside its encryption. */
export const INSTANT_MESSAGE_TYPE = 3;

export interface InstantMessage {
  /** The sender's number for it: the same as on a channel, so that it counts once. */
  id: bigint;
  /** The text; empty in an acknowledgement. */
  body: string;
  /** MIME type. */
  type: string;
  /** When it was sent, seconds since 1970. */
  date: number;
}

/** The packed form, keys in the daemon's order. */
export function encodeInstantMessage({ id, body, type, date }: InstantMessage): Bytes {
  return encode({ id, msg: body, date, status: 0, datatype: type, metadatas: {} });
}

/**
 * Reads a packed instant message.
 * @throws {ProtocolError} when it is none
 */
export function decodeInstantMessage(bytes: Uint8Array): InstantMessage {
  if (bytes.length > MAX_INSTANT_MESSAGE) throw new ProtocolError("instant message", "too long");
  const map = asMap(decode(bytes), "instant message");
  const date = map.get("date");
  return {
    id: asUint64(map.get("id"), "id"),
    body: asText(map.get("msg") ?? "", "msg"),
    type: asText(map.get("datatype") || "text/plain", "datatype"),
    date: typeof date === "number" && Number.isSafeInteger(date) ? date : 0,
  };
}
