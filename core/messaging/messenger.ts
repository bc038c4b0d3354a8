/**
 * Instant messages with connected devices, over whatever channel each understands (swarm-sync.md 0, 3): `msg:` if the device accepts it,
 * else `sip`; both are accepted from everybody; all are read, and any is written on.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { LimitError, messageOf, ProtocolError } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex, LruMap, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import { type Channel, ChannelDeclined, type Connection } from "../transport/channel.ts";
import { parseChannelName, writeChannelName } from "./channel_name.ts";
import { ChannelEnded } from "./channel_writer.ts";
import { MAX_CHANNELS, PEER_BURST, PEER_RATE, PEER_RATES_KEPT, PEER_UNIT, SEND_MAX_QUEUE } from "./constants.ts";
import { MsgChannel } from "./msg_channel.ts";
import { type Generation, type Payload, readPayload, writePayload } from "./payload.ts";
import { SipMessages } from "./sip_channel.ts";
import type { SipMessage } from "./sip_message.ts";
import type { MessagePart } from "./sip_multipart.ts";

const log = getLogger(["kituo", "messaging"]);

export interface MessengerOptions {
  clock: Clock;
  random: Random;
  /** Who we are. */
  identity: { account: AccountId; device: DeviceId; displayName?: string };
  /** Was this message of the account treated before? Asked once for each message; it must say yes the next time. */
  seen(account: AccountId, token: string): boolean;
  /** What each device understood last, kept over restarts. */
  generations: { get(device: DeviceId): Generation | undefined; set(device: DeviceId, generation: Generation): void };
  /** Takes what is no message on a `sip` channel, i.e. calls; then it must answer requests itself. */
  onOther?(channel: Channel, message: SipMessage, send: (message: SipMessage) => Promise<void>): void;
}

/** An incoming message. Who sent it says the certificate alone, not the payload. */
export interface IncomingMessage {
  peer: Peer;
  connection: Connection;
  payload: Payload;
  /** The sender's number for it; only `sip` messages are checked for repetition (3.2, 3.6). */
  token?: string;
}

/** A connection has got a message channel, whoever opened it, and had none before. */
export interface MessagingReady {
  peer: Peer;
  connection: Connection;
  via: Generation;
}

export type MessengerEvents = { message: IncomingMessage; ready: MessagingReady };

/** The message channels of one connection, oldest first. */
interface Link {
  msg: MsgChannel[];
  sip: SipMessages[];
  /** The attempt to get a channel that is under way. */
  opening?: Promise<Generation>;
}

/** The message channels of all connections. */
export class Messenger extends Emitter<MessengerEvents> {
  #links = new Map<Connection, Link>();
  #sending = new KeyedMutex<DeviceId>();
  /** How many messages wait for each device. */
  #queued = new Map<DeviceId, number>();
  #rates = new LruMap<AccountId, TokenBucket>(PEER_RATES_KEPT);

  constructor(private readonly options: MessengerOptions) {
    super();
  }

  /** Takes a `sip` or `msg:` channel that the peer opened. Any other one, or one too many, is closed. */
  attach(channel: Channel): void {
    const name = parseChannelName(channel.name);
    if (name.kind === "sip") this.#add(channel, "sip");
    else if (name.kind === "msg" && name.device === this.options.identity.device) {
      this.options.generations.set(channel.peer.device, "msg");
      this.#add(channel, "msg");
    } else channel.close();
  }

  /** Over what a message would go now; `null` when no channel is open. */
  usable(connection: Connection): Generation | null {
    const link = this.#links.get(connection);
    return link && live(link.msg) ? "msg" : link && live(link.sip) ? "sip" : null;
  }

  /**
   * Gets a message channel for the connection: one that is open, else a new one.
   * @throws {ChannelDeclined | TimeoutError | ConnectionClosed} the peer gives none
   */
  ready(connection: Connection): Promise<Generation> {
    const link = this.#link(connection);
    if (live(link.msg)) return Promise.resolve("msg");
    link.opening ??= this.#open(connection, link).finally(() => link.opening = undefined);
    return link.opening;
  }

