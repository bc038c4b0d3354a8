/**
 * What a node does without being asked: confirming its neighbours, keeping its buckets fresh, joining the network
 * (opendht.md 6.3, 6.5).
 */

import { lookup } from "node:dns/promises";
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { type Random, shuffled } from "../base/random.ts";
import { type Address, type Family, parseAddress } from "./address.ts";
import * as limit from "./constants.ts";
import { type InfoHash, randomHashBeside } from "./info_hash.ts";
import type { Network } from "./network.ts";
import type { Node } from "./node.ts";
import type { Bucket, RoutingTable } from "./routing_table.ts";
import { between } from "./scheduler.ts";

const log = getLogger(["kituo", "dht"]);

/** Is one in the network? */
export type Status = "connected" | "connecting" | "disconnected";

/** What came of asking one bootstrap host. Times are milliseconds since 1970, 0 for never. */
export interface BootstrapHost {
  readonly host: string;
  asked: number;
  answered: number;
  /** IP addresses that its name stands for. */
  addresses: string[];
  /** Why its name could not be resolved; "" = it could, or nobody tried. */
  problem: string;
}

/** What upkeep works with. */
export interface UpkeepParts {
  readonly own: InfoHash;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly tables: Record<Family, RoutingTable>;
  /** `host[:port]`, `[IPv6]:port`. */
  readonly bootstrap: readonly string[];
  status(): Status;
  /** Starts a search for the own id in a family if there is no search. */
  searchOwn(family: Family): void;
  /** Called every few minutes. */
  sweep(): void;
}

export class Upkeep {
  #cancelConfirm: () => void = () => {};
  #cancelBootstrap: () => void = () => {};
  #bootstrapDelay = limit.BOOTSTRAP_FIRST;
  #searched = new Set<Family>();
  #stopped = false;
  /** Look-ups of names that are under way: one for each host. */
  readonly #lookups = new Map<string, Promise<Address[]>>();
  /** Hosts whose trouble was told. */
  readonly #unresolved = new Set<string>();
  /** What came of asking each host. */
  readonly hosts: readonly BootstrapHost[];

  constructor(private readonly parts: UpkeepParts) {
    this.hosts = parts.bootstrap.map((host) => ({ host, asked: 0, answered: 0, addresses: [], problem: "" }));
  }

  start(): void {
    this.#confirmIn(limit.CONFIRM_START);
    this.#sweepLater();
    this.bootstrap();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Confirms at once, as after a change of the network. */
  confirm(): void {
    this.#cancelConfirm();
    this.#confirm();
  }

  /** Joins by the bootstrap hosts, again and again until connected; does nothing while connected. */
  bootstrap(): void {
    this.#cancelBootstrap();
    this.#bootstrapDelay = limit.BOOTSTRAP_FIRST;
    this.#bootstrap();
  }

  #bootstrap(): void {
    if (this.#stopped || this.parts.status() === "connected") return;
    void this.ask();
    this.#cancelBootstrap = this.parts.clock.after(this.#bootstrapDelay, () => this.#bootstrap());
    this.#bootstrapDelay = Math.min(2 * this.#bootstrapDelay, limit.BOOTSTRAP_LAST);
  }

  /** Asks every bootstrap host for a sign of life; resolves when each has answered, or will not any more. */
  async ask(): Promise<void> {
    await Promise.all(this.hosts.map((host) => this.#join(host)));
  }

  async #join(host: BootstrapHost): Promise<void> {
    const { network, clock } = this.parts;
    host.asked = clock.now();
    try {
      const addresses = await this.#resolve(host.host);
      host.addresses = addresses.map(({ ip }) => ip);
      host.problem = "";
      await Promise.all(addresses.map((address) =>
        new Promise<void>((done) => {
          if (this.#stopped || !network.allows(address)) return done();
          const answered = () => {
            host.answered = clock.now();
            done();
          };
          network.ping(address, { reply: answered, failed: () => done() });
        })
      ));
    } catch (error) {
      host.problem = messageOf(error);
      if (this.#stopped || this.#unresolved.has(host.host)) return;
      this.#unresolved.add(host.host); // tried again for ever, told once
      log.warn("not connected to the DHT yet: bootstrap host {host} cannot be resolved: {error}", {
        host: host.host,
        error: host.problem,
      });
    }
  }

  #resolve(host: string): Promise<Address[]> {
    const running = this.#lookups.get(host);
    if (running) return running;
    const begun = resolve(host).finally(() => this.#lookups.delete(host));
    this.#lookups.set(host, begun);
    return begun;
  }

  #confirmIn(range: readonly [number, number]): void {
    this.#cancelConfirm = this.parts.clock.after(between(range, this.parts.random), () => this.#confirm());
  }

  #confirm(): void {
    let sent = false;
    for (const family of this.parts.network.families) {
      const table = this.parts.tables[family];
      const good = table.closest(this.parts.own, 1, this.parts.clock.now());
      if (good.length && !this.#searched.has(family)) {
        this.#searched.add(family);
        this.parts.searchOwn(family);
      }
      sent = this.#maintainBuckets(family, table) || sent;
      sent = this.#checkSilent(table) || sent;
      sent = sent || this.#exploreNeighbourhood(family, table);
    }
    this.#confirmIn(sent ? limit.CONFIRM_BUSY : limit.CONFIRM_IDLE);
  }

  /** Asks, for each bucket that is silent or empty, a random id of its range. */
  #maintainBuckets(family: Family, table: RoutingTable): boolean {
    const { clock, random, own } = this.parts;
    let sent = false;
    for (const [index, bucket] of table.buckets.entries()) {
      if (bucket.nodes.length && bucket.replied > clock.now() - limit.BUCKET_QUIET) continue;
      const last = index === table.buckets.length - 1;
      const target = randomHashBeside(own, last ? Math.min(bucket.bits + random.int(2), 159) : bucket.bits, random);
      sent = this.#find(family, this.#askable(table, bucket, index), target) || sent;
    }
    return sent;
  }

  /** Pings nodes before they become dubious: only good ones are told to others. */
  #checkSilent(table: RoutingTable): boolean {
    const oldest = this.parts.clock.now() - limit.NODE_CHECK_TIME;
    const silent = [...table.nodes()].filter((node) => !node.expired && node.pending === 0 && node.heard < oldest);
    for (const node of silent.slice(0, limit.NODE_CHECKS)) this.parts.network.request(node, { name: "ping" }, {});
    return silent.length > 0;
  }

