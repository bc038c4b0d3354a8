import assert from "node:assert/strict";
import { concat, hex, text, utf8 } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";
import type { Value } from "../../../core/dht/value.ts";
import { type Channel, ChannelDeclined, ConnectError, ConnectionClosed } from "../../../core/transport/channel.ts";
import type { ConnectionManager, ConnectionManagerOptions } from "../../../core/transport/connection_manager.ts";
import { packMessage } from "../../../core/transport/mux_codec.ts";
import { type KeyFamily, peerKey } from "../../../core/transport/signalling.ts";
import { ASK_AGAIN, ASKED_AT_MOST } from "../../../core/transport/constants.ts";
import { until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { RawPeer } from "./raw_peer.ts";
import { managerFor, nextConnection, readBytes, SignallingTable, type TestDevice, testDevices } from "./support.ts";

interface Pair {
  a: TestDevice;
  b: TestDevice;
  table: SignallingTable;
  alice: ConnectionManager;
  bob: ConnectionManager;
}

/** Runs a test with two managers, and stops them whatever happens. */
async function withTwo(
  run: (pair: Pair) => Promise<void>,
  changes: { alice?: Partial<ConnectionManagerOptions>; bob?: Partial<ConnectionManagerOptions> } = {},
): Promise<void> {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b], changes.alice), bob = managerFor(b, table, [a], changes.bob);
  alice.start();
  bob.start();
  try {
    await run({ a, b, table, alice, bob });
  } finally {
    await Promise.all([alice.stop(), bob.stop()]);
  }
}

async function assertEchoes(channel: Channel, message = "hello"): Promise<void> {
  const writer = channel.writable.getWriter();
  await writer.write(utf8(message));
  writer.releaseLock();
  assert.equal(text(await readBytes(channel, utf8(message).length)), message);
}

/** Is it one of the keys at which requests for the device are put? */
function isKeyOf({ key }: TestDevice, at: string): boolean {
  return (["short", "long"] as const).some((family) => peerKey(key.publicKey, family) === at);
}

/** Resolves when a manager has so many connections. */
async function untilConnections(manager: ConnectionManager, count: number): Promise<void> {
  while (manager.connections().length < count) await manager.once("connection");
}

Deno.test("two managers connect, and named channels echo in both directions", () =>
  withTwo(async ({ a, b, alice, bob }) => {
    const incoming = nextConnection(bob);
    const outgoing = await alice.connect(b.key.publicKey);
    const back = await incoming;
    assert.deepEqual([outgoing.incoming, back.incoming], [false, true]);
    assert.deepEqual([outgoing.peer.device, outgoing.peer.account], [b.device, b.account]);
    assert.deepEqual([back.peer.device, back.peer.account], [a.device, a.account]);
    for (const connection of [outgoing, back]) {
      const channel = await connection.open("echo");
      await assertEchoes(channel);
      channel.close();
      await channel.closed;
      assert(connection.bytesIn > 0 && connection.bytesOut > 0);
    }
  }));

for (const family of ["short", "long"] as const) {
  Deno.test(`a peer that listens only at its ${family} key is reached, and answered there`, () =>
    withTwo(async ({ a, b, table, alice, bob }) => {
      const other = family === "short" ? "long" : "short";
      const lost = [peerKey(a.key.publicKey, other), peerKey(b.key.publicKey, other)];
      table.hold = ({ key }) => lost.includes(key);
      await assertEchoes(await (await alice.connect(b.key.publicKey)).open("echo"));
      assert.deepEqual(
        table.puts.map(({ key }) => key),
        [peerKey(b.key.publicKey, family), peerKey(a.key.publicKey, family)],
      );
      assert.equal(bob.connections(a.device).length, 1);
    }));
}

Deno.test("an answer counts as soon as it comes, although the put of the request has not ended", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const end = Promise.withResolvers<void>();
  const slow = {
    listen: table.listen.bind(table),
    put: async (key: string, value: Value) => {
      await table.put(key, value);
      await end.promise;
    },
  };
  const alice = managerFor(a, slow, [b]), bob = managerFor(b, table, [a]);
  alice.start();
  bob.start();
  try {
    assert.equal((await alice.connect(b.key.publicKey)).peer.device, b.device);
  } finally {
    end.resolve();
    await Promise.all([alice.stop(), bob.stop()]);
  }
});