  /**
   * Sends a message: on `sip` it resolves when the device has confirmed it, on `msg:` when it is written. Messages to one device go one
   * after the other. A channel that fails is closed, and the message is tried once more on a new one.
   * @throws {LimitError} too many wait for this device, or the message is too long for its channel
   * @throws what {@link ready}, {@link SipMessages.send} and {@link MsgChannel.send} throw
   */
  async send(connection: Connection, payload: Payload): Promise<void> {
    const device = connection.peer.device;
    const queued = this.#queued.get(device) ?? 0;
    if (queued >= SEND_MAX_QUEUE) throw new LimitError("messages to one device", "too many wait");
    this.#queued.set(device, queued + 1);
    try {
      await this.#sending.run(device, () => this.#deliver(connection, payload));
    } finally {
      const left = (this.#queued.get(device) ?? 1) - 1;
      if (left) this.#queued.set(device, left);
      else this.#queued.delete(device);
    }
  }

  async #deliver(connection: Connection, payload: Payload): Promise<void> {
    // The same number on a second try, so that the device takes the message once (3.2).
    const id = this.options.random.id() >> 11n || 1n;
    for (let last = false;; last = true) {
      const via = await this.ready(connection);
      const { type, body } = writePayload(payload, via);
      const channel = live<MsgChannel | SipMessages>(this.#link(connection)[via]);
      try {
        // It may have ended since it was ready.
        if (!channel) throw new ChannelEnded("the message channel ended");
        if (channel instanceof SipMessages) await channel.send({ type, body, token: id.toString(16) });
        else await channel.send({ type, body, id });
        return;
      } catch (error) {
        if (error instanceof LimitError && channel?.live) throw error; // Ours, not the channel's fault.
        channel?.close();
        if (last) throw error;
        log.info("{via} channel with {peer} failed: {reason}", {
          via,
          peer: connection.peer.device,
          reason: messageOf(error),
        });
      }
    }
  }

  #link(connection: Connection): Link {
    let link = this.#links.get(connection);
    if (!link) {
      link = { msg: [], sip: [] };
      this.#links.set(connection, link);
      connection.closed.then(() => this.#links.delete(connection));
    }
    return link;
  }

  async #open(connection: Connection, link: Link): Promise<Generation> {
    const { generations } = this.options;
    const device = connection.peer.device;
    if (generations.get(device) !== "sip") {
      try {
        this.#add(await connection.open(writeChannelName({ kind: "msg", device })), "msg");
        generations.set(device, "msg");
        return "msg";
      } catch (error) {
        if (!(error instanceof ChannelDeclined)) throw error;
        generations.set(device, "sip");
      }
    }
    if (!live(link.sip)) this.#add(await connection.open("sip"), "sip");
    return "sip";
  }

  #add(channel: Channel, via: Generation): void {
    const { connection, peer } = channel;
    const link = this.#link(connection);
    if (link.msg.length + link.sip.length >= MAX_CHANNELS) return channel.close();
    const before = this.usable(connection);
    if (via === "msg") keep(link.msg, this.#msgChannel(channel));
    else keep(link.sip, this.#sipChannel(channel));
    if (before === null) this.emit("ready", { peer, connection, via });
  }

  #msgChannel(channel: Channel): MsgChannel {
    const { clock, random } = this.options;
    return new MsgChannel(channel, {
      clock,
      random,
      admit: (length) => this.#admit(channel.peer, length),
      onMessage: ({ id, type, body }) => this.#receive(channel, [{ type, body }], id.toString(16).padStart(16, "0")),
    });
  }

  #sipChannel(channel: Channel): SipMessages {
    const { clock, random, identity, onOther, seen } = this.options;
    return new SipMessages(channel, {
      clock,
      random,
      identity,
      admit: (length) => this.#admit(channel.peer, length),
      onMessage: ({ parts, token }) => {
        if (token === undefined || !seen(channel.peer.account, token)) this.#receive(channel, parts, token);
      },
      onOther: onOther && ((message, send) => onOther(channel, message, send)),
    });
  }

  #admit(peer: Peer, length: number): boolean {
    let rate = this.#rates.get(peer.account);
    if (!rate) this.#rates.set(peer.account, rate = new TokenBucket(this.options.clock, PEER_RATE, PEER_BURST));
    return rate.take(1 + Math.floor(length / PEER_UNIT));
  }

  /** Reports the first part that is understood, as the peers do (3.4), else the first. */
  #receive(channel: Channel, parts: MessagePart[], token?: string): void {
    const { peer, connection } = channel;
    try {
      const payloads = parts.map(({ type, body }) => readPayload(type, body));
      const payload = payloads.find(({ kind }) => kind !== "unknown") ?? payloads[0];
      this.emit("message", { peer, connection, payload, token });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log.info("message of {peer} dropped: {reason}", { peer: peer.account, reason: error.message });
    }
  }
}

/** Holds a channel in its list until it has ended. */
function keep<T extends { readonly closed: Promise<void> }>(list: T[], channel: T): void {
  list.push(channel);
  channel.closed.then(() => list.splice(list.indexOf(channel), 1));
}

/** The newest channel of use: the one that the peers too write on. */
function live<T extends { readonly live: boolean }>(list: readonly T[]): T | undefined {
  return list.findLast((channel) => channel.live);
}
