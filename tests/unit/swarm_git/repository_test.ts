import assert from "node:assert/strict";
import { join } from "node:path";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { REPACK_LOOSE_OBJECTS } from "../../../core/swarm/git_limits.ts";
import { blob, buildTree, type GitObject, gitObject, MissingObject, type Oid } from "../../../core/swarm/object.ts";
import { Repository, RepositoryError } from "../../../core/swarm/repository.ts";
import { commitData, fsck, git, gitLines, VECTORS, withFolder } from "../../support/git_vectors.ts";

const emptyTree = buildTree([]);

/** A line of `count` commits with one tree. */
function history(count: number, tree = emptyTree): GitObject[] {
  const out: GitObject[] = [tree];
  for (let i = 0; i < count; i++) {
    const parents = i === 0 ? [] : [out[out.length - 1].oid];
    out.push(
      gitObject("commit", commitData(tree.oid, parents, 1_700_000_000 + i, `{"body":"${i}","type":"text/plain"}`)),
    );
  }
  return out;
}

function tip(objects: GitObject[]): Oid {
  return objects[objects.length - 1].oid;
}

async function looseCount(dir: string): Promise<number> {
  return Number(/^count: (\d+)/m.exec(text(await git(dir, ["count-objects", "-v"])))?.[1]);
}

async function packCount(dir: string): Promise<number> {
  return Number(/^packs: (\d+)/m.exec(text(await git(dir, ["count-objects", "-v"])))?.[1]);
}

Deno.test("a new repository is a bare git repository on main, empty, and not made twice", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    await Deno.mkdir(`${dir}.new/objects`, { recursive: true }); // left over from a crash
    const repository = await Repository.create(dir);
    assert.equal(await repository.head(), null);
    assert.equal(text(await git(dir, ["symbolic-ref", "HEAD"])).trim(), "refs/heads/main");
    assert.equal(text(await git(dir, ["rev-parse", "--is-bare-repository"])).trim(), "true");
    assert.deepEqual(await fsck(dir), []);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map((e) => e.name), ["r"]);
    await assert.rejects(Repository.create(dir), RepositoryError);
    await assert.rejects(Repository.open(join(folder, "other")), RepositoryError);
    await repository.close();
  });
});

Deno.test("few objects become loose, many a pack; git finds everything sound and clones it", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    const repository = await Repository.create(dir);
    const content = blob(utf8("certificate"));
    const devices = buildTree([{ mode: "100644", path: "d.crt", oid: content.oid, type: "blob" }]);
    const root = buildTree([{ mode: "40000", path: "devices", oid: devices.oid, type: "tree" }]);
    const first = history(1, root);
    await repository.add([...first, devices, content]);
    assert.deepEqual([await looseCount(dir), await packCount(dir)], [4, 0]);
    await repository.setHead(tip(first));
    assert.deepEqual(await fsck(dir), []);
    const all = history(200, root);
    await repository.add(all);
    await repository.setHead(tip(all));
    assert.deepEqual([await looseCount(dir), await packCount(dir)], [4, 1]);
    assert.deepEqual(await fsck(dir), []);
    await git(folder, ["clone", "-q", dir, "copy"]);
    assert.equal((await gitLines(join(folder, "copy"), "rev-list", "HEAD")).length, 200);
    assert.equal(await Deno.readTextFile(join(folder, "copy/devices/d.crt")), "certificate");

    const again = await Repository.open(dir);
    assert.equal(await again.head(), tip(all));
    assert.equal(await again.resolve("HEAD"), tip(all));
    assert.equal(await again.resolve(tip(all)), tip(all));
    assert.equal(await again.resolve("refs/heads/other"), null);
    assert.equal(await again.resolve("f".repeat(40)), null);
    for (const object of [...all, devices, content]) assert.deepEqual(await again.read(object.oid), object);
    assert.deepEqual(await again.commitParents(tip(all)), [all[all.length - 2].oid]);
    assert.equal(await again.has("f".repeat(40)), false);
    await assert.rejects(again.read("f".repeat(40)), MissingObject);
    await assert.rejects(again.setHead("f".repeat(40)), MissingObject);
    again.release();
    assert.deepEqual(await again.read(content.oid), content);
    await again.close();
    await repository.close();
  });
});

Deno.test("objects that are there already are not written again", async () => {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    const all = history(20);
    await repository.add(all);
    await repository.add([...all, ...all]);
    assert.deepEqual([await looseCount(repository.dir), await packCount(repository.dir)], [0, 1]);
    await repository.close();
  });
});

Deno.test("the empty tree is only there when it was stored", async () => {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    assert.equal(await repository.has(emptyTree.oid), false);
    await assert.rejects(repository.read(emptyTree.oid), MissingObject);
    await repository.add([emptyTree]);
    assert.deepEqual(await repository.read(emptyTree.oid), emptyTree);
    await repository.close();
  });
});

