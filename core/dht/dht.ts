/** A node of the DHT: get, put, keep and listen, and all that it does for others meanwhile (opendht.md 6, 7). */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Random } from "../base/random.ts";
import type { PrivateKey } from "../identity/keys.ts";
import { type Family } from "./address.ts";
import * as limit from "./constants.ts";
import { type DhtHealth, healthOf, type HealthParts, testOf } from "./health.ts";
import { type InfoHash, isInfoHash } from "./info_hash.ts";
import { ListenBudget, type Listener, Listening, LOCAL_SOURCE } from "./listening.ts";
import { Network, type Traffic } from "./network.ts";
import type { Node } from "./node.ts";
import { GetOperation, ListenOperation, PutOperation, socketName } from "./operations.ts";
import type { Where } from "./query.ts";
import { RoutingTable } from "./routing_table.ts";
import { Scheduler } from "./scheduler.ts";
import { type Operation, Search } from "./search.ts";
import { Server, type Update } from "./server.ts";
import { type SocketFactory, udpSockets } from "./socket.ts";
import { type DhtState, makeState, stateNodes } from "./state.ts";
import { Storage } from "./storage.ts";
import { Tokens } from "./token.ts";
import { type Status, Upkeep } from "./upkeep.ts";
import { signValue } from "./value_crypto.ts";
import { type Value, valueKey, valueSize } from "./value.ts";
import { AddressVotes } from "./votes.ts";

const log = getLogger(["kituo", "dht"]);

/** How a node is made. */
export interface DhtOptions {
  /** Sockets of the system unless told otherwise. */
  socket?: SocketFactory;
  /** UDP port; 0 for that of `state`, or any. */
  port: number;
  /** `host[:port]` of nodes to join by. */
  bootstrap: readonly string[];
  clock: Clock;
  random: Random;
  /** Random (or that of `state`) unless told otherwise. */
  nodeId?: InfoHash;
  /** What `state()` gave in an earlier run. */
  state?: DhtState;
}

/** What came of a put. */
export interface PutResult {
  /** Nodes that say they have the value. */
  acknowledged: number;
  /** Nodes that were asked to store it. */
  asked: number;
  /** The id under which it was put. */
  id: bigint;
}

/** A value that is kept alive. */
export interface Kept {
  /** Resolves when the value first stands on the nearest nodes, or with what was reached when it is stopped. */
  readonly done: Promise<PutResult>;
  /** Refreshes it no more: it dies by itself. */
  stop(): void;
}

/** How values are got. */
export interface GetOptions {
  where?: Where;
  /** Milliseconds after which what was found is all. */
  timeout?: number;
  /** Told each distinct value as it comes. */
  onValue?: (value: Value) => void;
}

/** Numbers for a dashboard. */
export interface DhtStats {
  nodes4: number;
  nodes6: number;
  dubious4: number;
  dubious6: number;
  storedValues: number;
  /** What the values of others cost. */
  storedBytes: number;
  /** Keys this node listens on. */
  listeners: number;
  /** Sockets of others that listen here. */
  remoteListeners: number;
  searches: number;
  kept: number;
  pendingRequests: number;
  /** Since the last call of `stats`. */
  requestsPerSecond: number;
  /** Own address as others see it, per family. */
  publicAddresses: string[];
}

interface KeyListening {
  readonly listening: Listening;
  readonly operations: { search: Search; operation: ListenOperation }[];
  cancelLinger: () => void;
}

export class Dht extends Emitter<{ status: Status }> {
  readonly id: InfoHash;
  readonly #clock: Scheduler;
  readonly #network: Network;
  readonly #tables: Record<Family, RoutingTable>;
  readonly #storage: Storage;
  readonly #tokens: Tokens;
  readonly #server: Server;
  readonly #upkeep: Upkeep;
  readonly #health: HealthParts;
  readonly #votes = { 4: new AddressVotes(), 6: new AddressVotes() };
  readonly #searches = { 4: new Map<InfoHash, Search>(), 6: new Map<InfoHash, Search>() };
  readonly #listenings = new Map<InfoHash, KeyListening>();
  readonly #listenBudget = new ListenBudget();
  readonly #sockets = new Map<string, (update: Update) => void>();
  readonly #kept = new Map<string, { stop(): void }>();
  /** Ends of one-shot operations that are under way. */
  readonly #ends = new Set<() => void>();
  #status: Status = "disconnected";
  /** Was it connected before it was not? */
  #wasLost = false;
  #lastStats = { at: 0, requests: 0 };

