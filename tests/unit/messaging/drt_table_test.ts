import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../core/base/random.ts";
import { DRT_MAX_FAILURES, DRT_MAX_KNOWN, DRT_RETRY_FIRST, DRT_STABLE } from "../../../core/messaging/constants.ts";
import { RoutingTable, sharedBits } from "../../../core/messaging/drt_table.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { hexArb } from "./support.ts";

const SELF = "0".repeat(64);

function tableOf(self = SELF) {
  const clock = new VirtualClock();
  return { table: new RoutingTable(self, clock, seededRandom(1)), clock };
}

/** An id that shares exactly `bits` first bits with ours. */
function id(bits: number, n = 0): string {
  const value = (1n << BigInt(255 - bits)) | BigInt(n);
  return value.toString(16).padStart(64, "0");
}

Deno.test("table: how many bits two ids share is what their binary forms say", () => {
  const bits = (hexText: string) => BigInt(`0x${hexText}`).toString(2).padStart(256, "0");
  const near = fc.tuple(hexArb(64), fc.nat(255)).map(([a, at]) => {
    const b = BigInt(`0x${a}`) ^ (1n << BigInt(255 - at));
    return [a, b.toString(16).padStart(64, "0")];
  });
  fc.assert(fc.property(near, ([a, b]) => {
    assert.equal(sharedBits(a, b), [...bits(a)].findIndex((bit, i) => bit !== bits(b)[i]));
  }));
  assert.equal(sharedBits(SELF, SELF), 256);
});

Deno.test("table: a full bucket splits around our own id only, and never refuses who connects", () => {
  const { table } = tableOf();
  for (const n of [0, 1]) table.connect(id(0, n));
  assert.ok(table.together(id(0), id(5))); // one bucket so far
  table.connect(id(0, 2));
  assert.ok(!table.together(id(0), id(5)));
  assert.ok(table.together(id(1), id(5)));
  for (let n = 3; n < 20; n++) table.connect(id(0, n));
  assert.equal(table.connected.length, 20);
  assert.ok(table.together(id(1), id(5))); // a far bucket does not split
  for (const n of [0, 1, 2]) table.connect(id(7, n)); // splits again and again until they part from the own bucket
  assert.ok(!table.together(id(6), id(7)));
  assert.ok(table.together(id(8), id(200)));
});

Deno.test("table: each bucket wants two, the own one two more than it has, and what is under way counts", () => {
  const { table } = tableOf();
  for (let n = 0; n < 3; n++) table.connect(id(0, n)); // the own bucket begins with one shared bit now
  for (let n = 10; n < 15; n++) table.know(id(0, n), false);
  assert.deepEqual(table.wanted(), []); // the far one has three
  table.connect(id(1, 0));
  for (let n = 10; n < 15; n++) table.know(id(2, n), false);
  const wanted = table.wanted();
  assert.equal(wanted.length, 2); // in the own one there is somebody, who does not count
  assert.deepEqual(table.wanted(), []);
  table.connect(wanted[0]);
  assert.equal(table.wanted().length, 1);
  assert.equal(table.connecting.length, 2);
});

Deno.test("table: every device is in one place at a time, however they come and go", () => {
  const step = fc.tuple(
    fc.constantFrom("know", "hear", "connect", "lose", "fail", "forget", "wanted", "wait"),
    fc.nat(30),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const { table, clock } = tableOf();
    const device = (n: number) => n === 30 ? SELF : id(n % 5, n);
    for (const [what, n] of steps) {
      if (what === "know" || what === "hear") table.know(device(n), what === "hear");
      else if (what === "connect" && n < 30) table.connect(device(n));
      else if (what === "lose") table.lose(device(n));
      else if (what === "fail") table.fail(device(n));
      else if (what === "forget") table.forget(device(n));
      else if (what === "wanted") table.wanted();
      else clock.advance(n * 1000);
      const all = [...table.connected, ...table.connecting, ...table.known];
      assert.equal(new Set(all).size, all.length);
      assert.ok(!all.includes(SELF));
      for (const one of table.wanted()) assert.ok(table.connecting.includes(one));
    }
  }));
});

Deno.test("table: who fails waits longer each time, and is forgotten in the end; hearsay sooner", async () => {
  for (const [heard, most] of [[true, DRT_MAX_FAILURES.heard], [false, DRT_MAX_FAILURES.seen]] as const) {
    const { table, clock } = tableOf();
    table.know(id(0), heard);
    let last = 0;
    for (let n = 1; n <= most; n++) {
      assert.deepEqual(table.wanted(), [id(0)], `attempt ${n}`);
      table.fail(id(0));
      assert.deepEqual(table.wanted(), []);
      const next = table.nextTry();
      if (n === most) assert.equal(next, null);
      else {
        assert.ok(next !== null && next - clock.now() > last);
        last = next - clock.now();
        await clock.advance(last);
      }
    }
    assert.deepEqual(table.known, []);
    assert.ok(table.know(id(0), heard));
  }
});

Deno.test("table: a device seen again is tried at once; one that only others speak of again is not", () => {
  const { table } = tableOf();
  table.know(id(0), false);
  table.wanted();
  table.fail(id(0));
  assert.ok(!table.know(id(0), true));
  assert.deepEqual(table.wanted(), []);
  assert.ok(table.know(id(0), false));
  assert.deepEqual(table.wanted(), [id(0)]);
});

Deno.test("table: a connection that does not last counts as a failure, so that nobody has us connect without end", async () => {
  const { table, clock } = tableOf();
  table.connect(id(0));
  table.lose(id(0));
  assert.deepEqual(table.wanted(), []);
  await clock.advance(2 * DRT_RETRY_FIRST);
  assert.deepEqual(table.wanted(), [id(0)]);
  table.connect(id(0));
  await clock.advance(DRT_STABLE);
  table.lose(id(0));
  assert.deepEqual(table.wanted(), [id(0)]); // this one lasted
});

Deno.test("table: as many are known as there is room for, and hearsay pushes out nobody whom we saw", () => {
  const { table } = tableOf();
  for (let n = 0; n < DRT_MAX_KNOWN; n++) assert.ok(table.know(id(0, n), n % 2 === 0));
  assert.ok(table.know(id(1, 1), true)); // in place of the oldest hearsay
  assert.ok(!table.known.includes(id(0, 0)));
  assert.ok(table.known.includes(id(0, 1)));
  for (let n = 0; n < DRT_MAX_KNOWN; n++) table.know(id(3, n), false);
  assert.equal(table.known.length, DRT_MAX_KNOWN);
  assert.ok(!table.know(id(4), true)); // everybody known was seen
  assert.ok(table.know(id(4), false));
  assert.equal(table.known.length, DRT_MAX_KNOWN);
});
