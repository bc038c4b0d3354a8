import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, hex } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";
import { addressOf, addressText, ipBytes, isMartian, parseAddress, sourceOf } from "../../../core/dht/address.ts";
import { TOKEN_ROTATION } from "../../../core/dht/constants.ts";
import { commonBits, compareDistance, infoHash, randomHashBeside } from "../../../core/dht/info_hash.ts";
import { Node, NodeCache } from "../../../core/dht/node.ts";
import { RoutingTable } from "../../../core/dht/routing_table.ts";
import { Scheduler } from "../../../core/dht/scheduler.ts";
import { makeState, readState, stateNodes } from "../../../core/dht/state.ts";
import { Tokens } from "../../../core/dht/token.ts";
import { AddressVotes } from "../../../core/dht/votes.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => hex(bytes));

Deno.test("a key is the SHA-1 of its text", () => {
  assert.equal(infoHash("hello"), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
});

Deno.test("distance is the XOR as a number", () => {
  const xor = (a: string, b: string) => BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  fc.assert(fc.property(hash, hash, hash, (t, a, b) => {
    const [da, db] = [xor(t, a), xor(t, b)];
    assert.equal(Math.sign(compareDistance(t, a, b)), da < db ? -1 : da > db ? 1 : 0);
    assert.equal(commonBits(a, b), 160 - (xor(a, b) === 0n ? 0 : xor(a, b).toString(2).length));
  }));
});

Deno.test("a random id beside another has exactly so many bits in common with it", () => {
  const random = seededRandom(1);
  for (const bits of [0, 1, 7, 8, 63, 159]) {
    assert.equal(commonBits(infoHash("own"), randomHashBeside(infoHash("own"), bits, random)), bits);
  }
});

Deno.test("addresses have one text, and IPv4 inside IPv6 is IPv4", () => {
  assert.equal(addressText(parseAddress("FD00:0101:0:0::2", 1) ?? assert.fail()), "[fd00:101::2]:1");
  assert.deepEqual(parseAddress("::ffff:10.0.0.6", 5), { family: 4, ip: "10.0.0.6", port: 5 });
  assert.equal(parseAddress("fe80::1%eth0", 5)?.ip, "fe80::1");
  for (const text of ["", "10.0.0", "1.2.3.4.5", "host", "12345::", "::1::"]) assert.equal(parseAddress(text, 1), null);
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (ip) => {
    const address = addressOf(ip, 1) ?? assert.fail();
    assert.deepEqual(parseAddress(address.ip, 1), address);
    assert.deepEqual(ipBytes(address), new Uint8Array(address.family === 4 ? ip.slice(12) : ip));
  }));
});

Deno.test("addresses that no node may have are known", () => {
  const martian = (ip: string, port = 4222) => isMartian(parseAddress(ip, port) ?? assert.fail(ip));
  for (const ip of ["0.1.2.3", "224.0.0.1", "239.1.1.1", "255.255.255.255", "::", "ff02::1", "fe80::1", "fe9f::1"]) {
    assert.ok(martian(ip), ip);
  }
  for (const ip of ["127.0.0.1", "10.0.0.1", "223.255.255.255", "::1", "fd00::1", "2001:db8::1", "fec0::1"]) {
    assert.ok(!martian(ip), ip);
  }
  assert.ok(martian("10.0.0.1", 0));
});

