import assert from "node:assert/strict";
import { NodeGaps } from "../../../core/node_gaps.ts";
import type { DeviceHeads } from "../../../core/store/ledger.ts";
import { gapsOf } from "../../../core/swarm/gaps.ts";
import type { GraphNode } from "../../../core/swarm/graph.ts";

/** Numbers that look random and are always the same. */
function numbers(seed: number): (below: number) => number {
  return (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
}

Deno.test("what was counted and what has come since are together what a whole walk counts", () => {
  const random = numbers(7);
  const nodes: GraphNode[] = [{ id: "c0", parents: [], seq: 0 }];
  const entries: DeviceHeads[] = [];
  const graph = { node: (id: string) => nodes.find((node) => node.id === id) };
  let walks = 0;
  const conversation = {
    id: "x",
    get head() {
      return nodes[nodes.length - 1].id;
    },
    gapsOf(helds: readonly (readonly string[])[], limit = 10_000) {
      walks++;
      return gapsOf(graph, this.head, helds, limit);
    },
  };
  const gaps = new NodeGaps({ forConversation: () => structuredClone(entries) });
  const add = (parents: string[]) => nodes.push({ id: `c${nodes.length}`, parents, seq: nodes.length });
  for (let step = 0; step < 400; step++) {
    const { head } = conversation;
    const act = random(4);
    if (act === 0) add([head]);
    if (act === 1) { // somebody who was away wrote, and it is merged
      add([nodes[Math.max(0, nodes.length - 1 - random(6))].id]);
      add([head, nodes[nodes.length - 1].id]);
    }
    if (act === 2 || entries.length === 0) {
      const device = `d${random(12)}`;
      const heads = [...new Set([nodes[random(nodes.length)].id, nodes[random(nodes.length)].id])];
      const others = entries.filter((entry) => entry.device !== device);
      entries.splice(0, entries.length, ...others, { conversation: "x", device, account: "a", heads, at: step });
    }
    const counted = gaps.of(conversation);
    const whole = gapsOf(graph, conversation.head, entries.map(({ heads }) => heads), 10_000);
    assert.deepEqual(counted.map(({ count, oldest }) => ({ count, oldest })), whole, `step ${step}`);
    const before = walks;
    assert.equal(gaps.of(conversation), counted, "nothing has changed");
    assert.equal(walks, before);
  }
});
