/** Merging two heads path by path. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { utf8 } from "../../../core/base/bytes.ts";
import { diverge, historyNodes, nextStep } from "../../../core/swarm/ancestry.ts";
import { broughtBack, mergeTrees } from "../../../core/swarm/merge.ts";
import { blob, buildTree, type Oid } from "../../../core/swarm/object.ts";
import { treesOf } from "../../../core/swarm/members.ts";
import { editTree, file, type FileEdits } from "../../../core/swarm/tree_edit.ts";
import { changedFiles, sameEntry } from "../../../core/swarm/diff.ts";
import type { HistoryNode, NodeLookup } from "../../../core/swarm/ancestry.ts";
import { MemoryReader, readBundle, readJson } from "./support.ts";

/** A history of bare nodes: no commits, only what merging looks at. */
class Graph {
  readonly nodes = new Map<Oid, HistoryNode>();
  readonly lookup: NodeLookup = (id) => Promise.resolve(this.nodes.get(id) ?? assert.fail(id));

  add(id: Oid, parents: Oid[], timestamp: number, tree = "t"): Oid {
    this.nodes.set(id, { id, parents, timestamp, tree });
    return id;
  }

  ancestors(id: Oid): Set<Oid> {
    const seen = new Set([id]);
    for (const each of seen) for (const parent of this.nodes.get(each)?.parents ?? []) seen.add(parent);
    return seen;
  }
}

Deno.test("leave against ban: the merge that daemons cannot make, in either direction", async () => {
  const { reader } = await readBundle("swarm/leave-versus-ban.bundle");
  const { heads, expectedMergeTree } = readJson<{ heads: Record<string, Oid>; expectedMergeTree: Oid }>(
    "swarm/leave-versus-ban.json",
  );
  const nodes = historyNodes(reader);
  for (const [ours, theirs] of [[heads.alice, heads.bob], [heads.bob, heads.alice]]) {
    const { tree, conflicts } = await mergeTrees(reader, nodes, ours, theirs);
    assert.equal(tree, expectedMergeTree);
    assert.deepEqual(conflicts, []);
    assert.equal(await nextStep(nodes, ours, theirs), "merge");
  }
  assert.equal(await nextStep(nodes, heads.alice, heads.merged), "fast-forward");
  assert.equal(await nextStep(nodes, heads.merged, heads.bob), "nothing");
});

for (const [name, ref] of [["swarm/group", "main"], ["swarm/split-and-merge", "main"], ["today/group", "main"]]) {
  Deno.test(`${name}: every merge that a daemon made comes out with the same tree`, async () => {
    const { reader, refs } = await readBundle(`${name}.bundle`);
    const nodes = historyNodes(reader);
    let merges = 0;
    const open = [refs.get(ref) ?? ""];
    for (const id of new Set(open)) {
      const seen = new Set([id]);
      for (const each of seen) {
        const node = await nodes(each);
        for (const parent of node.parents) seen.add(parent);
        if (node.parents.length < 2) continue;
        const [ours, theirs] = node.parents;
        assert.equal((await mergeTrees(reader, nodes, ours, theirs)).tree, node.tree, each);
        merges++;
      }
    }
    assert.ok(merges > 0);
  });
}

Deno.test("property: the best common ancestors are exact, whatever the clocks say", async () => {
  const commit = fc.tuple(fc.nat(), fc.option(fc.nat()), fc.nat(20));
  await fc.assert(fc.asyncProperty(fc.array(commit, { minLength: 2, maxLength: 25 }), async (commits) => {
    const graph = new Graph();
    graph.add("0", [], 0);
    for (const [i, [first, second, time]] of commits.entries()) {
      const parents = [first % (i + 1), ...second === null ? [] : [second % (i + 1)]].map(String);
      graph.add(String(i + 1), [...new Set(parents)], time);
    }
    const [a, b] = [String(commits.length), String(commits.length - 1)];
    const [ours, theirs] = [graph.ancestors(a), graph.ancestors(b)];
    const common = [...ours].filter((id) => theirs.has(id));
    const best = common.filter((id) => !common.some((other) => other !== id && graph.ancestors(other).has(id)));
    const found = await diverge(graph.lookup, a, b);
    assert.deepEqual(found.bases, best.sort());
    for (const id of ours) if (!theirs.has(id)) assert.ok(found.ours.some((node) => node.id === id));
    for (const id of theirs) if (!ours.has(id)) assert.ok(found.theirs.some((node) => node.id === id));
    const step = await nextStep(graph.lookup, a, b);
    assert.equal(step === "nothing", ours.has(b));
    assert.equal(step === "fast-forward", theirs.has(a) && a !== b);
  }));
});

