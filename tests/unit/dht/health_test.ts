import assert from "node:assert/strict";
import { utf8 } from "../../../core/base/bytes.ts";
import { Arrivals } from "../../../core/dht/arrivals.ts";
import type { Address } from "../../../core/dht/address.ts";
import { STORE_BYTES, UNASKED_AFTER } from "../../../core/dht/constants.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { RawPeer } from "./raw_peer.ts";
import { settled, SimNetwork } from "./sim.ts";

const NODE: Address = { family: 4, ip: "10.0.0.1", port: 4222 };

Deno.test("a request came unasked when nothing was sent to its IP address for five minutes", async () => {
  const clock = new VirtualClock();
  const arrivals = new Arrivals(clock);
  arrivals.start(false);
  arrivals.sent("10.0.0.2");
  arrivals.came("10.0.0.2");
  assert.equal(arrivals.unasked.count, 0);
  arrivals.came("10.0.0.3");
  assert.deepEqual(arrivals.unasked, { count: 1, last: clock.now(), since: clock.now() });
  await clock.advance(UNASKED_AFTER - 1);
  arrivals.came("10.0.0.2");
  assert.equal(arrivals.unasked.count, 1);
  await clock.advance(1);
  arrivals.came("10.0.0.2");
  assert.equal(arrivals.unasked.count, 2);
});

Deno.test("after an earlier run nothing counts for five minutes, for a router may still know that run; what was forgotten proves nothing", async () => {
  const clock = new VirtualClock();
  const arrivals = new Arrivals(clock);
  arrivals.start(true);
  arrivals.came("10.0.0.3");
  assert.equal(arrivals.unasked.count, 0);
  await clock.advance(UNASKED_AFTER);
  arrivals.came("10.0.0.3");
  assert.equal(arrivals.unasked.count, 1);
  for (let n = 0; n <= 16_384; n++) arrivals.sent(`ip ${n}`);
  arrivals.came("ip 0"); // forgotten, and so may be anybody
  arrivals.came("10.0.0.9");
  assert.equal(arrivals.unasked.count, 1);
});

Deno.test("a node counts requests by kind, what it keeps for others, who came unasked, and what its bootstrap hosts said", async () => {
  const network = new SimNetwork(2);
  const node = network.node({ bootstrap: ["10.1.0.1:4222", "10.9.9.9:4222"] });
  const peer = new RawPeer(network, "10.1.0.1");
  const stranger = new RawPeer(network, "10.1.0.2");
  await node.start();
  const key = infoHash("key");
  const { token = assert.fail("a token") } = await stranger.reply(NODE, { name: "get", key });
  await stranger.ask(NODE, { name: "put", key, values: [{ id: 1n, type: 0, data: utf8("x") }], token });
  await peer.reply(NODE, { name: "ping" });
  const health = node.health();
  assert.deepEqual([health.requestsIn.get, health.requestsIn.put, health.requestsIn.ping], [1, 1, 1]);
  assert.ok(health.requestsOut.ping >= 2);
  assert.equal(health.stored.values, 1);
  assert.ok(health.stored.bytes > 0 && health.stored.bytes < health.stored.maxBytes);
  assert.equal(health.stored.maxBytes, STORE_BYTES);
  assert.equal(health.unasked.count, 1, "the stranger's first request; its second was one of somebody spoken to");
  assert.deepEqual(health.bootstrap.map(({ host, asked, answered }) => [host, asked > 0, answered > 0]), [
    ["10.1.0.1:4222", true, true],
    ["10.9.9.9:4222", true, false],
  ]);
  await node.stop();
});

Deno.test("the test of a node tells how many nodes and which bootstrap hosts answered", async () => {
  const network = new SimNetwork(3);
  const nodes = Array.from({ length: 12 }, () => network.node());
  for (const node of nodes) await node.start();
  await network.clock.advance(60_000);
  const last = network.node({ bootstrap: ["10.0.0.1:4222", "10.9.9.9:4222"] });
  await last.start();
  await network.clock.advance(30_000);
  const result = await settled(network, last.test());
  assert.deepEqual(result, { asked: 8, answered: 8 });
  const [first, second] = last.health().bootstrap;
  assert.ok(first.answered > 0 && first.addresses[0] === "10.0.0.1");
  assert.equal(second.answered, 0);
  assert.deepEqual(last.health().seenAs.map(({ ip }) => ip), [last.ip]);
  network.cut(last.ip, true);
  assert.equal((await settled(network, last.test())).answered, 0);
  for (const node of [...nodes, last]) await node.stop();
});
