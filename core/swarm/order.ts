/** The order in which a conversation is displayed (swarm-repository.md 6): libgit2's topological order by time. */

import { popNewest, pushNewest } from "./newest_first.ts";
import type { Oid } from "./object.ts";

/** What the order depends on. */
export interface OrderNode {
  readonly id: Oid;
  readonly parents: readonly Oid[];
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/**
 * The commits reachable from `head`, newest first: children before their parents, among those the later time first;
 * ties as every daemon breaks them.
 * @param nodes the commits by id; parents that are not among them are left out
 */
export function linearNewestFirst(head: Oid, nodes: ReadonlyMap<Oid, OrderNode>): Oid[] {
  const children = countChildren(head, nodes);
  const heap: OrderNode[] = [];
  const order: Oid[] = [];
  const first = nodes.get(head);
  if (first !== undefined) pushNewest(heap, first);
  for (let node = popNewest(heap); node !== undefined; node = popNewest(heap)) {
    order.push(node.id);
    for (const id of node.parents) {
      const parent = nodes.get(id);
      if (parent === undefined) continue;
      const left = (children.get(id) ?? 0) - 1;
      children.set(id, left);
      if (left === 0) pushNewest(heap, parent);
    }
  }
  return order;
}

function countChildren(head: Oid, nodes: ReadonlyMap<Oid, OrderNode>): Map<Oid, number> {
  const count = new Map<Oid, number>([[head, 0]]);
  const open = [head];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const parent of nodes.get(id)?.parents ?? []) {
      const seen = count.get(parent);
      count.set(parent, (seen ?? 0) + 1);
      if (seen === undefined) open.push(parent);
    }
  }
  return count;
}
