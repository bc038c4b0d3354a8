/** Get, put and listen at the nodes nearest to a key, in one family (opendht.md 7.2 to 7.4). */

import type { Clock } from "../base/clock.ts";
import { seconds } from "../base/clock.ts";
import * as limit from "./constants.ts";
import type { InfoHash } from "./info_hash.ts";
import type { Failure, Network, Reply } from "./network.ts";
import type { Node } from "./node.ts";
import { Field, type FieldRow, matches, type Where } from "./query.ts";
import type { Operation, Search, SearchNode } from "./search.ts";
import type { Update } from "./server.ts";
import { lifetime } from "./value_policy.ts";
import type { Value } from "./value.ts";

/** Keeps one state for each node of a search. */
class PerNode<State> {
  #states = new Map<Node, State>();

  get(one: SearchNode): State | undefined {
    return this.#states.get(one.node);
  }

  set(one: SearchNode, state: State): void {
    this.#states.set(one.node, state);
  }

  /** Forgets nodes that the search no longer has. @returns the states forgotten, with their nodes */
  prune(search: Search): [Node, State][] {
    if (this.#states.size <= search.nodes.length) return [];
    const used = new Set(search.nodes.map((one) => one.node));
    const gone = [...this.#states].filter(([node]) => !used.has(node));
    for (const [node] of gone) this.#states.delete(node);
    return gone;
  }

  entries(): IterableIterator<[Node, State]> {
    return this.#states.entries();
  }

  delete(node: Node): void {
    this.#states.delete(node);
  }
}

/** Asks the nearest nodes for their values: first for the ids, then for each value (7.2). */
export class GetOperation implements Operation {
  readonly needsSync = false;
  #states = new PerNode<{ answered: boolean; fetching: number; queue: bigint[] }>();
  #over = false;

  constructor(
    private readonly key: InfoHash,
    private readonly where: Where,
    private readonly found: (value: Value) => void,
    private readonly done: () => void,
  ) {}

  drive(search: Search): number {
    if (this.#over) return Infinity;
    const targets = search.targets(limit.TARGET_NODES);
    for (const one of targets) {
      const state = this.#states.get(one);
      if (state) this.#fetch(search, one, state);
      else if (!one.asking && search.asking < limit.SEARCH_PARALLEL) this.#ask(search, one);
    }
    const finished = (one: SearchNode) => {
      const state = this.#states.get(one);
      return state?.answered && state.fetching === 0 && state.queue.length === 0;
    };
    if (targets.length && targets.every(finished) && search.settled) this.#finish();
    return Infinity;
  }

  searchFailed(): void {
    this.#finish();
  }

  /** Ends it without a word. */
  stop(): void {
    this.#over = true;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.done();
  }

  #ask(search: Search, one: SearchNode): void {
    const state = { answered: false, fetching: 0, queue: [] as bigint[] };
    this.#states.set(one, state);
    const query = { select: [Field.id], where: this.where };
    search.ask(one, { name: "get", key: this.key, query }, {
      reply: (reply) => {
        state.answered = true;
        this.#deliver(reply);
        const ids = (reply.fields?.rows ?? []).flatMap(({ id }) => id === undefined ? [] : [id]);
        state.queue = [...new Set(ids)].slice(0, limit.MAX_FETCHES);
      },
      failed: () => {
        state.answered = true;
      },
    });
  }

  #fetch(search: Search, one: SearchNode, state: { fetching: number; queue: bigint[] }): void {
    while (state.fetching < limit.FETCH_PARALLEL) {
      const id = state.queue.shift();
      if (id === undefined) return;
      state.fetching++;
      const query = { select: [], where: { id } };
      search.request(one, { name: "get", key: this.key, query }, {
        reply: (reply) => {
          state.fetching--;
          this.#deliver(reply);
        },
        failed: () => {
          state.fetching--;
        },
      });
    }
  }

  #deliver(reply: Reply): void {
    if (this.#over) return;
    for (const value of reply.values ?? []) if (value.id !== 0n && matches(value, this.where)) this.found(value);
  }
}

/** How a put stands in one family. */
export interface PutProgress {
  /** Nodes the value was sent to. */
  asked: number;
  /** Those of them that have it, as they say. */
  acknowledged: number;
  /** Have all of the nearest nodes answered or failed? */
  settled: boolean;
}

interface PutState {
  busy: boolean;
  /** Has it acknowledged since the value was last sent there? */
  acknowledged: boolean;
  /** When to send it (again). */
  due: number;
}

/**
 * Puts a value on the nearest nodes; a permanent one again before it expires there, and on every nearer node that
 * appears (7.3).
 */
export class PutOperation implements Operation {
  readonly needsSync = true;
  readonly progress: PutProgress = { asked: 0, acknowledged: 0, settled: false };
  #states = new PerNode<PutState>();
  #over = false;

