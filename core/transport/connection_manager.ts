/** "Give me a connection to this device": requests and answers, ICE, TLS, and the connections that are up (connection.md 2, 7, 10). */

import { getLogger } from "@logtape/logtape";
import { type Clock, every } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { within } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Certificate } from "../identity/certificate.ts";
import { checkChain, type Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import type { RevocationList } from "../identity/revocation.ts";
import { ConnectError, type Connection } from "./channel.ts";
import * as limits from "./constants.ts";
import { hostPort, type IceLink } from "./ice_link.ts";
import { IceListener, type Incoming } from "./ice_listener.ts";
import { type IceRole, IceSession } from "./ice_session.ts";
import { type Candidate, formatIceText, type IceText, localCandidates, parseIceText } from "./ice_text.ts";
import { type Acceptor, type ChannelStanding, MuxConnection } from "./mux.ts";
import type { PeerRequest } from "./peer_request.ts";
import {
  ALL_FAMILIES,
  type KeyFamily,
  type OwnDevice,
  type Signal,
  Signalling,
  type SignallingDht,
} from "./signalling.ts";
import { secure } from "./tls.ts";

const log = getLogger(["kituo", "transport"]);

export interface ConnectionManagerOptions {
  identity: OwnDevice;
  dht: SignallingDht;
  clock: Clock;
  random: Random;
  /** The one TCP port of all connections; 0 = any. */
  port: number;
  /** The machine's own addresses, IPv4 and IPv6. */
  addresses: () => string[];
  /** Addresses the world sees us at: configured ones, and what DHT nodes report. */
  publicAddresses: () => string[];
  /** Is this the IP address of a machine in one of our own networks? */
  isNear?: (address: string) => boolean;
  certificates: {
    /** The chain of a device, leaf first, from the store or the DHT. */
    byKey(key: PublicKey): Promise<Certificate[] | null>;
  };
  /** Request ids treated before, kept over restarts: the DHT delivers everything of the last 10 minutes again (2.3). */
  seen: { has(id: bigint): boolean; add(id: bigint): void };
  /** May this device connect? Asked before a request is answered; a refusal is silence. */
  allow(peer: Peer): boolean;
  accept: Acceptor;
  revocations(account: AccountId): Iterable<RevocationList>;
  /** The key families listened on and asked at; default: both (2.1). One alone is what a peer of one generation has. */
  families?: readonly KeyFamily[];
}

/** How a connection stands, for who looks after the node. Times are milliseconds since 1970. */
export interface ConnectionStanding {
  connection: Connection;
  /** `address:port` of our end. */
  local: string;
  /** Did the TCP connection come to us? Not who asked for it: either side may dial. */
  accepted: boolean;
  /** "TLSv1.3" */
  tls: string;
  channels: ChannelStanding[];
  /** When something came last, keep-alives included. */
  lastHeard: number;
}

/** What came of asking a device to connect to us. `from` is its IP address. */
export type ProbeResult = { outcome: "no answer" | "nothing came" } | { outcome: "connected"; from: string };

/** What is known of the peer before TLS. */
interface Expected {
  device: DeviceId;
  account?: AccountId;
}

/** What the manager tells. */
export type ConnectionEvents = {
  /** A connection is up. */
  connection: Connection;
  closed: { connection: Connection; reason: string };
};

export class ConnectionManager extends Emitter<ConnectionEvents> {
  readonly #options: ConnectionManagerOptions;
  readonly #signalling: Signalling;
  readonly #listener: IceListener;
  readonly #connections = new Map<MuxConnection, { link: IceLink; tls: string }>();
  /** Bytes of connections that are over. */
  readonly #past = { in: 0, out: 0 };
  /** Sessions between request and open connection. */
  readonly #sessions = new Map<IceSession, DeviceId>();
  /** Our requests without answer, by id. */
  readonly #requests = new Map<bigint, { device: DeviceId; answered: (iceText: string) => void }>();
  /** Connections somebody waits for: one attempt at a time for each device. */
  readonly #attempts = new Map<DeviceId, PromiseWithResolvers<Connection>>();
  /** Requests of peers whose certificates are being looked up. */
  readonly #checking = new Map<DeviceId, number>();
  readonly #keyPem: string;
  #state: "new" | "running" | "stopped" = "new";
  #count = 0;

  constructor(options: ConnectionManagerOptions) {
    super();
    this.#options = options;
    this.#keyPem = options.identity.key.toPem();
    this.#listener = new IceListener(options.clock, options.isNear);
    this.#signalling = new Signalling({ ...options, received: (signal) => this.#received(signal) });
  }

  /** The TCP port listened on. */
  get port(): number {
    return this.#listener.port;
  }

  /** Takes the TCP port ahead of the start. @throws when it is taken */
  listen(): void {
    if (this.#state === "new") this.#listener.start(this.#options.port);
  }

  /** Begins to listen, on TCP and on the DHT. @throws when the port is taken */
  start(): void {
    if (this.#state !== "new") return;
    this.listen();
    this.#state = "running";
    this.#signalling.start();
  }

  /** Closes every connection in order, and all else. Takes 1 s at most. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#signalling.stop();
    for (const session of [...this.#sessions.keys()]) session.close("stopping");
    const links = [...this.#connections.values()];
    await this.closeAll(() => true, "stopping");
    this.#listener.stop();
    await Promise.all(links.map(({ link }) => link.done));
  }

  /** The connections that are up, all or those with one device, oldest first. */
  connections(device?: DeviceId): Connection[] {
    return this.#open(device);
  }

  /** How each connection stands, oldest first. */
  standings(): ConnectionStanding[] {
    return [...this.#connections].filter(([connection]) => connection.isOpen).map(([connection, { link, tls }]) => ({
      connection,
      local: link.local,
      accepted: !link.dialled,
      tls,
      channels: connection.channelStates(),
      lastHeard: Math.max(connection.lastHeard, link.lastRead),
    }));
  }

  /** Bytes that came in and went out on all connections since the start. */
  get traffic(): { in: number; out: number } {
    const sum = { ...this.#past };
    for (const { bytesIn, bytesOut } of this.#connections.keys()) {
      sum.in += bytesIn;
      sum.out += bytesOut;
    }
    return sum;
  }

  /** Connections of peers that reached our TCP port, since the start: from our own networks, and from elsewhere. */
  get incoming(): Readonly<Record<"near" | "far", Incoming>> {
    return this.#listener.incoming;
  }

  /** What peers are told to dial. */
  candidates(): Candidate[] {
    const { addresses, publicAddresses } = this.#options;
    return localCandidates(addresses(), publicAddresses(), this.port);
  }

  /** Closes, in order, all connections with peers for which `predicate` holds. */
  async closeAll(predicate: (peer: Peer) => boolean, reason: string): Promise<void> {
    const chosen = this.#open().filter((connection) => predicate(connection.peer));
    await Promise.all(chosen.map((connection) => connection.close(reason)));
  }

  /** Our addresses have changed: every connection is asked by a beacon, dead ones fall in 3 s (7.4). */
  connectivityChanged(): void {
    for (const connection of this.#open()) connection.beacon();
  }

  /**
   * A connection with a device: one that is up, or a new one.
   * @param connType why, for push notifications
   * @throws {ConnectError}
   */
  async connect(device: PublicKey, connType = ""): Promise<Connection> {
    if (this.#state !== "running") throw new ConnectError("not running");
    if (device.longId === this.#options.identity.device) throw new ConnectError("that is this device itself");
    const live = this.#open(device.longId).at(-1);
    if (live && await this.#isTrusted(live)) return live;
    const pending = this.#attempts.get(device.longId);
    if (pending) return pending.promise;
    const attempt = Promise.withResolvers<Connection>();
    this.#attempts.set(device.longId, attempt);
    this.#request(device, connType).then(attempt.resolve, (error) => {
      attempt.reject(new ConnectError(`${device.longId}: ${messageOf(error)}`, { cause: error }));
    }).finally(() => {
      if (this.#attempts.get(device.longId) === attempt) this.#attempts.delete(device.longId);
    });
    return attempt.promise;
  }

  /** A connection that was idle for long may be dead without our knowing (6.5). */
  #isTrusted(connection: MuxConnection): Promise<boolean> {
    const idle = this.#options.clock.now() - connection.lastHeard;
    return idle > limits.BEACON_IDLE ? connection.beacon() : Promise.resolve(true);
  }

  #open(device?: DeviceId): MuxConnection[] {
    return [...this.#connections.keys()].filter((c) => c.isOpen && (!device || c.peer.device === device));
  }

  // --- as requester ---

  async #request(device: PublicKey, connType: string): Promise<Connection> {
    const session = this.#newSession("controlled", device.longId);
    if (!session) throw new ConnectError("too many connections are being made");
    try {
      session.start(await this.#ask(session, device, this.#iceText(session), connType));
      return await this.#establish(session, { device: device.longId });
    } finally {
      this.#endSession(session);
    }
  }

  /** Asks a device to connect, over the DHT. @returns the ICE text of its answer */
  async #ask(session: IceSession, device: PublicKey, iceText: string, connType: string): Promise<IceText> {
    const answer = Promise.withResolvers<string>();
    session.selected.catch(answer.reject); // closed before the answer: we are stopping
    const ids: bigint[] = [];
    const ask = () => {
      const id = this.#newId();
      ids.push(id);
      this.#requests.set(id, { device: device.longId, answered: answer.resolve });
      const request: PeerRequest = { id, iceText, isAnswer: false, connType };
      return this.#signalling.send(device, request, this.#options.families ?? ALL_FAMILIES);
    };
    const { clock } = this.#options;
    // A put ends when the last of its nodes has answered or is given up; the peer may have answered long before.
    const late = ask().then(() => within(clock, limits.ANSWER_TIMEOUT, "answer", answer.promise));
    const stopAsking = every(clock, limits.ASK_AGAIN, () => {
      if (ids.length >= limits.ASKED_AT_MOST) return stopAsking();
      ask().catch((error) => log.debug("asking again: {error}", { error: messageOf(error) }));
    });
    try {
      return parseIceText(await Promise.race([answer.promise, late]));
    } finally {
      stopAsking();
      for (const id of ids) this.#requests.delete(id);
    }
  }

  /**
   * Asks a device to connect to us at these addresses, and dials nothing: does its TCP connection come through? What comes is an ordinary
   * connection, and stays.
   */
  async probe(device: PublicKey, addresses: string[]): Promise<ProbeResult> {
    const session = this.#state === "running" ? this.#newSession("controlled", device.longId, true) : null;
    if (!session) return { outcome: "no answer" };
    const { ufrag, pwd } = session;
    const own = this.#options.addresses().filter((address) => addresses.includes(address));
    const iceText = formatIceText({ ufrag, pwd, candidates: localCandidates(own, addresses, this.port) });
    try {
      const remote = await this.#ask(session, device, iceText, "").catch(() => null);
      if (!remote) return { outcome: "no answer" };
      session.start(remote);
      const { link } = await within(this.#options.clock, limits.PROBE_TIMEOUT, "a connection", session.selected);
      await this.#establish(session, { device: device.longId }).catch((error) => {
        log.debug("a connection that was asked for came to nothing: {error}", { error: messageOf(error) });
      });
      return { outcome: "connected", from: link.address };
    } catch {
      return { outcome: "nothing came" };
    } finally {
      this.#endSession(session);
    }
  }

  #newId(): bigint {
    const { random } = this.#options;
    for (;;) {
      const id = random.id() & BigInt(limits.MAX_REQUEST_ID);
      if (id > 0n && !this.#requests.has(id)) return id;
    }
  }

  // --- as answerer ---

  #received({ from, request, family }: Signal): void {
    if (this.#state !== "running") return;
    if (request.isAnswer) {
      const pending = this.#requests.get(request.id);
      if (pending?.device !== from.longId) return;
      log.debug("{device} answers a request", { device: from.longId });
      this.#requests.delete(request.id); // only the first answer counts
      return pending.answered(request.iceText);
    }
    const { seen } = this.#options;
    if (seen.has(request.id)) return;
    seen.add(request.id);
    log.debug("{device} asks for a connection", { device: from.longId });
    this.#answer(from, request, family).catch((error) => {
      const expected = error instanceof KituoError;
      log[expected ? "debug" : "error"]("request of {device}: {error}", {
        device: from.longId,
        error: messageOf(error),
      });
    });
  }

  async #answer(from: PublicKey, request: PeerRequest, family: KeyFamily): Promise<void> {
    const remote = parseIceText(request.iceText);
    const peer = await this.#checked(from);
    if (!peer || this.#state !== "running" || !this.#options.allow(peer)) return;
    const session = this.#newSession("controlling", peer.device);
    if (!session) return;
    try {
      const answer: PeerRequest = { id: request.id, iceText: this.#iceText(session), isAnswer: true, connType: "" };
      session.start(remote);
      this.#signalling.send(from, answer, [family]).catch((error) => {
        log.debug("putting an answer failed: {error}", { error: messageOf(error) });
      });
      await this.#establish(session, { device: peer.device, account: peer.account });
    } finally {
      this.#endSession(session);
    }
  }

  /** Who a signer is. `null` when it is asking too often or has no certificates; they are looked for on the DHT. */
  async #checked(from: PublicKey): Promise<Peer | null> {
    const device = from.longId;
    const mine = this.#checking.get(device) ?? 0;
    if (mine >= limits.MAX_SESSIONS_PER_DEVICE || this.#checking.size >= limits.MAX_SESSIONS) return null;
    this.#checking.set(device, mine + 1);
    try {
      const looking = this.#options.certificates.byKey(from);
      const chain = await within(this.#options.clock, limits.CERTIFICATE_TIMEOUT, "certificates", looking);
      return chain && this.#check(chain, { device });
    } finally {
      const left = (this.#checking.get(device) ?? 1) - 1;
      if (left > 0) this.#checking.set(device, left);
      else this.#checking.delete(device);
    }
  }

  /** @throws {CertificateError} */
  #check(chain: Certificate[], expected: Expected): Peer {
    const account = chain.at(1)?.publicKey.id;
    const revocations = account === undefined ? [] : this.#options.revocations(account);
    return checkChain(chain, { now: this.#options.clock.now(), revocations, ...expected });
  }

  // --- both ---

  /** A session, when there is room for one. */
  #newSession(role: IceRole, device: DeviceId, waitOnly = false): IceSession | null {
    const ofDevice = [...this.#sessions.values()].filter((d) => d === device).length;
    if (this.#sessions.size >= limits.MAX_SESSIONS || ofDevice >= limits.MAX_SESSIONS_PER_DEVICE) return null;
    const { clock, random, addresses } = this.#options;
    const dialLoopback = addresses().some((address) => address === "::1" || address.startsWith("127."));
    const session = new IceSession({ role, clock, random, dialLoopback, waitOnly });
    this.#sessions.set(session, device);
    this.#listener.add(session);
    return session;
  }

  /** No new TCP connections for it. */
  #endSession(session: IceSession): void {
    this.#sessions.delete(session);
    this.#listener.remove(session);
    session.release();
  }

  #iceText({ ufrag, pwd }: IceSession): string {
    return formatIceText({ ufrag, pwd, candidates: this.candidates() });
  }

  /** From two ICE texts to an open connection. */
  async #establish(session: IceSession, expected: Expected): Promise<Connection> {
    const selected = await session.selected;
    const { identity, clock } = this.#options;
    log.debug("TLS with {remote}", { remote: `${selected.link.address}:${selected.link.port}` });
    const { socket, peer } = await secure({
      session,
      selected,
      clock,
      key: this.#keyPem,
      chain: identity.chainPem,
      check: (chain) => this.#check(chain, expected),
    });
    const { link } = selected;
    if (this.#state !== "running" || link.closed) {
      socket.destroy();
      throw new ConnectError("closed meanwhile");
    }
    const incoming = session.role === "controlling";
    const connection: MuxConnection = new MuxConnection({
      socket,
      server: !incoming,
      peer,
      incoming,
      id: `${++this.#count}`,
      remote: hostPort(link.address, link.port),
      clock,
      accept: this.#options.accept,
      ended: (reason) => {
        link.end();
        this.#closed(connection, reason);
      },
    });
    this.#opened(connection, link, socket.getProtocol() ?? "");
    return connection;
  }

  #opened(connection: MuxConnection, link: IceLink, tls: string): void {
    const { device } = connection.peer;
    const older = this.#open(device);
    this.#connections.set(connection, { link, tls });
    this.#watch(connection, link);
    log.info("connected with {device} at {remote}", { device, remote: connection.remote });
    this.emit("connection", connection);
    connection.start();
    this.#attempts.get(device)?.resolve(connection); // also when the peer's own request was faster than ours
    this.#attempts.delete(device);
    // As today's peers do: a second connection often means that the first has died (6.5).
    for (const other of older) other.beacon();
    if (older.length >= limits.MAX_CONNECTIONS_PER_DEVICE) older[0].close("too many connections");
  }

  /** Peers send keep-alives; when none come, the connection is asked (4.6). */
  #watch(connection: MuxConnection, link: IceLink): void {
    const { clock } = this.#options;
    const look = () => {
      if (clock.now() - link.lastRead >= limits.SILENCE) connection.beacon();
      cancel = clock.after(limits.KEEP_ALIVE, look);
    };
    let cancel = clock.after(limits.KEEP_ALIVE, look);
    connection.closed.then(() => cancel());
  }

  #closed(connection: MuxConnection, reason: string): void {
    if (!this.#connections.delete(connection)) return;
    this.#past.in += connection.bytesIn;
    this.#past.out += connection.bytesOut;
    log.info("connection with {device} closed: {reason}", { device: connection.peer.device, reason });
    this.emit("closed", { connection, reason });
  }
}
