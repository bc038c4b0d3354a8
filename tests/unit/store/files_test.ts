import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { utf8 } from "../../../core/base/bytes.ts";
import type { FileRecord, FileState } from "../../../core/store/files.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { Profiles } from "../../../core/store/profiles.ts";
import { id, withStore } from "./support.ts";

const A = id(0xa), B = id(0xb);

/** File `n`: as many bytes, announced at that time. */
function file(conversation: string, n: number, state: FileState = "stored", content = n): FileRecord {
  const sha3 = content.toString(16).padStart(128, "0");
  const ids = { conversation, id: id(n), fileId: `${id(n)}_1.txt`, author: id(7), device: "d".repeat(64) };
  return { ...ids, name: `${n}.txt`, size: content, sha3, state, announced: n };
}

Deno.test("files: noted once, and a step in its life", () =>
  withStore(({ files }) => {
    assert.equal(files.add(file(A, 1, "waiting")), true);
    assert.equal(files.add({ ...file(A, 1, "stored"), name: "other" }), false);
    assert.deepEqual(files.get(A, id(1)), file(A, 1, "waiting"));
    assert.equal(files.get(B, id(1)), undefined);
    files.setState(A, id(1), "partial");
    assert.equal(files.get(A, id(1))?.state, "partial");
    assert.equal(files.isPartial(id(1)), true);
    files.setState(A, id(1), "stored");
    assert.equal(files.isPartial(id(1)), false);
  }));

Deno.test("files: a content counts once in a conversation and once in all", () =>
  withStore(({ files }) => {
    files.add(file(A, 10));
    files.add(file(A, 11, "stored", 10));
    files.add(file(B, 12, "stored", 10));
    files.add(file(B, 13, "partial"));
    files.add(file(B, 14, "waiting"));
    files.add(file(B, 15, "evicted"));
    assert.deepEqual([files.used(A), files.used(B), files.used()], [10, 23, 23]);
    assert.deepEqual(files.largest(), { conversation: B, bytes: 23 });
    assert.deepEqual(files.oldest(B), file(B, 12, "stored", 10));
    assert.deepEqual(files.counts().find(({ state }) => state === "stored"), { state: "stored", files: 3, bytes: 10 });
    assert.equal(files.isHeld(file(A, 10).sha3), true);
    assert.equal(files.isHeld(file(B, 13).sha3), false, "it is not whole");
    assert.equal(files.isHeldIn(B, file(A, 10).sha3, 10), true);
    assert.equal(files.isHeldIn(B, file(A, 10).sha3, 11), false);
    files.drop(B);
    assert.deepEqual(files.page(B, { limit: 10 }), []);
    assert.equal(files.used(), 10);
  }));

Deno.test("files: the newest that was never asked for comes first, then the one asked for longest ago", () =>
  withStore(({ files }) => {
    for (const n of [1, 2, 3, 4]) files.add(file(A, n, n === 4 ? "too large" : "waiting"));
    const order = () => files.wanted(A, 10).map((one) => Number.parseInt(one.id, 16));
    assert.deepEqual(order(), [3, 2, 1]);
    files.setTried(A, id(3), 100);
    files.setTried(A, id(1), 50);
    assert.deepEqual(order(), [2, 1, 3]);
    assert.deepEqual(files.wanting(), [A]);
    files.limitSize(2);
    assert.deepEqual(order(), [2, 1]);
    files.limitSize(4);
    assert.deepEqual(order(), [4, 2, 1, 3]);
  }));

Deno.test("files: pages by id, and all stored ones", () =>
  withStore(({ files }) => {
    for (const n of [5, 3, 1]) files.add(file(A, n));
    files.add(file(B, 2));
    assert.deepEqual(files.page(A, { limit: 2 }).map((one) => one.id), [id(1), id(3)]);
    assert.deepEqual(files.page(A, { limit: 2, after: id(3) }).map((one) => one.id), [id(5)]);
    assert.deepEqual(files.stored({ conversation: A, id: id(3) }, 10).map((one) => one.id), [id(5), id(2)]);
    assert.equal(files.older(3, 10).length, 2);
    files.setScanned(A, 17);
    assert.deepEqual([files.scanned(A), files.scanned(B)], [17, 0]);
    files.drop(A);
    assert.equal(files.scanned(A), 0);
  }));

Deno.test("profiles: the newest of an account stands, those that came longest ago give way", () => {
  const db = new DatabaseSync(":memory:");
  try {
    migrate(db);
    const profiles = new Profiles(db, 2, 2);
    const profile = (n: number, modified: number, received: number) => {
      return { account: id(n), name: `${n}/${modified}`, vcard: utf8("x"), modified, received };
    };
    assert.equal(profiles.put(profile(1, 5, 1)), true);
    assert.equal(profiles.put(profile(1, 4, 2)), false, "an older version");
    assert.equal(profiles.name(id(1)), "1/5");
    assert.equal(profiles.put(profile(1, 0, 3)), true, "of a peer that does not tell");
    assert.deepEqual(profiles.get(id(1)), profile(1, 0, 3));
    profiles.put(profile(2, 0, 4));
    profiles.put(profile(3, 0, 5));
    assert.deepEqual([1, 2, 3].map((n) => profiles.name(id(n))), ["", "2/0", "3/0"]);
    for (const n of [1, 2, 3]) profiles.setSent(`${n}`, "abc", n);
    assert.deepEqual([1, 2, 3].map((n) => profiles.sent(`${n}`)), [undefined, "abc", "abc"]);
  } finally {
    db.close();
  }
});
