import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { Dht } from "../../../core/dht/dht.ts";
import { udpSockets } from "../../../core/dht/socket.ts";
import { SimNetwork } from "./sim.ts";

Deno.test("a port that another program has ends the start, even if it is free in the other family", async () => {
  const node = (port: number, hosts: { 4?: string; 6?: string }) =>
    new Dht({ port, bootstrap: [], clock: systemClock, random: systemRandom, socket: udpSockets(hosts) });
  const both = { 4: "127.0.0.1", 6: "::1" };
  for (const taken of [{ 4: "127.0.0.1" }, { 6: "::1" }]) {
    const first = node(0, taken);
    await first.start();
    const second = node(first.port, both);
    await assert.rejects(second.start(), /EADDRINUSE/);
    await second.stop();
    await first.stop();
    const third = node(first.port, both); // nothing of the second is left
    await third.start();
    await third.stop();
  }
});

Deno.test("a bootstrap host without an address is told once, as a warning with its reason", async () => {
  const records: LogRecord[] = [];
  const told = Promise.withResolvers<void>();
  await configure({
    sinks: { here: (record) => (records.push(record), told.resolve()) },
    loggers: [
      { category: ["kituo"], sinks: ["here"], lowestLevel: "warning" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  try {
    const network = new SimNetwork(1);
    const node = network.node({ bootstrap: ["no-such-host.invalid:4222"] });
    await node.start();
    await told.promise;
    for (let times = 0; times < 5; times++) {
      await network.clock.advance(60_000);
      await node.test(); // a look-up that is under way is waited for: the system's resolver knows no virtual time
    }
    await node.stop();
    assert.deepEqual(records.map(({ level, rawMessage }) => [level, rawMessage]), [
      ["warning", "not connected to the DHT yet: bootstrap host {host} cannot be resolved: {error}"],
    ]);
    assert.equal(typeof records[0].properties.error, "string");
  } finally {
    await reset();
  }
});