Deno.test("peers of one key family each never reach each other, and both reach one of both families", async () => {
  const [a, b, both] = await testDevices();
  const table = new SignallingTable();
  const old = managerFor(a, table, [b, both], { families: ["short"] });
  const today = managerFor(b, table, [a, both], { families: ["long"] });
  const relay = managerFor(both, table, [a, b]);
  const managers = [old, today, relay];
  managers.forEach((manager) => manager.start());
  try {
    const lost = assert.rejects(old.connect(b.key.publicKey), ConnectError);
    assert.equal((await today.connect(both.key.publicKey)).peer.device, both.device);
    assert.equal((await relay.connect(a.key.publicKey)).peer.device, a.device);
    const puts = (device: TestDevice, family: KeyFamily) =>
      table.puts.filter(({ key }) => key === peerKey(device.key.publicKey, family)).length;
    assert.deepEqual([puts(b, "short"), puts(b, "long")], [1, 1]); // the lost request; the relay's answer
    assert.deepEqual([old.connections(b.device), today.connections(a.device)], [[], []]);
    await old.stop();
    await lost;
  } finally {
    await Promise.all(managers.map((manager) => manager.stop()));
  }
});

Deno.test("a connection that is up is used again, and there is one attempt at a time", () =>
  withTwo(async ({ b, table, alice }) => {
    const [one, two] = await Promise.all([alice.connect(b.key.publicKey), alice.connect(b.key.publicKey)]);
    assert.equal(one, two);
    assert.equal(await alice.connect(b.key.publicKey), one);
    assert.equal(table.puts.filter(({ key }) => key === peerKey(b.key.publicKey, "long")).length, 1);
  }));

Deno.test("when both connect at once, both connections come up, stay, and carry channels", () =>
  withTwo(async ({ a, b, table, alice, bob }) => {
    table.hold = () => true; // nobody hears of the other before both have asked
    const both = Promise.all([alice.connect(b.key.publicKey), bob.connect(a.key.publicKey)]);
    while (table.held < 4) await new Promise((resolve) => setImmediate(resolve));
    table.release();
    await both;
    await Promise.all([untilConnections(alice, 2), untilConnections(bob, 2)]);
    for (const manager of [alice, bob]) {
      const connections = manager.connections();
      assert.deepEqual(connections.map((c) => c.incoming).sort(), [false, true]);
      for (const connection of connections) await assertEchoes(await connection.open("echo"));
    }
  }));

Deno.test("names that are not served are declined, and the connection goes on", () =>
  withTwo(async ({ b, alice }) => {
    const connection = await alice.connect(b.key.publicKey);
    await assert.rejects(connection.open("nothing of the kind"), ChannelDeclined);
    await assertEchoes(await connection.open("echo"));
  }));

Deno.test("an orderly close is seen by the other side at once, with all channels", () =>
  withTwo(async ({ a, b, alice, bob }) => {
    const incoming = nextConnection(bob);
    const connection = await alice.connect(b.key.publicKey);
    const back = await incoming;
    const channel = await back.open("echo");
    const reading = readBytes(channel, 1);
    const before = performance.now();
    const seen = bob.once("closed");
    await connection.close("enough");
    assert.equal((await seen).connection, back);
    await Promise.all([back.closed, channel.closed]);
    assert.equal((await reading).length, 0);
    assert(performance.now() - before < 500, "it took too long");
    assert.deepEqual([alice.connections(), bob.connections(a.device)], [[], []]);
    await assert.rejects(connection.open("echo"), ConnectionClosed);
    await assertEchoes(await (await alice.connect(b.key.publicKey)).open("echo")); // a new one
  }));

Deno.test("closeAll closes the connections of the peers it is asked to, with the reason", () =>
  withTwo(async ({ b, alice }) => {
    await alice.connect(b.key.publicKey);
    const closed = alice.once("closed");
    await alice.closeAll((peer) => peer.account !== b.account, "not you");
    assert.equal(alice.connections().length, 1);
    await alice.closeAll((peer) => peer.account === b.account, "banned");
    assert.equal((await closed).reason, "banned");
    assert.equal(alice.connections().length, 0);
  }));

Deno.test("20 MB in both directions at once come through whole", () =>
  withTwo(async ({ b, alice }) => {
    const channel = await (await alice.connect(b.key.publicKey)).open("echo");
    const size = 20 * 2 ** 20;
    const sent = seededRandom(7).bytes(size);
    const writer = channel.writable.getWriter();
    const writing = (async () => {
      for (let at = 0; at < size; at += 300_000) await writer.write(sent.subarray(at, at + 300_000));
    })();
    const back = await readBytes(channel, size);
    await writing;
    assert.equal(await digest(back), await digest(sent));
  }));