  /** @param changed told after each answer */
  constructor(
    private readonly clock: Clock,
    private readonly key: InfoHash,
    private readonly value: Value,
    private readonly permanent: boolean,
    private readonly changed: () => void,
  ) {}

  drive(search: Search): number {
    if (this.#over) return Infinity;
    this.#states.prune(search);
    if (!search.synced) return Infinity;
    const now = this.clock.now();
    let wake = Infinity;
    const targets = search.targets(limit.TARGET_NODES);
    for (const one of targets) {
      const state = this.#states.get(one);
      if (state?.busy) continue;
      if (!state || now >= state.due) this.#begin(search, one);
      else wake = Math.min(wake, state.due);
    }
    const settled = targets.every((one) => this.#states.get(one)?.busy === false);
    this.#report(settled && search.settled);
    return wake;
  }

  searchFailed(): void {
    this.#report(!this.permanent);
  }

  /** Ends it: the value dies by itself. */
  stop(): void {
    this.#over = true;
  }

  #report(settled: boolean): void {
    const all = [...this.#states.entries()];
    this.progress.asked = all.length;
    this.progress.acknowledged = all.filter(([, state]) => state.acknowledged).length;
    this.progress.settled ||= settled;
    this.changed();
  }

  #begin(search: Search, one: SearchNode): void {
    const state = this.#states.get(one) ?? { busy: true, acknowledged: false, due: 0 };
    state.busy = true;
    this.#states.set(one, state);
    if (!this.permanent) return this.#put(search, one, state);
    const query = { select: [Field.id, Field.seq], where: {} };
    search.request(one, { name: "get", key: this.key, query }, {
      reply: (reply) => {
        const there = this.#standing(reply);
        if (there) this.#refresh(search, one, state);
        else this.#put(search, one, state);
      },
      failed: (failure) => this.#failed(state, failure),
    });
  }

  /** Does the node have this value, or a newer one? */
  #standing(reply: Reply): boolean {
    const rows: readonly FieldRow[] = reply.fields?.rows ??
      (reply.values ?? []).map(({ id, seq }) => ({ id, seq: seq ?? 0 }));
    return rows.some((row) => row.id === this.value.id && (row.seq ?? 0) >= (this.value.seq ?? 0));
  }

  #put(search: Search, one: SearchNode, state: PutState): void {
    if (this.#over) return;
    const created = this.permanent ? {} : { created: seconds(this.clock) };
    const token = one.token ?? new Uint8Array(0);
    search.request(one, { name: "put", key: this.key, values: [this.value], ...created, token }, {
      reply: (reply) => this.#acknowledged(state, reply.valueId === this.value.id),
      failed: (failure) => this.#failed(state, failure),
    });
  }

  #refresh(search: Search, one: SearchNode, state: PutState): void {
    if (this.#over) return;
    const token = one.token ?? new Uint8Array(0);
    search.request(one, { name: "refresh", key: this.key, valueId: this.value.id, token }, {
      reply: () => this.#acknowledged(state, true),
      failed: (failure) => failure === "not found" ? this.#put(search, one, state) : this.#failed(state, failure),
    });
  }

  #acknowledged(state: PutState, acknowledged: boolean): void {
    state.busy = false;
    state.acknowledged = acknowledged;
    const wait = Math.min(lifetime(this.value) - limit.REFRESH_MARGIN, limit.REFRESH_AT_LEAST);
    state.due = this.permanent ? this.clock.now() + wait : Infinity;
  }

  /**
   * Mostly the node is expired now and no target any more. With a wrong token it is due again as soon as it has given
   * a new one.
   */
  #failed(state: PutState, failure: Failure): void {
    state.busy = false;
    state.acknowledged = false;
    state.due = failure === "unauthorized" ? 0 : this.clock.now() + limit.BUSY_WAIT;
  }
}

