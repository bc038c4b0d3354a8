/**
 * Keeps the display order while the history grows. The order is defined over the whole history (swarm-repository.md 6),
 * but what is new changes only its newest part: below the first commit that everything older is an ancestor of, both the
 * old and the new walk do the same.
 */

import { popNewest, pushNewest } from "./newest_first.ts";
import type { Oid } from "./object.ts";
import type { OrderNode } from "./order.ts";

/** A commit in the order that was kept so far; the oldest has position 0. */
export interface PlacedNode extends OrderNode {
  readonly position: number;
}

/** The order so far. */
export interface KeptOrder {
  /** How many commits it has. */
  readonly count: number;
  /** The newest `count` of them, newest first. */
  tail(count: number): readonly PlacedNode[];
}

/** What becomes of it. */
export interface ChangedOrder {
  /** How many of the oldest keep their places. */
  readonly unchanged: number;
  /** All others, the oldest first. */
  readonly rest: Oid[];
}

/** How many of the kept order are looked at first, and how much more each time that was too few. */
const FIRST_WINDOW = 4;
const WINDOW_GROWTH = 8;

/**
 * The order of all commits below `head`, given that of those there were before. It costs what it changes, not what
 * there is.
 * @param added the new commits; `head` and what there was before must be in or below them
 */
export function changedOrder(head: Oid, added: readonly OrderNode[], kept: KeptOrder): ChangedOrder {
  for (let size = FIRST_WINDOW;; size *= WINDOW_GROWTH) {
    const window = kept.tail(size);
    const changed = walk(head, added, window, kept.count);
    if (changed !== null) return changed;
  }
}

/**
 * The walk of `linearNewestFirst` over what is new and a window of the old, up to where the old order can go on; `null`
 * when the window is too small. Children of an old commit are new or displayed after it: those of a commit in the window
 * are all known.
 */
function walk(
  head: Oid,
  added: readonly OrderNode[],
  window: readonly PlacedNode[],
  count: number,
): ChangedOrder | null {
  const whole = window.length === count;
  const nodes = new Map<Oid, OrderNode & { position?: number }>();
  for (const node of window) nodes.set(node.id, node);
  for (const node of added) nodes.set(node.id, node);
  const children = new Map<Oid, number>();
  for (const { parents } of nodes.values()) {
    for (const id of parents) children.set(id, (children.get(id) ?? 0) + 1);
  }
  const heap: (OrderNode & { position?: number })[] = [];
  const order: Oid[] = [];
  const first = nodes.get(head);
  if (first !== undefined) pushNewest(heap, first);
  while (heap.length > 0) {
    // Alone in the heap: all that remains are its ancestors. Were the old ones below its place as many, they are the same.
    const { position } = heap[0];
    if (
      heap.length === 1 && position !== undefined && position + 1 === nodes.size - window.length + count - order.length
    ) {
      return { unchanged: position + 1, rest: order.reverse() };
    }
    const node = popNewest(heap);
    if (node === undefined) break;
    order.push(node.id);
    for (const id of node.parents) {
      const left = (children.get(id) ?? 0) - 1;
      children.set(id, left);
      if (left > 0) continue;
      const parent = nodes.get(id);
      if (parent !== undefined) pushNewest(heap, parent);
      else if (!whole) return null;
    }
  }
  return whole ? { unchanged: 0, rest: order.reverse() } : null;
}
