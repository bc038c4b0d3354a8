import assert from "node:assert/strict";
import fc from "fast-check";
import { StoreError } from "../../../core/store/errors.ts";
import { commit, id, withStore } from "./support.ts";

const A = id(0xa), B = id(0xb);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const misuse = (error: unknown) => error instanceof StoreError && error.fault === "misuse";

Deno.test("a commit is read as it was written", () =>
  withStore(({ commits }) => {
    const plain = commit(A, 0);
    const merge = { ...commit(A, 5), parents: [id(1), id(2)], valid: false };
    assert.equal(commits.insertMany([plain, merge]), 2);
    assert.deepEqual(commits.get(A, plain.id), { ...plain, seq: 1, position: 0 });
    assert.deepEqual(commits.get(A, merge.id), { ...merge, seq: 2, position: 1 });
    assert.equal(commits.get(B, plain.id), undefined);
    assert.equal(commits.has(A, merge.id), true);
    assert.equal(commits.has(B, merge.id), false);
  }));

Deno.test("a commit that is there already is left as it is and not counted", () =>
  withStore(({ commits }) => {
    commits.insertMany([commit(A, 0), commit(A, 1)]);
    assert.equal(commits.insertMany([{ ...commit(A, 1), body: "other" }, commit(A, 2), commit(A, 2)]), 1);
    assert.equal(commits.get(A, id(1))?.body, commit(A, 1).body);
    assert.equal(commits.count(A), 3);
    assert.deepEqual(commits.page(A, { limit: 9 }).map((c) => c.position), [2, 1, 0]);
  }));

Deno.test("insertMany is all or nothing", () =>
  withStore(({ commits }) => {
    const bad = { ...commit(A, 1), timestamp: 0.5 }; // not a whole number: SQLite refuses it
    assert.throws(() => commits.insertMany([commit(A, 0), bad]));
    assert.equal(commits.count(A), 0);
  }));

Deno.test("arrival order is paged by a cursor that also survives a drop", () =>
  withStore(({ commits }) => {
    commits.insertMany(range(0, 5).map((n) => commit(A, n)));
    commits.insertMany([commit(B, 0)]);
    assert.deepEqual(commits.latest(A, 2), commits.byArrival(A, { limit: 9 }).map((c) => c.id).reverse().slice(0, 2));
    const first = commits.byArrival(A, { limit: 3 });
    assert.deepEqual(first.map((c) => c.id), [id(0), id(1), id(2)]);
    const cursor = first[2].seq;
    assert.deepEqual(commits.byArrival(A, { after: cursor, limit: 9 }).map((c) => c.id), [id(3), id(4)]);
    assert.equal(commits.drop(A), 5);
    assert.equal(commits.drop(B), 1);
    commits.insertMany([commit(A, 9)]);
    assert.deepEqual(commits.byArrival(A, { after: cursor, limit: 9 }).map((c) => c.id), [id(9)]);
  }));

Deno.test("display pages run newest first, from before a commit, and stay in their conversation", () =>
  withStore(({ commits }) => {
    commits.insertMany(range(0, 7).map((n) => commit(A, n)));
    commits.insertMany(range(0, 3).map((n) => commit(B, n)));
    const ids = (before?: string, limit = 3) => commits.page(A, { limit, before }).map((c) => c.id);
    const newer = (after: string, limit = 2) => commits.page(A, { limit, after }).map((c) => c.id);
    const all = ids(undefined, 100);
    assert.deepEqual(newer(all[3]), all.slice(1, 3));
    assert.deepEqual(newer(all[0]), []);
    assert.deepEqual(newer(id(99)), []);
    assert.deepEqual(ids(), [id(6), id(5), id(4)]);
    assert.deepEqual(ids(id(4)), [id(3), id(2), id(1)]);
    assert.deepEqual(ids(id(1)), [id(0)]);
    assert.deepEqual(ids(id(0)), []);
    assert.deepEqual(ids(id(99)), []);
    assert.deepEqual(ids(undefined, 0), []);
    assert.deepEqual(ids(undefined, -1), []);
    assert.equal(commits.newest(A)?.id, id(6));
    assert.equal(commits.newest(id(0xc)), undefined);
  }));

Deno.test("reorder gives exactly the order asked for, whatever it was", () =>
  withStore(({ commits }) => {
    const size = 12;
    commits.insertMany(range(0, size).map((n) => commit(A, n)));
    commits.insertMany([commit(B, 3), commit(B, 4)]);
    fc.assert(
      fc.property(fc.shuffledSubarray(range(0, size), { minLength: size }), (order) => {
        commits.reorder(A, order.map(id));
        const rows = commits.page(A, { limit: size }).reverse();
        assert.deepEqual(rows.map((c) => c.id), order.map(id));
        assert.deepEqual(rows.map((c) => c.position), range(0, size));
      }),
      { numRuns: 50 },
    );
    assert.deepEqual(commits.page(B, { limit: 9 }).map((c) => c.id), [id(4), id(3)]);
  }));

Deno.test("reorder of the end alone leaves the beginning", () =>
  withStore(({ commits }) => {
    commits.insertMany(range(0, 6).map((n) => commit(A, n)));
    commits.reorder(A, [id(5), id(4)], 4);
    assert.deepEqual(commits.page(A, { limit: 9 }).reverse().map((c) => c.id), [0, 1, 2, 3, 5, 4].map(id));
  }));

Deno.test("reorder refuses unknown, repeated and missing ids and then changes nothing", () =>
  withStore(({ commits }) => {
    commits.insertMany(range(0, 3).map((n) => commit(A, n)));
    for (const order of [[2, 1, 9], [2, 2, 1], [2, 1]]) assert.throws(() => commits.reorder(A, order.map(id)), misuse);
    assert.throws(() => commits.reorder(A, [id(2), id(0)], 1), misuse);
    assert.deepEqual(commits.page(A, { limit: 9 }).map((c) => c.id), [id(2), id(1), id(0)]);
  }));

Deno.test("replaceAll puts the given commits in place of all others of the conversation", () =>
  withStore(({ commits }) => {
    commits.insertMany([commit(A, 1), commit(A, 2), commit(B, 1)]);
    commits.replaceAll(A, [commit(A, 3), commit(A, 1)]);
    assert.deepEqual(commits.page(A, { limit: 9 }).map((c) => c.id), [id(1), id(3)]);
    assert.equal(commits.count(B), 1);
    assert.throws(() => commits.replaceAll(A, [commit(A, 5), commit(B, 5)]), misuse);
    assert.equal(commits.count(A), 2);
  }));

Deno.test("ten thousand commits: one more at the end is taken in without touching the others", () =>
  withStore(({ commits }) => {
    const order = range(0, 10_000).map(id);
    commits.insertMany(range(0, 10_000).map((n) => commit(A, n)));
    commits.insertMany([commit(A, 10_000)]);
    // the new one belongs before the newest: two rows move
    order.splice(9_999, 0, id(10_000));
    commits.reorder(A, order);
    assert.deepEqual(commits.page(A, { limit: 3 }).map((c) => c.id), [id(9_999), id(10_000), id(9_998)]);
    assert.equal(commits.page(A, { limit: 100_000 }).length, 1_000);
  }));
