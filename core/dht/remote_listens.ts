/** Who listens at this node, for which key (opendht.md 2.7, storing side). */

import type { Clock } from "../base/clock.ts";
import * as limit from "./constants.ts";
import type { InfoHash } from "./info_hash.ts";
import type { Node } from "./node.ts";
import { EVERYTHING, type Query } from "./query.ts";

/** One listener: a socket of a node. */
export interface RemoteListen {
  readonly node: Node;
  readonly socketId: number;
  /** 0: pushes are replies (old peers); 1: pushes are requests. */
  version: number;
  query: Query;
  /** Last renewed, milliseconds since 1970. */
  renewed: number;
}

/** Listen entries by key; an entry not renewed for ten minutes is dropped at the next sweep. */
export class RemoteListens {
  #keys = new Map<InfoHash, Map<string, RemoteListen>>();
  #perNode = new Map<Node, number>();
  #count = 0;

  constructor(private readonly clock: Clock) {}

  get count(): number {
    return this.#count;
  }

  /** Adds or renews an entry. @returns the entry when it is new, which must get all values first; `null` otherwise */
  listen(key: InfoHash, node: Node, socketId: number, version: number, query = EVERYTHING): RemoteListen | null {
    const entries = this.#keys.get(key) ?? new Map<string, RemoteListen>();
    const name = `${node.id}/${socketId}`;
    const known = entries.get(name);
    if (known?.node === node) {
      Object.assign(known, { version, query, renewed: this.clock.now() });
      return null;
    }
    const ofNode = this.#perNode.get(node) ?? 0;
    if (this.#count >= limit.MAX_REMOTE_LISTENS || entries.size >= limit.MAX_REMOTE_LISTENS_PER_KEY) return null;
    if (ofNode >= limit.MAX_REMOTE_LISTENS_PER_NODE || known) return null;
    const entry: RemoteListen = { node, socketId, version, query, renewed: this.clock.now() };
    entries.set(name, entry);
    this.#keys.set(key, entries);
    this.#perNode.set(node, ofNode + 1);
    this.#count++;
    node.users++;
    return entry;
  }

  /** The listeners of a key. */
  of(key: InfoHash): RemoteListen[] {
    return [...this.#keys.get(key)?.values() ?? []];
  }

  /** Drops what was not renewed. */
  sweep(): void {
    const oldest = this.clock.now() - limit.LISTEN_LIFE;
    for (const [key, entries] of this.#keys) {
      for (const [name, entry] of entries) if (entry.renewed < oldest) this.#drop(entries, name, entry.node);
      if (entries.size === 0) this.#keys.delete(key);
    }
  }

  #drop(entries: Map<string, RemoteListen>, name: string, node: Node): void {
    entries.delete(name);
    this.#count--;
    node.users--;
    const left = (this.#perNode.get(node) ?? 1) - 1;
    if (left > 0) this.#perNode.set(node, left);
    else this.#perNode.delete(node);
  }
}
