/** The search for the nodes nearest to a key, and what is done with them (opendht.md 7.1). */

import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Family } from "./address.ts";
import * as limit from "./constants.ts";
import { compareDistance, type InfoHash } from "./info_hash.ts";
import type { Network, Request, RequestCallbacks } from "./network.ts";
import type { Node } from "./node.ts";

/** A node as one search sees it. */
export interface SearchNode {
  readonly node: Node;
  token: Bytes | null;
  /** Last find or get reply, milliseconds since 1970. */
  replied: number;
  /** A request for nodes and token is under way. */
  asking: boolean;
  /** It did not answer the last request at once: others are asked meanwhile. */
  slow: boolean;
}

/** Something to be done at the nodes nearest to a key. */
export interface Operation {
  /** Does it need the nearest nodes, with tokens? */
  readonly needsSync: boolean;
  /**
   * Does what is due now. @returns when it wants to be called again, milliseconds since 1970; it is called after each
   * answer anyway
   */
  drive(search: Search): number;
  /** All nodes are dead. One-shot operations end; others wait for new nodes. */
  searchFailed(): void;
}

/** What a search works with. */
export interface SearchParts {
  readonly own: InfoHash;
  readonly clock: Clock;
  readonly network: Network;
  /** All nodes of the search have expired. */
  dead(search: Search): void;
}

export class Search {
  /** Nearest first; expired ones too, so that they are not asked again. */
  readonly nodes: SearchNode[] = [];
  /** Since when there is no operation. */
  idleSince: number;
  #operations = new Set<Operation>();
  #refilled = -Infinity;
  #cancelTimer: () => void = () => {};
  #driving = false;
  #again = false;
  #closed = false;

  constructor(private readonly parts: SearchParts, readonly key: InfoHash, readonly family: Family) {
    this.idleSince = parts.clock.now();
  }

  get operationCount(): number {
    return this.#operations.size;
  }

  /** Adds an operation and starts it. */
  add(operation: Operation): void {
    this.#operations.add(operation);
    this.drive();
  }

