/** The routing table of one family: buckets of nodes, finer the nearer they are to this node (opendht.md 6.2). */

import { BUCKET_NODES } from "./constants.ts";
import { commonBits, compareDistance, type InfoHash } from "./info_hash.ts";
import type { Node } from "./node.ts";

/** Nodes that share exactly `bits` leading bits with this node's id; the last bucket: that many or more. */
export interface Bucket {
  readonly bits: number;
  readonly nodes: Node[];
  /** One node that found no room. */
  cached: Node | null;
  /** Last reply of a node in it. */
  replied: number;
  /** Last time a node was added. */
  grown: number;
}

const LONGEST = 159;

/** Buckets 0, 1, 2 … of which only the last one, where this node's own id belongs, is ever split. */
export class RoutingTable {
  readonly buckets: Bucket[] = [emptyBucket(0)];

  /** @param ping asks a dubious node for a sign of life */
  constructor(private readonly own: InfoHash, private readonly ping: (node: Node) => void) {}

  /** Offers a node that replied, asked, or was told of. @returns whether it is in the table now */
  offer(node: Node, now: number): boolean {
    const bucket = this.bucketOf(node.id);
    if (bucket.nodes.includes(node)) return true;
    if (node.expired || node.id === this.own) return false;
    if (bucket.nodes.length < BUCKET_NODES) return this.#add(bucket, node, now);
    const gone = bucket.nodes.findIndex((other) => other.expired);
    if (gone >= 0) {
      this.#remove(bucket, gone);
      return this.#add(bucket, node, now);
    }
    const dubious = bucket.nodes.filter((other) => other.isDubious(now));
    const asked = dubious.find((other) => other.pending === 0);
    if (asked) this.ping(asked);
    const splits = bucket === this.buckets.at(-1) && bucket.bits < LONGEST;
    if (splits && (dubious.length === 0 || this.buckets.length === 1)) {
      this.#split(bucket, now);
      return this.offer(node, now);
    }
    this.#cache(bucket, node);
    return false;
  }

  /** A node of the table has replied. */
  replied(node: Node, now: number): void {
    const bucket = this.bucketOf(node.id);
    if (bucket.nodes.includes(node)) bucket.replied = now;
  }

  /** Drops expired nodes; the nodes that found no room before are asked whether they live. */
  sweep(): void {
    for (const bucket of this.buckets) {
      for (let i = bucket.nodes.length - 1; i >= 0; i--) if (bucket.nodes[i].expired) this.#remove(bucket, i);
      const candidate = bucket.cached;
      if (!candidate || bucket.nodes.length >= BUCKET_NODES) continue;
      this.#cache(bucket, null);
      if (!candidate.expired) this.ping(candidate);
    }
  }

  /** The bucket where the id belongs. */
  bucketOf(id: InfoHash): Bucket {
    return this.buckets[Math.min(commonBits(this.own, id), this.buckets.length - 1)];
  }

  /** All nodes. */
  *nodes(): Generator<Node> {
    for (const bucket of this.buckets) yield* bucket.nodes;
  }

  /** The good nodes nearest to a target, nearest first. */
  closest(target: InfoHash, count: number, now: number): Node[] {
    return [...this.nodes()].filter((node) => node.isGood(now))
      .sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, count);
  }

  #add(bucket: Bucket, node: Node, now: number): boolean {
    bucket.nodes.push(node);
    bucket.grown = now;
    node.users++;
    if (bucket.cached === node) this.#cache(bucket, null);
    return true;
  }

  #remove(bucket: Bucket, index: number): void {
    bucket.nodes.splice(index, 1)[0].users--;
  }

  #cache(bucket: Bucket, node: Node | null): void {
    if (bucket.cached) bucket.cached.users--;
    bucket.cached = node;
    if (node) node.users++;
  }

  #split(bucket: Bucket, now: number): void {
    const next = emptyBucket(bucket.bits + 1);
    next.replied = bucket.replied;
    next.grown = now;
    const nodes = bucket.nodes.splice(0);
    this.buckets.push(next);
    for (const node of nodes) this.bucketOf(node.id).nodes.push(node);
    this.#cache(bucket, null);
  }
}

function emptyBucket(bits: number): Bucket {
  return { bits, nodes: [], cached: null, replied: 0, grown: 0 };
}
