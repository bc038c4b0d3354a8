/** The messages of the multiplexed socket (connection.md 6.1, 6.2). */

import { type Bytes, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { type Decoded, decodeFirst, encode, Unpacker } from "../base/msgpack.ts";
import { MAX_MESSAGE, MAX_NAME, MAX_PACKED_MESSAGE, PROTOCOL_CHANNEL } from "./constants.ts";

/** One message: data for a channel; no data ends the channel. */
export interface MuxMessage {
  channel: number;
  data: Bytes;
}

export const ChannelState = { request: 0, accept: 1, decline: 2 } as const;

/** What the control and the protocol channel say. */
export type ControlMessage =
  | { kind: "channel"; name: string; channel: number; state: number }
  | { kind: "version"; version: number }
  | { kind: "beacon"; request: boolean };

/** The bytes of a message: `[channel, data]`. `data` has at most 65,535 bytes. */
export function packMessage(channel: number, data: Uint8Array): Bytes {
  return encode([channel, data]);
}

/** The data of a channel request or its answer. */
export function packChannelMessage(name: string, channel: number, state: number): Bytes {
  return encode([name, channel, state]);
}

/** The message that says which version we speak; 1 and more understand beacons. */
export const VERSION_MESSAGE: Bytes = packMessage(PROTOCOL_CHANNEL, encode({ v: 1 }));
export const BEACON_REQUEST: Bytes = packMessage(PROTOCOL_CHANNEL, encode({ p: true }));
export const BEACON_ANSWER: Bytes = packMessage(PROTOCOL_CHANNEL, encode({ p: false }));

/** Finds the messages in a stream that TLS cuts anywhere. */
export class MessageReader {
  readonly #unpacker = new Unpacker(MAX_PACKED_MESSAGE);

  /**
   * The messages that are complete now; msgpack values that are no messages are skipped.
   * @throws {ProtocolError} when the stream is not msgpack or a message is too large; it is of no use afterwards
   */
  push(chunk: Uint8Array): MuxMessage[] {
    return this.#unpacker.push(chunk).flatMap((value) => {
      if (!Array.isArray(value) || value.length !== 2) return [];
      const [channel, data] = value;
      if (typeof channel !== "number" || !Number.isInteger(channel) || channel < 0 || channel > 65_535) return [];
      if (!(data instanceof Uint8Array)) return [];
      if (data.length > MAX_MESSAGE) throw new ProtocolError("mux", `message of ${data.length} bytes`);
      return [{ channel, data }];
    });
  }
}

/**
 * What the data of one message on channel 0 or 65535 says: one or several values one after the other; unknown ones are skipped.
 * @throws {ProtocolError} on anything but msgpack, and on names over 1024 bytes
 */
export function parseControl(data: Uint8Array): ControlMessage[] {
  const out: ControlMessage[] = [];
  for (let at = 0; at < data.length;) {
    const { value, end } = decodeFirst(data, at);
    at = end;
    const message = controlMessage(value);
    if (message) out.push(message);
  }
  return out;
}

function controlMessage(value: Decoded): ControlMessage | null {
  if (value instanceof Map) {
    const version = value.get("v"), beacon = value.get("p");
    if (typeof version === "number") return { kind: "version", version };
    return typeof beacon === "boolean" ? { kind: "beacon", request: beacon } : null;
  }
  if (!Array.isArray(value) || value.length !== 3) return null;
  const [name, channel, state] = value;
  if (typeof name !== "string" || typeof channel !== "number" || typeof state !== "number") return null;
  if (!Number.isInteger(channel) || channel < 0 || channel > 65_535) return null;
  if (utf8(name).length > MAX_NAME) throw new ProtocolError("mux", "channel name too long");
  return { kind: "channel", name, channel, state };
}
