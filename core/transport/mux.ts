/** The multiplexed socket: named channels over one TLS connection (connection.md 6). */

import type { Duplex } from "node:stream";
import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { LimitError, messageOf, ProtocolError, TimeoutError } from "../base/errors.ts";
import { TokenBucket } from "../base/limits.ts";
import type { Peer } from "../identity/chain.ts";
import { type Channel, ChannelDeclined, type Connection, ConnectionClosed } from "./channel.ts";
import * as limits from "./constants.ts";
import { type ChannelHost, MuxChannel } from "./mux_channel.ts";
import {
  BEACON_ANSWER,
  BEACON_REQUEST,
  ChannelState,
  type ControlMessage,
  MessageReader,
  packChannelMessage,
  packMessage,
  parseControl,
  VERSION_MESSAGE,
} from "./mux_codec.ts";

const log = getLogger(["kituo", "transport"]);

/** Decides on a channel the peer asks for: what serves it, or `null` to decline. */
export type Acceptor = (connection: Connection, name: string) => ((channel: Channel) => void) | null;

export interface MuxOptions {
  /** The TLS socket, handshake done, nothing read. */
  socket: Duplex;
  /** Are we the TLS server? Decides which numbers our channels get. */
  server: boolean;
  peer: Peer;
  incoming: boolean;
  id: string;
  remote: string;
  clock: Clock;
  accept: Acceptor;
  /** Called once, when all is over and the TCP connection must be closed. */
  ended(reason: string): void;
}

/** How a channel stands. */
export interface ChannelStanding {
  name: string;
  incoming: boolean;
  state: "opening" | "open" | "closing";
}

/** A channel we asked for and have no answer about. `null`: nobody waits any more, but the number is not free yet. */
interface Opening {
  name: string;
  answer: PromiseWithResolvers<Channel> | null;
}

export class MuxConnection implements Connection, ChannelHost {
  readonly id: string;
  readonly peer: Peer;
  readonly incoming: boolean;
  readonly since: number;
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly connection = this;
  bytesIn = 0;
  bytesOut = 0;
  /** Milliseconds since 1970 when the peer's last message came. */
  lastHeard: number;
  readonly #options: MuxOptions;
  readonly #reader = new MessageReader();
  readonly #channels = new Map<number, MuxChannel>();
  readonly #openings = new Map<number, Opening>();
  readonly #controlRate: TokenBucket;
  readonly #closed = Promise.withResolvers<void>();
  #nextNumber: number;
  #state: "open" | "closing" | "closed" = "open";
  // Reading: channels whose reader is behind hold the socket back.
  readonly #behind = new Set<MuxChannel>();
  #backlog = 0;
  #cancelPause: (() => void) | null = null;
  // Writing: control messages first, then one message of each channel in turn.
  readonly #control: Bytes[] = [];
  readonly #data: { message: Bytes; sent: () => void; failed: (error: Error) => void }[] = [];
  #writing = false;
  #drained: (() => void) | null = null;
  #flushed: (() => void) | null = null;
  // Beacons.
  #version = 0;
  #beacon: PromiseWithResolvers<boolean> | null = null;
  // The end.
  #closeReason: string | null = null;
  #cancelFinish: (() => void) | null = null;

  constructor(options: MuxOptions) {
    this.#options = options;
    this.id = options.id;
    this.peer = options.peer;
    this.incoming = options.incoming;
    this.remote = options.remote;
    this.since = this.lastHeard = options.clock.now();
    this.closed = this.#closed.promise;
    this.#nextNumber = options.server ? limits.FIRST_SERVER_CHANNEL : 1;
    this.#controlRate = new TokenBucket(options.clock, limits.CONTROL_RATE, limits.CONTROL_BURST);
    const { socket } = options;
    socket.on("error", (error) => this.#finish(messageOf(error)));
    socket.on("close", () => this.#finish("closed by the peer"));
    socket.on("end", () => this.#peerEnded());
    socket.on("drain", () => this.#drained?.());
    this.#sendControl(VERSION_MESSAGE);
  }

  /** Begins to read. Apart from the constructor, so that whoever is told of the connection knows it before its first channel. */
  start(): void {
    this.#options.socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
  }

  get channels(): readonly Channel[] {
    return [...this.#channels.values()];
  }

  /** How each channel stands; those that we asked for and have no answer about are being opened. */
  channelStates(): ChannelStanding[] {
    const open = [...this.#channels.values()].map(({ name, incoming, isClosing }): ChannelStanding => ({
      name,
      incoming,
      state: isClosing ? "closing" : "open",
    }));
    const opening = [...this.#openings.values()].filter(({ answer }) => answer !== null);
    return [...open, ...opening.map(({ name }): ChannelStanding => ({ name, incoming: false, state: "opening" }))];
  }

  /** Can channels still be opened? */
  get isOpen(): boolean {
    return this.#state === "open" && this.#closeReason === null;
  }

  // --- opening channels ---

  async open(name: string): Promise<Channel> {
    if (!this.isOpen) throw new ConnectionClosed(`connection to ${this.peer.device} is closed`);
    if (this.#used >= limits.MAX_CHANNELS) throw new LimitError("channels of one connection");
    const number = this.#freeNumber();
    const answer = Promise.withResolvers<Channel>();
    const opening: Opening = { name, answer };
    this.#openings.set(number, opening);
    const cancel = this.#options.clock.after(limits.OPEN_TIMEOUT, () => {
      opening.answer = null;
      answer.reject(new TimeoutError(`answer to channel request ${name}`, limits.OPEN_TIMEOUT));
    });
    const asked = this.#options.clock.now();
    const cancelDoubt = this.#options.clock.after(limits.ANSWER_DOUBT, () => this.#doubt(asked));
    this.#sendControl(this.#channelMessage(name, number, ChannelState.request));
    try {
      return await answer.promise;
    } finally {
      cancel();
      cancelDoubt();
    }
  }

  /** Nobody answers. @param since ms, when we asked */
  #doubt(since: number): void {
    if (this.lastHeard > since) return;
    if (this.bytesIn === 0) this.#finish("the peer never said a word"); // its version comes first, always (6.5)
    else this.beacon();
  }

  get #used(): number {
    return this.#channels.size + this.#openings.size;
  }

  #freeNumber(): number {
    for (;;) {
      const number = this.#nextNumber;
      this.#nextNumber = number + 1 >= limits.PROTOCOL_CHANNEL ? 1 : number + 1;
      if (!this.#channels.has(number) && !this.#openings.has(number)) return number;
    }
  }

  #channelMessage(name: string, channel: number, state: number): Bytes {
    return packMessage(limits.CONTROL_CHANNEL, packChannelMessage(name, channel, state));
  }

