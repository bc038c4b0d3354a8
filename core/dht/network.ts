/**
 * Packets in and out: sockets, transactions with retries, value parts, rates, and who is not spoken to (opendht.md 2,
 * 6.4).
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { Arrivals } from "./arrivals.ts";
import { type Address, addressText, type Family, isLoopback, isMartian, sourceOf } from "./address.ts";
import * as limit from "./constants.ts";
import type { InfoHash } from "./info_hash.ts";
import { type Node, NodeCache } from "./node.ts";
import { encodePacket, ErrorCode, type Packet, type ReplyBody, type RequestBody, type ValueSlot } from "./packet.ts";
import { decodePacket } from "./packet_reader.ts";
import { Assembler, splitValues } from "./parts.ts";
import type { DatagramSocket, SocketFactory } from "./socket.ts";
import type { Value } from "./value.ts";

const log = getLogger(["kituo", "dht"]);

/** A body whose values, if it can have any, are there as such: not announced, not unreadable. */
type Whole<Body> = Body extends unknown
  ? "values" extends keyof Body ? Omit<Body, "values"> & { readonly values?: readonly Value[] } : Body
  : never;

/** A request with its values complete. */
export type Request = Whole<RequestBody>;
/** A reply with its values complete. */
export type Reply = Whole<ReplyBody>;

/** Why a request of ours failed: silence, one of the errors that mean something (2.4), or the end of this node. */
export type Failure = "timeout" | "unauthorized" | "not found" | "stopped";

/** What becomes of a request: exactly one of `reply` and `failed`, never before `request` has returned. */
export interface RequestCallbacks {
  reply?(reply: Reply, node: Node): void;
  failed?(failure: Failure): void;
  /** The first attempt was not answered in its time. */
  slow?(): void;
}

/** What the network tells the node. */
export interface NetworkEvents {
  /** A request that passed all checks. */
  request(body: Request, node: Node, from: Address, tid: number): void;
  /** A node has sent something. `revived`: it replied, and was not good, or had not answered before. */
  heard(node: Node, how: { replied: boolean; client: boolean; revived: boolean }): void;
  /** A reply told of other nodes. */
  told(node: Node): void;
  /** A node has not answered. */
  expired(node: Node): void;
  /** A reply says which address it was sent to. */
  seenAs(family: Family, ip: Bytes): void;
}

interface Pending {
  readonly tid: number;
  /** `null` while only the address is known. */
  readonly node: Node | null;
  readonly to: Address;
  readonly body: Request;
  readonly callbacks: RequestCallbacks;
  attempts: number;
  delay: number;
  cancelTimer: () => void;
  /** The best incomplete answer so far. */
  partial: Reply | null;
}

/** How often each kind of request was made. */
export type RequestCounts = Record<RequestBody["name"], number>;

const noRequests = (): RequestCounts => ({ ping: 0, find: 0, get: 0, put: 0, refresh: 0, listen: 0, update: 0 });

/** What is counted. */
export interface Traffic {
  received: number;
  sent: number;
  /** Datagrams that were no acceptable packet. */
  dropped: number;
  requestsIn: number;
  requestsOut: number;
  /** Requests refused because of their rate. */
  limited: number;
  /** The same by kind. */
  kindsIn: RequestCounts;
  kindsOut: RequestCounts;
  /** Replies to requests of ours, and when the last came, milliseconds since 1970 (0 = never). */
  replies: number;
  lastReply: number;
}

export class Network {
  readonly nodes = { 4: new NodeCache(), 6: new NodeCache() };
  readonly traffic: Traffic = {
    received: 0,
    sent: 0,
    dropped: 0,
    requestsIn: 0,
    requestsOut: 0,
    limited: 0,
    kindsIn: noRequests(),
    kindsOut: noRequests(),
    replies: 0,
    lastReply: 0,
  };
  readonly arrivals: Arrivals;
  #sockets: { 4?: DatagramSocket; 6?: DatagramSocket } = {};
  #pending = new Map<number, Pending>();
  #assembler: Assembler;
  #blacklist = new LruMap<string, true>(limit.MAX_BLACKLIST);
  #rates = new LruMap<string, TokenBucket>(limit.MAX_RATED_SOURCES);
  #rate: TokenBucket;
  #stopped = false;

  constructor(
    private readonly own: InfoHash,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly events: NetworkEvents,
  ) {
    this.#assembler = new Assembler(clock);
    this.arrivals = new Arrivals(clock);
    this.#rate = new TokenBucket(clock, limit.REQUESTS_PER_SECOND, limit.REQUESTS_PER_SECOND);
  }

