/** The ICE agent of one session: checks, nomination, and the choice of one TCP connection (connection.md 4). */

import { isIPv4 } from "node:net";
import { getLogger } from "@logtape/logtape";
import { type Bytes, concat, hex, utf8 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf, ProtocolError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import {
  CHECK_TIMEOUT,
  DIAL_PACE,
  DIAL_TIMEOUT,
  ICE_TIMEOUT,
  MAX_EARLY_DATA,
  MAX_LINKS,
  RELAY_DIAL_PAUSE,
  RELAY_DIALS,
} from "./constants.ts";
import { IceLink, type LinkReader } from "./ice_link.ts";
import { type Candidate, candidatePriority, type IceText } from "./ice_text.ts";
import {
  attributeOf,
  decodeStun,
  encodeStun,
  errorCode,
  errorNumber,
  hasIntegrity,
  type StunAttr,
  StunAttribute,
  type StunMessage,
  StunType,
  uint32,
  xorMappedAddress,
} from "./stun.ts";

const log = getLogger(["kituo", "transport"]);

/** The answerer of a request is controlling, the requester controlled (4.4). */
export type IceRole = "controlling" | "controlled";

/** ICE found no connection. */
export class IceError extends KituoError {}

/** The chosen connection, paused, and what came on it for TLS already. */
export interface Selected {
  link: IceLink;
  early: Bytes[];
}

/** The bits of a STUN type that tell requests (none) from indications and responses. */
const CLASS_BITS = 0x0110;

/** One TCP connection and what was seen on it. */
interface Pair {
  link: IceLink;
  /** Transaction ids (hex) of our requests without response, and what cancels their time limits. */
  waiting: Map<string, { nominating: boolean; cancel: () => void }>;
  checked: boolean;
  succeeded: boolean;
  /** We sent USE-CANDIDATE (controlling). */
  nominating: boolean;
  /** Controlling: our USE-CANDIDATE was answered; controlled: the peer's came. */
  nominated: boolean;
  requestSeen: boolean;
  early: Bytes[];
  earlySize: number;
  /** For a dialled relay: dial again when it ends without success. */
  redial: (() => void) | null;
}

export interface IceSessionOptions {
  role: IceRole;
  clock: Clock;
  random: Random;
  /** Dial candidates on the loopback interface: only when our own are there. */
  dialLoopback: boolean;
  /** Only wait for the peer: what shows whether it can reach us. */
  waitOnly?: boolean;
}

export class IceSession {
  readonly role: IceRole;
  readonly ufrag: string;
  readonly pwd: string;
  /** @throws (rejects) {IceError} when the time is over or the session is closed */
  readonly selected: Promise<Selected>;
  readonly #options: IceSessionOptions;
  readonly #choice = Promise.withResolvers<Selected>();
  readonly #pairs = new Set<Pair>();
  readonly #abort = new AbortController();
  readonly #timers = new Set<() => void>();
  readonly #tieBreaker: Bytes;
  #remote: IceText | null = null;
  #chosen: Pair | null = null;
  #links = 0;

  constructor(options: IceSessionOptions) {
    this.#options = options;
    this.role = options.role;
    this.ufrag = hex(options.random.bytes(4));
    this.pwd = hex(options.random.bytes(12));
    this.#tieBreaker = options.random.bytes(8);
    this.selected = this.#choice.promise;
    this.selected.catch(() => {}); // whoever waits for it is told; nobody may wait any more when it fails
  }

  /** The peer's text is known: dial its passive candidates, check the connections that came before it (4.3, early check). */
  start(remote: IceText): void {
    if (this.#remote || this.#abort.signal.aborted) return;
    this.#remote = remote;
    this.#after(ICE_TIMEOUT, () => this.#chosen || this.close("no connection in time"));
    for (const pair of this.#pairs) this.#check(pair);
    if (this.#options.waitOnly) return;
    const targets = remote.candidates.filter((c) => this.#dialable(c)).sort((a, b) => b.priority - a.priority);
    targets.forEach((candidate, i) => this.#after(i * DIAL_PACE, () => this.#dial(candidate, 1)));
  }

  /** Takes an accepted connection whose first frame was a request for this session. */
  attach(link: IceLink, firstRequest: Uint8Array): void {
    const pair = this.#add(link);
    if (pair) this.#stun(pair, firstRequest);
  }

  /**
   * No further checks. When a connection was chosen the others stay open, idle, as long as it lives: after one of them is closed, 2023's daemon
   * reads all its connections only every 500 ms (docs/protocol.md).
   */
  release(): void {
    if (!this.#chosen || this.#chosen.link.closed) return this.#end("done");
    this.#halt("done");
    for (const pair of this.#pairs) {
      for (const { cancel } of pair.waiting.values()) cancel();
      pair.waiting.clear();
    }
  }

  /** Gives up: closes every connection, the chosen one included. */
  close(reason: string): void {
    this.#end(reason);
    this.#chosen?.link.close();
  }

  #halt(reason: string): void {
    this.#abort.abort();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    this.#choice.reject(new IceError(reason));
  }

  #end(reason: string): void {
    this.#halt(reason);
    for (const pair of [...this.#pairs]) if (pair !== this.#chosen) pair.link.close();
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }

  // --- TCP connections ---

  #dialable({ tcpType, port, address }: Candidate): boolean {
    if (tcpType !== "passive" || port === 0) return false;
    if (isIPv4(address)) {
      const first = Number(address.split(".")[0]);
      return first === 127 ? this.#options.dialLoopback : first !== 0 && first < 224;
    }
    if (address === "::1") return this.#options.dialLoopback;
    // Unspecified, mapped, multicast, and link-local without the zone it would need.
    return !/^(::$|::ffff:|ff|fe[89ab])/i.test(address);
  }

  async #dial(candidate: Candidate, attempt: number): Promise<void> {
    if (this.#abort.signal.aborted || this.#chosen) return;
    const again = candidate.type === "relay" && attempt < RELAY_DIALS
      ? () => this.#after(RELAY_DIAL_PAUSE, () => this.#dial(candidate, attempt + 1))
      : null;
    const limit = new AbortController();
    const cancel = this.#options.clock.after(DIAL_TIMEOUT, () => limit.abort());
    try {
      const conn = await Deno.connect({
        hostname: candidate.address,
        port: candidate.port,
        signal: AbortSignal.any([limit.signal, this.#abort.signal]),
        autoSelectFamily: false,
      });
      const pair = this.#add(new IceLink(conn, this.#options.clock, true, nobody));
      if (!pair) return;
      pair.redial = again;
      this.#check(pair);
    } catch (error) {
      log.debug("dialling a candidate failed: {error}", { error: messageOf(error) });
      if (!this.#abort.signal.aborted) again?.();
    } finally {
      cancel();
    }
  }

  #add(link: IceLink): Pair | null {
    if (this.#abort.signal.aborted || ++this.#links > MAX_LINKS) {
      link.close();
      return null;
    }
    const pair: Pair = {
      link,
      waiting: new Map(),
      checked: false,
      succeeded: false,
      nominating: false,
      nominated: false,
      requestSeen: false,
      early: [],
      earlySize: 0,
      redial: null,
    };
    this.#pairs.add(pair);
    link.handTo({
      stun: (frame) => this.#stun(pair, frame),
      data: (bytes) => this.#data(pair, bytes),
      ended: () => this.#lost(pair),
    });
    return pair;
  }

  #lost(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const { cancel } of pair.waiting.values()) cancel();
    pair.waiting.clear();
    if (pair === this.#chosen) return this.#end("the chosen connection has ended");
    if (this.#abort.signal.aborted) return;
    if (!pair.succeeded) pair.redial?.();
    for (const other of this.#pairs) this.#evaluate(other); // another one may be nominated now
  }

  /** Application data before TLS took over: a ClientHello that came early. */
  #data(pair: Pair, bytes: Uint8Array): void {
    pair.earlySize += bytes.length;
    if (pair.earlySize > MAX_EARLY_DATA && pair !== this.#chosen) return pair.link.close();
    pair.early.push(new Uint8Array(bytes));
    this.#evaluate(pair);
  }

  // --- checks ---

  /** Handles one STUN message; also called for the chosen connection, whose peer may repeat its checks. */
  #stun(pair: Pair, frame: Uint8Array): void {
    try {
      const message = decodeStun(frame);
      if (message.type === StunType.success || message.type === StunType.error) this.#response(pair, message, frame);
      else if ((message.type & CLASS_BITS) === 0) this.#request(pair, message, frame);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      pair.link.close();
    }
  }

  #request(pair: Pair, message: StunMessage, frame: Uint8Array): void {
    const refuse = (code: number, reason: string, key?: string) =>
      this.#respond(pair, message, StunType.error, [{
        type: StunAttribute.errorCode,
        value: errorCode(code, reason),
      }], key);
    const username = attributeOf(message, StunAttribute.username);
    if (message.type !== StunType.request || !username || !attributeOf(message, StunAttribute.messageIntegrity)) {
      return refuse(400, "Bad Request");
    }
    if (!hasIntegrity(frame, this.pwd) || !this.#isForUs(username)) return refuse(401, "Unauthorized");
    if (!attributeOf(message, StunAttribute.priority)) return refuse(400, "Bad Request", this.pwd);
    const sameRole = this.role === "controlling" ? StunAttribute.iceControlling : StunAttribute.iceControlled;
    // The roles follow from who asked whom (4.4), and TLS follows from them: ours is never given up.
    if (attributeOf(message, sameRole)) return refuse(487, "Role Conflict", this.pwd);
    this.#respond(pair, message, StunType.success, [{
      type: StunAttribute.xorMappedAddress,
      value: xorMappedAddress(pair.link.address, pair.link.port, message.transactionId),
    }], this.pwd);
    pair.requestSeen = true;
    if (this.role === "controlled" && attributeOf(message, StunAttribute.useCandidate)) pair.nominated = true;
    this.#check(pair);
    this.#evaluate(pair);
  }

  #isForUs(username: Uint8Array): boolean {
    const [ours, theirs] = new TextDecoder().decode(username).split(":");
    return ours === this.ufrag && (!this.#remote || theirs === this.#remote.ufrag);
  }

  #respond(pair: Pair, request: StunMessage, type: number, attributes: StunAttr[], key?: string): void {
    pair.link.sendStun(encodeStun({ type, transactionId: request.transactionId, attributes }, key));
  }

  #response(pair: Pair, message: StunMessage, frame: Uint8Array): void {
    const id = hex(message.transactionId);
    const sent = pair.waiting.get(id);
    if (!sent || !this.#remote) return;
    if (message.type === StunType.error) {
      const code = errorNumber(attributeOf(message, StunAttribute.errorCode));
      log.debug("the peer refused a check with {code}", { code });
      return pair.link.close(); // final for this connection (4.3)
    }
    if (!hasIntegrity(frame, this.#remote.pwd)) return;
    sent.cancel();
    pair.waiting.delete(id);
    pair.succeeded = true;
    if (sent.nominating) pair.nominated = true;
    this.#evaluate(pair);
  }

  /** One ordinary check on each connection, as soon as the peer's password is known. */
  #check(pair: Pair): void {
    if (!this.#remote || pair.checked) return;
    pair.checked = true;
    this.#sendCheck(pair, this.#remote, false);
  }

  #sendCheck(pair: Pair, remote: IceText, nominating: boolean): void {
    const transactionId = this.#options.random.bytes(12);
    const role = this.role === "controlling" ? StunAttribute.iceControlling : StunAttribute.iceControlled;
    const attributes: StunAttr[] = [
      { type: StunAttribute.priority, value: uint32(candidatePriority("prflx", 65_535 - this.#links)) },
      ...nominating ? [{ type: StunAttribute.useCandidate, value: concat() }] : [],
      { type: role, value: this.#tieBreaker },
      { type: StunAttribute.username, value: utf8(`${remote.ufrag}:${this.ufrag}`) },
    ];
    const cancel = this.#options.clock.after(CHECK_TIMEOUT, () => pair.link.close());
    pair.waiting.set(hex(transactionId), { nominating, cancel });
    pair.link.sendStun(encodeStun({ type: StunType.request, transactionId, attributes }, remote.pwd));
  }

  /** Nominates (controlling: one connection only, 4.4) or chooses, when all that is needed was seen. */
  #evaluate(pair: Pair): void {
    if (this.#chosen || !this.#remote || !pair.succeeded || pair.link.closed) return;
    if (this.role === "controlling") {
      if (!pair.nominating && ![...this.#pairs].some((p) => p.nominating)) {
        pair.nominating = true;
        this.#sendCheck(pair, this.#remote, true);
      }
      if (pair.nominated && pair.requestSeen) this.#choose(pair);
    } else if (pair.nominated && pair.earlySize > 0) {
      // Several may be nominated; the one that counts is where TLS begins (4.4).
      this.#choose(pair);
    }
  }

  #choose(pair: Pair): void {
    this.#chosen = pair;
    pair.link.pause();
    pair.link.select();
    this.#choice.resolve({ link: pair.link, early: pair.early });
  }

  /**
   * Who reads the chosen connection once TLS is put on it; repeated checks are still answered here.
   * @param tls gets everything that is not STUN
   */
  readerFor(tls: Omit<LinkReader, "stun">): LinkReader {
    const pair = this.#chosen;
    if (!pair) throw new IceError("nothing chosen yet");
    return {
      stun: (frame) => this.#stun(pair, frame),
      data: (bytes) => tls.data(bytes),
      ended: () => {
        this.#lost(pair);
        tls.ended();
      },
    };
  }
}

const nobody: LinkReader = { stun() {}, data() {}, ended() {} };