Deno.test("two sides that differ only in merges of the same tree are left alone", async () => {
  const graph = new Graph();
  graph.add("0", [], 0, "t");
  graph.add("a", ["0"], 1, "t");
  graph.add("b", ["0"], 1, "t");
  graph.add("m", ["a", "b"], 2, "t");
  graph.add("n", ["b", "a"], 2, "t");
  assert.equal(await nextStep(graph.lookup, "m", "n"), "keep");
  graph.add("text", ["n"], 3, "t");
  assert.equal(await nextStep(graph.lookup, "m", "text"), "merge");
  graph.add("other", ["b", "a"], 2, "u");
  assert.equal(await nextStep(graph.lookup, "m", "other"), "merge");
  graph.add("stranger", [], 9, "t");
  assert.equal(await nextStep(graph.lookup, "m", "stranger"), "unrelated");
});

const PATHS = ["profile.vcf", "members/a.crt", "members/b.crt", "banned/members/a.crt", "invited/c", "votes/ban/x/y/z"];
const contents = [1, 2, 3].map((n) => blob(utf8(`content ${n}`)));
const change = fc.tuple(fc.constantFrom(...PATHS), fc.option(fc.constantFrom(...contents)));
const changes = fc.array(change, { maxLength: 6 });

async function edited(reader: MemoryReader, root: Oid, edits: [string, { oid: Oid } | null][]): Promise<Oid> {
  const map: FileEdits = new Map(edits.map(([path, to]) => [path, to && file(to.oid)]));
  const { tree, objects } = await editTree(treesOf(reader), root, map);
  reader.add(objects);
  return tree;
}

/** A criss-cross: base, two sides, each merged with the other's first step, then changed again. */
Deno.test("property: merging in either order gives the same tree, each path as on one side; also across criss-crosses", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 7, maxLength: 7 }), fc.boolean(), async (steps, isCrissCross) => {
      const root = buildTree([]);
      const reader = new MemoryReader([...contents, root]);
      const graph = new Graph();
      const base = await edited(reader, root.oid, steps[0]);
      graph.add("0", [], 0, base);
      const one = graph.add("1", ["0"], 1, await edited(reader, base, steps[1]));
      const two = graph.add("2", ["0"], 1, await edited(reader, base, steps[2]));
      let [ours, theirs] = [one, two];
      if (isCrissCross) {
        const merged = await mergeTrees(reader, graph.lookup, one, two);
        reader.add(merged.objects);
        ours = graph.add("3", [one, two], 2, await edited(reader, merged.tree, steps[3]));
        theirs = graph.add("4", [two, one], 2, await edited(reader, merged.tree, steps[4]));
        ours = graph.add("5", [ours], 3, await edited(reader, (await graph.lookup(ours)).tree, steps[5]));
        theirs = graph.add("6", [theirs], 3, await edited(reader, (await graph.lookup(theirs)).tree, steps[6]));
      }
      const there = await mergeTrees(reader, graph.lookup, ours, theirs);
      const back = await mergeTrees(reader, graph.lookup, theirs, ours);
      reader.add([...there.objects, ...back.objects]);
      assert.equal(there.tree, back.tree);
      assert.deepEqual(there.conflicts.sort(), back.conflicts.sort());
      const trees = treesOf(reader);
      const fromOurs = await changedFiles(trees, (await graph.lookup(ours)).tree, there.tree);
      const fromTheirs = new Set(
        (await changedFiles(trees, (await graph.lookup(theirs)).tree, there.tree)).map(({ path }) => path),
      );
      assert.ok(fromOurs.every(({ path }) => !fromTheirs.has(path)));
      for (const heads of [[ours, theirs], [theirs, ours]] as const) {
        assert.equal(await broughtBack(reader, graph.lookup, heads, there.tree), null);
      }
    }),
  );
});

