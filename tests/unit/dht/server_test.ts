import assert from "node:assert/strict";
import { fromHex, hex, utf8 } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";
import { encode } from "../../../core/base/msgpack.ts";
import type { Address } from "../../../core/dht/address.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import { encodePacket, type Packet, type RequestBody } from "../../../core/dht/packet.ts";
import { splitValues } from "../../../core/dht/parts.ts";
import { EVERYTHING, Field } from "../../../core/dht/query.ts";
import { packValue, type Value } from "../../../core/dht/value.ts";
import { RawPeer } from "./raw_peer.ts";
import { settled, SimNetwork } from "./sim.ts";
import { packets } from "./vectors.ts";

const KEY = infoHash("key");
const NODE: Address = { family: 4, ip: "10.0.0.1", port: 4222 };

/** One node and one peer by hand. */
async function make() {
  const network = new SimNetwork(1);
  const node = network.node();
  await node.start();
  const peer = new RawPeer(network, "10.1.0.1");
  const token = (await peer.reply(NODE, { name: "get", key: KEY })).token ?? assert.fail("a token");
  return { network, node, peer, token };
}

function plain(id: bigint, content = "content", type = 0): Value {
  return { id, type, data: utf8(content) };
}

function errorCode(packets: Packet[]): number | undefined {
  const [packet] = packets;
  return packets.length === 1 && packet.kind === "error" ? packet.code : undefined;
}

Deno.test("ping and find are answered, find with a token and only with good nodes", async () => {
  const { node, peer } = await make();
  assert.deepEqual(await peer.reply(NODE, { name: "ping" }), { seenAs: Uint8Array.of(10, 1, 0, 1) });
  const found = await peer.reply(NODE, { name: "find", target: KEY });
  assert.equal(found.token?.length, 32);
  assert.equal(found.nodes4, undefined, "the only known node has never replied");
  await node.stop();
});

Deno.test("errors are those of the field: no key 203, wrong token 401, nothing to refresh 404", async () => {
  const { node, peer, token } = await make();
  const wrong = new Uint8Array(32);
  const cases: [RequestBody, number][] = [
    [{ name: "get", key: null }, 203],
    [{ name: "put", key: null, values: [plain(1n)], token }, 203],
    [{ name: "put", key: KEY, values: [plain(0n)], token }, 203],
    [{ name: "listen", key: null, version: 1, socketId: 5, token }, 203],
    [{ name: "put", key: KEY, values: [plain(1n)], token: wrong }, 401],
    [{ name: "listen", key: KEY, version: 1, socketId: 5, token: wrong }, 401],
    [{ name: "refresh", key: KEY, valueId: 1n, token: wrong }, 401],
    [{ name: "refresh", key: KEY, valueId: 1n, token }, 404],
  ];
  for (const [body, code] of cases) {
    assert.equal(errorCode(await peer.ask(NODE, body)), code, JSON.stringify(body.name));
  }
  assert.equal(node.stats().storedValues, 0);
  await node.stop();
});

Deno.test("a put of several values has one acknowledgement each, also of those silently refused", async () => {
  const { node, peer, token } = await make();
  const values = [plain(1n), plain(2n, "x", 2), plain(3n)];
  const acks = await peer.ask(NODE, { name: "put", key: KEY, values, token });
  assert.deepEqual(acks.map((ack) => ack.kind === "reply" && ack.body.valueId).toSorted(), [1n, 2n, 3n]);
  const got = await peer.reply(NODE, { name: "get", key: KEY });
  assert.deepEqual(got.values?.map((slot) => typeof slot === "object" && slot?.id), [1n, 3n]);
  await node.stop();
});

Deno.test("queries give fields, or only the values that match", async () => {
  const { node, peer, token } = await make();
  await peer.ask(NODE, {
    name: "put",
    key: KEY,
    values: [plain(1n), plain(2n, "x", 3), { ...plain(3n), cypher: utf8("s") }],
    token,
  });
  const fields = await peer.reply(NODE, {
    name: "get",
    key: KEY,
    query: { select: [Field.seq, Field.id, Field.type], where: {} },
  });
  assert.deepEqual(fields.fields, {
    fields: [1, 2, 4],
    rows: [{ id: 1n, type: 0, seq: 0 }, { id: 2n, type: 3, seq: 0 }, { id: 3n, type: 0, seq: 0 }],
  });
  assert.equal(fields.values, undefined);
  const some = await peer.reply(NODE, { name: "get", key: KEY, query: { select: [], where: { type: 3 } } });
  assert.deepEqual(some.values?.map((slot) => typeof slot === "object" && slot?.id), [2n]);
  const none = await peer.reply(NODE, { name: "get", key: KEY, query: { select: [], where: { id: 9n } } });
  assert.equal(none.values, undefined);
  await node.stop();
});

