import assert from "node:assert/strict";
import { text, utf8 } from "../../../core/base/bytes.ts";
import type { Dht } from "../../../core/dht/dht.ts";
import { compareDistance, infoHash } from "../../../core/dht/info_hash.ts";
import type { Value } from "../../../core/dht/value.ts";
import { settled, SimNetwork } from "./sim.ts";

const MINUTE = 60_000;

function plain(id: bigint, content: string, type = 0): Value {
  return { id, type, data: utf8(content) };
}

/** A network of `count` nodes that have found each other. */
async function grown(count: number, seed: number) {
  const network = new SimNetwork(seed);
  const nodes = [];
  for (let i = 0; i < count; i++) {
    const node = network.node();
    nodes.push(node);
    await node.start();
    await network.clock.advance(200);
  }
  await network.clock.advance(2 * MINUTE);
  return { network, nodes };
}

async function stopAll(nodes: Iterable<Dht>): Promise<void> {
  for (const node of nodes) await node.stop();
}

/** What listeners were told, in order. */
function record(node: Dht, key: string) {
  const told: string[] = [];
  const { stop } = node.listen(key, (value, expired) => void told.push(`${expired ? "-" : "+"}${text(value.data)}`));
  return { told, stop };
}

Deno.test("60 nodes with 5 % loss: a value put by one is found by all others, at the nodes nearest to its key", async () => {
  const { network, nodes } = await grown(60, 1);
  network.loss = 0.05;
  for (const node of nodes) assert.equal(node.status, "connected");
  const key = infoHash("somewhere");
  const result = await settled(network, nodes[7].put(key, plain(5n, "found")));
  assert.equal(result.acknowledged, 8);
  for (const node of nodes.filter((_, i) => i % 6 === 0)) {
    const values = await settled(network, node.get(key));
    assert.deepEqual(values.map((value) => text(value.data)), ["found"]);
  }
  const nearest = [...nodes].sort((a, b) => compareDistance(key, a.id, b.id)).slice(0, 8);
  const keepers = nearest.filter((node) => node.stats().storedValues > 0);
  assert.ok(keepers.length >= 7, `${keepers.length} of the 8 nearest`);
  await stopAll(nodes);
});

Deno.test("a one-shot value is gone after its lifetime, a kept one stays, and listeners hear of both", async () => {
  const { network, nodes } = await grown(30, 2);
  network.loss = 0.03;
  const key = infoHash("watched");
  const listener = record(nodes[3], key);
  await network.clock.advance(5000);
  await settled(network, nodes[9].put(key, plain(1n, "once")));
  const kept = nodes[12].keep(key, plain(2n, "kept"));
  assert.equal((await settled(network, kept.done)).acknowledged, 8);
  await network.clock.advance(5000);
  assert.deepEqual(listener.told.toSorted(), ["+kept", "+once"]);

  await network.clock.advance(11 * MINUTE);
  assert.deepEqual(listener.told.slice(2), ["-once"]);
  const values = await settled(network, nodes[20].get(key));
  assert.deepEqual(values.map((value) => text(value.data)), ["kept"]);

  await network.clock.advance(30 * MINUTE);
  assert.deepEqual(listener.told.slice(3), [], "refreshes are not told");
  assert.equal((await settled(network, nodes[21].get(key))).length, 1);

  kept.stop();
  await network.clock.advance(11 * MINUTE);
  assert.deepEqual(listener.told.slice(3), ["-kept"]);
  assert.equal((await settled(network, nodes[22].get(key))).length, 0);
  await stopAll(nodes);
});

Deno.test("a kept value survives when all nodes that had it go, and comes to nearer nodes that appear", async () => {
  const { network, nodes } = await grown(40, 3);
  const key = infoHash("moving");
  const [publisher, reader, ...others] = nodes;
  const kept = publisher.keep(key, plain(3n, "alive"));
  await settled(network, kept.done);
  const dying = [...others].sort((a, b) => compareDistance(key, a.id, b.id)).slice(0, 8);
  for (const node of dying) await node.stop();
  await network.clock.advance(12 * MINUTE);
  assert.deepEqual((await settled(network, reader.get(key))).map((value) => text(value.data)), ["alive"]);

  const near = network.node({ nodeId: key.slice(0, 30) + "0123456789" });
  await near.start();
  await network.clock.advance(15 * MINUTE);
  assert.ok(near.stats().storedValues >= 1);
  await stopAll([...nodes.filter((node) => !dying.includes(node)), near]);
});

