/**
 * What this node does for others: answers, stores, and pushes to those who listen here (opendht.md 2.3 to 2.7, 6.8).
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { type Address, type Family, ipBytes, sourceOf } from "./address.ts";
import * as limit from "./constants.ts";
import { compareDistance, type InfoHash } from "./info_hash.ts";
import type { Network, Reply, Request } from "./network.ts";
import type { Node } from "./node.ts";
import { ErrorCode, type Want } from "./packet.ts";
import { EVERYTHING, matches, type Query, selectFields } from "./query.ts";
import { type RemoteListen, RemoteListens } from "./remote_listens.ts";
import type { RoutingTable } from "./routing_table.ts";
import type { Storage } from "./storage.ts";
import type { Tokens } from "./token.ts";
import { packValue, type Value } from "./value.ts";

const log = getLogger(["kituo", "dht"]);

/** A push to a listener of ours. */
export type Update = Extract<Request, { name: "update" }>;

/** What the server works with. */
export interface ServerParts {
  readonly own: InfoHash;
  readonly clock: Clock;
  readonly network: Network;
  readonly storage: Storage;
  readonly tokens: Tokens;
  readonly tables: Record<Family, RoutingTable>;
  /** Takes a push from a node to a socket of ours. */
  update(node: Node, update: Update): void;
}

export class Server {
  readonly listens: RemoteListens;

  constructor(private readonly parts: ServerParts) {
    this.listens = new RemoteListens(parts.clock);
  }

  /** Answers one request. */
  handle(body: Request, node: Node, from: Address, tid: number): void {
    switch (body.name) {
      case "ping":
        return this.#answer(from, tid, {});
      case "find":
        return this.#answer(from, tid, this.#nodes(body.target, from, body.want));
      case "get":
        return this.#get(body, from, tid);
      case "put":
        return void this.#put(body, node, from, tid);
      case "refresh":
        return this.#refresh(body, from, tid);
      case "listen":
        return this.#listen(body, node, from, tid);
      case "update":
        this.#answer(from, tid, {});
        return this.parts.update(node, body);
    }
  }

  /** A value is new or has changed: tells those who listen. */
  stored(key: InfoHash, value: Value): void {
    for (const listen of this.listens.of(key)) {
      if (matches(value, listen.query.where)) this.#push(key, listen, [value]);
    }
  }

  /** A value's lifetime started again. */
  refreshed(key: InfoHash, value: Value): void {
    this.#pushIds(key, value, (ids) => ({ refreshed: ids }));
  }

  /** A value is gone. */
  expired(key: InfoHash, value: Value): void {
    this.#pushIds(key, value, (ids) => ({ expired: ids }));
  }

