/** A conversation of a thousand members, each with Kituo's overlay node, in virtual time (drt_world.ts says what is simulated). */

import assert from "node:assert/strict";
import { shuffled } from "../../../core/base/random.ts";
import { DRT_MAX_KNOWN } from "../../../core/messaging/constants.ts";
import { DrtWorld, type Member } from "./drt_world.ts";

const SECOND = 1_000; // ms
const MINUTE = 60 * SECOND;
const MEMBERS = 1_000;
/** Hops that a message may take: a graph of so many connections each needs log(1000) / log(30), about 2, on its shortest ways; the fastest are longer. */
const HOPS = 10;

/** The ends of connections. */
function ends(world: DrtWorld): number {
  return world.degrees().reduce((sum, degree) => sum + degree, 0);
}

/** One posts; all get it, over few hops, and nobody is told more often than it has connections. */
function assertSpread(world: DrtWorld, author: Member, within = 3 * SECOND): void {
  const before = world.sent.notifications;
  const endsBefore = ends(world);
  const post = world.post(author);
  world.clock.advance(within);
  const hops = world.here.map(({ posts }) => posts.get(post));
  assert.equal(hops.filter((count) => count === undefined).length, 0, "not all got it");
  assert.ok(Math.max(...hops.map((count) => count ?? 0)) <= HOPS, `${hops}`);
  const told = world.sent.notifications - before;
  // each tells each of its connections at most once; some were made meanwhile
  const most = Math.max(endsBefore, ends(world));
  assert.ok(told <= most, `${told} notifications over ${most} ends of connections`);
}

function assertWhole(world: DrtWorld, most: { mean: number; most: number }): void {
  assert.deepEqual(world.components().map((group) => group.length), [world.here.length]);
  const degrees = world.degrees();
  const mean = degrees.reduce((sum, degree) => sum + degree, 0) / degrees.length;
  assert.ok(degrees[0] >= 2, `the loneliest has ${degrees[0]}`);
  assert.ok(mean <= most.mean, `${mean} connections on average`);
  assert.ok(degrees[degrees.length - 1] <= most.most, `the busiest has ${degrees[degrees.length - 1]}`);
  for (const { id, node, links } of world.here) {
    assert.deepEqual(new Set(node.connected), new Set(links.keys()));
    for (const device of node.connected) assert.ok(world.members.get(device)?.node.connected.includes(id));
  }
}

/** Members come over some time. */
function join(world: DrtWorld, count: number, over: number): void {
  for (let i = 0; i < count; i++) world.clock.after(world.random.float() * over, () => world.join());
  world.clock.advance(over);
}

Deno.test("overlay of 1,000: connected, a message reaches all, half of them vanish, others join", () => {
  const world = new DrtWorld(2026);

  // who came first is among the first that others hear of, and so the busiest: about log2(1000) buckets of two at both ends, and its share of the rest
  join(world, MEMBERS, MINUTE);
  world.clock.advance(MINUTE);
  assertWhole(world, { mean: 40, most: 150 });
  const busy = world.sent.overlay;
  assert.ok(busy <= 80 * MEMBERS, `${busy} messages for the overlay of ${MEMBERS}`);
  for (const author of shuffled(world.random, world.here).slice(0, 5)) assertSpread(world, author);

  // at rest: nobody opens anything more, and all that is said are the refreshing questions, one each every ten minutes, and their answers
  const before = { sent: world.sent.overlay, ends: ends(world) };
  world.clock.advance(20 * MINUTE);
  assert.ok(world.sent.overlay - before.sent <= 5 * MEMBERS, `${world.sent.overlay - before.sent} messages at rest`);
  assert.ok(ends(world) - before.ends <= 0.05 * before.ends);

  // half vanish without a word; after the 32 s in which the end of a silent link is seen, and one attempt of 30 s, all is well again
  world.vanish(shuffled(world.random, world.here).slice(0, MEMBERS / 2));
  world.clock.advance(MINUTE);
  const gone = [...world.members.values()].filter(({ isHere }) => !isHere).map(({ id }) => id);
  assert.equal(gone.length, MEMBERS / 2);
  assertWhole(world, { mean: 40, most: 150 });
  for (const author of shuffled(world.random, world.here).slice(0, 5)) assertSpread(world, author);

  join(world, 200, MINUTE);
  world.clock.advance(MINUTE);
  assert.equal(world.here.length, MEMBERS / 2 + 200);
  assertWhole(world, { mean: 40, most: 150 });
  for (const author of world.here.slice(-3)) assertSpread(world, author);

  // in the end nobody asks for the dead any more
  world.clock.advance(60 * MINUTE);
  const { attempts } = world;
  world.clock.advance(10 * MINUTE);
  assert.ok(world.attempts - attempts <= world.here.length / 10, `${world.attempts - attempts} attempts at rest`);
});