Deno.test("listening goes on when the nodes listened on go; nothing is told twice", async () => {
  const { network, nodes } = await grown(40, 4);
  const key = infoHash("busy");
  const [publisher, subscriber, ...others] = nodes;
  const listener = record(subscriber, key);
  await settled(network, publisher.keep(key, plain(1n, "first")).done);
  const dying = [...others].sort((a, b) => compareDistance(key, a.id, b.id)).slice(0, 4);
  for (const node of dying) await node.stop();
  await network.clock.advance(MINUTE);
  await settled(network, publisher.put(key, plain(2n, "second")));
  await network.clock.advance(5000);
  assert.deepEqual(listener.told, ["+first", "+second"]);

  const late: string[] = [];
  subscriber.listen(key, (value) => void late.push(text(value.data)));
  assert.deepEqual(late.toSorted(), ["first", "second"], "a second listener is told at once");
  listener.stop();
  await settled(network, publisher.put(key, plain(3n, "third")));
  await network.clock.advance(5000);
  assert.equal(listener.told.length, 2);
  assert.equal(late.length, 3);
  await stopAll(nodes.filter((node) => !dying.includes(node)));
});

Deno.test("a large value travels in parts in spite of loss, to storing nodes, getters and listeners", async () => {
  const { network, nodes } = await grown(20, 5);
  network.loss = 0.05;
  const key = infoHash("large");
  const big = plain(4n, "x".repeat(5700));
  const listener = record(nodes[1], key);
  await network.clock.advance(5000);
  const result = await settled(network, nodes[2].put(key, big));
  assert.ok(result.acknowledged >= 6);
  const [value] = await settled(network, nodes[3].get(key));
  assert.equal(value.data.length, 5700);
  await network.clock.advance(20_000);
  assert.deepEqual(listener.told.map((line) => line.length), [5701]);
  await stopAll(nodes);
});

Deno.test("a get for one id or type brings only that, and tells values as they come", async () => {
  const { network, nodes } = await grown(12, 6);
  const key = infoHash("several");
  for (let i = 1n; i <= 5n; i++) await settled(network, nodes[0].put(key, plain(i, `value ${i}`, i < 3n ? 3 : 0)));
  const told: bigint[] = [];
  const values = await settled(network, nodes[5].get(key, { where: { type: 3 }, onValue: ({ id }) => told.push(id) }));
  assert.deepEqual(values.map(({ id }) => id).toSorted(), [1n, 2n]);
  assert.deepEqual(told.toSorted(), [1n, 2n]);
  const [one] = await settled(network, nodes[6].get(key, { where: { id: 4n } }));
  assert.equal(one.id, 4n);
  assert.equal((await settled(network, nodes[7].get(key))).length, 5);
  await stopAll(nodes);
});

Deno.test("own puts are visible at once, even alone and offline; operations end in their time", async () => {
  const network = new SimNetwork(7);
  const node = network.node({ bootstrap: ["10.9.9.9:4222"] });
  await node.start();
  const key = infoHash("alone");
  const listener = record(node, key);
  const put = node.put(key, plain(1n, "mine"));
  assert.deepEqual(listener.told, ["+mine"]);
  const values = await settled(network, node.get(key, { timeout: 3000 }), 3500);
  assert.equal(values.length, 1);
  assert.deepEqual(await settled(network, put, 61_000), { acknowledged: 0, asked: 0, id: 1n });
  assert.equal(node.status, "disconnected");
  await network.clock.advance(11 * MINUTE);
  assert.deepEqual(listener.told, ["+mine", "-mine"]);
  await node.stop();
});

