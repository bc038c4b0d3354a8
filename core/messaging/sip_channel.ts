/** Messages of a `sip` channel (swarm-sync.md 3.1 to 3.4): each is a SIP MESSAGE outside of any dialog, answered with 200. */

import { type Bytes, utf8 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError, messageOf, ProtocolError, TimeoutError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Channel } from "../transport/channel.ts";
import { getLogger } from "@logtape/logtape";
import { ChannelEnded, ChannelWriter } from "./channel_writer.ts";
import { MAX_REFUSED, MAX_TOKEN, SIP_MAX_OUT, SIP_MAX_PENDING, SIP_TIMEOUT } from "./constants.ts";
import {
  encodeSip,
  header,
  parameter,
  respond,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  SipStream,
  splitRemote,
  userOf,
} from "./sip_message.ts";
import { type MessagePart, messageParts } from "./sip_multipart.ts";

const log = getLogger(["kituo", "messaging"]);

/** The peer answered a SIP request with something else than 200. */
export class SipRefused extends KituoError {
  constructor(readonly status: number) {
    super(`SIP request answered with ${status}`);
  }
}

/** What a `sip` channel brings: the texts of one MESSAGE, sorted by type, and its Message-ID if it has one. */
export interface SipMessageEvent {
  parts: MessagePart[];
  token?: string;
}

export interface SipMessagesOptions {
  clock: Clock;
  random: Random;
  /** Who we are: `displayName` stands in `From` when it is not empty. */
  identity: { account: AccountId; displayName?: string };
  onMessage(message: SipMessageEvent): void;
  /** May one more request, with a body of `length` bytes, be taken? Otherwise it is answered with 503: the peer keeps it and tries again later. */
  admit?(length: number): boolean;
  /** Takes all that is no MESSAGE and no answer to one of ours, i.e. calls; then it must answer requests itself. */
  onOther?(message: SipMessage, send: (message: SipMessage) => Promise<void>): void;
}

