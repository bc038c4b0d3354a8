import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { type Bytes, concat, fromHex, text, utf8 } from "../../../core/base/bytes.ts";
import { PACK_LIMITS, type PackLimits } from "../../../core/swarm/git_limits.ts";
import { blob, type GitObject, gitObject, type Oid } from "../../../core/swarm/object.ts";
import { emptyReader, OverlayReader } from "../../../core/swarm/overlay.ts";
import { applyDelta, PackError, writeEntryHeader } from "../../../core/swarm/pack_entry.ts";
import { PackIndex, writePackIndex } from "../../../core/swarm/pack_index.ts";
import { buildPack } from "../../../core/swarm/pack_writer.ts";
import { parsePack } from "../../../core/swarm/parse_pack.ts";
import { commitData, git, gitExchanges, gitLines, withFolder } from "../../support/git_vectors.ts";

function parse(pack: Bytes, limits: Partial<PackLimits> = {}, base: GitObject[] = []) {
  const reader = new OverlayReader(emptyReader, new Map(base.map((object) => [object.oid, object])));
  return parsePack(pack, reader, { ...PACK_LIMITS, ...limits });
}

async function build(objects: GitObject[]): Promise<Bytes> {
  const reader = new OverlayReader(emptyReader, new Map(objects.map((object) => [object.oid, object])));
  return concat(...await Array.fromAsync(buildPack(reader, objects.map(({ oid }) => oid))));
}

/** A pack from raw entries, with the right count and checksum. */
function rawPack(count: number, ...entries: Uint8Array[]): Bytes {
  const header = utf8("PACK\0\0\0\x02\0\0\0\0");
  new DataView(header.buffer).setUint32(8, count);
  const body = concat(header, ...entries);
  return concat(body, createHash("sha1").update(body).digest());
}

/** One entry; `code` 6 and 7 are the deltas, whose base stands between head and data. */
function entry(code: number, data: Uint8Array, base: Uint8Array = new Uint8Array(0), size = data.length): Bytes {
  const header = writeEntryHeader("commit", size);
  header[0] = (header[0] & 0x8f) | (code << 4);
  return concat(header, base, deflateSync(data));
}

const text1 = blob(utf8("the quick brown fox"));
/** Makes "the quick brown fox jumps" of {@link text1}. */
const delta1 = concat(Uint8Array.of(19, 25, 0x90, 19, 6), utf8(" jumps"));
const text2 = blob(utf8("the quick brown fox jumps"));

Deno.test("the packs that peers sent have the objects the recordings say", async () => {
  const expected: [string, number, number, number, Oid][] = [
    ["sync/clone.jsonl", 0, 5223, 8, "7065bd1dc5a017f18fb546ac804ab2ad86830756"],
    ["sync/fetch-incremental.jsonl", 0, 9387, 9, "a7ac74c4ee68c35d3349cc421d848fd9608734e8"],
    ["sync/fetch-20-haves.jsonl", 0, 13535, 11, "d64d22646650a56c0c2a851cc6a93ae62bbb7acd"],
    ["sync/notification-and-fetch.jsonl", 0, 13543, 11, "e8d8ffa9867849daa86d17b14e9112b2188707a5"],
  ];
  for (const [file, index, bytes, count, head] of expected) {
    const { pack } = gitExchanges(file)[index];
    assert.equal(pack.length, bytes, file);
    const objects = await parse(pack);
    assert.equal(objects.size, count, file);
    assert.equal(objects.get(head)?.type, "commit", file);
  }
});

Deno.test("all recorded packs are read as git reads them", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["init", "-q", "--bare", "."]);
    for (
      const file of ["sync/nonmember-clone", "sync/reconnect-bootstrap", "today/banned-member", "today/relay-reconnect"]
    ) {
      for (const { pack } of gitExchanges(`${file}.jsonl`).filter((exchange) => exchange.pack.length > 0)) {
        const sum = text(await git(folder, ["index-pack", "--stdin"], pack)).trim().split("\t")[1];
        const listed = await gitLines(folder, "verify-pack", "-v", `objects/pack/pack-${sum}.pack`);
        const oids = listed.filter((line) => /^[0-9a-f]{40} /.test(line)).map((line) => line.slice(0, 40));
        assert.deepEqual([...(await parse(pack)).keys()].sort(), oids.sort());
      }
    }
  });
});