Deno.test("overlay: half vanish again and again: the others make new connections each time", () => {
  const world = new DrtWorld(512);
  join(world, 512, MINUTE);
  for (let left = 256; left >= 32; left /= 2) {
    world.clock.advance(2 * MINUTE);
    world.vanish(shuffled(world.random, world.here).slice(0, left));
    world.clock.advance(MINUTE);
    assert.equal(world.here.length, left);
    assertWhole(world, { mean: 40, most: 100 });
    assertSpread(world, world.here[0]);
  }
});

Deno.test("overlay: two halves that know nothing of each other grow together when one reaches all, as Kituo does", () => {
  const world = new DrtWorld(2);
  const halves: Member[][] = [[], []];
  for (let n = 0; n < 60; n++) {
    world.clock.advance(SECOND);
    halves[n % 2].push(world.join(halves[n % 2]));
  }
  world.clock.advance(10 * MINUTE);
  assert.equal(world.components().length, 2); // with a connection, nobody looks for others (swarm-sync.md 5.3)
  const [kituo] = halves[0];
  world.reachAll(kituo);
  world.clock.advance(MINUTE);
  assertWhole(world, { mean: 40, most: 59 });
  assertSpread(world, halves[1][0]);
  join(world, 10, MINUTE);
  world.clock.advance(10 * MINUTE);
  world.vanish([kituo]); // those who came and asked have spread the word: they hold together without it
  world.clock.advance(MINUTE);
  assertWhole(world, { mean: 40, most: 69 });
});

Deno.test("overlay: a message reaches all who are left before anybody has noticed that half have vanished", () => {
  const world = new DrtWorld(7);
  join(world, 300, MINUTE);
  world.clock.advance(MINUTE);
  const [author, ...others] = shuffled(world.random, world.here);
  world.vanish(others.slice(0, 150));
  assertSpread(world, author, 5 * SECOND); // the dead hold it up nowhere: everybody has others
});

Deno.test("overlay: the same chance makes the same overlay", () => {
  const run = (seed: number) => {
    const world = new DrtWorld(seed);
    join(world, 100, MINUTE);
    world.clock.advance(MINUTE);
    return world.here.map(({ id, node }) => [id, ...node.connected]);
  };
  assert.deepEqual(run(3), run(3));
  assert.notDeepEqual(run(3), run(4));
});

Deno.test("overlay: members who lie about nodes neither fill the tables nor keep the others apart", () => {
  const world = new DrtWorld(11);
  join(world, 50, MINUTE);
  for (const member of shuffled(world.random, world.here).slice(0, 5)) world.lie(member, 512);
  world.clock.advance(10 * MINUTE);
  join(world, 50, MINUTE);
  const before = world.attempts;
  world.clock.advance(10 * MINUTE);
  assertWhole(world, { mean: 60, most: 100 });
  for (const { node } of world.here) assert.ok(node.known.length + node.connecting.length <= DRT_MAX_KNOWN + 50);
  // two at a time in each of some ten buckets, and 30 s each
  const attempts = (world.attempts - before) / world.here.length;
  assert.ok(attempts <= 2 * 10 * 20, `${attempts} attempts of each in ten minutes`);
  assertSpread(world, world.here[0]);
});
