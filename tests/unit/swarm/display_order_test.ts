import assert from "node:assert/strict";
import fc from "fast-check";
import { changedOrder, type KeptOrder } from "../../../core/swarm/display_order.ts";
import { linearNewestFirst, type OrderNode } from "../../../core/swarm/order.ts";

/** How one more commit comes to be: whom it stands on (counted back from the newest), its time, does it merge. */
interface Draft {
  back: number;
  back2: number;
  merge: boolean;
  timestamp: number;
}

/** Histories that grow in steps, by commits whose times are few, equal and out of order. */
const steps = fc.array(
  fc.array(
    fc.record({
      back: fc.oneof(fc.nat(2), fc.nat(40)),
      back2: fc.nat(40),
      merge: fc.boolean(),
      timestamp: fc.oneof(fc.nat(3), fc.nat(100)),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  { minLength: 1, maxLength: 15 },
);

/** A history as one node sees it: what it has is always all below its head. */
class History {
  readonly nodes = new Map<string, OrderNode>();
  /** Oldest first, kept by `changedOrder` alone. */
  kept: string[] = [];
  head = "";
  /** The largest part of the kept order that the last step looked at. */
  looked = 0;

  /** Adds commits, and merges until one head has them all. */
  grow(drafts: readonly Draft[]): void {
    const added: OrderNode[] = [];
    const all = [...this.nodes.keys()];
    const put = (parents: string[], timestamp: number) => {
      const node = { id: `c${all.length}`, parents: [...new Set(parents)], timestamp };
      all.push(node.id);
      added.push(node);
      return node.id;
    };
    const tips = new Set(this.head === "" ? [] : [this.head]);
    for (const { back, back2, merge, timestamp } of drafts) {
      const pick = (n: number) => all[all.length - 1 - n % all.length];
      const parents = all.length === 0 ? [] : merge ? [pick(back), pick(back2)] : [pick(back)];
      for (const parent of parents) tips.delete(parent);
      tips.add(put(parents, timestamp));
    }
    while (tips.size > 1) {
      const [one, other] = tips;
      tips.delete(one);
      tips.delete(other);
      tips.add(put([one, other], drafts[0].timestamp));
    }
    const [head] = tips;
    this.#take(head, added);
  }

  #take(head: string, added: readonly OrderNode[]): void {
    this.looked = 0;
    const { unchanged, rest } = changedOrder(head, added, this.#order());
    for (const node of added) this.nodes.set(node.id, node);
    this.kept = [...this.kept.slice(0, unchanged), ...rest];
    this.head = head;
  }

  #order(): KeptOrder {
    return {
      count: this.kept.length,
      tail: (count) => {
        const ids = this.kept.slice(-count);
        this.looked = ids.length;
        return ids.map((id, i) => ({ ...this.#node(id), position: this.kept.length - ids.length + i })).reverse();
      },
    };
  }

  #node(id: string): OrderNode {
    const node = this.nodes.get(id);
    assert.ok(node);
    return node;
  }
}

Deno.test("display order: kept step by step it is that of the whole history", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const history = new History();
      for (const drafts of all) {
        history.grow(drafts);
        assert.deepEqual(history.kept, linearNewestFirst(history.head, history.nodes).reverse());
      }
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("display order: in a long history, what comes at the end costs what is new", () => {
  const history = new History();
  const next = (timestamp: number, back = 0): Draft => ({ back, back2: 0, merge: false, timestamp });
  for (let i = 0; i < 2_000; i += 100) history.grow(Array.from({ length: 100 }, (_, n) => next(i + n)));
  history.grow([next(2_000)]);
  assert.ok(history.looked <= 4, `one more: ${history.looked}`);
  // somebody wrote ten commits ago, and we merge
  history.grow([next(1_995, 10)]);
  assert.ok(history.looked <= 32, `a short split: ${history.looked}`);
  // with an old time it is displayed where it stands in the history, not where its clock says
  history.grow([next(5, 3)]);
  assert.ok(history.looked <= 256, `a wrong clock: ${history.looked}`);
  assert.deepEqual(history.kept, linearNewestFirst(history.head, history.nodes).reverse());
});
