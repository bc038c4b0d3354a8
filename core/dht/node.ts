/** What is known of other nodes (opendht.md 6.1). */

import type { Address, Family } from "./address.ts";
import { addressText } from "./address.ts";
import { MAX_KNOWN_NODES, NODE_HEARD_TIME, NODE_REPLY_TIME } from "./constants.ts";
import { compareDistance, type InfoHash } from "./info_hash.ts";
import type { NodeInfo } from "./packet.ts";

/** Another node; one object per family and id. Times are milliseconds since 1970, 0 for never. */
export class Node implements NodeInfo {
  /** Last packet from it. */
  heard = 0;
  /** Last reply to a request of ours. */
  replied = 0;
  /** A request got no answer, and nothing was heard since. */
  expired = false;
  /** Our requests it has not answered yet. */
  pending = 0;
  /** Refusals of our tokens in a row. */
  authErrors = 0;
  /** Users (table, searches) that rely on this object being the only one of its id. */
  users = 0;

  constructor(readonly id: InfoHash, public address: Address) {}

  get family(): Family {
    return this.address.family;
  }

  /** Replied within two hours, heard within ten minutes, not expired. */
  isGood(now: number): boolean {
    return !this.expired && this.replied > now - NODE_REPLY_TIME && this.heard > now - NODE_HEARD_TIME;
  }

  isDubious(now: number): boolean {
    return !this.expired && !this.isGood(now);
  }
}

/** All nodes known in one family, in use or not. */
export class NodeCache {
  #nodes = new Map<InfoHash, Node>();

  get count(): number {
    return this.#nodes.size;
  }

  get(id: InfoHash): Node | undefined {
    return this.#nodes.get(id);
  }

  values(): IterableIterator<Node> {
    return this.#nodes.values();
  }

  /** A node that someone told of. Its address replaces the known one only after ten minutes of silence. */
  told({ id, address }: NodeInfo, now: number): Node {
    const node = this.#nodes.get(id) ?? this.#create(id, address);
    const silent = node.heard < now - NODE_HEARD_TIME;
    if (silent && node.pending === 0 && addressText(node.address) !== addressText(address)) node.address = address;
    return node;
  }

  /**
   * A node that sent something itself.
   * @param proven it answered us there, so that the address is not just claimed; a good node's address changes only by
   * proof
   */
  heard(id: InfoHash, address: Address, proven: boolean, now: number): Node {
    const node = this.#nodes.get(id) ?? this.#create(id, address);
    if (proven || !node.isGood(now)) node.address = address;
    node.heard = now;
    node.expired = false;
    return node;
  }

  /** The nodes nearest to a target of those that pass, nearest first. */
  closest(target: InfoHash, count: number, test: (node: Node) => boolean): Node[] {
    return [...this.#nodes.values()].filter(test).sort((a, b) => compareDistance(target, a.id, b.id)).slice(0, count);
  }

  #create(id: InfoHash, address: Address): Node {
    if (this.#nodes.size >= MAX_KNOWN_NODES) this.#makeRoom();
    const node = new Node(id, address);
    this.#nodes.set(id, node);
    return node;
  }

  /** Forgets the oldest node nobody uses. */
  #makeRoom(): void {
    for (const [id, node] of this.#nodes) {
      if (node.users > 0 || node.pending > 0) continue;
      this.#nodes.delete(id);
      return;
    }
  }
}