  constructor(private readonly options: DhtOptions) {
    super();
    const { random, bootstrap } = options;
    this.id = options.nodeId ?? options.state?.id ?? random.bytes(20).toHex();
    const clock = this.#clock = new Scheduler(options.clock);
    const network = this.#network = new Network(this.id, clock, random, {
      request: (body, node, from, tid) => this.#server.handle(body, node, from, tid),
      heard: (node, how) => this.#heard(node, how),
      told: (node) => void this.#tables[node.family].offer(node, clock.now()),
      expired: (node) => this.#expired(node),
      seenAs: (family, ip) => this.#votes[family].add(ip),
    });
    const ping = (node: Node) => void network.request(node, { name: "ping" }, {});
    const tables = this.#tables = { 4: new RoutingTable(this.id, ping), 6: new RoutingTable(this.id, ping) };
    const storage = this.#storage = new Storage(clock, {
      stored: (key, value) => {
        this.#server.stored(key, value);
        this.#listenings.get(key)?.listening.values(LOCAL_SOURCE, [value]);
      },
      refreshed: (key, value) => this.#server.refreshed(key, value),
      expired: (key, value) => {
        this.#server.expired(key, value);
        this.#listenings.get(key)?.listening.expired(LOCAL_SOURCE, [value.id]);
      },
    });
    const tokens = this.#tokens = new Tokens(clock, random);
    const update = (node: Node, body: Update) => this.#sockets.get(socketName(node, body.socketId))?.(body);
    this.#server = new Server({ own: this.id, clock, network, storage, tokens, tables, update });
    this.#upkeep = new Upkeep({
      own: this.id,
      clock,
      random,
      network,
      tables,
      bootstrap,
      status: () => this.#currentStatus(),
      searchOwn: (family) => this.#searchOwn(family),
      sweep: () => this.#sweep(),
    });
    this.#health = { network, storage, upkeep: this.#upkeep, votes: this.#votes };
  }

  /**
   * Binds the sockets and joins the network.
   * @throws when no socket can be bound
   */
  async start(): Promise<void> {
    const { port, state, socket = udpSockets() } = this.options;
    const wanted = port || state?.port || 0;
    try {
      await this.#network.open(socket, wanted);
    } catch (error) {
      if (port || !wanted) throw error;
      await this.#network.open(socket, 0); // The port of last time is taken: any other will do.
    }
    const now = this.#clock.now();
    this.#lastStats.at = now;
    this.#network.arrivals.start(state !== undefined);
    for (const told of state ? stateNodes(state) : []) {
      if (!this.#network.allows(told.address) || told.id === this.id) continue;
      const node = this.#network.nodes[told.address.family].told(told, now);
      this.#tables[node.family].offer(node, now);
      this.#network.request(node, { name: "ping" }, {});
    }
    this.#tokens.start();
    this.#upkeep.start();
    this.#checkStatus();
    log.info("node {id} on UDP port {port}", { id: this.id, port: this.port });
  }

  /** Ends everything; gets and puts under way end with what they have. */
  async stop(): Promise<void> {
    this.#upkeep.stop();
    for (const end of [...this.#ends]) end();
    for (const kept of [...this.#kept.values()]) kept.stop();
    for (const { listening } of this.#listenings.values()) listening.close();
    this.#listenings.clear();
    for (const family of [4, 6] as const) {
      for (const search of this.#searches[family].values()) search.close();
      this.#searches[family].clear();
    }
    await this.#network.close();
    this.#clock.stop();
  }

  /** The UDP port that is bound. */
  get port(): number {
    return this.#network.port;
  }

  /** Connected: at least one good node in one family. */
  get status(): Status {
    return this.#status;
  }

  /**
   * The values of a key: those kept here first, then those of the nearest nodes. Each distinct (id, content) once;
   * encrypted ones too.
   * @throws {LimitError} too many operations under way
   */
  async get(key: InfoHash, options: GetOptions = {}): Promise<Value[]> {
    const { where = {}, timeout = limit.GET_TIMEOUT, onValue } = options;
    const found = new Map<string, Value>();
    let bytes = 0;
    const add = (value: Value) => {
      if (found.has(valueKey(value)) || found.size >= limit.MAX_FOUND_VALUES || bytes > limit.MAX_FOUND_BYTES) return;
      found.set(valueKey(value), value);
      bytes += valueSize(value);
      onValue?.(value);
    };
    for (const value of this.#storage.values(key, where)) add(value);
    await this.#oneShot(key, timeout, (done) => new GetOperation(key, where, add, done));
    return [...found.values()];
  }

  /**
   * Puts a value on the nearest nodes, once. An id of 0 is replaced by a random one.
   * @throws {LimitError} too many operations under way
   */
  async put(key: InfoHash, value: Value): Promise<PutResult> {
    const named = this.#named(value);
    this.#storage.putOwn(key, named, false);
    const operations: PutOperation[] = [];
    await this.#oneShot(key, limit.PUT_TIMEOUT, (done) => {
      const operation: PutOperation = new PutOperation(this.#clock, key, named, false, () => {
        if (operation.progress.settled) done();
      });
      operations.push(operation);
      return operation;
    });
    return sum(operations, named.id);
  }

  /**
   * Keeps a value on the nearest nodes: refreshed before it expires, put on nearer nodes that appear. Takes the place
   * of a value kept before under the
   * same key and id.
   */
  keep(key: InfoHash, value: Value): Kept {
    const named = this.#named(value);
    const name = `${key}/${named.id}`;
    this.#kept.get(name)?.stop();
    this.#storage.putOwn(key, named, true);
    const { promise: done, resolve } = Promise.withResolvers<PutResult>();
    const running = this.#network.families.map((family) => {
      const search = this.#search(family, key);
      const operation: PutOperation = new PutOperation(this.#clock, key, named, true, () => {
        const result = sum(running.map((one) => one.operation), named.id);
        if (running.some((one) => one.operation.progress.settled) && result.acknowledged) resolve(result);
      });
      return { search, operation };
    });
    const kept = {
      stop: () => {
        if (this.#kept.get(name) !== kept) return;
        this.#kept.delete(name);
        for (const { search, operation } of running) {
          operation.stop();
          search.remove(operation);
        }
        this.#storage.release(key, named.id);
        resolve(sum(running.map((one) => one.operation), named.id));
      },
    };
    this.#kept.set(name, kept);
    for (const { search, operation } of running) search.add(operation);
    return { done, stop: kept.stop };
  }

  /**
   * Signs a value with the version after the newest one of the same owner that the network has, and puts it once (7.3).
   * @throws {LimitError} when there is no higher version, or too many operations are under way
   */
  async putSigned(key: InfoHash, value: Value, signer: PrivateKey): Promise<PutResult> {
    return await this.put(key, await this.#nextVersion(key, value, signer));
  }

  /** As `putSigned`, and keeps it. @throws {LimitError} as `putSigned` */
  async keepSigned(key: InfoHash, value: Value, signer: PrivateKey): Promise<Kept> {
    return this.keep(key, await this.#nextVersion(key, value, signer));
  }

  /**
   * Tells every distinct value of the key (id and content), encrypted ones too, now and later, and when it is gone
   * everywhere. A value that another one
   * of the same id has replaced ends silently.
   * @throws {LimitError} too many keys are listened on
   */
  listen(key: InfoHash, listener: Listener): { stop(): void } {
    const known = this.#listenings.get(key) ?? this.#startListening(key);
    known.cancelLinger();
    const own: Listener = (value, expired) => {
      try {
        listener(value, expired);
      } catch (error) {
        log.error("a listener failed: {error}", { error });
      }
    };
    known.listening.add(own);
    return {
      stop: () => {
        if (!known.listening.listeners.delete(own) || known.listening.listeners.size > 0) return;
        known.cancelLinger();
        known.cancelLinger = this.#clock.after(limit.LISTEN_LINGER, () => this.#stopListening(key));
      },
    };
  }

  /**
   * After a change of the network (address, interface, suspend): nothing known about reachability holds any more
   * (6.7).
   */
  rebootstrap(): void {
    for (const family of this.#network.families) {
      this.#votes[family].clear();
      for (const node of this.#network.nodes[family].values()) {
        node.expired = false;
        node.replied = 0;
        node.heard = 0;
      }
      for (const bucket of this.#tables[family].buckets) bucket.replied = 0;
      for (const node of this.#tables[family].nodes()) {
        if (node.pending === 0) this.#network.request(node, { name: "ping" }, {});
      }
    }
    this.#upkeep.confirm();
    this.#checkStatus();
    this.#upkeep.bootstrap();
    for (const family of this.#network.families) for (const search of this.#searches[family].values()) search.reset();
  }

  /** What went over the wire since the start. */
  get traffic(): Readonly<Traffic> {
    return this.#network.traffic;
  }

  /** Numbers for a dashboard. */
  stats(): DhtStats {
    const now = this.#clock.now();
    const { requestsIn, requestsOut } = this.#network.traffic;
    const count = (family: Family, test: (node: Node) => boolean) =>
      [...this.#tables[family].nodes()].filter(test).length;
    const good = (node: Node) => node.isGood(now);
    const dubious = (node: Node) => node.isDubious(now);
    const requests = requestsIn + requestsOut;
    const elapsed = Math.max(1, now - this.#lastStats.at) / 1000;
    const requestsPerSecond = (requests - this.#lastStats.requests) / elapsed;
    this.#lastStats = { at: now, requests };
    return {
      nodes4: count(4, good),
      nodes6: count(6, good),
      dubious4: count(4, dubious),
      dubious6: count(6, dubious),
      storedValues: this.#storage.count,
      storedBytes: this.#storage.remoteBytes,
      listeners: this.#listenings.size,
      remoteListeners: this.#server.listens.count,
      searches: this.#searches[4].size + this.#searches[6].size,
      kept: this.#kept.size,
      pendingRequests: this.#network.pendingCount,
      requestsPerSecond,
      publicAddresses: this.publicAddresses(),
    };
  }

  /** What an admin may want to know. */
  health(): DhtHealth {
    return healthOf(this.#health);
  }

  /** Asks around whether anybody answers; takes up to 10 s. */
  test(): Promise<{ asked: number; answered: number }> {
    const now = this.#clock.now();
    const all = ([4, 6] as const).flatMap((family) => [...this.#tables[family].nodes()]);
    return testOf(this.#health, all.filter((node) => node.isGood(now)), this.options.random);
  }

  /** Own IP addresses as most others see them, at most one per family. */
  publicAddresses(): string[] {
    return [this.#votes[4].winner, this.#votes[6].winner].filter((ip) => ip !== null);
  }

  /** What to give to the next run. */
  state(): DhtState {
    const now = this.#clock.now();
    const nodes = ([4, 6] as const).flatMap((family) => this.#tables[family].closest(this.id, Infinity, now));
    return makeState(this.id, this.port, nodes);
  }

  #named(value: Value): Value {
    return value.id === 0n ? { ...value, id: this.options.random.id() } : value;
  }

  async #nextVersion(key: InfoHash, value: Value, signer: PrivateKey): Promise<Value> {
    if (value.id === 0n) return await signValue(this.#named(value), signer);
    const found = await this.get(key, { where: { id: value.id } });
    const own = found.filter(({ owner }) => owner?.id === signer.publicKey.id);
    const seq = Math.max(value.seq ?? 0, ...own.map((older) => (older.seq ?? 0) + 1));
    if (seq > 0xffff) throw new LimitError("versions", "a signed value cannot be edited any more; take a new id");
    return await signValue({ ...value, seq }, signer);
  }

  /** Runs an operation in each bound family until all that have nodes are done, or the time is over. */
  #oneShot(key: InfoHash, timeout: number, make: (done: () => void) => Operation & { stop(): void }): Promise<void> {
    if (this.#ends.size >= limit.MAX_OPERATIONS) return Promise.reject(new LimitError("operations"));
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = this.#network.families.map((family) => {
      const one = { search: this.#search(family, key), operation: make(() => finished(one)), done: false };
      return one;
    });
    const finished = (one: { done: boolean }) => {
      one.done = true;
      if (running.every(({ done, search }) => done || search.nodes.length === 0)) end();
    };
    const end = () => {
      if (!this.#ends.delete(end)) return;
      cancelTimer();
      for (const { search, operation } of running) {
        operation.stop();
        search.remove(operation);
      }
      resolve();
    };
    const cancelTimer = this.#clock.after(timeout, end);
    this.#ends.add(end);
    for (const { search, operation } of running) search.add(operation);
    if (running.length === 0) end();
    return promise;
  }

  #search(family: Family, key: InfoHash): Search {
    if (!isInfoHash(key)) throw new RangeError("not a DHT key");
    const searches = this.#searches[family];
    const known = searches.get(key);
    if (known) return known;
    if (searches.size >= limit.MAX_SEARCHES / 2) this.#dropIdleSearch(searches);
    const { id: own } = this;
    const dead = () => this.#checkStatus();
    const search = new Search({ own, clock: this.#clock, network: this.#network, dead }, key, family);
    searches.set(key, search);
    return search;
  }

  #dropIdleSearch(searches: Map<InfoHash, Search>): void {
    for (const [key, search] of searches) {
      if (search.operationCount > 0) continue;
      search.close();
      searches.delete(key);
      return;
    }
    throw new LimitError("searches");
  }

  #searchOwn(family: Family): void {
    if (this.#searches[family].size > 0) return;
    const search = this.#search(family, this.id);
    const operation: GetOperation = new GetOperation(this.id, {}, () => {}, () => search.remove(operation));
    search.add(operation);
  }

  #startListening(key: InfoHash): KeyListening {
    if (this.#listenings.size >= limit.MAX_LISTENED_KEYS) throw new LimitError("listened keys");
    const listening = new Listening(this.#clock, this.#listenBudget);
    const operations = this.#network.families.map((family) => ({
      search: this.#search(family, key),
      operation: new ListenOperation(this.#clock, this.#network, key, this.#sockets, listening),
    }));
    const started: KeyListening = { listening, operations, cancelLinger: () => {} };
    this.#listenings.set(key, started);
    listening.values(LOCAL_SOURCE, this.#storage.values(key));
    for (const { search, operation } of operations) search.add(operation);
    return started;
  }

  #stopListening(key: InfoHash): void {
    const known = this.#listenings.get(key);
    if (!known) return;
    this.#listenings.delete(key);
    for (const { search, operation } of known.operations) {
      operation.stop();
      search.remove(operation);
    }
    known.listening.close();
  }

  #heard(node: Node, how: { replied: boolean; client: boolean; revived: boolean }): void {
    const now = this.#clock.now();
    const table = this.#tables[node.family];
    if (!how.client) table.offer(node, now);
    if (!how.replied) return;
    table.replied(node, now);
    if (!how.revived) return;
    this.#checkStatus();
    if (how.client) return;
    for (const search of this.#searches[node.family].values()) if (search.offer(node)) search.drive();
  }

  #expired(node: Node): void {
    this.#checkStatus();
    for (const search of this.#searches[node.family].values()) {
      if (search.nodes.some((one) => one.node === node)) search.drive();
    }
  }

  #sweep(): void {
    this.#server.listens.sweep();
    const oldest = this.#clock.now() - limit.SEARCH_IDLE;
    for (const family of [4, 6] as const) {
      this.#tables[family].sweep();
      for (const [key, search] of this.#searches[family]) {
        if (search.operationCount > 0 || search.idleSince > oldest) continue;
        search.close();
        this.#searches[family].delete(key);
      }
    }
    this.#checkStatus();
  }

  #currentStatus(): Status {
    const now = this.#clock.now();
    const all = this.#network.families.flatMap((family) => [...this.#tables[family].nodes()]);
    if (all.some((node) => node.isGood(now))) return "connected";
    return all.some((node) => !node.expired) ? "connecting" : "disconnected";
  }

  #checkStatus(): void {
    const status = this.#currentStatus();
    if (status === this.#status) return;
    this.#status = status;
    log.info("status {status}", { status });
    if (status === "disconnected") {
      this.#wasLost = true;
      this.#upkeep.bootstrap();
    }
    if (status === "connected" && this.#wasLost) this.#revive();
    this.emit("status", status);
  }

  /** After an outage: that nodes did not answer says nothing about them. All that are known are asked again (6.7). */
  #revive(): void {
    this.#wasLost = false;
    for (const family of this.#network.families) {
      for (const node of this.#network.nodes[family].values()) {
        if (!node.expired) continue;
        node.expired = false;
        node.replied = 0; // not good before it answers
      }
      for (const search of this.#searches[family].values()) search.reset();
    }
  }
}

/** What came of the same put in both families. */
function sum(operations: readonly PutOperation[], id: bigint): PutResult {
  const result = { acknowledged: 0, asked: 0, id };
  for (const { progress } of operations) {
    result.acknowledged += progress.acknowledged;
    result.asked += progress.asked;
  }
  return result;
}