/** What a listen tells about one node. */
export interface ListenSink {
  values(source: string, values: readonly Value[]): void;
  refreshed(source: string, ids: readonly bigint[]): void;
  expired(source: string, ids: readonly bigint[]): void;
  /** The node is not listened at any more. */
  lost(source: string): void;
}

interface ListenState {
  readonly socketId: number;
  busy: boolean;
  confirmed: boolean;
  /** When to renew. */
  due: number;
}

/** Listens at the nearest nodes and renews that every 20 seconds (7.4). */
export class ListenOperation implements Operation {
  readonly needsSync = true;
  #states = new PerNode<ListenState>();
  #over = false;

  /** @param sockets routes pushes: (node id, socket) to the operation that listens there */
  constructor(
    private readonly clock: Clock,
    private readonly network: Network,
    private readonly key: InfoHash,
    private readonly sockets: Map<string, (update: Update) => void>,
    private readonly sink: ListenSink,
  ) {}

  drive(search: Search): number {
    if (this.#over) return Infinity;
    for (const [node, state] of this.#states.prune(search)) this.#lose(node, state);
    const targets = search.targets(limit.LISTEN_NODES);
    const now = this.clock.now();
    let wake = Infinity;
    for (const one of targets) {
      const state = this.#states.get(one);
      if (!state && !search.synced) continue;
      if (state?.busy || !search.isSynced(one)) continue;
      if (!state || now >= state.due) this.#listen(search, one);
      else wake = Math.min(wake, state.due);
    }
    this.#leave(targets, search.nearest(limit.LISTEN_NODES));
    return wake;
  }

  searchFailed(): void {
    for (const [node, state] of [...this.#states.entries()]) {
      this.#states.delete(node);
      this.#lose(node, state);
    }
  }

  /** Ends it: pushes are acknowledged and forgotten from now on. */
  stop(): void {
    this.#over = true;
    this.searchFailed();
  }

  /** Once all nearest nodes have confirmed, the farther ones are not needed; a dead one never. */
  #leave(targets: SearchNode[], nearest: SearchNode[]): void {
    const settled = targets.length > 0 && targets.every((one) => this.#states.get(one)?.confirmed);
    for (const [node, state] of [...this.#states.entries()]) {
      const wanted = nearest.some((one) => one.node === node) || targets.some((one) => one.node === node);
      if (wanted || (!node.expired && !settled)) continue;
      this.#states.delete(node);
      this.#lose(node, state);
    }
  }

  #listen(search: Search, one: SearchNode): void {
    const known = this.#states.get(one);
    const socketId = known?.socketId ?? this.network.freshNumber();
    const state = known ?? { socketId, busy: true, confirmed: false, due: 0 };
    state.busy = true;
    this.#states.set(one, state);
    this.sockets.set(socketName(one.node, socketId), (update) => this.#update(one, update));
    const token = one.token ?? new Uint8Array(0);
    const sent = this.clock.now();
    search.request(one, { name: "listen", version: limit.LISTEN_VERSION, key: this.key, token, socketId }, {
      reply: () => {
        state.busy = false;
        state.confirmed = true;
        state.due = sent + limit.LISTEN_RENEW;
      },
      failed: (failure) => {
        state.busy = false;
        state.due = failure === "unauthorized" ? 0 : this.clock.now() + limit.BUSY_WAIT;
      },
    });
  }

  #update(one: SearchNode, update: Update): void {
    const { node } = one;
    const source = sourceName(node);
    if (update.token) one.token = update.token;
    if (update.values?.length) this.sink.values(source, update.values.filter((value) => value.id !== 0n));
    if (update.refreshed) this.sink.refreshed(source, update.refreshed);
    if (update.expired) this.sink.expired(source, update.expired);
  }

  #lose(node: Node, state: ListenState): void {
    this.sockets.delete(socketName(node, state.socketId));
    this.sink.lost(sourceName(node));
  }
}

/** Names a socket of ours at a node. */
export function socketName(node: Node, socketId: number): string {
  return `${node.family}/${node.id}/${socketId}`;
}

function sourceName(node: Node): string {
  return `${node.family}/${node.id}`;
}
