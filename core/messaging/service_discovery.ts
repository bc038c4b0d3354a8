/**
 * `svcdisc://query` (connection.md 9): today's peers ask each new connection for offered services. We answer that there are none: it
 * costs 105 bytes, and a peer that is declined would ask again on each connection.
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError } from "../base/errors.ts";
import { asMap, asText, type Decoded, encode, Unpacker } from "../base/msgpack.ts";
import type { DeviceId } from "../identity/ids.ts";
import type { Channel } from "../transport/channel.ts";
import { ChannelWriter } from "./channel_writer.ts";
import { SERVICE_QUERY_COUNT, SERVICE_QUERY_MAX } from "./constants.ts";

const log = getLogger(["kituo", "messaging"]);

/** The question for the services of a peer. */
export function encodeServiceQuery(): Bytes {
  return encode({ v: 1, type: "query" });
}

/** The answer of a device that offers none. */
export function encodeServiceList(device: DeviceId): Bytes {
  return encode({ v: 1, type: "service_list", device, services: [] });
}

/**
 * Is the value a question for services? Other messages are to be ignored.
 * @throws {ProtocolError} when it is no map with a type
 */
export function isServiceQuery(value: Decoded): boolean {
  return asText(asMap(value, "message").get("type"), "type") === "query";
}

/** Answers the questions of one channel, and closes it after the last one that is allowed or when garbage comes. Never throws. */
export async function answerServiceQueries(channel: Channel, device: DeviceId, clock: Clock): Promise<void> {
  const writer = new ChannelWriter(channel, clock);
  const unpacker = new Unpacker(SERVICE_QUERY_MAX, SERVICE_QUERY_MAX / 8);
  let left = SERVICE_QUERY_COUNT;
  try {
    for await (const chunk of channel.readable) {
      for (const value of unpacker.push(chunk)) {
        if (left-- > 0 && isServiceQuery(value)) await writer.write(encodeServiceList(device));
      }
      if (left <= 0) break;
    }
  } catch (error) {
    if (!(error instanceof KituoError)) log.error("answering for services failed: {error}", { error });
    else log.info("service channel with {peer} closed: {reason}", { peer: channel.peer.device, reason: error.message });
  }
  channel.close();
}
