import assert from "node:assert/strict";
import fc from "fast-check";
import { gapsOf } from "../../../core/swarm/gaps.ts";
import { type Graph, type GraphNode, holds, lacking, readingAhead } from "../../../core/swarm/graph.ts";

/** A random history: each commit has one or two parents among the earlier ones. */
const history = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { minLength: 1, maxLength: 60 }).map((spec) => {
  const nodes: GraphNode[] = [{ id: "c0", parents: [], seq: 0 }];
  for (const [a, b, merge] of spec) {
    const seq = nodes.length;
    const parents = [...new Set(merge ? [a % seq, b % seq] : [a % seq])].map((n) => `c${n}`);
    nodes.push({ id: `c${seq}`, parents, seq });
  }
  return nodes;
});

function graphOf(nodes: GraphNode[]): Graph {
  const map = new Map(nodes.map((n) => [n.id, n]));
  return { node: (id) => map.get(id) };
}

function ancestors(graph: Graph, id: string): Set<string> {
  const out = new Set<string>();
  const todo = [id];
  for (let next = todo.pop(); next; next = todo.pop()) {
    if (out.has(next)) continue;
    out.add(next);
    todo.push(...graph.node(next)!.parents);
  }
  return out;
}

Deno.test("graph: what a head lacks is exactly the reachable set minus the held one", () => {
  fc.assert(fc.property(history, fc.nat(), fc.array(fc.nat(), { maxLength: 3 }), (nodes, h, k) => {
    const graph = graphOf(nodes);
    const head = `c${h % nodes.length}`;
    const known = k.map((n) => `c${n % nodes.length}`);
    const held = new Set(known.flatMap((id) => [...ancestors(graph, id)]));
    const expected = [...ancestors(graph, head)].filter((id) => !held.has(id)).sort();
    assert.deepEqual([...lacking(graph, head, known)].map((n) => n.id).sort(), expected);
    let reads = 0;
    const ahead = readingAhead({
      node: (id) => (reads++, graph.node(id)),
      upTo: (seq, limit) => nodes.slice(0, seq + 1).reverse().slice(0, limit),
    });
    assert.deepEqual([...lacking(ahead, head, known)].map((n) => n.id).sort(), expected);
    assert.deepEqual([...lacking(ahead, head, [])].map((n) => n.id).sort(), [...ancestors(graph, head)].sort());
    assert.ok(reads <= 8 + 1 + known.length, `${reads} single reads`);
    assert.equal(holds(graph, head, known[0] ?? head), ancestors(graph, head).has(known[0] ?? head));
  }));
});

Deno.test("graph: the gaps of many, found in one walk, are those of each", () => {
  const many = fc.array(fc.array(fc.nat(), { maxLength: 2 }), { maxLength: 70 });
  fc.assert(fc.property(history, fc.nat(), many, fc.integer({ min: 1, max: 70 }), (nodes, h, k, limit) => {
    const graph = graphOf(nodes);
    const head = `c${h % nodes.length}`;
    const helds = k.map((held) => held.map((n) => n % 50 === 7 ? "unknown" : `c${n % nodes.length}`));
    const expected = helds.map((held) => {
      // the walk of all ends where so many were counted for whoever lacks most
      const all = [...lacking(graph, head, [])].filter(({ parents }) => parents.length < 2);
      const lacked = [...lacking(graph, head, held)].filter(({ parents }) => parents.length < 2);
      const within = limit >= all.length ? lacked : lacked.slice(0, limit);
      return { count: within.length, oldest: within.at(-1)?.id ?? null };
    });
    const found = gapsOf(graph, head, helds, limit);
    if (limit >= nodes.length) assert.deepEqual(found, expected);
    else for (const [i, { count }] of found.entries()) assert.ok(count <= expected[i].count);
  }));
});

Deno.test("graph: an unknown head lacks nothing, and an unknown commit is held by nobody", () => {
  const graph = graphOf([{ id: "a", parents: [], seq: 0 }]);
  assert.deepEqual([...lacking(graph, "x", ["a"])], []);
  assert.equal(holds(graph, "a", "x"), false);
});
