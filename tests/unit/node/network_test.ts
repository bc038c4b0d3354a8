import assert from "node:assert/strict";
import { systemRandom } from "../../../core/base/random.ts";
import { Dht } from "../../../core/dht/dht.ts";
import { NodeError } from "../../../core/node_api.ts";
import { connectionInfo, NodeNetwork } from "../../../core/node_network.ts";
import type { ConnectionManager, ConnectionStanding } from "../../../core/transport/connection_manager.ts";
import { alice } from "../relay/support.ts";
import { SimNetwork } from "../dht/sim.ts";

const called = () => ({ name: "Asha", registeredName: "asha" });

/** A connection that is up, with channels of these names. */
function standing(id: number, names: string[] = []): ConnectionStanding {
  const connection = {
    id: `${id}`,
    peer: { ...alice, chain: [] },
    incoming: true,
    since: 1_500,
    remote: "[2001:db8::1]:5000",
    bytesIn: 7,
    bytesOut: 9,
    channels: [],
    closed: Promise.resolve(),
    open: () => Promise.reject(new Error("not in this test")),
    beacon: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
  const channels = names.map((name) => ({ name, incoming: true, state: "open" as const }));
  return { connection, local: "[2001:db8::2]:40000", accepted: false, tls: "TLSv1.3", channels, lastHeard: 2_999 };
}

Deno.test("a connection tells its channels by what they are for, not whom they concern", () => {
  const device = "d".repeat(64), conversation = "c".repeat(40);
  const names = [
    `git://${device}/${conversation}`,
    `git://${device}/${"e".repeat(40)}`,
    "sip",
    `msg:${device}`,
    "what?",
  ];
  const info = connectionInfo(standing(3, names), called);
  assert.deepEqual(info.channels, [
    { kind: "git", state: "open", count: 2 },
    { kind: "messages", state: "open", count: 2 },
    { kind: "other", state: "open", count: 1 },
  ]);
  assert.ok(!JSON.stringify(info).includes(conversation));
  assert.deepEqual([info.askedBy, info.direction, info.since, info.lastHeard], ["peer", "out", 1, 2]);
});

/** A node's network without any peer but these connections. */
function networkOf(connections: ConnectionStanding[]) {
  const sim = new SimNetwork(7);
  const dht = new Dht({
    socket: sim.host("10.0.0.9"),
    port: 4222,
    bootstrap: [],
    clock: sim.clock,
    random: systemRandom,
  });
  const closed: string[] = [], noted: string[] = [];
  const manager = {
    standings: () => connections,
    connections: () =>
      connections.map(({ connection }) => ({ ...connection, close: () => void closed.push(connection.id) })),
    traffic: { in: 1, out: 2 },
    incoming: { near: { count: 0, last: 0, from: "" }, far: { count: 0, last: 0, from: "" } },
    candidates: () => [],
    port: 40_000,
  } as unknown as ConnectionManager; // reason: the rest of a manager is a network, of which nothing is asked
  const network = new NodeNetwork({
    clock: sim.clock,
    dht,
    connections: manager,
    config: { dhtPort: 4222, peerPort: 0, publicAddress: [] },
    audit: {
      append(event) {
        noted.push(`${event.actor} ${event.action} ${event.target}`);
        return { ...event, seq: 1, at: 0, hash: "" };
      },
    },
    called,
  });
  return { sim, dht, network, closed, noted };
}

Deno.test("connections come a page at a time, by number and not by text; one that is ended is noted", async () => {
  const { network, closed, noted } = networkOf([standing(2), standing(9), standing(10), standing(11)]);
  const first = network.connections({ limit: 2 });
  assert.deepEqual([first.items.map(({ id }) => id), first.next], [["2", "9"], "9"]);
  const rest = network.connections({ limit: 2, after: "9" });
  assert.deepEqual([rest.items.map(({ id }) => id), rest.next], [["10", "11"], null]);
  await network.close("10", { actor: "Neema", address: "" });
  assert.deepEqual(closed, ["10"]);
  assert.deepEqual(noted, [`Neema connection.close ${alice.account} ${alice.device}`]);
  const gone = (error: unknown) => error instanceof NodeError && error.fault === "not found";
  await assert.rejects(network.close("12", { actor: "", address: "" }), gone);
});

Deno.test("requests are told by the second over the last minute; a second test has to wait until the first is done", async () => {
  const { sim, dht, network } = networkOf([]);
  const other = sim.node({ bootstrap: ["10.0.0.9:4222"] });
  await dht.start();
  network.start();
  await other.start();
  await sim.clock.advance(20_000);
  const ping = network.state().dht.requests.find(({ kind }) => kind === "ping") ?? assert.fail();
  assert.ok(ping.totalIn > 0 && ping.in > 0 && ping.in < ping.totalIn);
  const tooMany = (error: unknown) => error instanceof NodeError && error.fault === "too many";
  assert.equal(network.testReachability().state, "running");
  assert.throws(() => network.testReachability(), tooMany);
  await sim.clock.advance(30_000);
  assert.equal(network.reachability()?.state, "done");
  assert.equal(network.reachability()?.checks.length, 5);
  assert.equal(network.testReachability().state, "running");
  await sim.clock.advance(30_000);
  await sim.clock.advance(120_000);
  const later = network.state().dht.requests.find(({ kind }) => kind === "ping") ?? assert.fail();
  assert.ok(later.totalIn >= ping.totalIn);
  network.stop();
  await dht.stop();
  await other.stop();
});