async function digest(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))));
}

Deno.test("a slow reader holds 20 MB back: little is buffered, nothing is lost, other channels live", async () => {
  const slow = Promise.withResolvers<Channel>();
  await withTwo(async ({ b, alice, bob }) => {
    const incoming = nextConnection(bob);
    const connection = await alice.connect(b.key.publicKey);
    const back = await incoming;
    const writer = (await connection.open("slow")).writable.getWriter();
    const piece = new Uint8Array(65_535);
    let written = 0;
    const writing = (async () => {
      for (let i = 0; i < 320; i++) {
        piece.fill(i);
        await writer.write(piece.slice());
        written++;
      }
    })();
    const reader = (await slow.promise).readable.getReader();
    // Until nothing moves any more: all buffers between the two are full.
    for (let before = -1; before !== back.bytesIn;) {
      before = back.bytesIn;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert(back.bytesIn < 500_000, `${back.bytesIn} bytes were taken in without a reader`);
    assert(written < 320, "the writer did not have to wait");
    for (let i = 0; i < 320; i++) {
      const { value } = await reader.read();
      assert(value && value.length === 65_535 && value[0] === i % 256 && value[65_534] === i % 256, `frame ${i}`);
    }
    await writing;
    await assertEchoes(await connection.open("echo"));
  }, {
    bob: {
      accept: (_connection, name) =>
        name === "slow"
          ? (channel) => slow.resolve(channel)
          : (channel) => void channel.readable.pipeTo(channel.writable).catch(() => {}),
    },
  });
});

Deno.test("a request that gets lost on the DHT is made again", async () => {
  const clock = new VirtualClock(Date.now());
  let lost = 0;
  await withTwo(async ({ b, table, alice }) => {
    table.hold = () => lost < 2 && ++lost > 0;
    const attempt = alice.connect(b.key.publicKey);
    await until("the request", () => lost === 2);
    await clock.advance(ASK_AGAIN);
    assert.equal((await attempt).peer.device, b.device);
  }, { alice: { clock } });
});

Deno.test("a peer that is not allowed gets no answer: the request fails after 30 s", async () => {
  const clock = new VirtualClock(Date.now());
  const asked: string[] = [];
  await withTwo(async ({ a, b, table, alice, bob }) => {
    const attempt = assert.rejects(alice.connect(b.key.publicKey), ConnectError);
    for (let times = 1; times <= ASKED_AT_MOST; times++) {
      await until("the request", () => asked.length === times);
      assert.equal(table.puts.length, 2 * times); // the request at both keys, and no answer
      await clock.advance(ASK_AGAIN);
    }
    assert.deepEqual(new Set(asked), new Set([a.account]));
    await clock.advance(30_000);
    await attempt;
    assert.deepEqual([alice.connections(), bob.connections(), table.puts.length], [[], [], 2 * ASKED_AT_MOST]);
  }, {
    alice: { clock },
    bob: {
      allow: (peer) => {
        asked.push(peer.account);
        return false;
      },
    },
  });
});

Deno.test("a peer without known certificates, or with another device's, gets no answer", async () => {
  const [a, , c] = await testDevices();
  for (const chain of [null, c.chain, a.chain.slice(0, 1)]) {
    const clock = new VirtualClock(Date.now());
    let asked = 0;
    await withTwo(async ({ b, table, alice }) => {
      const attempt = assert.rejects(alice.connect(b.key.publicKey), ConnectError);
      for (let times = 1; times <= ASKED_AT_MOST; times++) {
        await until("the request", () => asked === times);
        await clock.advance(ASK_AGAIN);
      }
      await clock.advance(30_000);
      await attempt;
      assert.ok(table.puts.every(({ key }) => isKeyOf(b, key)), "requests only");
    }, {
      alice: { clock },
      bob: {
        allow: () => assert.fail("must not be asked"),
        certificates: {
          byKey: () => {
            asked++;
            return Promise.resolve(chain);
          },
        },
      },
    });
  }
});

Deno.test("what the DHT delivers again after a restart is harmless: treated requests, and answers nobody waits for", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const treated = new Set<bigint>();
  const seen = { has: (id: bigint) => treated.has(id), add: (id: bigint) => void treated.add(id) };
  const alice = managerFor(a, table, [b], { seen }), bob = managerFor(b, table, [a], { seen });
  alice.start();
  bob.start();
  await alice.connect(b.key.publicKey);
  await Promise.all([alice.stop(), bob.stop()]);
  const puts = table.puts.length;
  const again = [managerFor(a, table, [b], { seen }), managerFor(b, table, [a], { seen })];
  try {
    for (const manager of again) manager.start();
    await assertEchoes(await (await again[0].connect(b.key.publicKey)).open("echo"));
    assert.equal(table.puts.length, puts + 3); // one request at two keys, one answer
    assert.equal(again[1].connections().length, 1);
  } finally {
    await Promise.all(again.map((manager) => manager.stop()));
  }
});