Deno.test("repack puts many loose objects into one pack, and many packs too", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    const repository = await Repository.create(dir);
    const all = history(REPACK_LOOSE_OBJECTS + 40);
    for (let i = 0; i < all.length; i += 8) await repository.add(all.slice(i, i + 8));
    await repository.setHead(tip(all));
    assert.equal(await looseCount(dir), all.length);
    assert.equal(await repository.repack(), true);
    assert.deepEqual([await looseCount(dir), await packCount(dir)], [0, 1]);
    assert.equal(await repository.repack(), false);
    for (const object of all) assert.deepEqual(await repository.read(object.oid), object);
    const more = history(all.length + 33 * 10);
    for (let i = all.length; i < more.length; i += 10) await repository.add(more.slice(i, i + 10));
    await repository.setHead(tip(more));
    assert.equal(await packCount(dir), 34);
    assert.equal(await repository.repack(), true);
    assert.deepEqual([await looseCount(dir), await packCount(dir)], [0, 1]);
    assert.deepEqual(await fsck(dir), []);
    assert.equal((await gitLines(dir, "rev-list", "main")).length, more.length - 1);
    for (const object of more.slice(-50)) assert.deepEqual(await repository.read(object.oid), object);
    await repository.close();
  });
});

Deno.test("what others do to it while it is open is seen: gc, with deltas, packed refs and pruned loose objects", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    const repository = await Repository.create(dir);
    const entries = Array.from({ length: 300 }, (_, i) => ({
      mode: "100644",
      path: `${i}`.padStart(64, "0"),
      oid: blob(utf8(`${i}`)).oid,
      type: "blob" as const,
    }));
    const blobs = Array.from({ length: 300 }, (_, i) => blob(utf8(`${i}`)));
    await repository.add(blobs);
    const commits: GitObject[] = [];
    for (let i = 1; i <= 7; i++) {
      const tree = buildTree(entries.slice(0, i * 40));
      const parents = commits.slice(-1).map((c) => c.oid);
      const commit = gitObject("commit", commitData(tree.oid, parents, 1_700_000_000 + i, "x"));
      commits.push(commit);
      await repository.add([tree, commit]);
      await repository.setHead(commit.oid);
    }
    const before = await Promise.all((await gitLines(dir, "rev-list", "--objects", "main"))
      .map((line) => repository.read(line.slice(0, 40))));
    await git(dir, ["gc", "-q", "--aggressive", "--prune=now"]);
    const packs = await gitLines(dir, "count-objects", "-v");
    assert.ok(packs.includes("count: 0"));
    const [pack] = (await Array.fromAsync(Deno.readDir(join(dir, "objects/pack")))).filter((e) =>
      e.name.endsWith(".pack")
    );
    const verify = await gitLines(dir, "verify-pack", "-v", `objects/pack/${pack.name}`);
    assert.ok(verify.some((line) => line.startsWith("chain length")), "gc made deltas");
    for (const object of before) assert.deepEqual(await repository.read(object.oid), object);
    const again = await Repository.open(dir);
    assert.equal(await again.head(), commits[6].oid);
    for (const object of before) assert.deepEqual(await again.read(object.oid), object);
    await again.add(history(12));
    assert.deepEqual(await fsck(dir), []);
    await again.close();
    await repository.close();
  });
});

Deno.test("clones of the bundles, with work tree or bare, are read whole, and nothing in them is touched", async () => {
  const bundles = ["swarm/group", "swarm/one-to-one", "swarm/hostile", "today/group", "today/mixed-with-2023"];
  await withFolder(async (folder) => {
    for (const [i, name] of bundles.entries()) {
      const bundle = join(VECTORS, `${name}.bundle`);
      const mirror = join(folder, `${i}.git`);
      await git(folder, ["clone", "-q", "--mirror", bundle, mirror]);
      const work = join(folder, `${i}`);
      const [branch] = await gitLines(mirror, "for-each-ref", "--format=%(refname:short)", "refs/heads");
      await git(folder, ["clone", "-q", "-b", branch, bundle, work]);
      await Deno.writeTextFile(join(work, ".git/index.lock"), "");
      for (const dir of [mirror, work, join(work, ".git")]) {
        const repository = await Repository.open(dir, { readOnly: true });
        const lines = await gitLines(dir, "for-each-ref", "--format=%(objectname) %(refname)");
        for (const line of lines.filter((l) => !l.endsWith("/HEAD"))) {
          const [oid, ref] = line.split(" ");
          assert.equal(await repository.resolve(ref), oid);
        }
        for (const line of await gitLines(dir, "rev-list", "--objects", "--all")) {
          assert.equal((await repository.read(line.slice(0, 40))).oid, line.slice(0, 40));
        }
        await assert.rejects(repository.add([]), RepositoryError);
        await assert.rejects(repository.repack(), RepositoryError);
        await repository.close();
      }
      assert.equal((await Deno.stat(join(work, ".git/index.lock"))).size, 0);
    }
  });
});