Deno.test("IPv6 addresses of one /64 count as one source", () => {
  const source = (ip: string) => sourceOf(parseAddress(ip, 1) ?? assert.fail());
  assert.equal(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
  assert.notEqual(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
  assert.notEqual(source("10.0.0.1"), source("10.0.0.2"));
});

Deno.test("a token is bound to IP and port, and lives at least as long as one secret", async () => {
  const clock = new VirtualClock();
  const tokens = new Tokens(clock, seededRandom(1));
  tokens.start();
  const [a, b] = [{ family: 4, ip: "10.0.0.1", port: 1 }, { family: 4, ip: "10.0.0.1", port: 2 }] as const;
  const token = tokens.issue(a);
  assert.ok(tokens.accepts(a, token));
  assert.ok(!tokens.accepts(b, token));
  assert.ok(!tokens.accepts(a, token.slice(1)));
  assert.ok(!tokens.accepts(a, new Uint8Array(0)));
  await clock.advance(TOKEN_ROTATION[0] - 1);
  assert.ok(tokens.accepts(a, token));
  await clock.advance(2 * TOKEN_ROTATION[1]);
  assert.ok(!tokens.accepts(a, token));
});

Deno.test("many timers fire in order on one timer of the clock below", async () => {
  const clock = new VirtualClock();
  const scheduler = new Scheduler(clock);
  const random = seededRandom(3);
  const fired: number[] = [];
  const due: number[] = [];
  for (let i = 0; i < 500; i++) {
    const ms = random.int(1000);
    const cancel = scheduler.after(ms, () => fired.push(ms));
    if (i % 3 === 0) cancel();
    else due.push(ms);
  }
  await clock.advance(1000);
  assert.deepEqual(fired, due.sort((a, b) => a - b));
});

Deno.test("a timer may set and cancel others; one that throws does not stop the rest", async () => {
  const clock = new VirtualClock();
  const scheduler = new Scheduler(clock);
  const fired: string[] = [];
  const cancel = scheduler.after(20, () => fired.push("cancelled"));
  scheduler.after(10, () => {
    cancel();
    scheduler.after(5, () => fired.push("inner"));
    throw new Error("expected in this test");
  });
  scheduler.after(10, () => fired.push("same time"));
  await clock.advance(100);
  assert.deepEqual(fired, ["same time", "inner"]);
  scheduler.after(1, () => fired.push("after stop"));
  scheduler.stop();
  await clock.advance(100);
  assert.equal(fired.length, 2);
});

Deno.test("the routing table splits only around its own id, keeps the good and replaces the expired", () => {
  const now = 1e12;
  const pinged: Node[] = [];
  const random = seededRandom(5);
  const own = infoHash("own");
  const table = new RoutingTable(own, (node) => pinged.push(node));
  const good = (id: string) => {
    const node = new Node(id, { family: 4, ip: "10.0.0.1", port: 1 });
    node.heard = node.replied = now;
    return node;
  };
  const nodes = Array.from({ length: 400 }, () => good(random.bytes(20).toHex()));
  for (const node of nodes) table.offer(node, now);
  assert.ok(table.buckets.length >= 5 && table.buckets.length < 12);
  for (const bucket of table.buckets) {
    assert.ok(bucket.nodes.length <= 8);
    for (const node of bucket.nodes) assert.ok(commonBits(own, node.id) >= bucket.bits);
  }
  const near = nodes.map((node) => node.id).sort((a, b) => compareDistance(own, a, b)).slice(0, 8);
  assert.deepEqual(table.closest(own, 8, now).map((node) => node.id), near);

  const [far] = table.buckets;
  assert.equal(far.nodes.length, 8);
  const newcomer = good(randomHashBeside(own, 0, random));
  assert.equal(table.offer(newcomer, now), false);
  assert.equal(far.cached, newcomer);
  const dubious = far.nodes[3];
  dubious.heard = now - 3600_000;
  assert.equal(table.offer(good(randomHashBeside(own, 0, random)), now), false);
  assert.deepEqual(pinged, [dubious]);
  dubious.expired = true;
  const successor = good(randomHashBeside(own, 0, random));
  assert.equal(table.offer(successor, now), true);
  assert.ok(far.nodes.includes(successor) && !far.nodes.includes(dubious));
  assert.equal(dubious.users, 0);
});

Deno.test("an address told by others replaces a known one only after ten minutes of silence; a claimed one not while the node is good", () => {
  const cache = new NodeCache();
  const at = (port: number) => ({ family: 4, ip: "10.0.0.1", port }) as const;
  const id = infoHash("node");
  const node = cache.heard(id, at(1), true, 1e12);
  node.replied = 1e12;
  assert.equal(cache.told({ id, address: at(2) }, 1e12 + 1000).address.port, 1);
  assert.equal(cache.heard(id, at(3), false, 1e12 + 1000).address.port, 1);
  assert.equal(cache.told({ id, address: at(4) }, 1e12 + 700_000).address.port, 4);
  assert.equal(cache.heard(id, at(5), true, 1e12 + 700_000).address.port, 5);
  assert.equal(cache.count, 1);
});

Deno.test("the number of known nodes is bounded, and nodes in use are not forgotten", () => {
  const cache = new NodeCache();
  const random = seededRandom(8);
  const kept = cache.told({ id: infoHash("kept"), address: { family: 4, ip: "10.0.0.1", port: 1 } }, 1e12);
  kept.users = 1;
  for (let i = 0; i < 5000; i++) {
    cache.told({ id: random.bytes(20).toHex(), address: { family: 4, ip: "10.0.0.1", port: 1 } }, 1e12);
  }
  assert.equal(cache.count, 4096);
  assert.equal(cache.get(kept.id), kept);
});

Deno.test("a state survives JSON; what is not a state is refused, and bad nodes in it are left out", () => {
  const node = { id: infoHash("n"), address: { family: 6, ip: "fd00::1", port: 7 } } as const;
  const state = makeState(infoHash("own"), 4222, [node]);
  assert.deepEqual(readState(JSON.parse(JSON.stringify(state))), state);
  assert.deepEqual(stateNodes(state), [node]);
  for (
    const json of [null, 1, {}, { ...state, version: 2 }, { ...state, id: "x" }, { ...state, port: 70_000 }, {
      ...state,
      nodes: 3,
    }]
  ) {
    assert.equal(readState(json), null);
  }
  assert.deepEqual(readState({ ...state, nodes: [1, null, { id: 5 }, ...state.nodes] }), state);
  assert.deepEqual(stateNodes({ ...state, nodes: [{ id: infoHash("n"), ip: "nowhere", port: 1 }] }), []);
});

Deno.test("the address most seen wins; impossible ones have no vote; few are remembered", () => {
  const votes = new AddressVotes();
  assert.equal(votes.winner, null);
  for (let i = 0; i < 100; i++) votes.add(Uint8Array.of(10, 0, 0, i));
  votes.add(fromHex("c0000201"));
  votes.add(fromHex("c0000201"));
  votes.add(fromHex("e0000001"));
  votes.add(fromHex("0102"));
  assert.equal(votes.winner, "192.0.2.1");
  votes.clear();
  assert.equal(votes.winner, null);
});
