/** The public face of the own name server: exactly what Jami apps expect, whatever strangers send. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { NameServerApi, NameServerRecord, RegistrationResult } from "../../../core/node_api.ts";
import { NAME_LOOK_UP_BURST, NAME_REGISTER_BURST } from "../../../routes/constants.ts";
import { createNameServerApp } from "../../../routes/name_server.ts";
import { serveNames } from "../../../routes/serve.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { id } from "./fake_node.ts";

const RECORD: NameServerRecord = { name: "asha", addr: id(1), publickey: "a2V5", signature: "c2ln" };

/** A name server that knows Asha and answers each registration as it is told; what it was asked to register. */
function setUp(result: RegistrationResult = "registered") {
  const asked: unknown[] = [];
  const names: NameServerApi = {
    record: (name) => name.toLowerCase() === "asha" ? RECORD : null,
    nameOf: (jamiId) => jamiId.toLowerCase() === id(1) ? "asha" : null,
    register: (name, body) => (asked.push([name, body]), Promise.resolve(result)),
  };
  const clock = new VirtualClock();
  const app = createNameServerApp(names, clock);
  const ask = (method: string, path: string, body?: string, hostname = "192.0.2.1") =>
    app.request(path, { method, body }, { remoteAddr: { transport: "tcp", hostname, port: 1 } });
  return { ask, asked, clock, names };
}

async function told(response: Response | Promise<Response>): Promise<[number, unknown]> {
  const answer = await response;
  return [answer.status, await answer.json()];
}

Deno.test("look-ups are answered as daemons expect", async () => {
  const { ask } = setUp();
  for (const name of ["asha", "Asha"]) assert.deepEqual(await told(ask("GET", `/name/${name}`)), [200, RECORD]);
  for (const address of [id(1), `0x${id(1)}`]) {
    assert.deepEqual(await told(ask("GET", `/addr/${address}`)), [200, { name: "asha" }]);
  }
  assert.deepEqual(await told(ask("GET", "/name/juma")), [404, { error: "name not registered" }]);
  assert.deepEqual(await told(ask("GET", `/addr/${id(2)}`)), [404, { error: "address not registered" }]);
  for (const bad of ["ab", "x".repeat(33), "a%20b", "%C3%A9t%C3%A9", "%ff", "a%00b", "%"]) {
    assert.deepEqual(await told(ask("GET", `/name/${bad}`)), [400, { error: "invalid name" }], bad);
  }
  for (const bad of ["1", `${id(1)}0`, "g".repeat(40), `0x0x${id(1)}`]) {
    assert.deepEqual(await told(ask("GET", `/addr/${bad}`)), [400, { error: "invalid address" }], bad);
  }
});

const results: [RegistrationResult, number][] = [
  ["registered", 200],
  ["not a name", 400],
  ["incomplete", 400],
  ["not signed", 401],
  ["taken", 403],
  ["busy", 503],
];
for (const [result, status] of results) {
  Deno.test(`a registration that is ${result} gets ${status}`, async () => {
    const { ask, asked } = setUp(result);
    const [code, answer] = await told(ask("POST", "/name/Asha", '{"addr":"x"}'));
    assert.equal(code, status);
    if (status === 200) assert.deepEqual(answer, { success: true });
    else assert.equal(typeof answer === "object" && answer && "success" in answer && answer.success, false);
    assert.deepEqual(asked, [["Asha", { addr: "x" }]]);
  });
}

Deno.test("what is no JSON is passed on as nothing, what is too large not at all", async () => {
  const { ask, asked } = setUp("incomplete");
  for (const body of [undefined, "", "{", "\0"]) assert.equal((await ask("POST", "/name/asha", body)).status, 400);
  assert.deepEqual(asked, Array(4).fill(["asha", null]));
  assert.equal((await ask("POST", "/name/asha", "x".repeat(20_000))).status, 413);
  assert.equal(asked.length, 4);
});

Deno.test("nothing else is there", async () => {
  const { ask } = setUp();
  const others = [["GET", "/"], ["GET", "/api/v1/node"], ["GET", "/name/"], ["GET", "/name/asha/x"], [
    "PUT",
    "/name/asha",
  ]];
  for (const [method, path] of [...others, ["DELETE", "/name/asha"], ["POST", `/addr/${id(1)}`]]) {
    assert.deepEqual(await told(ask(method, path)), [404, { error: "not found" }], `${method} ${path}`);
  }
});

Deno.test("who asks too often waits, alone; IPv6 addresses of one network are one", async () => {
  const { ask, clock } = setUp();
  const status = async (host: string, method = "GET") => (await ask(method, "/name/asha", undefined, host)).status;
  for (let n = 0; n < NAME_LOOK_UP_BURST; n++) assert.equal(await status("192.0.2.1"), 200);
  assert.equal(await status("192.0.2.1"), 429);
  assert.equal(await status("::ffff:192.0.2.1"), 429);
  assert.equal(await status("192.0.2.2"), 200);
  await clock.advance(1_000);
  assert.equal(await status("192.0.2.1"), 200);
  const network = ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:0:1:2:3:4"];
  for (let n = 0; n < NAME_REGISTER_BURST; n++) assert.equal(await status(network[n % 3], "POST"), 200);
  for (const address of network) assert.equal(await status(address, "POST"), 429);
  assert.equal(await status("2001:db8:0:1::1", "POST"), 200);
  assert.equal(await status("2001:db8::1"), 200, "look-ups have their own limit");
});

Deno.test("any path and body is answered with a status of the client or of success", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "HEAD", "PATCH"),
      fc.constantFrom("/name/", "/addr/", "/"),
      fc.string({ unit: "binary" }),
      fc.string(),
      async (method, start, rest, body) => {
        const sent = method === "POST" || method === "PATCH" ? body : undefined;
        const { ask } = setUp("incomplete");
        const { status } = await ask(method, start + encodeURIComponent(rest.toWellFormed()), sent);
        assert.ok(status < 500, `${status}`);
      },
    ),
    { numRuns: 1_000 },
  ));

Deno.test("over a real socket: it is asked as a daemon asks, and closes", async () => {
  const face = serveNames(setUp().names, { host: "127.0.0.1", port: 0 });
  const answer = await fetch(`${face.url}/name/asha`, { headers: { "content-type": "application/json" } });
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  assert.deepEqual(await told(answer), [200, RECORD]);
  await face.close();
  await face.finished;
});
