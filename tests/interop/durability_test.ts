/** How a node starts and stops, as a service manager sees it: exit codes, single lines, one node to a folder. */

import assert from "node:assert/strict";
import { people } from "./driver/daemon.ts";
import { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";

const STOP_LIMIT = 5_000; // ms, as promised
const START = ["bash", new URL("../../core/start.sh", import.meta.url).pathname];

interopTest("SIGTERM and SIGINT end a node with live connections in order: within 5 s, exit code 0", async () => {
  await using network = await Network.up();
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await using kituo = await openNode(network);
  await addNode(alice, kituo);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    if (!kituo.running) await kituo.start();
    await kituo.until("Alice", async () => (await kituo.api<{ connections: number }>("GET", "/node")).connections > 0);
    const began = performance.now();
    const { code } = await kituo.end(signal);
    assert.equal(code, 0);
    assert(performance.now() - began < STOP_LIMIT);
  }
});

interopTest(
  "a second node on the same folder is refused with one line and exit code 1, and the first goes on",
  async () => {
    await using network = await Network.up();
    await using kituo = await KituoProcess.start(network);
    const { code, lines } = await run(network, kituo, [
      "--data",
      kituo.data,
      "--http",
      "127.0.0.1:8043",
      "--dht-port",
      "0",
    ]);
    assert.equal(code, 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /^Kituo cannot start: .*in use/);
    assert.equal((await kituo.request("GET", "/healthz")).status, 200);

    await kituo.kill();
    await kituo.start(); // the lock of a killed node does not keep the next one out
  },
);

interopTest("wrong settings end at once with one line that names them, and exit code 2", async () => {
  await using network = await Network.up();
  await using kituo = await KituoProcess.start(network); // a host with a data folder
  const wrong: [string[], Record<string, string>, RegExp][] = [
    [["--accept-requests", "everybody"], {}, /--accept-requests|acceptRequests/],
    [["--http", "nowhere"], {}, /--http/],
    [["--dht-port", "70000"], {}, /--dht-port/],
    [["--peer-port", "-1"], {}, /--peer-port/],
    [["--public-address", "example"], {}, /--public-address/],
    [["--bootstrap", ""], {}, /--bootstrap/],
    [["--log-level", "loud"], {}, /--log-level/],
    [["--no-such-flag"], {}, /--no-such-flag/],
    [["stray"], {}, /stray/],
    [[], { KITUO_HTTP: "nowhere" }, /KITUO_HTTP/],
  ];
  for (const [args, env, names] of wrong) {
    const { code, lines } = await run(network, kituo, ["--data", `${network.folder}/other`, ...args], env);
    assert.deepEqual([code, lines.length], [2, 1], `${args}: ${lines.join("\n")}`);
    assert.match(lines[0], names);
  }
  assert.equal(await Deno.stat(`${network.folder}/other`).catch(() => null), null);
});

interopTest(
  "a port or folder that cannot be had ends the start with one line that names its setting, and exit code 1",
  async () => {
    await using network = await Network.up();
    await using kituo = await KituoProcess.start(network, "kituo", { args: ["--peer-port", "4300"] });
    const other = ["--bootstrap", "none", "--http", "127.0.0.1:0"];
    const data = ["--data", `${network.folder}/other`];
    const cases: [string[], RegExp][] = [
      [[...data, ...other, "--dht-port", "4222"], /4222 \(--dht-port\)/],
      [[...data, ...other, "--dht-port", "0", "--peer-port", "4300"], /4300 \(--peer-port\)/],
      [[...data, "--bootstrap", "none", "--dht-port", "0", "--http", "0.0.0.0:8042"], /8042 \(--http\)/],
      [["--data", "/proc", ...other, "--dht-port", "0"], /\/proc \(--data\)/],
      [["--data", "/sys", ...other, "--dht-port", "0"], /\/sys \(--data\)/], // where nobody may write
    ];
    for (const [args, names] of cases) {
      const { code, lines, log } = await run(network, kituo, args);
      assert.deepEqual([code, lines.length], [1, 1], `${args}: ${lines.join("\n")}`);
      assert.match(lines[0], names);
      assert.deepEqual(log, [], "nothing else on standard error");
    }
  },
);

interopTest("a damaged database ends the start with one line that names the repair, which works", async () => {
  await using network = await Network.up();
  await using kituo = await KituoProcess.start(network);
  const { jamiId } = kituo;
  await kituo.stop();
  const path = `${kituo.data}/kituo.db`;
  const sound = await Deno.readFile(path);
  const { length } = sound;
  for (const bytes of [sound.slice().fill(0xa5), sound.slice().fill(0xa5, 4_096), sound.slice(0, length / 2)]) {
    await Deno.writeFile(path, bytes);
    const args = ["--data", kituo.data, "--bootstrap", "none", "--http", "127.0.0.1:0"];
    const { code, lines, log } = await run(network, kituo, args);
    assert.deepEqual([code, lines.length, log], [1, 1, []], lines.join("\n"));
    assert.match(lines[0], /^Kituo cannot start: the database is damaged: .*deno task reindex/);
  }
  const repair = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "reindex", "--data", kituo.data],
    cwd: new URL("../../", import.meta.url),
  });
  const { code, stdout } = await repair.output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stdout), /kituo\.db\.damaged-/);
  await kituo.start();
  assert.equal(kituo.jamiId, jamiId);
});

/** Runs a node on the host of another one to its end: its exit code, and what it said. */
async function run(network: Network, { host }: KituoProcess, args: string[], env: Record<string, string> = {}) {
  const log = await Deno.makeTempFile({ dir: network.folder });
  const lines: string[] = [];
  const { code } = await network.spawn(host, [...START, ...args], {
    log,
    env: { HOME: Deno.env.get("HOME") ?? "", NO_COLOR: "1", DENO: Deno.execPath(), ...env },
    onLine: (line) => lines.push(line),
  }).ended;
  const said = (await Deno.readTextFile(log)).split("\n").filter((line) => line !== "");
  const errors = said.filter((line) => !line.startsWith("{"));
  return { code, lines: [...lines, ...errors], log: said.filter((line) => line.startsWith("{")) };
}