Deno.test("what a crash leaves behind is removed when a repository is opened", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    const repository = await Repository.create(dir);
    const all = history(20);
    await repository.add(all);
    await repository.add(history(1).slice(1));
    await repository.setHead(tip(all));
    await repository.close();
    const loose = blob(utf8("x")).oid;
    await Deno.mkdir(join(dir, "objects", loose.slice(0, 2)), { recursive: true });
    const left = [
      "HEAD.lock",
      "refs/heads/main.lock",
      "objects/pack/tmp_pack_1",
      "objects/pack/tmp_idx_1",
      "objects/pack/pack-1234567890123456789012345678901234567890.pack",
      `objects/${loose.slice(0, 2)}/tmp_obj_1`,
    ];
    for (const name of left) await Deno.writeTextFile(join(dir, name), "half");
    const again = await Repository.open(dir);
    assert.equal(await again.head(), tip(all));
    assert.equal(await again.has(loose), false);
    for (const name of left) await assert.rejects(Deno.stat(join(dir, name)), Deno.errors.NotFound, name);
    assert.deepEqual(await fsck(dir), []);
    for (const object of all) assert.deepEqual(await again.read(object.oid), object);
    await again.close();
  });
});

Deno.test("a damaged pack, index or object is told as such, never as missing or sound", async () => {
  await withFolder(async (folder) => {
    const dir = join(folder, "r");
    const repository = await Repository.create(dir);
    const all = history(20);
    await repository.add(all);
    await repository.close();
    const names = (await Array.fromAsync(Deno.readDir(join(dir, "objects/pack")))).map((e) =>
      join(dir, "objects/pack", e.name)
    );
    for (const [ending, at] of [[".pack", 60], [".idx", 1100]] as const) {
      const path = names.find((name) => name.endsWith(ending)) ?? "";
      const good = await Deno.readFile(path);
      const bad = good.slice();
      bad[at] ^= 0xff;
      await Deno.writeFile(path, bad);
      const again = await Repository.open(dir);
      const reads = await Promise.allSettled(all.map((object) => again.read(object.oid)));
      const failed = reads.filter((read) => read.status === "rejected");
      assert.ok(failed.length > 0);
      for (const { reason } of failed) assert.ok(reason instanceof RepositoryError);
      await again.close();
      await Deno.writeFile(path, good);
    }
  });
});

Deno.test("10,000 commits: the times of storing, reading and packing (printed)", async () => {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    const random = () => crypto.getRandomValues(new Uint8Array(512)).toBase64();
    const all: GitObject[] = [emptyTree];
    for (let i = 0; i < 10_000; i++) {
      const parents = i === 0 ? [] : [all[all.length - 1].oid];
      all.push(gitObject("commit", commitData(emptyTree.oid, parents, 1_700_000_000 + i, `{"body":"${i}"}`, random())));
    }
    const timed = async (what: string, work: () => Promise<unknown>) => {
      const start = performance.now();
      await work();
      const ms = performance.now() - start;
      console.log(`      ${what}: ${ms.toFixed(0)} ms`);
      assert.ok(ms < 20_000, what);
    };
    await timed("add 10,000 commits (one pack)", () => repository.add(all));
    await timed("set the head", () => repository.setHead(tip(all)));
    await timed("read them all", async () => {
      for (const { oid } of all) await repository.read(oid);
    });
    const { missingObjects } = await import("../../../core/swarm/reachable.ts");
    const { buildPack } = await import("../../../core/swarm/pack_writer.ts");
    const { parsePack } = await import("../../../core/swarm/parse_pack.ts");
    let oids: Oid[] = [];
    await timed("walk for a clone", async () => oids = await missingObjects(repository, tip(all), []));
    await timed("walk for the newest 10", async () => {
      assert.equal((await missingObjects(repository, tip(all), [all[all.length - 11].oid])).length, 10);
    });
    const chunks: Uint8Array[] = [];
    await timed("pack them", async () => {
      for await (const chunk of buildPack(repository, oids)) chunks.push(chunk);
    });
    const pack = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
    chunks.reduce((at, chunk) => (pack.set(chunk, at), at + chunk.length), 0);
    await timed("parse the pack (in a worker)", async () => {
      assert.equal((await parsePack(pack, repository)).size, all.length);
    });
    await repository.close();
  });
});
