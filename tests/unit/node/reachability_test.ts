import assert from "node:assert/strict";
import { type Facts, judge } from "../../../core/node_reachability.ts";

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const nobody = { count: 0, last: 0, from: "" };

/** A node behind a router that nobody has tried to reach; `changes` are what is different. */
function behindRouter(changes: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    asked: 9,
    answered: 8,
    unasked: { count: 0, last: 0, since: NOW - MINUTE },
    nodes: 40,
    own: ["192.168.1.2", "fd00::2"],
    seen: ["203.0.113.7"],
    configured: [],
    udpPort: 4222,
    tcpPort: 40_123,
    isTcpPortFixed: false,
    incoming: { near: nobody, far: nobody },
    probes: [],
    ...changes,
  };
}

/** The same without a router. */
function inTheOpen(changes: Partial<Facts> = {}): Facts {
  return behindRouter({ own: ["203.0.113.7"], ...changes });
}

function outcome(facts: Facts, id: string) {
  const found = judge(facts).find((check) => check.id === id) ?? assert.fail(id);
  return [found.verdict, found.finding, found.advice];
}

const far = { near: false, result: { outcome: "connected" as const, from: "198.51.100.1" } };
const nearby = { near: true, result: { outcome: "connected" as const, from: "192.168.1.9" } };
const failed = { near: false, result: { outcome: "nothing came" as const } };
const silent = { near: false, result: { outcome: "no answer" as const } };

Deno.test("UDP out: an answer is proof, silence is not a proof of anything but itself, and nobody to ask is no silence", () => {
  assert.deepEqual(outcome(behindRouter(), "udp-out"), ["good", "nodes-answer", "nothing"]);
  assert.deepEqual(outcome(behindRouter({ answered: 0 }), "udp-out"), ["bad", "no-node-answers", "allow-udp-out"]);
  const alone = behindRouter({ asked: 0, answered: 0 });
  assert.deepEqual(outcome(alone, "udp-out"), ["unknown", "no-node-known", "set-bootstrap"]);
});

Deno.test("UDP in: a stranger's packet is proof; its absence says something only after a while, and the advice depends on the router", () => {
  const came = { count: 3, last: NOW, since: NOW - MINUTE };
  assert.deepEqual(outcome(behindRouter({ unasked: came }), "udp-in"), ["good", "came-unasked", "nothing"]);
  assert.deepEqual(outcome(behindRouter(), "udp-in"), ["unknown", "none-unasked-yet", "wait"]);
  const long = { count: 0, last: 0, since: NOW - 20 * MINUTE };
  assert.deepEqual(outcome(behindRouter({ unasked: long }), "udp-in"), ["bad", "none-unasked", "forward-udp"]);
  assert.deepEqual(outcome(inTheOpen({ unasked: long }), "udp-in"), ["bad", "none-unasked", "allow-udp-in"]);
  const few = behindRouter({ unasked: long, nodes: 5 });
  assert.deepEqual(outcome(few, "udp-in"), ["unknown", "none-unasked-yet", "wait"]);
  const cutOff = behindRouter({ unasked: long, answered: 0 });
  assert.deepEqual(outcome(cutOff, "udp-in"), ["unknown", "none-unasked-yet", "wait"]);
});

Deno.test("the address: an own one, a router's, one that the settings get wrong, or none that anybody has told", () => {
  assert.deepEqual(outcome(inTheOpen(), "address"), ["good", "own-address", "nothing"]);
  assert.deepEqual(outcome(behindRouter(), "address"), ["note", "translated", "nothing"]);
  assert.deepEqual(outcome(behindRouter({ seen: [] }), "address"), ["unknown", "address-unknown", "wait"]);
  const wrong = behindRouter({ configured: ["203.0.113.8"] });
  assert.deepEqual(outcome(wrong, "address"), ["bad", "address-differs", "correct-public-address"]);
  assert.deepEqual(outcome(behindRouter({ configured: ["203.0.113.7"] }), "address")[1], "translated");
  assert.deepEqual(outcome(behindRouter({ configured: ["2001:db8::1"] }), "address")[1], "translated");
});

Deno.test("TCP in: what a device outside did decides, what one inside did proves only that a router forwards", () => {
  const tcp = (facts: Facts) => outcome(facts, "tcp-in");
  assert.deepEqual(tcp(behindRouter({ probes: [far, failed] })), ["good", "came-from-far", "nothing"]);
  assert.deepEqual(tcp(behindRouter({ probes: [failed] })), ["bad", "did-not-come", "forward-tcp"]);
  assert.deepEqual(tcp(inTheOpen({ probes: [failed] })), ["bad", "did-not-come", "allow-tcp-in"]);
  assert.deepEqual(tcp(behindRouter({ probes: [nearby] })), ["good", "came-through-router", "nothing"]);
  assert.deepEqual(tcp(inTheOpen({ probes: [nearby] })), ["unknown", "came-from-near", "allow-tcp-in-if-not"]);
  assert.deepEqual(tcp(behindRouter({ probes: [silent] })), ["unknown", "nobody-answered", "forward-tcp-if-not"]);
  assert.deepEqual(tcp(behindRouter()), ["unknown", "nobody-to-ask", "forward-tcp-if-not"]);
  assert.deepEqual(tcp(inTheOpen()), ["unknown", "nobody-to-ask", "allow-tcp-in-if-not"]);
});

Deno.test("a connection that came from outside counts when nobody could be asked now; a failure now outweighs it", () => {
  const before = { near: nobody, far: { count: 2, last: NOW - MINUTE, from: "198.51.100.9" } };
  assert.deepEqual(outcome(behindRouter({ incoming: before }), "tcp-in")[0], "good");
  assert.deepEqual(outcome(behindRouter({ incoming: before, probes: [silent] }), "tcp-in")[0], "good");
  assert.deepEqual(outcome(behindRouter({ incoming: before, probes: [failed] }), "tcp-in")[0], "bad");
});

Deno.test("the advice names the port, the machine and the address that a router needs", () => {
  const { values } = judge(behindRouter({ probes: [failed] })).find(({ id }) => id === "tcp-in") ?? assert.fail();
  assert.deepEqual([values.port, values.own, values.seen], [40_123, "192.168.1.2", "203.0.113.7"]);
  assert.deepEqual(outcome(behindRouter(), "tcp-port"), ["note", "port-changes", "set-peer-port"]);
  assert.deepEqual(outcome(behindRouter({ isTcpPortFixed: true }), "tcp-port"), ["good", "port-fixed", "nothing"]);
});
