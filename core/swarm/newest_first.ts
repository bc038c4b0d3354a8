/**
 * The heap behind every walk over commits: later times come out first. How it treats equal times is part of the
 * protocol (swarm-repository.md 6), so it does exactly what libgit2's does.
 */

/** What can be in the heap. */
export interface Timed {
  /** Seconds since 1970. */
  readonly timestamp: number;
}

/** Later is smaller; equal times are equal. */
function greater(a: Timed, b: Timed): boolean {
  return a.timestamp < b.timestamp;
}

/** Puts an item into the heap. */
export function pushNewest<T extends Timed>(heap: T[], item: T): void {
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

/** Takes out the item with the latest time. */
export function popNewest<T extends Timed>(heap: T[]): T | undefined {
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
