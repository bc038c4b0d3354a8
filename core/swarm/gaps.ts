/** How much each of many lacks, found in one walk over the history: of a thousand members each may hold another part of it. */

import type { Graph, GraphNode } from "./graph.ts";
import { ByArrival } from "./graph.ts";
import type { Oid } from "./object.ts";

/** What somebody lacks: how many commits, merges aside, and which of them has waited longest. */
export interface Gap {
  count: number;
  oldest: Oid | null;
}

/** A commit on the way, and who is seen to hold it: one bit for each. Arrays are shared until they differ. */
interface Visit {
  node: GraphNode;
  wanted: boolean;
  holders: Uint32Array;
}

/**
 * The gaps of those who hold `helds`, as against `head`; each counts to `limit`. Who holds an unknown commit is taken to lack all before it.
 */
export function gapsOf(graph: Graph, head: Oid, helds: readonly (readonly Oid[])[], limit: number): Gap[] {
  const gaps = helds.map((): Gap => ({ count: 0, oldest: null }));
  const walk = new Walk(graph, helds.length);
  helds.forEach((held, i) => {
    for (const id of held) walk.visit(id, false, walk.only(i));
  });
  walk.visit(head, true, walk.nobody);
  // commits with the same holders count together: there are few such sets, for a history is mostly one line
  const runs = new Map<Uint32Array, { count: number; last: number; oldest: Oid }>();
  for (let counted = 0; counted < limit;) {
    const visit = walk.next();
    if (!visit) break;
    const { holders, node: { id, parents } } = visit;
    if (parents.length >= 2) continue;
    counted++;
    runs.set(holders, { count: (runs.get(holders)?.count ?? 0) + 1, last: counted, oldest: id });
  }
  const inOrder = [...runs].sort(([, a], [, b]) => a.last - b.last);
  for (const [holders, { count, oldest }] of inOrder) {
    walk.eachWithout(holders, (i) => {
      gaps[i].count += count;
      gaps[i].oldest = oldest;
    });
  }
  return gaps;
}

/** Commits from the latest arrival on, each with all who hold it: every arrival number is greater than its parents'. */
class Walk {
  readonly nobody: Uint32Array;
  readonly #visits = new Map<Oid, Visit>();
  readonly #queue = new ByArrival();
  /** The last word has bits for fewer. */
  readonly #lastMask: number;
  /** Wanted commits in the queue. */
  #open = 0;

  constructor(private readonly graph: Graph, count: number) {
    this.nobody = new Uint32Array(Math.ceil(count / 32));
    this.#lastMask = count % 32 === 0 ? 0xffffffff : 2 ** (count % 32) - 1;
  }

  only(i: number): Uint32Array {
    const bits = this.nobody.slice();
    bits[i >> 5] = 1 << (i & 31);
    return bits;
  }

  visit(id: Oid, wanted: boolean, holders: Uint32Array): void {
    const known = this.#visits.get(id);
    if (known) {
      if (wanted && !known.wanted) this.#open++;
      known.wanted ||= wanted;
      known.holders = together(known.holders, holders);
      return;
    }
    const node = this.graph.node(id);
    if (!node) return;
    this.#visits.set(id, { node, wanted, holders });
    this.#queue.push(node);
    if (wanted) this.#open++;
  }

  /** The next commit that counts for anybody, or leads to one; null = there is none left. */
  next(): Visit | null {
    while (this.#open > 0) {
      const node = this.#queue.pop();
      const visit = node && this.#visits.get(node.id);
      if (!visit) return null;
      this.#visits.delete(visit.node.id); // children come first, so nobody asks for it again
      if (visit.wanted) this.#open--;
      // what all hold is wanted by nobody, and neither is anything before it
      const wanted = visit.wanted && !this.#isHeldByAll(visit.holders);
      for (const parent of visit.node.parents) this.visit(parent, wanted, visit.holders);
      if (wanted) return visit;
    }
    return null;
  }

  /** Calls `run` for each who is not seen to hold. */
  eachWithout(holders: Uint32Array, run: (i: number) => void): void {
    const last = holders.length - 1;
    for (let word = 0; word <= last; word++) {
      let rest = ~holders[word] & (word === last ? this.#lastMask : 0xffffffff);
      while (rest !== 0) {
        const bit = 31 - Math.clz32(rest & -rest);
        run((word << 5) + bit);
        rest &= rest - 1;
      }
    }
  }

  #isHeldByAll(holders: Uint32Array): boolean {
    const last = holders.length - 1;
    for (let word = 0; word < last; word++) if (holders[word] !== 0xffffffff) return false;
    return last < 0 || (holders[last] & this.#lastMask) >>> 0 === this.#lastMask;
  }
}

function together(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (a === b) return a;
  const out = a.slice();
  for (let i = 0; i < out.length; i++) out[i] |= b[i];
  return out;
}