  /** The nodes of the bucket, or now and then and when it is empty of a neighbouring one. */
  #askable(table: RoutingTable, bucket: Bucket, index: number): Node[] {
    const live = (one: Bucket | undefined) => one?.nodes.filter((node) => !node.expired) ?? [];
    const own = live(bucket);
    if (own.length && this.parts.random.int(limit.NEIGHBOUR_BUCKET_ODDS) !== 0) return own;
    const beside = [...live(table.buckets[index - 1]), ...live(table.buckets[index + 1])];
    return beside.length ? beside : own;
  }

  /** While new nodes still turn up near the own id, asks for more of them. */
  #exploreNeighbourhood(family: Family, table: RoutingTable): boolean {
    const { clock, random, own } = this.parts;
    const bucket = table.bucketOf(own);
    if (bucket.grown < clock.now() - limit.NEIGHBOURHOOD_GROWN) return false;
    const target = own.slice(0, 38) + random.bytes(1).toHex();
    return this.#find(family, this.#askable(table, bucket, table.buckets.length - 1), target, true);
  }

  #find(family: Family, nodes: Node[], target: InfoHash, both = false): boolean {
    const { network, random, tables } = this.parts;
    const [node] = shuffled(random, nodes.filter((one) => one.pending === 0));
    if (!node) return false;
    const other = family === 4 ? 6 : 4;
    const sparse = tables[other].bucketOf(target).nodes.length < limit.BUCKET_NODES;
    const wantsBoth = network.families.includes(other) &&
      (both || sparse || random.int(limit.BOTH_FAMILIES_ODDS) === 0);
    network.request(node, { name: "find", target, ...(wantsBoth ? { want: [4, 6] } : {}) }, {});
    return true;
  }

  #sweepLater(): void {
    this.parts.clock.after(between(limit.SWEEP, this.parts.random), () => {
      this.parts.sweep();
      this.#sweepLater();
    });
  }
}

/** The addresses of `host[:port]`. @throws when its name cannot be resolved */
async function resolve(host: string): Promise<Address[]> {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(host);
  const name = match?.[1] ?? match?.[2] ?? host;
  const port = match?.[3] ? Number(match[3]) : limit.DEFAULT_PORT;
  const literal = parseAddress(name, port);
  if (literal) return [literal];
  const found = await lookup(name, { all: true });
  return found.flatMap(({ address }) => parseAddress(address, port) ?? []);
}
