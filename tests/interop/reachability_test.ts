/** The test of who can reach the node, on machines of which we know the answer: in the open, and behind a router with and without a rule. */

import assert from "node:assert/strict";
import type { Reachability, ReachabilityCheck } from "../../core/node_api.ts";
import { people } from "./driver/daemon.ts";
import { HTTP_PORT, KituoProcess } from "./driver/kituo.ts";
import { type Host, Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo } from "./driver/scenario.ts";

const PEER_PORT = 40_123;
const DHT_PORT = 4222;

/** Runs the test of a node; its results by name, once it is done. */
async function testOf(kituo: KituoProcess): Promise<Record<ReachabilityCheck["id"], ReachabilityCheck>> {
  await kituo.until("a test that may begin", () => kituo.api("POST", "/network/reachability"));
  const { checks } = await kituo.until("the end of the test", async () => {
    const { test } = await kituo.api<{ test: Reachability }>("GET", "/network/reachability");
    return test.state === "done" && test;
  }, 90_000);
  // reason: each name is there once, as the next line checks
  const named = Object.fromEntries(checks.map((check) => [check.id, check])) as Record<
    ReachabilityCheck["id"],
    ReachabilityCheck
  >;
  assert.deepEqual(Object.keys(named), ["udp-out", "udp-in", "address", "tcp-in", "tcp-port"]);
  return named;
}

function said({ verdict, finding, advice }: ReachabilityCheck) {
  return [verdict, finding, advice];
}

/** A node of the DHT that has never heard of Kituo, and of which Kituo has not, knocks at its port. */
async function strangerKnocks(network: Network, at: Host): Promise<void> {
  const host = await network.host();
  const argv = ["dhtnode", "-s", "-p", `${DHT_PORT}`, "-b", `${at.address}:${DHT_PORT}`];
  network.spawn(host, argv, { log: `${network.folder}/stranger.log` });
}

interface State {
  dht: { seenAs: { address: string; own: boolean }[]; requests: { kind: string; totalIn: number }[] };
  connections: { count: number };
}

/** Until a device is connected and nodes of the DHT have told which address they see. */
async function settled(kituo: KituoProcess): Promise<State> {
  return await kituo.until("a connection and an address", async () => {
    const state = await kituo.api<State>("GET", "/network");
    return state.connections.count > 0 && state.dht.seenAs.length > 0 && state;
  });
}

interopTest(
  "in the open: own address, strangers get in, and what a device of the same network proves is not called more",
  async () => {
    await using network = await Network.up();
    await using kituo = await KituoProcess.start(network, "kituo", { args: ["--peer-port", `${PEER_PORT}`] });
    await kituo.waitReady();
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    await askKituo(alice, kituo);
    const { dht: { seenAs } } = await settled(kituo);
    assert.deepEqual(seenAs.map(({ address, own }) => [address, own]), [[kituo.host.address, true]]);
    const { connections } = await kituo.api<{ connections: Record<string, unknown>[] }>("GET", "/network/connections");
    assert.equal(connections[0].jamiId, alice.uri);
    assert.match(`${connections[0].tls}`, /^TLSv1\.[23]$/);
    assert.ok(JSON.stringify(connections).includes('"messages"'), JSON.stringify(connections));
    await strangerKnocks(network, kituo.host);
    await kituo.until("a stranger", async () => {
      const checks = await testOf(kituo);
      return checks["udp-in"].verdict === "good" && checks;
    }, 120_000);
    const checks = await testOf(kituo);
    assert.deepEqual(said(checks["udp-out"]), ["good", "nodes-answer", "nothing"]);
    assert.deepEqual(said(checks["udp-in"]), ["good", "came-unasked", "nothing"]);
    assert.deepEqual(said(checks.address), ["good", "own-address", "nothing"]);
    assert.deepEqual(said(checks["tcp-in"]), ["unknown", "came-from-near", "allow-tcp-in-if-not"]);
    assert.deepEqual(said(checks["tcp-port"]), ["good", "port-fixed", "nothing"]);
    // the test has left the daemon and the node able to talk
    const { contacts } = await kituo.api<{ contacts: { conversationId: string }[] }>("GET", "/contacts");
    await alice.send(contacts[0].conversationId, "still here?");
    await kituo.until("the text", async () => {
      const path = `/conversations/${contacts[0].conversationId}/messages`;
      const { messages } = await kituo.api<{ messages: { body: string }[] }>("GET", path);
      return messages.some(({ body }) => body === "still here?");
    });
  },
);

interopTest(
  "behind a router: the device outside does not come through, and does once the advice was followed",
  async () => {
    await using network = await Network.up();
    const host = await network.hostBehindRouter();
    await network.forward(host, "tcp", HTTP_PORT); // for the tests themselves
    await using kituo = await KituoProcess.start(network, "kituo", { host, args: ["--peer-port", `${PEER_PORT}`] });
    await kituo.waitReady();
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    await askKituo(alice, kituo);
    await settled(kituo);
    await strangerKnocks(network, host.router);
    const before = await testOf(kituo);
    assert.deepEqual(said(before["udp-out"]), ["good", "nodes-answer", "nothing"]);
    assert.deepEqual(said(before["udp-in"]), ["unknown", "none-unasked-yet", "wait"]);
    assert.deepEqual(said(before.address), ["note", "translated", "nothing"]);
    assert.deepEqual(said(before["tcp-in"]), ["bad", "did-not-come", "forward-tcp"]);
    const { port, own, seen } = before["tcp-in"].values;
    assert.deepEqual([port, own, seen], [PEER_PORT, host.address, host.router.address]);
    await network.forward(host, "tcp", PEER_PORT);
    const after = await testOf(kituo);
    assert.deepEqual(said(after["tcp-in"]), ["good", "came-from-far", "nothing"]);
    assert.equal(after["tcp-in"].values.from, alice.host.address);
  },
);