/** Methods that a SIP stack knows and to which the peers say 200 without doing anything (3.3). */
const OTHER_METHODS = new Set(["INFO", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER", "SUBSCRIBE", "UPDATE"]);

/** The user agent in our requests. */
const USER_AGENT = "Kituo";

interface Pending {
  resolve(): void;
  reject(error: Error): void;
}

/** Sends and receives messages over one `sip` channel, whoever opened it. It takes both streams of the channel. */
export class SipMessages {
  /** Resolves when the channel is of no use any more. */
  readonly closed: Promise<void>;
  #writer: ChannelWriter;
  /** Our requests without an answer, by branch. */
  #pending = new Map<string, Pending>();
  #ended = false;
  #refused = 0;

  constructor(readonly channel: Channel, private readonly options: SipMessagesOptions) {
    this.#writer = new ChannelWriter(channel, options.clock);
    this.closed = channel.closed.then(() => this.#end());
    this.#read();
  }

  /** Is the channel still of use? */
  get live(): boolean {
    return !this.#ended;
  }

  /**
   * Sends one text; resolves when the peer has answered 200. The same `token` must be used when it is sent again.
   * @param message the token is up to 16 hex digits; a fresh random one when there is none
   * @throws {LimitError} longer than a peer can take, or too many wait for their answer; the channel goes on
   * @throws {SipRefused} another answer
   * @throws {TimeoutError} no answer within 32 s
   * @throws {ChannelEnded} the channel ended first
   */
  async send(message: MessagePart & { token?: string }): Promise<void> {
    const token = message.token ?? this.options.random.bytes(8).toHex();
    const branch = `z9hG4bKPj${this.#uuid()}`;
    const bytes = encodeSip(this.#request(message, token, branch));
    if (bytes.length > SIP_MAX_OUT) throw new LimitError("SIP message", `${bytes.length} bytes`);
    if (this.#pending.size >= SIP_MAX_PENDING) throw new LimitError("SIP requests", "too many wait for an answer");
    if (this.#ended) throw new ChannelEnded("sip channel ended");
    const answer = Promise.withResolvers<void>();
    const cancel = this.options.clock.after(
      SIP_TIMEOUT,
      () => answer.reject(new TimeoutError("SIP answer", SIP_TIMEOUT)),
    );
    this.#pending.set(branch, answer);
    try {
      await Promise.all([this.#writer.write(bytes), answer.promise]);
    } finally {
      cancel();
      this.#pending.delete(branch);
    }
  }

  /** Ends the channel. */
  close(): void {
    this.channel.close();
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#pending.values()) reject(new ChannelEnded("sip channel ended"));
  }

  async #read(): Promise<void> {
    const stream = new SipStream();
    try {
      for await (const chunk of this.channel.readable) {
        for (const message of stream.push(chunk)) this.#handle(message);
        if (this.#ended) break;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error("reading a sip channel failed: {error}", { error });
      else {log.info("sip channel with {peer} closed: {reason}", {
          peer: this.channel.peer.device,
          reason: error.message,
        });}
    }
    this.close();
  }

  #handle(message: SipMessage): void {
    if (message.kind === "response") this.#handleResponse(message);
    else if (!this.#admitted(message)) this.#answer(message, 503, "Service Unavailable");
    else if (message.method === "MESSAGE") this.#handleMessage(message);
    else if (this.options.onOther) this.options.onOther(message, (answer) => this.#writer.write(encodeSip(answer)));
    else if (OTHER_METHODS.has(message.method)) this.#answer(message, 200, "OK");
    // This node takes no calls: without an answer the caller's phone would ring for a minute.
    else if (message.method === "INVITE") this.#answer(message, 480, "Temporarily Unavailable");
    else this.#answer(message, 405, "Method Not Allowed");
  }

  #handleResponse(response: SipResponse): void {
    const branch = parameter(header(response, "via") ?? "", "branch");
    const pending = branch === null ? undefined : this.#pending.get(branch);
    if (!pending || !/^\d+\s+MESSAGE$/.test(header(response, "cseq") ?? "")) {
      this.options.onOther?.(response, (answer) => this.#writer.write(encodeSip(answer)));
    } else if (response.status === 200) pending.resolve();
    else if (response.status > 200) pending.reject(new SipRefused(response.status));
  }

  #admitted(request: SipRequest): boolean {
    const admitted = this.options.admit?.(request.body.length) ?? true;
    this.#refused = admitted ? 0 : this.#refused + 1;
    if (this.#refused >= MAX_REFUSED) throw new ProtocolError("sip", "too many messages");
    return admitted;
  }

  #handleMessage(request: SipRequest): void {
    this.#answer(request, 200, "OK");
    if (userOf(header(request, "from") ?? "") !== this.channel.peer.account) {
      log.warn("SIP message dropped: its From is not {peer}", { peer: this.channel.peer.account });
      return;
    }
    try {
      this.options.onMessage({ parts: messageParts(request), token: messageId(request) });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      log.info("SIP message of {peer} dropped: {reason}", { peer: this.channel.peer.account, reason: error.message });
    }
  }

  /** Answers without waiting: waiting for a peer that waits for us in turn would stop both. The writer bounds the queue. */
  #answer(request: SipRequest, status: number, reason: string): void {
    if (request.method === "ACK") return; // Never answered (RFC 3261 17).
    const response = respond(request, status, reason, this.channel.connection.remote);
    const bytes = response && encodeSip(response);
    if (!bytes || bytes.length > SIP_MAX_OUT) return;
    this.#writer.write(bytes).catch((error) => log.debug("no SIP answer: {reason}", { reason: messageOf(error) }));
  }

  #request(message: MessagePart, token: string, branch: string): SipRequest {
    const { random, clock, identity } = this.options;
    const { host, port } = splitRemote(this.channel.connection.remote);
    const bracketed = host.includes(":") ? `[${host}]` : host;
    const to = this.channel.peer.account;
    const name = quotedName(identity.displayName ?? "");
    const body: Bytes = utf8(message.body);
    return {
      kind: "request",
      method: "MESSAGE",
      uri: `sips:${to}@${bracketed}:${port};transport=tls`,
      headers: [
        // Any valid host does: the answer comes back on this channel (3.2). So our own address is not told.
        ["Via", `SIP/2.0/TLS 0.0.0.0:5061;rport;branch=${branch};alias`],
        ["Max-Forwards", "70"],
        ["From", `${name}<sip:${identity.account}@ring.dht>;tag=${this.#uuid()}`],
        ["To", `<sips:${to}@${bracketed}>`],
        ["Call-ID", this.#uuid()],
        ["CSeq", `${random.int(0xffff) + 1} MESSAGE`],
        ["Date", sipDate(clock.now())],
        ["Message-ID", token.padStart(16, "0")],
        ["User-Agent", USER_AGENT],
        ["Content-Type", message.type],
      ],
      body,
    };
  }

  #uuid(): string {
    const h = this.options.random.bytes(16).toHex();
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20)}`;
  }
}

/** The token of a message: `Message-ID` or its older name. One that is absurd counts as none. */
function messageId(request: SipRequest): string | undefined {
  const id = header(request, "message-id") ?? header(request, "imdn.message-id");
  return id !== undefined && id.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(id) ? id : undefined;
}

/** A display name as quoted text and a space, without what would end the header; nothing for an empty one. */
function quotedName(name: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must not pass
  const clean = name.replace(/[\x00-\x1f\x7f]/g, " ").trim().slice(0, 128);
  return clean ? `"${clean.replace(/["\\]/g, "\\$&")}" ` : "";
}

/** The `Date` of a request, in the peers' form: `Fri Nov 20 21:37:58 2026` (3.2). */
function sipDate(now: number): string {
  const [, week, day, month, year, time] = /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(now).toUTCString()) ?? [];
  return `${week} ${month} ${day.replace(/^0/, " ")} ${time} ${year}`;
}
