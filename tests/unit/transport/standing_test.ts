import assert from "node:assert/strict";
import type { ConnectionManager, ConnectionManagerOptions } from "../../../core/transport/connection_manager.ts";
import { nearness } from "../../../core/transport/nearness.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { managerFor, nextConnection, SignallingTable, type TestDevice, testDevices } from "./support.ts";

interface Pair {
  b: TestDevice;
  alice: ConnectionManager;
  bob: ConnectionManager;
}

async function withTwo(run: (pair: Pair) => Promise<void>, changes: Partial<ConnectionManagerOptions> = {}) {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b], changes), bob = managerFor(b, table, [a]);
  alice.start();
  bob.start();
  try {
    await run({ b, alice, bob });
  } finally {
    await Promise.all([alice.stop(), bob.stop()]);
  }
}

Deno.test("a connection tells both its ends, who dialled, its TLS version and how its channels stand", () =>
  withTwo(async ({ b, alice, bob }) => {
    const incoming = nextConnection(bob);
    const connection = await alice.connect(b.key.publicKey);
    await incoming;
    const channel = await connection.open("echo");
    const [here] = alice.standings(), [there] = bob.standings();
    assert.equal(here.connection, connection);
    assert.notEqual(here.accepted, there.accepted, "one side dialled, the other was dialled");
    assert.equal(here.local, there.connection.remote);
    assert.equal(there.local, here.connection.remote);
    assert.deepEqual([here.tls, there.tls], ["TLSv1.3", "TLSv1.3"]);
    assert.deepEqual(here.channels, [{ name: "echo", incoming: false, state: "open" }]);
    assert.deepEqual(there.channels, [{ name: "echo", incoming: true, state: "open" }]);
    assert.ok(here.lastHeard >= connection.since);
    channel.close();
    await channel.closed;
    assert.deepEqual(alice.standings()[0].channels, []);
  }));

Deno.test("bytes are counted over connections that are gone, and what was dialled by peers by where it came from", () =>
  withTwo(async ({ b, alice, bob }) => {
    const incoming = nextConnection(bob);
    const connection = await alice.connect(b.key.publicKey);
    await incoming;
    await connection.open("echo");
    const before = alice.traffic;
    assert.deepEqual(before, { in: connection.bytesIn, out: connection.bytesOut });
    assert.ok(before.in > 0 && before.out > 0);
    await connection.close("test");
    assert.ok(alice.traffic.in >= before.in && alice.traffic.out >= before.out);
    assert.equal(alice.standings().length, 0);
    assert.ok(bob.incoming.near.count + bob.incoming.far.count + alice.incoming.near.count > 0);
    assert.equal(alice.incoming.far.count, 0, "loopback is near");
  }, { isNear: (address) => address === "127.0.0.1" }));

Deno.test("a device that is asked to connect to us comes through where it can; what comes is an ordinary connection", () =>
  withTwo(async ({ b, alice, bob }) => {
    assert.deepEqual(await alice.probe(b.key.publicKey, ["127.0.0.1"]), { outcome: "connected", from: "127.0.0.1" });
    const [standing] = alice.standings();
    assert.ok(standing.accepted, "we dialled nothing");
    assert.equal(bob.connections().length, 1);
    await standing.connection.open("echo");
  }));

Deno.test("where it cannot come through, or does not answer, that is told apart", async () => {
  const [a, b] = await testDevices();
  const clock = new VirtualClock(Date.now());
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b], { clock }), bob = managerFor(b, table, [a]);
  alice.start();
  bob.start();
  let over = false;
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    over = false;
    promise.finally(() => over = true);
    while (!over) {
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 5)); // bob's clock is the real one
    }
    return await promise;
  };
  try {
    assert.deepEqual(await settled(alice.probe(b.key.publicKey, ["240.0.0.1"])), { outcome: "nothing came" });
    await bob.stop();
    assert.deepEqual(await settled(alice.probe(b.key.publicKey, ["127.0.0.1"])), { outcome: "no answer" });
    assert.equal(alice.connections().length, 0);
  } finally {
    await Promise.all([alice.stop(), bob.stop()]);
  }
});

Deno.test("near is this machine, its networks and its own public address; all else is far", () => {
  const near = nearness([{ address: "192.168.1.2", cidr: "192.168.1.2/24" }, {
    address: "fd00::2",
    cidr: "fd00::2/64",
  }], [
    "203.0.113.7",
  ]);
  for (const address of ["192.168.1.77", "fd00::99", "203.0.113.7", "127.0.0.1", "::1", "fe80::1"]) {
    assert.ok(near(address), address);
  }
  for (const address of ["192.168.2.1", "fd00:0:0:1::1", "203.0.113.8", "8.8.8.8", "2001:db8::1"]) {
    assert.ok(!near(address), address);
  }
});
