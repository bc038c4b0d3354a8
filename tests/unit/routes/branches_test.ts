import assert from "node:assert/strict";
import fc from "fast-check";
import { branches, folded, type Node, sideOf } from "../../../routes/branches.ts";

Deno.test("a straight history has one lane, a split two, and the merge joins them", () => {
  const straight = branches([{ id: "b", parents: ["a"] }, { id: "a", parents: [] }]);
  assert.deepEqual(straight, {
    lanes: 1,
    rows: [
      { id: "b", lane: 0, merge: false, lines: [{ from: 0, to: 0 }] },
      { id: "a", lane: 0, merge: false, lines: [] },
    ],
  });
  const split = branches([
    { id: "m", parents: ["x", "y"] },
    { id: "y", parents: ["a"] },
    { id: "x", parents: ["a"] },
    { id: "a", parents: [] },
  ]);
  assert.equal(split.lanes, 2);
  assert.deepEqual(split.rows.map(({ lane }) => lane), [0, 1, 0, 0], "the main line stays where it is");
  assert.deepEqual(split.rows[0], { id: "m", lane: 0, merge: true, lines: [{ from: 0, to: 0 }, { from: 0, to: 1 }] });
});

Deno.test("from each commit lines lead, row by row, to each of its parents", () => {
  const history = fc.integer({ min: 1, max: 30 }).chain((size) =>
    fc.tuple(...Array.from({ length: size }, (_, i) =>
      // parents stand later in the list
      fc.uniqueArray(fc.integer({ min: i + 1, max: size }), { maxLength: 3 }).map((parents): Node => ({
        id: `${i}`,
        parents: parents.filter((parent) => parent < size).map(String),
      }))))
  );
  fc.assert(fc.property(history, (nodes) => {
    const { rows, lanes } = branches(nodes);
    for (const [i, { parents }] of nodes.entries()) {
      for (const parent of parents) {
        const end = Number(parent);
        let at = new Set([rows[i].lane]);
        for (let row = i; row < end; row++) {
          at = new Set(rows[row].lines.filter(({ from }) => at.has(from)).map(({ to }) => to));
        }
        assert.ok(at.has(rows[end].lane), `${i} does not lead to ${end}`);
      }
    }
    assert.ok(rows.every(({ lane }) => lane < lanes));
  }));
});

Deno.test("straight parts are drawn as one line, both ends and the places of a split stay", () => {
  const chain = (from: number, to: number, parent: string): Node[] =>
    Array.from({ length: to - from }, (_, i) => ({
      id: `c${to - i}`,
      parents: [i === to - from - 1 ? parent : `c${to - i - 1}`],
    }));
  const nodes: Node[] = [
    ...chain(20, 30, "m"),
    { id: "m", parents: ["x", "y2"] },
    { id: "y2", parents: ["y1"] },
    { id: "x", parents: ["c10"] },
    { id: "y1", parents: ["c10"] },
    ...chain(0, 10, "first"),
    { id: "first", parents: [] },
  ];
  const rows = folded(branches(nodes).rows);
  const shown = rows.map((row) => row.kind === "fold" ? `${row.ids.length} folded` : row.placed.id);
  assert.deepEqual(shown, ["c30", "9 folded", "m", "y2", "x", "y1", "c10", "9 folded", "first"]);
  assert.deepEqual(rows.flatMap((row) => row.kind === "fold" ? row.ids : row.placed.id), nodes.map(({ id }) => id));
  assert.deepEqual(sideOf(nodes[10], nodes), ["y2", "y1"]);
  assert.deepEqual(sideOf(nodes[0], nodes), []);
});
