/** What a device that links and one that is linked say over an `auth:` channel (account.md 9.2): msgpack maps of a scheme and a payload. */

import type { Clock } from "../base/clock.ts";
import { KituoError, ProtocolError } from "../base/errors.ts";
import { within } from "../base/limits.ts";
import { asMap, asText, asUint, type Decoded, encode, Unpacker } from "../base/msgpack.ts";
import type { Channel } from "../transport/channel.ts";
import { ChannelWriter } from "./channel_writer.ts";
import { LINK_MAX_QUEUE, LINK_MAX_VALUES } from "./constants.ts";

/** What is said: texts by their names. */
export type LinkPayload = ReadonlyMap<string, string>;

/** The other side has ended the channel. */
export class LinkEnded extends KituoError {}

/** The other side says that it ends the exchange: "TIMEOUT" or "CANCELED". */
export class LinkStopped extends KituoError {
  constructor(readonly why: string) {
    super(`the other side says ${why}`);
  }
}

/** The bytes of one message. */
export function encodeLink(payload: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  return encode({ schemeId: 0, payload });
}

/**
 * The message in a msgpack value.
 * @throws {ProtocolError} when it is none, or of another scheme
 */
export function readLink(value: Decoded): LinkPayload {
  const map = asMap(value, "link message");
  if (asUint(map.get("schemeId"), "schemeId") !== 0) throw new ProtocolError("link", "another scheme");
  const payload = asMap(map.get("payload"), "payload");
  return new Map([...payload].map(([key, text]) => [asText(key, "key"), asText(text, "value")]));
}

/** One exchange over one channel, one message after the other. */
export class LinkChannel {
  readonly #writer: ChannelWriter;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #unpacker: Unpacker;
  readonly #read: Decoded[] = [];

  /** @param limit bytes of the largest message that is taken */
  constructor(readonly channel: Channel, private readonly clock: Clock, limit: number) {
    this.#writer = new ChannelWriter(channel, clock, LINK_MAX_QUEUE);
    this.#reader = channel.readable.getReader();
    this.#unpacker = new Unpacker(limit, LINK_MAX_VALUES);
  }

  /** @throws {KituoError} when the channel has ended, or the peer does not read */
  async send(payload: Readonly<Record<string, string>>): Promise<void> {
    await this.#writer.write(encodeLink(payload));
  }

  /**
   * The next message.
   * @throws {TimeoutError} @throws {ProtocolError} @throws {LinkEnded} @throws {LinkStopped}
   */
  async receive(patience: number): Promise<LinkPayload> {
    const payload = readLink(await within(this.clock, patience, "link message", this.#next()));
    const stopped = payload.get("stateMsg");
    if (stopped !== undefined) throw new LinkStopped(/^[A-Z]{1,16}$/.test(stopped) ? stopped : "something else");
    return payload;
  }

  close(): void {
    this.channel.close();
  }

  async #next(): Promise<Decoded> {
    while (this.#read.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) throw new LinkEnded("the other side has ended the exchange");
      this.#read.push(...this.#unpacker.push(value));
    }
    return this.#read.shift() ?? null;
  }
}
