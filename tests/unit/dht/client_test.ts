import assert from "node:assert/strict";
import { utf8 } from "../../../core/base/bytes.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import type { Packet, RequestPacket } from "../../../core/dht/packet.ts";
import { splitValues } from "../../../core/dht/parts.ts";
import type { Value } from "../../../core/dht/value.ts";
import { RawPeer } from "./raw_peer.ts";
import { settled, SimNetwork } from "./sim.ts";

const KEY = infoHash("key");
const NODE = { family: 4, ip: "10.0.0.1", port: 4222 } as const;

/** A peer by hand and a node that joins by it. */
async function make() {
  const network = new SimNetwork(1);
  const peer = new RawPeer(network, "10.1.0.1");
  const node = network.node({ bootstrap: ["10.1.0.1"] });
  await node.start();
  await network.clock.advance(500);
  return { network, peer, node };
}

function plain(id: bigint, content = "content", type = 0): Value {
  return { id, type, data: utf8(content) };
}

function refusal(peer: RawPeer, request: RequestPacket, code: number): Packet {
  return { kind: "error", tid: request.tid, id: peer.id, code, message: "no" };
}

Deno.test("a node is connected as soon as one node answers", async () => {
  const { node, peer } = await make();
  assert.equal(node.status, "connected");
  assert.equal(peer.requests("ping").length, 1);
  assert.deepEqual(node.publicAddresses(), ["10.0.0.1"]);
  await node.stop();
});

Deno.test("a bootstrap host that is silent is asked after 10 s, 20 s, 40 s", async () => {
  const network = new SimNetwork(1);
  const peer = new RawPeer(network, "10.1.0.1");
  const times: number[] = [];
  const start = network.clock.now();
  peer.answer = () => (times.push(network.clock.now() - start), null);
  const node = network.node({ bootstrap: ["10.1.0.1"] });
  await node.start();
  await network.clock.advance(75_000);
  const rounds = times.filter((time, i) => i === 0 || time - times[i - 1] > 5000).map((time) =>
    Math.round(time / 1000)
  );
  assert.deepEqual(rounds, [0, 10, 30, 70]);
  assert.equal(times.length, rounds.length * 3, "three attempts each");
  await node.stop();
});

Deno.test("a request is sent three times with growing waits, then the node counts as expired", async () => {
  const { network, node, peer } = await make();
  const times: number[] = [];
  peer.answer = () => (times.push(network.clock.now()), null);
  const values = await settled(network, node.get(KEY));
  assert.deepEqual(values, []);
  const gaps = times.slice(1, 3).map((time, i) => time - times[i]);
  assert.equal(times.length, 3);
  assert.ok(gaps[0] >= 900 && gaps[0] <= 1350 && gaps[1] >= 1900 && gaps[1] <= 2850, `${gaps}`);
  assert.equal(node.status, "disconnected");
  await node.stop();
});

Deno.test("a permanent put asks first; what is there is refreshed, what is not is put without creation time; again 10 s before the end", async () => {
  const { network, node, peer } = await make();
  const kept = node.keep(KEY, plain(5n));
  await settled(network, kept.done);
  assert.deepEqual(peer.requests("get").map(({ query }) => query), [{ select: [1, 4], where: {} }]);
  assert.equal(peer.requests("put").length, 1);
  assert.equal(peer.requests("put")[0].created, undefined);

  peer.answer = (request) =>
    request.body.name === "get"
      ? { token: utf8("t"), fields: { fields: [1, 4], rows: [{ id: 5n, seq: 0 }] } }
      : peer.usual(request);
  await network.clock.advance(585_000);
  assert.equal(peer.requests("refresh").length, 0);
  await network.clock.advance(6000);
  assert.deepEqual(peer.requests("refresh").map(({ valueId, key }) => [valueId, key]), [[5n, KEY]]);
  assert.equal(peer.requests("put").length, 1);
  await node.stop();
});

Deno.test("a refresh answered by 404 becomes a put", async () => {
  const { network, node, peer } = await make();
  peer.answer = (request) => {
    if (request.body.name === "refresh") return refusal(peer, request, 404);
    if (request.body.name === "get") {
      return { token: utf8("t"), fields: { fields: [1, 4], rows: [{ id: 5n, seq: 0 }] } };
    }
    return peer.usual(request);
  };
  const result = await settled(network, node.keep(KEY, plain(5n)).done);
  assert.deepEqual(result, { acknowledged: 1, asked: 1, id: 5n });
  assert.equal(peer.requests("put").length, 1);
  await node.stop();
});