Deno.test("what a device said before our last restarts does not count against its rate", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const treated = new Set<bigint>();
  const seen = { has: (id: bigint) => treated.has(id), add: (id: bigint) => void treated.add(id) };
  for (let restarts = 0; restarts < 15; restarts++) {
    const alice = managerFor(a, table, [b], { seen }), bob = managerFor(b, table, [a], { seen });
    alice.start();
    bob.start();
    try {
      await alice.connect(b.key.publicKey);
    } finally {
      await Promise.all([alice.stop(), bob.stop()]);
    }
  }
});

Deno.test("checks that come before the answer are answered, and the connection comes up when the answer does", () =>
  withTwo(async ({ a, b, table, alice }) => {
    const answers = [peerKey(a.key.publicKey, "long"), peerKey(a.key.publicKey, "short")];
    table.hold = ({ key }) => answers.includes(key);
    let up = false;
    const connecting = alice.connect(b.key.publicKey).then((connection) => {
      up = true;
      return connection;
    });
    while (table.held === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 200)); // the answerer dials meanwhile and makes its checks
    assert.equal(up, false);
    table.release();
    await assertEchoes(await (await connecting).open("echo"));
  }));

Deno.test("a TCP connection that breaks without close_notify ends the connection at once", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b]);
  const raw = new RawPeer(b, table);
  alice.start();
  try {
    const up = nextConnection(alice);
    const link = await raw.request(a.key.publicKey);
    await raw.tls(link);
    const closed = alice.once("closed");
    await up;
    link.link.close();
    await closed;
    assert.deepEqual(alice.connections(), []);
  } finally {
    await Promise.all([alice.stop(), raw.stop()]);
  }
});

Deno.test("a silent connection is asked by a beacon, and closed when none comes back", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const clock = new VirtualClock(Date.now());
  const alice = managerFor(a, table, [b], { clock });
  const raw = new RawPeer(b, table);
  alice.start();
  try {
    const up = nextConnection(alice);
    const socket = await raw.tls(await raw.request(a.key.publicKey));
    socket.on("data", () => {}); // reads, answers nothing
    socket.write(packMessage(65_535, Uint8Array.of(0x81, 0xa1, 0x76, 0x01)));
    const connection = await up;
    while (connection.bytesIn < 10) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(60_000);
    assert.equal(alice.connections().length, 1);
    const closed = alice.once("closed");
    await clock.advance(3_000);
    assert.match((await closed).reason, /beacon/);
  } finally {
    await Promise.all([alice.stop(), raw.stop()]);
  }
});

Deno.test("TLS in frames of 7 bytes", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b]);
  const raw = new RawPeer(b, table);
  alice.start();
  try {
    const connecting = alice.connect(b.key.publicKey);
    const link = await raw.answer();
    const send = link.link.send.bind(link.link);
    link.link.send = async (data) => {
      for (let at = 0; at < data.length; at += 7) await send(data.subarray(at, at + 7));
    };
    const socket = await raw.tls(link);
    socket.resume();
    socket.write(concat(packMessage(65_535, Uint8Array.of(0x81, 0xa1, 0x76, 0x01))));
    assert.equal((await connecting).peer.device, b.device);
  } finally {
    await Promise.all([alice.stop(), raw.stop()]);
  }
});

Deno.test("stop ends attempts and connections in less than 3 s, and the other side knows at once", () =>
  withTwo(async ({ a, b, table, alice, bob }) => {
    await alice.connect(b.key.publicKey);
    const [, , c] = await testDevices();
    const hopeless = assert.rejects(alice.connect(c.key.publicKey), ConnectError);
    while (!table.puts.some(({ key }) => key === peerKey(c.key.publicKey, "long"))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const seen = bob.once("closed");
    const before = performance.now();
    await alice.stop();
    await Promise.all([hopeless, seen]);
    assert(performance.now() - before < 1_500);
    assert.deepEqual(bob.connections(a.device), []);
    await assert.rejects(alice.connect(b.key.publicKey), ConnectError);
  }));
