/**
 * Questions about a conversation's history answered from the store's index, without touching git: what does one head hold that another lacks? Every
 * commit's arrival number is greater than its parents', which makes each answer cost no more than the difference itself.
 */

import type { Oid } from "./object.ts";

/** What the index knows of a commit. */
export interface GraphNode {
  id: Oid;
  parents: Oid[];
  /** Arrival number: greater than every parent's. */
  seq: number;
}

export interface Graph {
  /** The commit, or `undefined` when it is not in the history. */
  node(id: Oid): GraphNode | undefined;
}

/** Where nodes come from, one by one or many at once. */
export interface NodeSource extends Graph {
  /** Those with an arrival number up to `seq`, the latest first. */
  upTo(seq: number, limit: number): GraphNode[];
}

/** Nodes asked for one by one before more are read at once: most questions need no more. */
const SINGLE_READS = 8;

/** Nodes read at once. */
const READ_AHEAD = 500;

/** A graph for walks over many commits, which want one after the other by arrival: it reads ahead, and remembers. */
export function readingAhead(source: NodeSource): Graph {
  const read = new Map<Oid, GraphNode | undefined>();
  let single = 0;
  return {
    node(id) {
      if (read.has(id)) return read.get(id);
      const node = source.node(id);
      read.set(id, node);
      if (node && ++single > SINGLE_READS) {
        for (const other of source.upTo(node.seq, READ_AHEAD)) read.set(other.id, other);
      }
      return node;
    },
  };
}

/** The commits reachable from `head` and not from any of `known`, latest arrival first. Unknown ids in `known` are ignored. */
export function* lacking(graph: Graph, head: Oid, known: Iterable<Oid>): Generator<GraphNode> {
  const queue = new ByArrival();
  const wanted = new Set<Oid>();
  const held = new Set<Oid>();
  let open = 0; // wanted commits still in the queue

  const visit = (id: Oid, isHeld: boolean) => {
    const node = graph.node(id);
    if (!node) return;
    if (isHeld) {
      if (held.has(id)) return;
      held.add(id);
      if (wanted.has(id)) open--;
      else queue.push(node);
    } else if (!held.has(id) && !wanted.has(id)) {
      wanted.add(id);
      queue.push(node);
      open++;
    }
  };

  for (const id of known) visit(id, true);
  visit(head, false);
  while (open > 0) {
    const node = queue.pop();
    if (!node) return;
    const isHeld = held.has(node.id);
    if (!isHeld) {
      open--;
      yield node;
    }
    for (const parent of node.parents) visit(parent, isHeld);
  }
}

/** Is `ancestor` reachable from `head`? Every commit counts as its own ancestor. */
export function holds(graph: Graph, head: Oid, ancestor: Oid): boolean {
  if (head === ancestor) return true;
  if (!graph.node(ancestor) || !graph.node(head)) return false;
  return lacking(graph, ancestor, [head]).next().done === true;
}

/** A queue that gives the node with the greatest arrival number first; kept sorted, for it is nearly always short. */
export class ByArrival {
  #nodes: GraphNode[] = [];

  push(node: GraphNode): void {
    let low = 0, high = this.#nodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#nodes[middle].seq < node.seq) low = middle + 1;
      else high = middle;
    }
    this.#nodes.splice(low, 0, node);
  }

  pop(): GraphNode | undefined {
    return this.#nodes.pop();
  }
}