Deno.test("a large value put in parts is stored, and comes back in parts", async () => {
  const { network, node, peer, token } = await make();
  const big = plain(7n, "x".repeat(4000));
  const { slots, parts } = splitValues([big]);
  peer.send(NODE, { kind: "request", tid: 77, id: peer.id, body: { name: "put", key: KEY, values: slots, token } });
  for (const part of parts) peer.send(NODE, { kind: "parts", tid: 77, parts: [part] });
  await network.clock.advance(1000);
  assert.equal(peer.received.filter((packet) => packet.tid === 77 && packet.kind === "reply").length, 1);
  const [reply, ...slices] = (await peer.ask(NODE, { name: "get", key: KEY })).sort((a) => a.kind === "reply" ? -1 : 1);
  assert.ok(reply.kind === "reply");
  assert.deepEqual(reply.body.values, [packValue(big).length]);
  const bytes = slices.flatMap((packet) => packet.kind === "parts" ? packet.parts : []).sort((a, b) =>
    a.offset - b.offset
  );
  assert.equal(bytes.map((part) => hex(part.data)).join(""), hex(packValue(big)));
  await node.stop();
});

Deno.test("an incomplete put is not acknowledged and stores nothing", async () => {
  const { network, node, peer, token } = await make();
  const { slots, parts } = splitValues([plain(7n, "x".repeat(4000))]);
  peer.send(NODE, { kind: "request", tid: 77, id: peer.id, body: { name: "put", key: KEY, values: slots, token } });
  for (const part of parts.slice(1)) peer.send(NODE, { kind: "parts", tid: 77, parts: [part] });
  await network.clock.advance(20_000);
  assert.equal(peer.received.filter((packet) => packet.tid === 77).length, 0);
  assert.equal(node.stats().storedValues, 0);
  await node.stop();
});

Deno.test("a listener is pushed what is there, then what is new, refreshed and expired, until it stops renewing", async () => {
  const { network, node, peer, token } = await make();
  const put = (value: Value) => peer.ask(NODE, { name: "put", key: KEY, values: [value], token });
  await put(plain(1n));
  const listen = { name: "listen", version: 1, key: KEY, socketId: 99, token } as const;
  const { token: fresh } = await peer.reply(NODE, listen);
  assert.equal(fresh?.length, 32);
  await put(plain(2n));
  await put(plain(1n));
  await peer.reply(NODE, listen);
  await put(plain(3n, "ice", 5));
  await network.clock.advance(60_000);
  const told = peer.requests("update").map(({ socketId, key, values, refreshed, expired }) => ({
    socketId,
    key,
    values: values?.map((slot) => typeof slot === "object" && slot?.id),
    refreshed,
    expired,
  }));
  const base = { socketId: 99, key: undefined, values: undefined, refreshed: undefined, expired: undefined };
  assert.deepEqual(told, [
    { ...base, key: KEY, values: [1n] },
    { ...base, key: KEY, values: [2n] },
    { ...base, refreshed: [1n] },
    { ...base, key: KEY, values: [3n] },
    { ...base, expired: [3n] },
  ]);
  await network.clock.advance(17 * 60_000);
  assert.equal(node.stats().remoteListeners, 0);
  await node.stop();
});

Deno.test("a listener of protocol version 0 is pushed replies with its socket as transaction", async () => {
  const { network, node, peer, token } = await make();
  await peer.reply(NODE, { name: "listen", version: 0, key: KEY, socketId: 99, token });
  await peer.ask(NODE, { name: "put", key: KEY, values: [plain(1n)], token });
  await peer.ask(NODE, { name: "put", key: KEY, values: [plain(1n)], token });
  await network.clock.advance(11 * 60_000);
  const told = peer.received.filter((packet) => packet.tid === 99);
  assert.deepEqual(told.map((packet) => packet.kind), ["reply", "update0", "update0"]);
  assert.ok(told[1].kind === "update0" && told[2].kind === "update0");
  assert.deepEqual([told[1].refreshed, told[2].expired], [[1n], [1n]]);
  assert.equal(peer.requests("update").length, 0);
  await node.stop();
});

Deno.test("a filtered listen is told only what matches", async () => {
  const { node, peer, token } = await make();
  const query = { ...EVERYTHING, where: { type: 3 } };
  await peer.reply(NODE, { name: "listen", version: 1, key: KEY, socketId: 5, token, query });
  await peer.ask(NODE, { name: "put", key: KEY, values: [plain(1n), plain(2n, "x", 3)], token });
  assert.deepEqual(
    peer.requests("update").flatMap(({ values }) => values ?? []).map((slot) => typeof slot === "object" && slot?.id),
    [2n],
  );
  await node.stop();
});