  /** Takes an operation away; what it had under way is answered into the void. */
  remove(operation: Operation): void {
    if (this.#operations.delete(operation) && this.#operations.size === 0) this.idleSince = this.parts.clock.now();
  }

  /** Ends the search. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    for (const { node } of this.nodes.splice(0)) node.users--;
  }

  /** The nodes that answer, nearest first. */
  targets(count: number): SearchNode[] {
    return this.nodes.filter(({ node, slow }) => !node.expired && !slow).slice(0, count);
  }

  /** The nodes that have not expired, nearest first: those too that are slow to answer just now. */
  nearest(count: number): SearchNode[] {
    return this.nodes.filter(({ node }) => !node.expired).slice(0, count);
  }

  /** Are there enough targets, or will there be no more, since no node is slow? */
  get settled(): boolean {
    const targets = this.targets(limit.TARGET_NODES);
    return targets.length === limit.TARGET_NODES || targets.length === this.nearest(limit.TARGET_NODES).length;
  }

  /** Has the node a token that is fresh? */
  isSynced(one: SearchNode): boolean {
    return one.token !== null && one.replied > this.parts.clock.now() - limit.TOKEN_FRESH;
  }

  /** Are the nearest nodes known, with tokens? */
  get synced(): boolean {
    const targets = this.targets(limit.TARGET_NODES);
    return targets.length > 0 && targets.every((one) => this.isSynced(one));
  }

  /** Requests for nodes and tokens that may still bring nearer nodes soon. */
  get asking(): number {
    return this.nodes.filter((one) => one.asking && !one.slow).length;
  }

  /** Offers a node that is known to live. @returns whether the search wants it */
  offer(node: Node): boolean {
    if (node.family !== this.family || node.id === this.parts.own) return false;
    const known = this.nodes.find((one) => one.node === node);
    if (known) {
      if (known.slow) known.slow = false;
      return true;
    }
    const at = this.nodes.findIndex((one) => compareDistance(this.key, node.id, one.node.id) < 0);
    const index = at < 0 ? this.nodes.length : at;
    const live = this.nodes.slice(0, index).filter((one) => !one.node.expired).length;
    if (live >= limit.SEARCH_NODES || node.expired) return false;
    this.nodes.splice(index, 0, { node, token: null, replied: 0, asking: false, slow: false });
    node.users++;
    this.#trim();
    return true;
  }

  /** Sends a request to a node of this search; all operations are driven after its answer. */
  request(one: SearchNode, body: Request, callbacks: RequestCallbacks): void {
    this.parts.network.request(one.node, body, {
      reply: (reply, node) => {
        one.slow = false;
        if (reply.token) one.token = reply.token;
        if (reply.token && (body.name === "find" || body.name === "get")) one.replied = this.parts.clock.now();
        for (const told of [...reply.nodes4 ?? [], ...reply.nodes6 ?? []]) this.#told(told.id);
        callbacks.reply?.(reply, node);
        this.drive();
      },
      slow: () => {
        one.slow = true;
        callbacks.slow?.();
        this.drive();
      },
      failed: (failure) => {
        one.slow = false;
        if (failure === "unauthorized") one.token = null;
        callbacks.failed?.(failure);
        if (failure !== "stopped") this.drive();
      },
    });
  }

  /** Asks for nodes and token, by `find` or by a `get` that has a purpose of its own. */
  ask(one: SearchNode, body: Request = { name: "find", target: this.key }, callbacks: RequestCallbacks = {}): void {
    one.asking = true;
    this.request(one, body, {
      ...callbacks,
      reply: (reply, node) => {
        one.asking = false;
        callbacks.reply?.(reply, node);
      },
      failed: (failure) => {
        one.asking = false;
        callbacks.failed?.(failure);
      },
    });
  }

  /** Does what is due: asks nodes, drives the operations, sets the timer for what comes next. */
  drive(): void {
    if (this.#closed) return;
    this.#again = true;
    if (this.#driving) return;
    this.#driving = true;
    let wake = Infinity;
    for (let round = 0; this.#again && round < MAX_ROUNDS; round++) {
      this.#again = false;
      wake = this.#operations.size ? this.#once() : Infinity;
    }
    this.#driving = false;
    if (this.#again) wake = this.parts.clock.now();
    this.#cancelTimer();
    if (wake < Infinity) {
      this.#cancelTimer = this.parts.clock.after(Math.max(wake - this.parts.clock.now(), MIN_WAIT), () => this.drive());
    }
  }

  /** The network has changed: nodes that seemed dead may live, and tokens are for an address of the past. */
  reset(): void {
    this.#refilled = -Infinity;
    for (const one of this.nodes) Object.assign(one, { token: null, slow: false, replied: 0 });
    this.drive();
  }

  #once(): number {
    const now = this.parts.clock.now();
    if (this.nodes.length && this.nodes.every((one) => one.node.expired)) this.#die(now);
    else this.#refill(now);
    let wake = this.nodes.length ? Infinity : now + limit.SEARCH_REFILL;
    const operations = [...this.#operations];
    if (operations.some((operation) => operation.needsSync)) wake = Math.min(wake, this.#sync(now));
    for (const operation of operations) wake = Math.min(wake, operation.drive(this));
    return wake;
  }

  #sync(now: number): number {
    let wake = Infinity;
    for (const one of this.targets(limit.TARGET_NODES)) {
      if (one.asking) continue;
      if (this.isSynced(one)) wake = Math.min(wake, one.replied + limit.TOKEN_FRESH);
      else if (this.asking < limit.SEARCH_PARALLEL) this.ask(one);
    }
    return Math.max(wake, now);
  }

  #refill(now: number): void {
    const live = this.nodes.filter((one) => !one.node.expired).length;
    if (live >= limit.SEARCH_NODES || now < this.#refilled + limit.SEARCH_REFILL) return;
    const known = this.parts.network.nodes[this.family];
    const found = known.closest(this.key, limit.SEARCH_NODES, (node) => !node.expired);
    for (const node of found) this.offer(node);
    if (found.length) this.#refilled = now;
  }

  /** All nodes are dead: begins anew with others that are known, or fails. */
  #die(now: number): void {
    for (const { node } of this.nodes.splice(0)) node.users--;
    this.#refilled = -Infinity;
    this.#refill(now);
    if (this.nodes.length) return;
    for (const operation of [...this.#operations]) operation.searchFailed();
    this.parts.dead(this);
  }

  #told(id: InfoHash): void {
    const node = this.parts.network.nodes[this.family].get(id);
    if (node) this.offer(node);
  }

  /** Keeps the nearest live nodes and some dead ones. */
  #trim(): void {
    let [live, dead] = [0, 0];
    for (let i = 0; i < this.nodes.length; i++) {
      const keep = this.nodes[i].node.expired ? ++dead <= limit.SEARCH_DEAD_NODES : ++live <= limit.SEARCH_NODES;
      if (keep) continue;
      this.nodes[i].node.users--;
      this.nodes.splice(i--, 1);
    }
  }
}

/** Answers that come while operations are driven make them driven again; so often at most before a pause. */
const MAX_ROUNDS = 16;
/** Never busier than this, whatever an operation wishes (milliseconds). */
const MIN_WAIT = 10;
