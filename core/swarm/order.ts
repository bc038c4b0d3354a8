/** The order in which a conversation is displayed (swarm-repository.md 6): libgit2's topological order by time. */

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
  if (first !== undefined) insert(heap, first);
  for (let node = pop(heap); node !== undefined; node = pop(heap)) {
    order.push(node.id);
    for (const id of node.parents) {
      const parent = nodes.get(id);
      if (parent === undefined) continue;
      const left = (children.get(id) ?? 0) - 1;
      children.set(id, left);
      if (left === 0) insert(heap, parent);
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

/** Later commits come out first: the heap's "smaller". Equal times are equal, which is what decides ties. */
function greater(a: OrderNode, b: OrderNode): boolean {
  return a.timestamp < b.timestamp;
}

function insert(heap: OrderNode[], item: OrderNode): void {
  let at = heap.length;
  heap.push(item);
  while (at > 0) {
    const up = (at - 1) >> 1;
    if (!greater(heap[up], item)) break;
    heap[at] = heap[up];
    at = up;
  }
  heap[at] = item;
}

function pop(heap: OrderNode[]): OrderNode | undefined {
  const top = heap[0];
  const item = heap.pop();
  if (item === undefined || heap.length === 0) return top;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && greater(heap[child], heap[child + 1])) child++;
    if (!greater(item, heap[child])) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = item;
  return top;
}