Deno.test("a pack gives back the objects it was built from, and git accepts it and its index", async () => {
  const object = fc.tuple(fc.constantFrom("blob" as const, "tag" as const), fc.uint8Array({ maxLength: 600 }))
    .map(([type, data]) => gitObject(type, Uint8Array.from(data)));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(object, { selector: (o) => o.oid, maxLength: 20 }), async (objects) => {
      const parsed = await parse(await build(objects));
      assert.deepEqual([...parsed.values()], objects);
    }),
  );
  await withFolder(async (folder) => {
    await git(folder, ["init", "-q", "--bare", "."]);
    const objects = Array.from({ length: 300 }, (_, i) => blob(utf8(`object ${i} `.repeat(i))));
    const entries: { oid: Oid; crc: number; offset: number }[] = [];
    const reader = new OverlayReader(emptyReader, new Map(objects.map((o) => [o.oid, o])));
    const chunks = await Array.fromAsync(buildPack(reader, objects.map((o) => o.oid), (e) => entries.push(e)));
    const pack = concat(...chunks);
    await Deno.writeFile(`${folder}/a.pack`, pack);
    await git(folder, ["index-pack", "--strict", "a.pack"]);
    const ours = writePackIndex(entries, pack.subarray(-20));
    assert.deepEqual(ours, await Deno.readFile(`${folder}/a.idx`));
    const index = new PackIndex(ours);
    for (const { oid, offset } of entries) assert.equal(index.find(oid), offset);
    assert.equal(index.find("0".repeat(40)), null);
    assert.equal(index.find("f".repeat(40)), null);
    assert.deepEqual([...index.oids()], objects.map((o) => o.oid).sort());
  });
});

Deno.test("deltas by offset and by name are resolved, in any order, and against the base", async () => {
  const ofs = entry(6, delta1, Uint8Array.of(entry(3, text1.data).length));
  const ref = entry(7, delta1, fromHex(text1.oid));
  const whole = entry(3, text1.data);
  for (const pack of [rawPack(2, whole, ofs), rawPack(2, whole, ref), rawPack(2, ref, whole)]) {
    assert.deepEqual([...(await parse(pack)).keys()].sort(), [text1.oid, text2.oid].sort());
  }
  assert.deepEqual([...(await parse(rawPack(1, ref), {}, [text1])).keys()], [text2.oid]);
  await assert.rejects(parse(rawPack(1, ref)), PackError);
});

Deno.test("packs full of deltas that git made are read, thin ones too", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["init", "-q", "--bare", "."]);
    let stream = "";
    const files: string[] = [];
    for (let i = 1; i <= 60; i++) {
      files.push(`line ${i} ${createHash("sha1").update(`${i}`).digest("hex")}\n`);
      const content = files.join("").repeat(40);
      stream += `commit refs/heads/main\ncommitter a <a> ${1_700_000_000 + i} +0000\ndata 1\nx\n` +
        `M 100644 inline f\ndata ${content.length}\n${content}\n`;
    }
    await git(folder, ["fast-import", "--quiet"], utf8(stream));
    const all = (await gitLines(folder, "rev-list", "--objects", "main")).map((line) => line.slice(0, 40));
    const names = utf8("main\n");
    for (const flags of [["--delta-base-offset"], [], ["--depth=200"]]) {
      const pack = await git(folder, ["pack-objects", "--revs", "--stdout", "-q", "--no-reuse-delta", ...flags], names);
      assert.deepEqual([...(await parse(pack)).keys()].sort(), all.toSorted());
    }
    const thin = await git(folder, ["pack-objects", "--revs", "--stdout", "--thin", "-q"], utf8("main\n^main~3\n"));
    const old = (await gitLines(folder, "rev-list", "--objects", "main~3")).map((line) => line.slice(0, 40));
    const base = await Promise.all(old.map(async (oid) => {
      const type = text(await git(folder, ["cat-file", "-t", oid])).trim();
      return type === "blob" ? blob(await git(folder, ["cat-file", "blob", oid])) : null;
    }));
    const got = await parse(thin, {}, base.filter((object) => object !== null));
    assert.deepEqual([...got.keys()].sort(), all.filter((oid) => !old.includes(oid)).sort());
    await assert.rejects(parse(thin), PackError);
  });
});

