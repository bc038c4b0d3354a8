import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, fromHex, text, utf8 } from "../../../core/base/bytes.ts";
import { blob, buildTree, hashObject, ObjectError, parseTree, type TreeEntry } from "../../../core/swarm/object.ts";
import { commitLinks } from "../../../core/swarm/reachable.ts";
import { commitData, git, withFolder } from "../../support/git_vectors.ts";

const OID = "b".repeat(40);

const name = fc.string({ unit: "binary", minLength: 1, maxLength: 12 })
  .filter((n) =>
    !/[/\0]/.test(n) && n !== "." && n !== ".." && n.toLowerCase() !== ".git" && n.isWellFormed() &&
    !n.startsWith("\ufeff")
  );
const entry: fc.Arbitrary<TreeEntry> = fc.record({
  path: name,
  oid: fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => bytes.toHex()),
  kind: fc.constantFrom(["40000", "tree"] as const, ["100644", "blob"] as const, ["100755", "blob"] as const),
}).map(({ path, oid, kind: [mode, type] }) => ({ path, oid, mode, type }));
const tree = fc.uniqueArray(entry, { selector: (e) => e.path, maxLength: 12 });

Deno.test("well-known object names", () => {
  assert.equal(blob(new Uint8Array(0)).oid, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  assert.equal(buildTree([]).oid, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  assert.equal(hashObject("blob", utf8("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a");
});

Deno.test("a tree gives back the entries it was built from", () => {
  fc.assert(fc.property(tree, (entries) => {
    const parsed = parseTree(buildTree(entries).data);
    const byPath = (a: TreeEntry, b: TreeEntry) => a.path < b.path ? -1 : 1;
    assert.deepEqual(parsed.toSorted(byPath), entries.toSorted(byPath));
    assert.equal(buildTree(parsed).oid, buildTree(entries).oid);
  }));
});

Deno.test("git sorts and names trees as we do", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["init", "-q", "--bare", "."]);
    for (const entries of fc.sample(tree.filter((t) => t.every((e) => !/[\n\t"\\]/.test(e.path))), 20)) {
      const lines = entries.map((e) => `${e.mode.padStart(6, "0")} ${e.type} ${e.oid}\t${e.path}\0`).join("");
      const oid = text(await git(folder, ["mktree", "--missing", "-z"], utf8(lines))).trim();
      assert.equal(buildTree(entries).oid, oid);
    }
  });
});

Deno.test("trees that git fsck would refuse are refused", () => {
  const line = (mode: string, path: string) => concat(utf8(`${mode} ${path}\0`), fromHex(OID));
  const bad = {
    "unsorted": concat(line("100644", "b"), line("100644", "a")),
    "twice": concat(line("100644", "a"), line("100644", "a")),
    "file and folder of one name": concat(line("100644", "a"), line("100644", "a-"), line("40000", "a")),
    "a slash": line("100644", "a/b"),
    "no name": line("100644", ""),
    "dots": line("100644", ".."),
    "git's own folder": line("40000", ".GIT"),
    "not UTF-8": concat(utf8("100644 "), Uint8Array.of(0xff, 0), fromHex(OID)),
    "a byte order mark": line("100644", "\ufeffa"),
    "a submodule": line("160000", "a"),
    "a padded mode": line("040000", "a"),
    "an unknown mode": line("100600", "a"),
    "cut": line("100644", "a").subarray(0, 20),
    "no end": utf8("100644 a"),
  };
  for (const [why, data] of Object.entries(bad)) assert.throws(() => parseTree(data), ObjectError, why);
  assert.throws(() => buildTree([{ mode: "100644", path: "a", oid: OID, type: "tree" }]), ObjectError);
  assert.throws(() => buildTree([{ mode: "100644", path: "a", oid: "x", type: "blob" }]), ObjectError);
});

Deno.test("a mutated tree or commit gives a typed error or a sound result", () => {
  const trees = fc.sample(tree.filter((t) => t.length > 0), 30).map((entries) => buildTree(entries).data);
  fc.assert(
    fc.property(fc.constantFrom(...trees), fc.nat(), fc.integer({ min: 0, max: 255 }), (data, at, byte) => {
      const bytes = data.slice();
      bytes[at % bytes.length] = byte;
      try {
        assert.deepEqual(buildTree(parseTree(bytes)).data, bytes);
      } catch (error) {
        if (!(error instanceof ObjectError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  const commit = commitData(OID, [OID, OID], 1_790_000_000, '{"type":"text/plain"}', "c2ln");
  fc.assert(
    fc.property(fc.nat({ max: commit.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bytes = commit.slice();
      bytes[at] = byte;
      try {
        assert.equal(commitLinks(bytes).tree.length, 40);
      } catch (error) {
        if (!(error instanceof ObjectError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("the links of a commit", () => {
  assert.deepEqual(commitLinks(commitData(OID, [], 5, "x")), { tree: OID, parents: [], time: 5 });
  assert.deepEqual(commitLinks(commitData(OID, [OID, OID], 7, "x", "sig")).parents, [OID, OID]);
});