  /**
   * Binds IPv4, then IPv6 on the same port if that works.
   * @throws when neither can be bound, or another program has the wanted port in one of them
   */
  async open(factory: SocketFactory, port: number): Promise<void> {
    let first: unknown = null;
    for (const family of [4, 6] as const) {
      try {
        const wanted = port || this.#sockets[4]?.port || 0;
        this.#sockets[family] = await factory(family, wanted, (datagram, from) => this.#receive(datagram, from));
      } catch (error) {
        if (port && isTaken(error)) {
          await this.#closeSockets();
          throw error;
        }
        first ??= error;
        log.info("no IPv{family}: {error}", { family, error: messageOf(error) });
      }
    }
    if (this.families.length === 0) throw first;
  }

  /** Fails what is under way and closes the sockets. */
  async close(): Promise<void> {
    this.#stopped = true;
    for (const pending of [...this.#pending.values()]) this.#fail(pending, "stopped");
    await this.#closeSockets();
  }

  async #closeSockets(): Promise<void> {
    const sockets = Object.values(this.#sockets);
    this.#sockets = {};
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  /** The families that are bound. */
  get families(): Family[] {
    return ([4, 6] as const).filter((family) => this.#sockets[family]);
  }

  /** The bound port, 0 before `open`. */
  get port(): number {
    return (this.#sockets[4] ?? this.#sockets[6])?.port ?? 0;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** A number that no pending request of ours uses: for transactions and listen sockets. */
  freshNumber(): number {
    for (;;) {
      const number = new DataView(this.random.bytes(4).buffer).getUint32(0);
      if (number !== 0 && !this.#pending.has(number)) return number;
    }
  }

  /** Is the address one that may be spoken to? */
  allows(address: Address): boolean {
    return !isMartian(address) && this.#sockets[address.family] !== undefined &&
      !this.#blacklist.has(addressText(address));
  }

  /** Sends a request and sends it again until it is answered or given up. @returns what cancels it without a word */
  request(node: Node, body: Request, callbacks: RequestCallbacks): () => void {
    return this.#start(node, node.address, body, callbacks);
  }

  /** Pings an address where some node is thought to be. */
  ping(to: Address, callbacks: RequestCallbacks): () => void {
    return this.#start(null, to, { name: "ping" }, callbacks);
  }

  /** Answers a request. */
  reply(to: Address, tid: number, reply: Reply): void {
    this.#send(to, (slots) => ({ kind: "reply", id: this.own, tid, body: { ...reply, values: slots } }), reply.values);
  }

  /** Answers a request with an error. */
  refuse(to: Address, tid: number, code: number, message: string): void {
    this.#send(to, () => ({ kind: "error", id: this.own, tid, code, message }));
  }

  /** Tells a listener of protocol version 0 what was refreshed or has expired. */
  update0(to: Address, tid: number, lists: { token: Bytes; refreshed?: bigint[]; expired?: bigint[] }): void {
    this.#send(to, () => ({ kind: "update0", id: this.own, tid, ...lists }));
  }

  #start(node: Node | null, to: Address, body: Request, callbacks: RequestCallbacks): () => void {
    const tid = this.freshNumber();
    const pending: Pending = {
      tid,
      node,
      to,
      body,
      callbacks,
      attempts: 0,
      delay: limit.REQUEST_DELAY,
      cancelTimer: () => {},
      partial: null,
    };
    const most = body.name === "update" ? limit.MAX_PENDING_PUSHES : limit.MAX_PENDING;
    if (this.#stopped || this.#pending.size >= most) {
      return this.clock.after(limit.BUSY_WAIT, () => callbacks.failed?.(this.#stopped ? "stopped" : "timeout"));
    }
    if (!this.allows(to)) {
      return this.clock.after(0, () => {
        if (node) this.expire(node);
        callbacks.failed?.("timeout");
      });
    }
    this.#pending.set(tid, pending);
    if (node) node.pending++;
    this.traffic.requestsOut++;
    this.traffic.kindsOut[body.name]++;
    this.#attempt(pending);
    return () => this.#remove(pending);
  }

  #attempt(pending: Pending): void {
    pending.attempts++;
    pending.delay = 2 * pending.delay + this.random.float() * limit.REQUEST_JITTER;
    pending.cancelTimer();
    pending.cancelTimer = this.clock.after(pending.delay, () => this.#unanswered(pending));
    const { body, tid } = pending;
    const to = pending.node?.address ?? pending.to;
    const values = "values" in body ? body.values : undefined;
    this.#send(to, (slots) => request(this.own, tid, body, slots), values, () => this.#silent(pending));
  }

  #unanswered(pending: Pending): void {
    if (this.#pending.get(pending.tid) !== pending) return;
    if (pending.attempts >= limit.REQUEST_ATTEMPTS) return this.#silent(pending);
    if (pending.attempts === 1) pending.callbacks.slow?.();
    if (this.#pending.has(pending.tid)) this.#attempt(pending);
  }

  /** No answer at all, or not a complete one. */
  #silent(pending: Pending): void {
    if (this.#pending.get(pending.tid) !== pending) return;
    const { node, partial } = pending;
    if (node && partial) return this.#settle(pending, node, partial);
    if (node) this.expire(node);
    this.#fail(pending, "timeout");
  }

  /** The node does not answer: all that is asked of it fails. */
  expire(node: Node): void {
    if (node.expired) return;
    node.expired = true;
    for (const pending of [...this.#pending.values()]) if (pending.node === node) this.#fail(pending, "timeout");
    this.events.expired(node);
  }

  #fail(pending: Pending, failure: Failure): void {
    if (this.#remove(pending)) pending.callbacks.failed?.(failure);
  }

  #settle(pending: Pending, node: Node, reply: Reply): void {
    if (!this.#remove(pending)) return;
    if (pending.body.name !== "get" && pending.body.name !== "find") node.authErrors = 0;
    pending.callbacks.reply?.(reply, node);
  }

  #remove(pending: Pending): boolean {
    pending.cancelTimer();
    if (this.#pending.get(pending.tid) !== pending) return false;
    this.#pending.delete(pending.tid);
    if (pending.node) pending.node.pending--;
    return true;
  }

  #send(
    to: Address,
    packet: (slots: ValueSlot[] | undefined) => Packet,
    values?: readonly Value[],
    failed: () => void = () => {},
  ): void {
    const socket = this.#sockets[to.family];
    if (!socket) return;
    const { slots, parts } = values ? splitValues(values) : { slots: undefined, parts: [] };
    const header = packet(slots);
    this.arrivals.sent(to.ip);
    const send = (one: Packet) => {
      this.traffic.sent++;
      socket.send(encodePacket({ ...one, agent: limit.AGENT }), to, failed);
    };
    send(header);
    for (const part of parts) send({ kind: "parts", tid: header.tid, parts: [part] });
  }

  #receive(datagram: Uint8Array, from: Address): void {
    if (this.#stopped) return;
    this.traffic.received++;
    if (isMartian(from) || this.#blacklist.has(addressText(from))) return;
    try {
      this.#handle(decodePacket(datagram), from);
    } catch (error) {
      this.traffic.dropped++;
      // Whatever a stranger's packet brings about must not end the program.
      if (!(error instanceof ProtocolError)) log.error("a packet could not be handled: {error}", { error });
    }
  }

  #handle(packet: Packet, from: Address): void {
    if (packet.network) return;
    if (packet.kind === "parts") return this.#parts(packet.tid, packet.parts, from);
    if (packet.id === this.own) return;
    switch (packet.kind) {
      case "request":
        return this.#request(packet.body, packet.id, packet.client === true, from, packet.tid);
      case "reply":
        return this.#reply(packet.body, packet.id, packet.client === true, from, packet.tid);
      case "error":
        return this.#error(packet.code, packet.id, packet.tid);
      case "update0":
        return; // We never listen by protocol version 0.
    }
  }

  #parts(tid: number, parts: Extract<Packet, { kind: "parts" }>["parts"], from: Address): void {
    const awaited = this.#assembler.has(from, tid) || this.#pending.has(tid);
    if (!awaited && !this.#withinRate(from)) return;
    for (const part of parts) this.#assembler.add(from, tid, part, true);
  }

  #withinRate(from: Address): boolean {
    const source = sourceOf(from);
    const perSecond = limit.REQUESTS_PER_SECOND_PER_SOURCE;
    const rate = this.#rates.get(source) ?? new TokenBucket(this.clock, perSecond, perSecond);
    this.#rates.set(source, rate);
    if (rate.take() && this.#rate.take()) return true;
    this.traffic.limited++;
    return false;
  }

  #request(body: RequestBody, id: InfoHash, client: boolean, from: Address, tid: number): void {
    if (!this.#withinRate(from)) return;
    this.traffic.requestsIn++;
    this.traffic.kindsIn[body.name]++;
    this.arrivals.came(from.ip);
    const wasExpired = this.nodes[from.family].get(id)?.expired ?? false;
    const node = this.nodes[from.family].heard(id, from, false, this.clock.now());
    this.events.heard(node, { replied: false, client, revived: false });
    if (wasExpired) this.#greet(node, client);
    if (body.name !== "put" && body.name !== "update") return this.events.request(body, node, from, tid);
    this.#complete(body.values ?? [], from, tid, (values, complete) => {
      // An incomplete put is not acknowledged: its sender will send all of it again.
      if (complete) this.events.request({ ...body, values }, node, from, tid);
    });
  }

  /**
   * A node that did not answer asks something: is it back? Only its answer proves that, and brings it back into the searches that gave it up. (It
   * counts as good from its first packet on, so an answer to anything else would not be taken for a return.)
   */
  #greet(node: Node, client: boolean): void {
    const back = () => this.events.heard(node, { replied: true, client, revived: true });
    this.request(node, { name: "ping" }, { reply: back });
  }

  #reply(body: ReplyBody, id: InfoHash, client: boolean, from: Address, tid: number): void {
    const pending = this.#pending.get(tid);
    if (!pending) return;
    if (pending.node ? pending.node.id !== id : addressText(pending.to) !== addressText(from)) return;
    const now = this.clock.now();
    const revived = !this.nodes[from.family].get(id)?.isGood(now);
    const node = this.nodes[from.family].heard(id, from, true, now);
    node.replied = now;
    this.traffic.replies++;
    this.traffic.lastReply = now;
    const asked = pending.body.name;
    if ((asked === "find" || asked === "get") && !body.token) {
      this.#blacklist.set(addressText(from), true);
      this.expire(node);
      return this.#fail(pending, "timeout");
    }
    this.events.heard(node, { replied: true, client, revived });
    if (body.seenAs) this.events.seenAs(from.family, body.seenAs);
    for (const told of [...body.nodes4 ?? [], ...body.nodes6 ?? []]) this.#told(told, from);
    if (!body.values) return this.#settle(pending, node, { ...body, values: undefined });
    pending.cancelTimer(); // From here the assembly's own timers count.
    this.#complete(body.values, from, tid, (values, complete) => {
      if (complete) return this.#settle(pending, node, { ...body, values });
      if ((pending.partial?.values?.length ?? 0) <= values.length) pending.partial = { ...body, values };
      this.#unanswered(pending);
    });
  }

  /** Gives the values now, or when their parts have come or will not come any more. */
  #complete(
    slots: readonly ValueSlot[],
    from: Address,
    tid: number,
    done: (values: Value[], complete: boolean) => void,
  ): void {
    if (!slots.some((slot) => typeof slot === "number")) return done(slots.filter(isValue), true);
    if (!this.#assembler.open(from, tid, slots, done)) done(slots.filter(isValue), false);
  }

  #told(told: { id: InfoHash; address: Address }, from: Address): void {
    if (told.id === this.own) return;
    const loopback = isLoopback(told.address) && !isLoopback(from) && told.address.family === from.family;
    const address = loopback ? { ...from, port: told.address.port } : told.address;
    if (this.allows(address)) {
      this.events.told(this.nodes[address.family].told({ id: told.id, address }, this.clock.now()));
    }
  }

  #error(code: number, id: InfoHash, tid: number): void {
    const pending = this.#pending.get(tid);
    const node = pending?.node;
    if (!pending || !node || node.id !== id) return;
    const { name } = pending.body;
    const writes = name === "put" || name === "listen" || name === "refresh";
    if (code === ErrorCode.unauthorized && writes) {
      if (++node.authErrors > limit.MAX_AUTH_ERRORS) this.expire(node);
      this.#fail(pending, "unauthorized");
    } else if (code === ErrorCode.notFound && name === "refresh") {
      this.#fail(pending, "not found");
    }
  }
}

/** Does another program have the port? */
function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

function isValue(slot: ValueSlot): slot is Value {
  return slot !== null && typeof slot !== "number";
}

/** The packet of a request, with slots in place of its values. */
function request(id: InfoHash, tid: number, body: Request, slots: ValueSlot[] = []): Packet {
  switch (body.name) {
    case "put":
      return { kind: "request", id, tid, body: { ...body, values: slots } };
    case "update":
      return { kind: "request", id, tid, body: { ...body, values: body.values && slots } };
    default:
      return { kind: "request", id, tid, body };
  }
}