Deno.test("a large pack is parsed in a worker, its deltas against the base too, and the worker can be stopped", async () => {
  const objects = Array.from({ length: 2100 }, (_, i) => blob(utf8(`number ${i}`)));
  const built = await build(objects);
  const body = built.subarray(0, built.length - 20);
  const withDelta = concat(body, entry(7, delta1, fromHex(text1.oid)));
  new DataView(withDelta.buffer).setUint32(8, objects.length + 1);
  const pack = concat(withDelta, createHash("sha1").update(withDelta).digest());
  const parsed = await parse(pack.slice(), {}, [text1]);
  assert.equal(parsed.size, 2101);
  assert.deepEqual(parsed.get(text2.oid), text2);
  assert.deepEqual(parsed.get(objects[7].oid), objects[7]);
  await assert.rejects(parse(pack.slice()), PackError);
  const damaged = pack.slice();
  damaged[100] ^= 1;
  await assert.rejects(parse(damaged), PackError);
  const stop = new AbortController();
  const parsing = parsePack(pack.slice(), emptyReader, PACK_LIMITS, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(parsing, /stopped/);
});

Deno.test("what is beyond a limit is refused, zip bombs included", async () => {
  const megabyte = new Uint8Array(1024 * 1024);
  const bomb = rawPack(1, entry(3, megabyte, undefined, 100));
  await assert.rejects(parse(bomb), /does not inflate/);
  await assert.rejects(parse(rawPack(1, entry(3, utf8("short"), undefined, 100))), /shorter/);
  await assert.rejects(parse(rawPack(1, entry(3, megabyte)), { objectBytes: 1000 }), /too large/);
  await assert.rejects(parse(rawPack(2, entry(3, megabyte), entry(3, megabyte)), { totalBytes: 1.5e6 }), /too large/);
  await assert.rejects(parse(rawPack(1, entry(3, megabyte, undefined, 2 ** 40))), /too large/);
  await assert.rejects(parse(rawPack(3, entry(3, text1.data)), { objects: 2 }), /too many objects/);
  await assert.rejects(parse(rawPack(1, entry(3, text1.data)), { bytes: 20 }), /too many bytes/);
  await assert.rejects(parse(rawPack(4_000_000_000, entry(3, text1.data))), PackError);
  // A delta of a few bytes that copies its base over and over.
  const copies = concat(
    Uint8Array.of(0x80, 0x80, 0x40, 0x80, 0x80, 0x80, 0x20),
    ...Array.from({ length: 64 }, () => Uint8Array.of(0xc0, 0x10)),
  );
  const blow = rawPack(2, entry(3, megabyte), entry(6, copies, Uint8Array.of(0x87, 0x7f)));
  await assert.rejects(parse(blow, { totalBytes: 8e6 }), PackError);
});

Deno.test("delta chains are bounded, and a deep one costs no stack", async () => {
  // Each delta prepends nothing and appends one byte to the one before.
  const chain = (depth: number) => {
    const entries = [entry(3, utf8("a"))];
    for (let i = 1; i <= depth; i++) {
      const size = (n: number) => n < 128 ? [n] : [(n & 0x7f) | 0x80, n >> 7];
      const delta = Uint8Array.from([...size(i), ...size(i + 1), 0xb0, i & 0xff, i >> 8, 1, 97]);
      entries.push(entry(6, delta, Uint8Array.of(entries[i - 1].length)));
    }
    return rawPack(entries.length, ...entries);
  };
  assert.equal((await parse(chain(250))).size, 251);
  await assert.rejects(parse(chain(251)), /too deep/);
  assert.equal((await parse(chain(1500), { deltaDepth: 5000 })).size, 1501);
});

Deno.test("malformed packs are refused", async () => {
  const whole = entry(3, text1.data);
  const bad: Record<string, Bytes> = {
    "empty": new Uint8Array(0),
    "another file": utf8("x".repeat(100)),
    "version 4": rawPack(1, whole).with(7, 4),
    "a wrong checksum": rawPack(1, whole).with(20, 0),
    "fewer objects": rawPack(2, whole),
    "more bytes": rawPack(1, whole, whole),
    "type 0": rawPack(1, entry(0, text1.data)),
    "type 5": rawPack(1, entry(5, text1.data)),
    "a base before the pack": rawPack(2, whole, entry(6, delta1, Uint8Array.of(0x7f))),
    "itself as base": rawPack(2, whole, entry(6, delta1, Uint8Array.of(0))),
    "a base between entries": rawPack(2, whole, entry(6, delta1, Uint8Array.of(whole.length - 1))),
    "a delta for another base": rawPack(
      2,
      entry(3, utf8("x")),
      entry(6, delta1, Uint8Array.of(entry(3, utf8("x")).length)),
    ),
    "a circle": rawPack(1, entry(7, delta1, fromHex(text2.oid))),
  };
  for (const [why, pack] of Object.entries(bad)) {
    await assert.rejects(parse(pack), (error) => error instanceof PackError, why);
  }
});

Deno.test("mutated packs, with a checksum made right again, give a typed error or sound objects", async () => {
  const packs = [
    gitExchanges("sync/clone.jsonl")[0].pack,
    rawPack(3, entry(3, text1.data), entry(7, delta1, fromHex(text1.oid)), entry(3, utf8("more"))),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...packs), fc.nat(), fc.integer({ min: 1, max: 255 }), async (pack, at, flip) => {
      const body = pack.slice(0, -20);
      body[at % body.length] ^= flip;
      try {
        await parse(concat(body, createHash("sha1").update(body).digest()), { totalBytes: 1e6 });
      } catch (error) {
        if (!(error instanceof PackError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("mutated deltas and indexes give a typed error", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const delta = delta1.slice();
      delta[at % delta.length] ^= flip;
      try {
        applyDelta(text1.data, delta);
      } catch (error) {
        if (!(error instanceof PackError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  const index = writePackIndex(
    [{ oid: text1.oid, crc: 1, offset: 12 }, { oid: text2.oid, crc: 2, offset: 40 }],
    new Uint8Array(20),
  );
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const body = index.slice(0, -20);
      body[at % body.length] ^= flip;
      try {
        const read = new PackIndex(concat(body, createHash("sha1").update(body).digest()));
        read.find(text1.oid);
      } catch (error) {
        if (!(error instanceof PackError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
  assert.throws(() => new PackIndex(index.with(1040, 1)), PackError);
});

Deno.test("a pack is made in small chunks", async () => {
  const commit = gitObject("commit", commitData("a".repeat(40), [], 1, "x"));
  const big = blob(crypto.getRandomValues(new Uint8Array(60_000)));
  const chunks = await Array.fromAsync(buildPack(
    { read: (oid) => Promise.resolve(oid === big.oid ? big : commit), has: () => Promise.resolve(true) },
    Array.from({ length: 40 }, (_, i) => i % 2 ? big.oid : commit.oid),
  ));
  assert.ok(Math.max(...chunks.map((chunk) => chunk.length)) < 130_000);
  assert.ok(chunks.length > 10);
});