Deno.test("packets of other networks, from oneself, or that are none, are dropped silently; the node lives on", async () => {
  const { network, node, peer } = await make();
  const before = peer.received.length;
  peer.send(NODE, { kind: "request", tid: 5, id: peer.id, network: 3, body: { name: "ping" } });
  peer.send(NODE, { kind: "request", tid: 6, id: node.id, body: { name: "ping" } });
  peer.send(NODE, { kind: "reply", tid: 7, id: peer.id, body: {} });
  for (const junk of [new Uint8Array(0), new Uint8Array(1500), encode([1]), encode({ a: {}, q: "ping", t: 5 })]) {
    peer.sendBytes(NODE, junk);
  }
  await network.clock.advance(1000);
  assert.equal(peer.received.length, before);
  await peer.reply(NODE, { name: "ping" });
  await node.stop();
});

Deno.test("one source is answered 1024 requests a second, no more", async () => {
  const { network, node, peer } = await make();
  await network.clock.advance(5000);
  const before = peer.received.length;
  for (let tid = 1; tid <= 1500; tid++) peer.send(NODE, { kind: "request", tid, id: peer.id, body: { name: "ping" } });
  await network.clock.advance(1000);
  const answered = peer.received.length - before;
  assert.ok(answered >= 1024 && answered <= 1024 + 110, `${answered}`);
  await node.stop();
});

Deno.test("what lies nearer to many others is acknowledged but not stored", async () => {
  const network = new SimNetwork(2);
  const node = network.node({ nodeId: "f".repeat(40) });
  await node.start();
  const near = Array.from({ length: 8 }, (_, i) => new RawPeer(network, `10.1.0.${i}`, `0${i}`.padEnd(40, "a")));
  const others = Array.from({ length: 8 }, (_, i) => new RawPeer(network, `10.1.1.${i}`, `8${i}`.padEnd(40, "a")));
  const peers = [...near, ...others];
  for (const peer of peers) peer.send(NODE, { kind: "request", tid: 1, id: peer.id, body: { name: "ping" } });
  await network.clock.advance(1000);
  for (const { id } of [near[0], others[0]]) await settled(network, node.get(id));
  assert.equal(node.stats().nodes4, 16);
  const [peer] = peers;
  for (const [key, stored] of [["01".padEnd(40, "b"), 0], ["f".repeat(38) + "00", 1]] as const) {
    const { token = assert.fail("a token") } = await peer.reply(NODE, { name: "get", key });
    assert.equal((await peer.reply(NODE, { name: "put", key, values: [plain(1n)], token })).valueId, 1n);
    assert.equal(node.stats().storedValues, stored);
  }
  await node.stop();
});

Deno.test("a thousand damaged packets do not hurt a living node", async () => {
  const { network, node, peer, token } = await make();
  const random = seededRandom(4);
  const own: RequestBody[] = [
    { name: "put", key: KEY, values: [plain(1n), plain(2n, "x".repeat(700))], token },
    { name: "listen", key: KEY, version: 1, socketId: 5, token },
    { name: "get", key: KEY, query: { select: [Field.id], where: { id: 1n } } },
  ];
  const samples = [
    ...packets.map((vector) => fromHex(vector.hex)),
    ...own.map((body) => encodePacket({ kind: "request", tid: 5, id: peer.id, body })),
  ];
  for (let i = 0; i < 1000; i++) {
    const damaged = samples[i % samples.length].slice();
    for (let n = random.int(4); n >= 0; n--) damaged[random.int(damaged.length)] = random.int(256);
    peer.sendBytes(NODE, damaged);
    if (i % 50 === 0) await network.clock.advance(1000);
  }
  await network.clock.advance(20_000);
  assert.equal((await peer.reply(NODE, { name: "ping" })).seenAs?.length, 4);
  await node.stop();
});

Deno.test("listeners that are dead cannot keep the node from its own work", async () => {
  const { network, node, peer, token } = await make();
  peer.answer = () => null;
  for (let socketId = 1; socketId <= 600; socketId++) {
    peer.send(NODE, {
      kind: "request",
      tid: socketId,
      id: peer.id,
      body: { name: "listen", version: 1, key: KEY, socketId, token },
    });
  }
  await network.clock.advance(1000);
  assert.equal(node.stats().remoteListeners, 512);
  const values = Array.from({ length: 20 }, (_, i) => plain(BigInt(i + 1)));
  peer.send(NODE, { kind: "request", tid: 999, id: peer.id, body: { name: "put", key: KEY, values, token } });
  await network.clock.advance(200);
  assert.equal(node.stats().storedValues, 20);
  assert.ok(node.stats().pendingRequests <= 2048 + 10, `${node.stats().pendingRequests}`);
  await network.clock.advance(20_000);
  assert.equal(node.stats().pendingRequests, 0);
  await node.stop();
});