Deno.test("what was asked before the network is there is done when it comes", async () => {
  const { network, nodes } = await grown(10, 8);
  const key = infoHash("early");
  await settled(network, nodes[3].put(key, plain(1n, "old")));
  const node = network.node();
  await node.start();
  const kept = node.keep(key, plain(2n, "kept"));
  const [values, result] = await settled(network, Promise.all([node.get(key), kept.done]));
  assert.deepEqual(values.map((value) => text(value.data)).toSorted(), ["kept", "old"]);
  assert.equal(result.acknowledged, 8);
  await stopAll([...nodes, node]);
});

Deno.test("a node cut off knows it, comes back with growing pauses, and takes up its work again", async () => {
  const { network, nodes } = await grown(15, 9);
  const node = nodes[5];
  const key = infoHash("cut");
  const states: string[] = [];
  node.on("status", (status) => void states.push(status));
  const listener = record(node, key);
  const kept = node.keep(key, plain(1n, "mine"));
  await settled(network, kept.done);
  network.cut(node.ip, true);
  await network.clock.advance(60 * MINUTE);
  assert.equal(node.status, "disconnected");
  assert.deepEqual((await settled(network, nodes[8].get(key))).length, 0);
  network.cut(node.ip, false);
  node.rebootstrap();
  await network.clock.advance(2 * MINUTE);
  assert.equal(node.status, "connected");
  assert.equal(states.at(-1), "connected");
  assert.ok(states.includes("disconnected"));
  assert.equal((await settled(network, nodes[8].get(key))).length, 1);
  await settled(network, nodes[2].put(key, plain(2n, "heard again")));
  await network.clock.advance(5000);
  assert.ok(listener.told.includes("+heard again"));
  await stopAll(nodes);
});

Deno.test("a node that starts again with its state needs no bootstrap host", async () => {
  const { network, nodes } = await grown(15, 10);
  const old = nodes[4];
  const state = old.state();
  assert.ok(state.nodes.length >= 8);
  await old.stop();
  const again = network.node({ state, bootstrap: [], port: 0 });
  await again.start();
  assert.equal(again.id, old.id);
  assert.equal(again.port, state.port);
  await network.clock.advance(5000);
  assert.equal(again.status, "connected");
  await stopAll([...nodes.filter((node) => node !== old), again]);
});

Deno.test("two families are two overlays: a value put over both is found over either", async () => {
  const network = new SimNetwork(11);
  const both = { bootstrap: ["10.1.0.1", "[fd00::1]:4222"] };
  const nodes = [1, 2, 3, 4, 5, 6].map((i) =>
    network.node({ ...both, socket: network.host(`10.1.0.${i}`, `fd00::${i}`) })
  );
  const only4 = network.node({ ...both, socket: network.host("10.1.0.77") });
  const only6 = network.node({ ...both, socket: network.host("", "fd00::77") });
  for (const node of [...nodes, only4, only6]) await node.start();
  await network.clock.advance(2 * MINUTE);
  const key = infoHash("both");
  const result = await settled(network, nodes[2].put(key, plain(1n, "twice")));
  assert.equal(result.acknowledged, 12);
  assert.equal((await settled(network, only4.get(key))).length, 1);
  assert.equal((await settled(network, only6.get(key))).length, 1);
  assert.deepEqual(nodes[2].publicAddresses(), ["10.1.0.3", "fd00::3"]);
  assert.ok(only6.stats().nodes6 >= 6 && only6.stats().nodes4 === 0);
  await stopAll([...nodes, only4, only6]);
});

Deno.test("a value kept again under the same id replaces the first one everywhere only if it may", async () => {
  const { network, nodes } = await grown(12, 12);
  const key = infoHash("replaced");
  await settled(network, nodes[1].keep(key, plain(1n, "one")).done);
  const second = nodes[1].keep(key, plain(1n, "two"));
  await settled(network, second.done);
  assert.equal(nodes[1].stats().kept, 1);
  const values = await settled(network, nodes[5].get(key));
  assert.ok(values.some((value) => text(value.data) === "one"), "an unsigned value cannot be edited");
  await stopAll(nodes);
});