  #answer(to: Address, tid: number, reply: Reply): void {
    this.parts.network.reply(to, tid, { seenAs: ipBytes(to), ...reply });
  }

  #nodes(target: InfoHash, from: Address, want: Want = [from.family]): Reply {
    const now = this.parts.clock.now();
    const closest = (family: Family) =>
      want.includes(family) ? this.parts.tables[family].closest(target, limit.NODES_IN_REPLY, now) : [];
    return { nodes4: closest(4), nodes6: closest(6), token: this.parts.tokens.issue(from) };
  }

  #get(body: Extract<Request, { name: "get" }>, from: Address, tid: number): void {
    const { key } = body;
    if (!key) return this.parts.network.refuse(from, tid, ErrorCode.invalid, "get without a key");
    const query = body.query ?? EVERYTHING;
    const values = this.parts.storage.values(key, query.where);
    this.#answer(from, tid, { ...this.#nodes(key, from, body.want), ...result(values, query) });
  }

  async #put(body: Extract<Request, { name: "put" }>, node: Node, from: Address, tid: number): Promise<void> {
    const { network, clock } = this.parts;
    const { key, values = [] } = body;
    if (!this.#authorized(body.token, node, from, tid)) return;
    if (!key) return network.refuse(from, tid, ErrorCode.invalid, "put without a key");
    const created = body.created === undefined ? clock.now() : body.created * 1000;
    for (const value of values) {
      if (value.id === 0n) network.refuse(from, tid, ErrorCode.invalid, "put with an invalid id");
      else {
        if (this.#mine(key, from.family)) await this.#store(key, value, from, created);
        this.#answer(from, tid, { valueId: value.id });
      }
    }
  }

  async #store(key: InfoHash, value: Value, from: Address, created: number): Promise<void> {
    try {
      await this.parts.storage.put(key, value, sourceOf(from), created);
    } catch (error) {
      // A fault of ours; a stranger must not use it to end us.
      log.error("a value could not be judged: {error}", { error });
    }
  }

  #refresh(body: Extract<Request, { name: "refresh" }>, from: Address, tid: number): void {
    const { network, storage, tokens } = this.parts;
    if (!tokens.accepts(from, body.token)) return network.refuse(from, tid, ErrorCode.unauthorized, "wrong token");
    if (body.key && storage.refresh(body.key, body.valueId)) return this.#answer(from, tid, { valueId: body.valueId });
    network.refuse(from, tid, ErrorCode.notFound, "nothing is kept here");
  }

  #listen(body: Extract<Request, { name: "listen" }>, node: Node, from: Address, tid: number): void {
    const { key, socketId, version, query } = body;
    if (!key) return this.parts.network.refuse(from, tid, ErrorCode.invalid, "listen without a key");
    if (!this.#authorized(body.token, node, from, tid)) return;
    const added = this.listens.listen(key, node, socketId, version, query);
    if (added) {
      const values = this.parts.storage.values(key, added.query.where);
      for (const batch of batches(values)) this.#push(key, added, batch);
    }
    this.#answer(from, tid, { token: this.parts.tokens.issue(from) });
  }

  /** A right token also proves that the node receives packets at this address. */
  #authorized(token: Bytes, node: Node, from: Address, tid: number): boolean {
    if (!this.parts.tokens.accepts(from, token)) {
      this.parts.network.refuse(from, tid, ErrorCode.unauthorized, "wrong token");
      return false;
    }
    node.address = from;
    return true;
  }

  /** Should this node be one of those that keep the key (6.8)? */
  #mine(key: InfoHash, family: Family): boolean {
    const known = this.parts.tables[family].closest(key, limit.STORE_RANK, this.parts.clock.now());
    return known.length < limit.STORE_RANK || compareDistance(key, this.parts.own, known[known.length - 1].id) < 0;
  }

  #push(key: InfoHash, listen: RemoteListen, values: Value[]): void {
    const { network, tokens } = this.parts;
    const { node, socketId, version } = listen;
    const token = tokens.issue(node.address);
    if (version === 0) return this.#answer(node.address, socketId, { token, values });
    if (node.expired) return;
    network.request(node, { name: "update", version: limit.LISTEN_VERSION, key, socketId, values, token }, {});
  }

  #pushIds(
    key: InfoHash,
    value: Value,
    lists: (ids: bigint[]) => { refreshed: bigint[] } | { expired: bigint[] },
  ): void {
    const { network, tokens } = this.parts;
    for (const { node, socketId, version, query } of this.listens.of(key)) {
      if (!matches(value, query.where) || node.expired) continue;
      const token = tokens.issue(node.address);
      if (version === 0) network.update0(node.address, socketId, { token, ...lists([value.id]) });
      else network.request(node, { name: "update", socketId, token, ...lists([value.id]) }, {});
    }
  }
}

/** The values of a get reply, or their fields, as far as one reply may carry them. */
function result(values: Value[], query: Query): Reply {
  if (values.length === 0) return {};
  if (query.select.length) return { fields: selectFields(values.slice(0, limit.REPLY_ROWS), query.select) };
  return { values: batches(values, limit.REPLY_BYTES, 1)[0] };
}

/** Values in order, in at most `most` groups whose packed sizes sum to about `bytes`. */
function batches(values: readonly Value[], bytes = limit.PUSH_BYTES, most = Infinity): Value[][] {
  const out: Value[][] = [];
  let room = 0;
  for (const value of values) {
    const size = packValue(value).length;
    if (size > room || out.length === 0) {
      if (out.length === most) break;
      out.push([]);
      room = bytes;
    }
    out[out.length - 1].push(value);
    room -= size;
  }
  return out;
}