Deno.test("a one-shot put says when the value was created", async () => {
  const { network, node, peer } = await make();
  await settled(network, node.put(KEY, plain(5n)));
  const [put] = peer.requests("put");
  assert.equal(put.created, Math.floor(network.clock.now() / 1000));
  await node.stop();
});

Deno.test("after 401 a new token is asked for and the put repeated; a node that always refuses is given up", async () => {
  const { network, node, peer } = await make();
  let refusals = 0;
  peer.answer = (request) =>
    request.body.name === "put" && refusals++ === 0 ? refusal(peer, request, 401) : peer.usual(request);
  assert.equal((await settled(network, node.put(KEY, plain(5n)))).acknowledged, 1);
  assert.equal(peer.requests("put").length, 2);

  peer.answer = (request) => request.body.name === "put" ? refusal(peer, request, 401) : peer.usual(request);
  assert.equal((await settled(network, node.put(infoHash("other"), plain(6n)), 70_000)).acknowledged, 0);
  assert.ok(peer.requests("put").length <= 10, `${peer.requests("put").length}`);
  await node.stop();
});

Deno.test("a find reply without token ends all talk with its sender", async () => {
  const { network, node, peer } = await make();
  peer.answer = () => ({});
  await settled(network, node.get(KEY));
  const asked = peer.received.length;
  await network.clock.advance(120_000);
  assert.equal(peer.received.length, asked);
  await node.stop();
});

Deno.test("a listen is renewed every 20 s with the same socket; pushes are acknowledged and told once", async () => {
  const { network, node, peer } = await make();
  const told: string[] = [];
  const listening = node.listen(KEY, (value, expired) => void told.push(`${expired ? "-" : "+"}${value.id}`));
  await network.clock.advance(65_000);
  const listens = peer.requests("listen");
  assert.equal(listens.length, 4);
  assert.deepEqual(new Set(listens.map(({ socketId, version }) => `${socketId} ${version}`)).size, 1);
  const { socketId } = listens[0];
  const push = (body: object) => peer.ask(NODE, { name: "update", socketId, token: utf8("t2"), ...body });
  const acks = [
    await push({ key: KEY, version: 1, values: [plain(1n), { ...plain(2n), cypher: utf8("s") }] }),
    await push({ key: KEY, version: 1, values: [plain(1n)] }),
    await push({ refreshed: [1n] }),
    await push({ expired: [2n, 77n] }),
    await peer.ask(NODE, { name: "update", socketId: socketId ^ 1, expired: [1n] }),
  ];
  assert.ok(acks.every((packets) => packets.length === 1 && packets[0].kind === "reply"));
  assert.deepEqual(told, ["+1", "+2", "-2"]);
  await network.clock.advance(20_000);
  assert.deepEqual(peer.requests("listen").at(-1)?.token, utf8("t2"), "the token of the push is used");
  await network.clock.advance(11 * 60_000);
  assert.deepEqual(told, ["+1", "+2", "-2", "-1"], "without news a value ends by its own lifetime");

  listening.stop();
  await network.clock.advance(61_000);
  const renewals = peer.requests("listen").length;
  await network.clock.advance(60_000);
  assert.equal(peer.requests("listen").length, renewals);
  await node.stop();
});

Deno.test("an edit is told as a new value; the one it replaced ends silently", async () => {
  const { network, node, peer } = await make();
  const told: string[] = [];
  node.listen(KEY, (value, expired) => void told.push(`${expired ? "-" : "+"}${value.data.length}`));
  await network.clock.advance(2000);
  const [{ socketId }] = peer.requests("listen");
  for (const content of ["1", "22"]) {
    await peer.ask(NODE, { name: "update", socketId, key: KEY, version: 1, values: [plain(1n, content)] });
  }
  await peer.ask(NODE, { name: "update", socketId, expired: [1n] });
  assert.deepEqual(told, ["+1", "+2", "-2"]);
  await node.stop();
});

Deno.test("a get takes whole values as they are, and what came of a large reply of which parts stay away", async () => {
  const { network, node, peer } = await make();
  const { slots, parts } = splitValues([plain(1n, "x".repeat(1000)), plain(2n, "y".repeat(3000))]);
  peer.answer = (request) => {
    if (request.body.name !== "get") return peer.usual(request);
    for (const part of parts.slice(0, 2)) peer.send(NODE, { kind: "parts", tid: request.tid, parts: [part] });
    return { token: utf8("t"), values: slots };
  };
  const values = await settled(network, node.get(KEY));
  assert.deepEqual(values.map(({ id }) => id), [1n]);
  assert.equal(node.status, "connected");
  await node.stop();
});