  // --- what the peer sends ---

  #received(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    this.bytesIn += chunk.length;
    this.lastHeard = this.#options.clock.now();
    try {
      for (const { channel, data } of this.#reader.push(chunk)) {
        if (channel === limits.CONTROL_CHANNEL || channel === limits.PROTOCOL_CHANNEL) this.#controlData(data);
        else this.#channelData(channel, data);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof LimitError)) throw error;
      log.debug("connection {id}: {error}", { id: this.id, error: messageOf(error) });
      return this.#finish(messageOf(error));
    }
    if (this.#behind.size > 0) this.#pause();
  }

  #channelData(number: number, data: Bytes): void {
    const channel = this.#channels.get(number);
    if (channel && data.length > 0) channel.receive(data);
    else if (channel) channel.end(false);
    else if (data.length === 0) this.#answered(number, null); // an end before ACCEPT; otherwise unknown channels are ignored
  }

  #controlData(data: Bytes): void {
    for (const message of parseControl(data)) {
      if (!this.#controlRate.take()) throw new LimitError("control messages");
      this.#controlMessage(message);
    }
  }

  #controlMessage(message: ControlMessage): void {
    if (message.kind === "version") this.#version = message.version;
    else if (message.kind === "beacon") {
      if (message.request) this.#sendControl(BEACON_ANSWER);
      else this.#beacon?.resolve(true);
    } else if (message.state === ChannelState.request) this.#requested(message.name, message.channel);
    else if (message.state === ChannelState.accept) this.#answered(message.channel, message.name);
    else this.#answered(message.channel, null);
  }

  #requested(name: string, number: number): void {
    const taken = number === limits.CONTROL_CHANNEL || number === limits.PROTOCOL_CHANNEL ||
      this.#channels.has(number) || this.#openings.has(number) || this.#used >= limits.MAX_CHANNELS;
    const serve = taken ? null : this.#decide(name);
    if (!serve) {
      log.debug("channel {name} of {device} declined", { name, device: this.peer.device });
      return this.#sendControl(this.#channelMessage(name, number, ChannelState.decline));
    }
    const channel = new MuxChannel(this, number, name, true);
    this.#channels.set(number, channel);
    this.#sendControl(this.#channelMessage(name, number, ChannelState.accept));
    try {
      serve(channel);
    } catch (error) {
      log.error("serving channel {name} failed: {error}", { name, error });
      channel.end(true);
    }
  }

  #decide(name: string): ((channel: Channel) => void) | null {
    try {
      return this.#options.accept(this, name);
    } catch (error) {
      log.error("deciding on channel {name} failed: {error}", { name, error });
      return null;
    }
  }

  /** The answer to a request of ours. @param name as accepted, `null` when it was declined */
  #answered(number: number, name: string | null): void {
    const opening = this.#openings.get(number);
    if (!opening || name !== null && name !== opening.name) return;
    this.#openings.delete(number);
    if (name === null) opening.answer?.reject(new ChannelDeclined(opening.name));
    else if (opening.answer) {
      const channel = new MuxChannel(this, number, name, false);
      this.#channels.set(number, channel);
      opening.answer.resolve(channel);
    } else this.#sendControl(packMessage(number, new Uint8Array(0))); // too late: end it
  }

  // --- holding the peer back (6.4) ---

  backlogChanged(channel: MuxChannel, by: number): void {
    this.#backlog += by;
    if (channel.backlog > limits.BACKLOG_END || this.#backlog > limits.CONNECTION_BACKLOG && by > 0) {
      log.info("channel {name}: unread data over the limit, ended", { name: channel.name });
      return channel.end(true);
    }
    if (channel.backlog > limits.BACKLOG_PAUSE) this.#behind.add(channel);
    else if (channel.backlog <= limits.BACKLOG_PAUSE / 2) this.#caughtUp(channel);
  }

  #caughtUp(channel: MuxChannel): void {
    if (this.#behind.delete(channel) && this.#behind.size === 0) this.#resume();
  }

  /** Stops reading until the readers have caught up, or until it is time to see whether a beacon waits. */
  #pause(): void {
    this.#options.socket.pause();
    this.#cancelPause ??= this.#options.clock.after(limits.LONGEST_PAUSE, () => this.#resume());
  }

  #resume(): void {
    if (!this.#cancelPause) return;
    this.#cancelPause();
    this.#cancelPause = null;
    this.#options.socket.resume();
  }

  channelEnded(channel: MuxChannel, tell: boolean): void {
    if (this.#channels.get(channel.number) !== channel) return;
    this.#channels.delete(channel.number);
    this.#backlog -= channel.backlog; // what is unread belongs to the reader now
    this.#caughtUp(channel);
    if (tell) this.#sendControl(packMessage(channel.number, new Uint8Array(0)));
  }

  // --- writing ---

  send(channel: number, data: Uint8Array): Promise<void> {
    if (this.#state !== "open") return Promise.reject(new ConnectionClosed("connection closed"));
    return new Promise((sent, failed) => {
      this.#data.push({ message: packMessage(channel, data), sent, failed });
      this.#write();
    });
  }

  #sendControl(message: Bytes): void {
    if (this.#state !== "open") return;
    if (this.#control.push(message) > limits.MAX_CONTROL_BACKLOG) return this.#finish("peer does not read");
    this.#write();
  }

  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    while (this.#state !== "closed") {
      const next = this.#control.length > 0 ? undefined : this.#data.shift();
      const message = next ? next.message : this.#control.shift();
      if (!message) break;
      this.bytesOut += message.length;
      if (!this.#options.socket.write(message)) await new Promise<void>((resolve) => this.#drained = resolve);
      next?.sent();
    }
    this.#writing = false;
    this.#flushed?.();
  }

  // --- beacons (6.5) ---

  /**
   * Asks whether the peer is still there; a connection that does not answer in 3 s is closed.
   * @returns is it alive? Peers that know no beacons are believed to be
   */
  beacon(): Promise<boolean> {
    if (this.#state !== "open") return Promise.resolve(false);
    if (this.#beacon) return this.#beacon.promise;
    if (this.#version < 1) return Promise.resolve(true);
    const beacon = this.#beacon = Promise.withResolvers<boolean>();
    const cancel = this.#options.clock.after(limits.BEACON_TIMEOUT, () => this.#finish("beacon not answered"));
    this.#sendControl(BEACON_REQUEST);
    return beacon.promise.finally(() => {
      cancel();
      this.#beacon = null;
    });
  }

  // --- the end ---

  async close(reason: string): Promise<void> {
    if (this.#state === "open" && this.#closeReason === null) {
      this.#closeReason = reason;
      this.#finishWithin(limits.CLOSE_TIMEOUT);
      await this.#endInOrder();
    }
    await this.closed;
  }

  /** Lets what was written go out, ends all channels, sends close_notify; the peer's answer ends the connection. */
  async #endInOrder(): Promise<void> {
    await Promise.all([...this.#channels.values()].filter((c) => c.isClosing).map((c) => c.closed));
    if (this.#writing) await new Promise<void>((resolve) => this.#flushed = resolve);
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#endChannels();
    this.#options.socket.resume(); // else the peer's close_notify would not be seen behind unread data
    this.#options.socket.end();
  }

  /** The peer sent close_notify, or TCP ended: answer it and be done. */
  #peerEnded(): void {
    if (this.#state === "closed") return;
    this.#finishWithin(limits.CLOSE_TIMEOUT);
    this.#options.socket.end(() => this.#finish("closed by the peer"));
  }

  #finishWithin(ms: number): void {
    this.#cancelFinish ??= this.#options.clock.after(ms, () => this.#finish("closed by the peer"));
  }

  #endChannels(): void {
    const error = new ConnectionClosed("connection closed");
    for (const channel of [...this.#channels.values()]) channel.end(false);
    for (const { answer } of this.#openings.values()) answer?.reject(error);
    this.#openings.clear();
  }

  /** All is over. @param reason unless we were closing it for one of our own */
  #finish(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#endChannels();
    for (const { failed } of this.#data.splice(0)) failed(new ConnectionClosed("connection closed"));
    this.#control.length = 0;
    this.#cancelPause?.();
    this.#cancelFinish?.();
    this.#drained?.();
    this.#flushed?.();
    this.#beacon?.resolve(false);
    this.#options.socket.destroy();
    this.#options.ended(this.#closeReason ?? reason);
    this.#closed.resolve();
  }
}