Deno.test("property: what only one side changed cannot be taken from the other, nor a deletion be undone", async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 3, maxLength: 3 }), fc.nat(), async (steps, which) => {
      const root = buildTree([]);
      const reader = new MemoryReader([...contents, root]);
      const graph = new Graph();
      const base = await edited(reader, root.oid, steps[0]);
      graph.add("0", [], 0, base);
      const trees = [await edited(reader, base, steps[1]), await edited(reader, base, steps[2])];
      graph.add("1", ["0"], 1, trees[0]);
      graph.add("2", ["0"], 1, trees[1]);
      const merged = await mergeTrees(reader, graph.lookup, "1", "2");
      reader.add(merged.objects);
      const differing = await changedFiles(treesOf(reader), trees[0], trees[1]);
      if (differing.length === 0) return;
      // one path, flipped to the other side's
      const { path, before, after } = differing[which % differing.length];
      const now = await treesOf(reader).file(merged.tree, path);
      const flipped = await edited(reader, merged.tree, [[path, sameEntry(now, before) ? after : before]]);
      const old = await treesOf(reader).file(base, path);
      const bothChanged = !sameEntry(old, before) && !sameEntry(old, after);
      const isChoice = bothChanged && before !== null && after !== null;
      assert.equal(await broughtBack(reader, graph.lookup, ["1", "2"], flipped), isChoice ? null : path);
      if (!isChoice) found++;
    }),
  );
  assert.ok(found > 20, `${found}`);
});

Deno.test("conflicts: a deletion wins, else the file of the greater head", async () => {
  const root = buildTree([]);
  const reader = new MemoryReader([...contents, root]);
  const graph = new Graph();
  const [x, y, z] = contents;
  const base = await edited(reader, root.oid, [["members/a.crt", x], ["profile.vcf", x]]);
  graph.add("0", [], 0, base);
  graph.add("1", ["0"], 1, await edited(reader, base, [["members/a.crt", null], ["banned/members/a.crt", x]]));
  graph.add("2", ["0"], 1, await edited(reader, base, [["members/a.crt", y], ["profile.vcf", y]]));
  graph.add("3", ["0"], 1, await edited(reader, base, [["profile.vcf", z]]));
  const banned = await mergeTrees(reader, graph.lookup, "2", "1");
  assert.deepEqual(banned.conflicts, ["members/a.crt"]);
  reader.add(banned.objects);
  const trees = treesOf(reader);
  assert.equal(await trees.file(banned.tree, "members/a.crt"), null);
  assert.equal((await trees.file(banned.tree, "banned/members/a.crt"))?.oid, x.oid);
  for (const [ours, theirs] of [["2", "3"], ["3", "2"]]) {
    const profiles = await mergeTrees(reader, graph.lookup, ours, theirs);
    reader.add(profiles.objects);
    assert.deepEqual(profiles.conflicts, []);
    assert.equal((await trees.file(profiles.tree, "profile.vcf"))?.oid, z.oid);
  }
});

Deno.test("property: an edited tree holds what was put there and keeps the rest", async () => {
  await fc.assert(fc.asyncProperty(changes, changes, async (first, second) => {
    const root = buildTree([]);
    const reader = new MemoryReader([...contents, root]);
    const before = await edited(reader, root.oid, first);
    const after = await edited(reader, before, second);
    const [old, last] = [new Map(first), new Map(second)];
    for (const path of PATHS) {
      const wanted = (last.has(path) ? last.get(path) : old.get(path)) ?? null;
      const found = await treesOf(reader).file(after, path);
      assert.equal(found?.oid, wanted?.oid, path);
    }
    for (const { path, before: a, after: b } of await changedFiles(treesOf(reader), before, after)) {
      assert.ok(last.has(path) && !sameEntry(a, b), path);
    }
  }));
});