Deno.test("stopping ends what is under way at once", async () => {
  const { network, node, peer } = await make();
  peer.answer = () => null;
  const kept = node.keep(KEY, plain(1n));
  const all = Promise.all([node.get(KEY), node.put(KEY, plain(2n)), kept.done]);
  await network.clock.advance(100);
  await node.stop();
  const [values, put] = await settled(network, all, 0);
  assert.deepEqual(values.map(({ id }) => id), [1n]);
  assert.equal(put.acknowledged, 0);
});

Deno.test("a reply from a stranger to a transaction of another node changes nothing", async () => {
  const { network, node, peer } = await make();
  const stranger = new RawPeer(network, "10.1.0.2");
  peer.answer = (request) => {
    if (request.body.name !== "get") return peer.usual(request);
    stranger.send(NODE, {
      kind: "reply",
      tid: request.tid,
      id: stranger.id,
      body: { token: utf8("x"), values: [plain(666n)] },
    });
    return null;
  };
  assert.deepEqual(await settled(network, node.get(KEY)), []);
  await node.stop();
});

Deno.test("a node that pushes values without end is heard only so fast and so far", async () => {
  const { network, node, peer } = await make();
  let told = 0;
  node.listen(KEY, (_, expired) => void (told += expired ? 0 : 1));
  await network.clock.advance(2000);
  const [{ socketId }] = peer.requests("listen");
  for (let second = 0, id = 1n; second < 20; second++) {
    const values = Array.from({ length: 200 }, () => plain(id++));
    await peer.ask(NODE, { name: "update", socketId, key: KEY, version: 1, values });
    await peer.ask(NODE, { name: "update", socketId, expired: values.map((value) => value.id) });
  }
  assert.ok(told >= 1000 && told <= 1000 + 50 * 45, `${told}`);
  await node.stop();
});

Deno.test("a value kept for a week is looked after every hour", async () => {
  const { network, node, peer } = await make();
  await settled(network, node.keep(KEY, plain(5n, "x", 4)).done);
  const probes = () => peer.requests("get").filter(({ query }) => query?.select.length === 2).length;
  assert.equal(probes(), 1);
  await network.clock.advance(3_605_000);
  assert.equal(probes(), 2);
  await node.stop();
});

Deno.test("after an outage a node that asks something first is asked itself, and listens go on there", async () => {
  const { network, node, peer } = await make();
  const told: bigint[] = [];
  node.listen(KEY, ({ id }) => void told.push(id));
  await network.clock.advance(1_000);
  peer.answer = () => null;
  await network.clock.advance(60_000); // it bootstraps after 10 s, 20 s, 40 s
  assert.equal(node.status, "disconnected");

  peer.answer = (request) => peer.usual(request);
  const before = peer.requests("listen").length;
  await peer.ask(NODE, { name: "ping" });
  await network.clock.advance(1_000);
  assert.equal(node.status, "connected");
  assert.equal(peer.requests("listen").length, before + 1);
  await node.stop();
});

Deno.test("a packet in the name of a dead node wakes nothing but one question to it", async () => {
  const { network, node, peer } = await make();
  node.listen(KEY, () => {});
  await network.clock.advance(1_000);
  peer.answer = () => null;
  await network.clock.advance(60_000);
  const before = peer.received.length;
  for (let n = 0; n < 3; n++) await peer.ask(NODE, { name: "ping" });
  const asked = peer.received.slice(before).filter(({ kind }) => kind === "request");
  assert.ok(asked.length > 0 && asked.length <= 3, `${asked.length}`);
  assert.equal(node.status, "disconnected");
  await node.stop();
});

Deno.test("after an outage all that was known before is asked again", async () => {
  const { network, node, peer } = await make();
  const other = new RawPeer(network, "10.1.0.2");
  peer.answer = (request) => ({ ...peer.usual(request), nodes4: [other] });
  node.listen(KEY, () => {});
  await network.clock.advance(2_000);
  assert.equal(other.requests("listen").length, 1);
  peer.answer = other.answer = () => null;
  await network.clock.advance(60_000);
  assert.equal(node.status, "disconnected");

  const before = other.requests("listen").length;
  // Only the bootstrap host is heard of again: nobody tells of the other, and it says nothing by itself.
  peer.answer = (request) => peer.usual(request);
  other.answer = (request) => other.usual(request);
  await network.clock.advance(60_000);
  assert.equal(node.status, "connected");
  assert.ok(other.requests("listen").length > before);
  await node.stop();
});
