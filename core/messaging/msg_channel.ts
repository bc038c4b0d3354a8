/** Messages of a `msg:` channel (swarm-sync.md 3.6): a stream of msgpack maps, never answered. */

import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { ProtocolError } from "../base/errors.ts";
import { asMap, asText, asUint64, type Decoded, encode, Unpacker } from "../base/msgpack.ts";
import type { Random } from "../base/random.ts";
import type { Channel } from "../transport/channel.ts";
import { getLogger } from "@logtape/logtape";
import { ChannelWriter } from "./channel_writer.ts";
import { LimitError } from "../base/errors.ts";
import { MAX_MIME_TYPE, MAX_REFUSED, MSG_MAX, MSG_MAX_VALUES } from "./constants.ts";

const log = getLogger(["kituo", "messaging"]);

/** One message: a random number that nobody checks, a MIME type and a text. */
export interface MsgMessage {
  id: bigint;
  type: string;
  body: string;
}

/** The bytes of a message. */
export function encodeMsg(message: MsgMessage): Bytes {
  return encode({ id: message.id, t: message.type, c: message.body, req: null });
}

/**
 * The message in a msgpack value. Missing keys have their defaults, unknown ones are ignored.
 * @throws {ProtocolError} when it is no map or a value has the wrong type
 */
export function readMsg(value: Decoded): MsgMessage {
  const map = asMap(value, "message");
  const request = map.get("req") ?? null;
  if (request !== null) asMap(request, "req"); // Never sent today; a map is allowed, and ignored.
  const type = asText(map.get("t") ?? "", "t");
  if (type.length > MAX_MIME_TYPE) throw new ProtocolError("msg", "MIME type too long");
  return { id: asUint64(map.get("id") ?? 0, "id"), type, body: asText(map.get("c") ?? "", "c") };
}

export interface MsgChannelOptions {
  clock: Clock;
  random: Random;
  onMessage(message: MsgMessage): void;
  /** May one more message, with a text of `length`, be taken? Otherwise it is dropped. */
  admit?(length: number): boolean;
}

/** Sends and receives messages over one `msg:` channel, whoever opened it. It takes both streams of the channel. */
export class MsgChannel {
  /** Resolves when the channel is of no use any more. */
  readonly closed: Promise<void>;
  #writer: ChannelWriter;
  #ended = false;
  #refused = 0;

  constructor(readonly channel: Channel, private readonly options: MsgChannelOptions) {
    this.#writer = new ChannelWriter(channel, options.clock);
    this.closed = channel.closed.then(() => void (this.#ended = true));
    this.#read();
  }

  /** Is the channel still of use? */
  get live(): boolean {
    return !this.#ended;
  }

  /**
   * Writes one text; resolves when the channel has taken it, which says nothing about the peer.
   * @throws {LimitError} longer than the limit: the channel goes on
   * @throws {LimitError | TimeoutError | ChannelEnded} as {@link ChannelWriter.write}: the channel is closed
   */
  async send(message: { type: string; body: string; id?: bigint }): Promise<void> {
    // 53 bits, as the peers' tokens have (2.4).
    const id = message.id ?? (this.options.random.id() >> 11n || 1n);
    const bytes = encodeMsg({ id, type: message.type, body: message.body });
    if (bytes.length > MSG_MAX) throw new LimitError("msg message", `${bytes.length} bytes`);
    await this.#writer.write(bytes);
  }

  /** Ends the channel. */
  close(): void {
    this.#ended = true;
    this.channel.close();
  }

  async #read(): Promise<void> {
    const unpacker = new Unpacker(MSG_MAX, MSG_MAX_VALUES);
    try {
      for await (const chunk of this.channel.readable) {
        for (const value of unpacker.push(chunk)) this.#handle(readMsg(value));
        if (this.#ended) break;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error("reading a msg channel failed: {error}", { error });
      else {log.info("msg channel with {peer} closed: {reason}", {
          peer: this.channel.peer.device,
          reason: error.message,
        });}
    }
    this.close();
  }

  #handle(message: MsgMessage): void {
    if (this.options.admit && !this.options.admit(message.body.length)) {
      if (++this.#refused >= MAX_REFUSED) throw new ProtocolError("msg", "too many messages");
      return;
    }
    this.#refused = 0;
    this.options.onMessage(message);
  }
}
