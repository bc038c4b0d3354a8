import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { NodeError } from "../../../core/node_api.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { problemOf, setUp, TOKEN } from "./support.ts";

Deno.test("health needs no token and tells nothing", async () => {
  const { app, node } = setUp();
  assert.deepEqual(await (await app.request("/healthz")).json(), { status: "ok" });
  assert.equal((await app.request("/readyz")).status, 200);
  node.announced = false;
  assert.match(await problemOf(app.request("/readyz"), 503), /announced/);
  node.dht = false;
  assert.match(await problemOf(app.request("/readyz"), 503), /DHT/);
  assert.equal((await app.request("/healthz")).status, 200);
});

Deno.test("GET /node is the node", async () => {
  const { ask, node } = setUp();
  const response = await ask("GET", "/node");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), node.info());
});

Deno.test("a request is listed, answered once, and gone", async () => {
  for (const [word, result] of [["accept", "accepted"], ["decline", "declined"], ["block", "blocked"]]) {
    const { ask } = setUp();
    const { requests, next } = await (await ask("GET", "/requests")).json();
    assert.equal(next, null);
    assert.equal(requests[0].title, "Asha");
    const response = await ask("POST", `/requests/${requests[0].id}/${word}`);
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { id: id(1), result });
    assert.match(await problemOf(ask("POST", `/requests/${id(1)}/${word}`), 404), /no such request/);
    assert.deepEqual(await (await ask("GET", "/requests")).json(), { requests: [], next: null });
  }
});

Deno.test("contacts are added, paged and removed", async () => {
  const { ask } = setUp();
  for (const n of [3, 1, 2]) {
    const response = await ask("POST", "/contacts", { jamiId: `jami:${id(n).toUpperCase()}` });
    assert.equal(response.status, 201);
    assert.equal((await response.json()).jamiId, id(n));
  }
  const first = await (await ask("GET", "/contacts?limit=2")).json();
  assert.deepEqual(first.contacts.map((c: { jamiId: string }) => c.jamiId), [id(1), id(2)]);
  const second = await (await ask("GET", `/contacts?limit=2&after=${first.next}`)).json();
  assert.deepEqual([second.contacts.length, second.contacts[0].jamiId, second.next], [1, id(3), null]);
  const removed = await ask("DELETE", `/contacts/${id(1)}`);
  assert.deepEqual([removed.status, await removed.text()], [204, ""]);
  await problemOf(ask("DELETE", `/contacts/${id(1)}`), 404);
});

Deno.test("conversations: the list counts members, one conversation names them", async () => {
  const { ask } = setUp();
  const { conversations } = await (await ask("GET", "/conversations")).json();
  const waiting = { messages: 3, devices: 1 };
  assert.deepEqual(conversations, [
    { id: CONVERSATION, mode: 2, state: "active", title: "Pwani", members: 1, commits: 0, lastActivity: null, waiting },
  ]);
  const detail = await (await ask("GET", `/conversations/${CONVERSATION}`)).json();
  assert.deepEqual(detail.members[0].devices, [
    { deviceId: "e".repeat(64), lag: null, online: false, lastSeen: null, banned: false, ban: null },
    { deviceId: "f".repeat(64), lag: 3, online: true, lastSeen: 1_790_000_000, banned: false, ban: null },
  ]);
  await problemOf(ask("GET", `/conversations/${id(5)}`), 404);
});

Deno.test("groups are made, named, and left", async () => {
  const { ask, node } = setUp();
  const made = await ask("POST", "/conversations", { mode: "public", title: "Soko" });
  assert.deepEqual([made.status, (await made.json()).title], [201, "Soko"]);
  const path = `/conversations/${CONVERSATION}`;
  const defaultHost = { jamiId: id(9), deviceId: "d".repeat(64) };
  for (const changes of [{ description: "d" }, { avatar: btoa("x") }, { defaultHost }, { title: "" }]) {
    assert.equal((await ask("PATCH", path, changes)).status, 200);
  }
  const { title, description, avatar, defaultHost: host } = await (await ask("GET", path)).json();
  assert.deepEqual([title, description, avatar, host], ["", "d", btoa("x"), defaultHost]);
  assert.equal((await (await ask("PATCH", path, { defaultHost: null })).json()).defaultHost, null);
  await problemOf(ask("PATCH", path, { title: "not mine" }), 403);
  await problemOf(ask("PATCH", `/conversations/${id(5)}`, {}), 404);
  assert.equal((await ask("POST", `${path}/leave`)).status, 204);
  assert.deepEqual(node.deeds, ["create public", "leave"]);
});

Deno.test("members are invited, banned and un-banned, devices too", async () => {
  const { ask, node } = setUp();
  const path = `/conversations/${CONVERSATION}`;
  const invited = await ask("POST", `${path}/members`, { jamiId: `jami:${id(3)}` });
  assert.deepEqual([invited.status, (await invited.json()).role], [201, "invited"]);
  assert.match(await problemOf(ask("POST", `${path}/members`, { jamiId: id(2) }), 409), /already/);
  const device = "d".repeat(64);
  const done = [
    ["DELETE", `/members/${id(3)}?reason=spam%20again`],
    ["POST", `/members/${id(3)}/unban`],
    ["DELETE", `/devices/${device}`],
    ["POST", `/devices/${device}/unban`],
  ];
  for (const [method, rest] of done) assert.equal((await ask(method, path + rest)).status, 204, rest);
  assert.deepEqual(node.deeds, [
    `invite ${id(3)}`,
    `ban ${id(3)} spam again`,
    `unban ${id(3)}`,
    `ban ${device}`,
    `unban ${device}`,
  ]);
  await problemOf(ask("DELETE", `/conversations/${id(5)}/members/${id(3)}`), 404);
});

Deno.test("messages are posted and read newest first, 50 at a time unless asked otherwise", async () => {
  const { ask } = setUp();
  const path = `/conversations/${CONVERSATION}/messages`;
  for (let n = 0; n < 60; n++) assert.equal((await ask("POST", path, { body: `${n}` })).status, 201);
  const read = async (query: string): Promise<{ id: string; body: string }[]> =>
    (await (await ask("GET", path + query)).json()).messages;
  const newest = await read("");
  assert.deepEqual([newest.length, newest[0].body, newest[49].body], [50, "59", "10"]);
  assert.deepEqual((await read(`?before=${newest[49].id}&limit=2`)).map((m) => m.body), ["9", "8"]);
  const at = newest[49];
  assert.deepEqual((await read(`?after=${at.id}&limit=2`)).map((m) => m.body), [newest[47].body, newest[48].body]);
  assert.deepEqual(await read(`?after=${newest[0].id}`), []);
  await problemOf(ask("GET", `/conversations/${CONVERSATION}/messages?after=${at.id}&before=${at.id}`), 400);
  assert.equal((await read("?limit=500")).length, 60);
});

Deno.test("files are listed in pages, and the room they take", async () => {
  const { ask, node } = setUp();
  const path = `/conversations/${CONVERSATION}/files`;
  const first = await (await ask("GET", `${path}?limit=1`)).json();
  assert.deepEqual(first, { files: node.sent.slice(0, 1), next: node.sent[0].id });
  const second = await (await ask("GET", `${path}?after=${first.next}`)).json();
  assert.deepEqual(second, { files: node.sent.slice(1), next: null });
  await problemOf(ask("GET", `/conversations/${id(5)}/files`), 404);
  assert.deepEqual(await (await ask("GET", "/storage")).json(), node.storage());
});

Deno.test("messages are searched in one conversation and in all, with conditions checked", async () => {
  const { ask, node } = setUp();
  for (const body of ["chai", "kahawa", "chai tena"]) {
    await ask("POST", `/conversations/${CONVERSATION}/messages`, { body });
  }
  const find = async (path: string): Promise<{ conversationId: string; message: { body: string; entry: unknown } }[]> =>
    (await (await ask("GET", path)).json()).results;
  const results = await find(`/conversations/${CONVERSATION}/search?q=chai&author=${id(9)}&type=text%2Fplain&after=1`);
  assert.deepEqual(results.map(({ message }) => message.body), ["chai tena", "chai"]);
  assert.deepEqual(results[0], { conversationId: CONVERSATION, message: node.posts[2] });
  assert.deepEqual((await find("/search?q=chai&limit=1&before=1790000009")).map(({ message }) => message.body), [
    "chai tena",
  ]);
  assert.deepEqual(await find("/search?q=%22%20OR%20*"), []);
  await problemOf(ask("GET", `/conversations/${id(5)}/search?q=chai`), 404);
});

Deno.test("what the node refuses has the status of its kind, and its sentence", async () => {
  const { ask } = setUp();
  const path = `/conversations/${CONVERSATION}/messages`;
  assert.match(await problemOf(ask("POST", path, { body: "too early" }), 409), /still being cloned/);
  assert.match(await problemOf(ask("POST", path, { body: "banned" }), 403), /not a member/);
  assert.match(await problemOf(ask("POST", "/contacts", { jamiId: id(9) }), 400), /own contact/);
});

Deno.test("every text that a peer can take is posted as it is", async () => {
  const { ask, node } = setUp();
  const path = `/conversations/${CONVERSATION}/messages`;
  for (const body of ["\u{1f980}", " \n\t.", "\u0001\ufffd\u202e", "x".repeat(16_000)]) {
    assert.equal((await ask("POST", path, { body })).status, 201);
    assert.equal(node.posts.at(-1)?.body, body);
  }
});

Deno.test("a full disk is told as such, whether SQLite or a file met it, and however it was wrapped", async () => {
  const { ask, node } = setUp();
  const fullDisks = [fullDatabase(), fullFile(), new Error("the commit", { cause: fullFile() })];
  for (const cause of [...fullDisks, new NodeError("conflict", "not written", { cause: fullFile() })]) {
    node.failure = cause;
    assert.match(
      await problemOf(ask("POST", `/conversations/${CONVERSATION}/messages`, { body: "x" }), 507),
      /disk is full/,
    );
  }
});

/** What SQLite says when it has no more room. */
function fullDatabase(): unknown {
  using db = new DatabaseSync(":memory:");
  db.exec("PRAGMA max_page_count = 2; CREATE TABLE notes (text)");
  return thrownBy(() => db.prepare("INSERT INTO notes VALUES (?)").run("x".repeat(100_000)));
}

/** What a write to a full disk says. */
function fullFile(): unknown {
  return thrownBy(() => Deno.writeTextFileSync("/dev/full", "x"));
}

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("what fails inside is not told", async () => {
  const detail = await problemOf(setUp().ask("POST", "/contacts", { jamiId: id(0xbad) }), 500);
  assert.doesNotMatch(detail, /secret|fire/);
});

const malformed: [string, string, unknown, number][] = [
  ["GET", "/conversations/xyz", undefined, 400],
  ["GET", `/conversations/${id(1).slice(1)}`, undefined, 400],
  ["GET", `/conversations/${id(0xa).toUpperCase()}`, undefined, 400],
  ["DELETE", "/contacts/..%2f..%2fetc", undefined, 400],
  ["POST", `/requests/${"z".repeat(40)}/accept`, undefined, 400],
  ["GET", "/contacts?limit=0", undefined, 400],
  ["GET", "/contacts?limit=1001", undefined, 400],
  ["GET", "/contacts?limit=1e2", undefined, 400],
  ["GET", "/contacts?limit=1&limit=2", undefined, 400],
  ["GET", "/contacts?after=1", undefined, 400],
  ["GET", "/contacts?offset=1", undefined, 400],
  ["GET", `/conversations/${CONVERSATION}/messages?limit=501`, undefined, 400],
  ["GET", `/conversations/${CONVERSATION}/messages?before=x`, undefined, 400],
  ["GET", `/conversations/${CONVERSATION}/messages?view=all`, undefined, 400],
  ["GET", "/search", undefined, 400],
  ["GET", "/search?q=", undefined, 400],
  ["GET", `/search?q=${"x".repeat(201)}`, undefined, 400],
  ["GET", "/search?q=x&limit=101", undefined, 400],
  ["GET", "/search?q=x&after=yesterday", undefined, 400],
  ["GET", "/search?q=x&before=-1", undefined, 400],
  ["GET", "/search?q=x&author=alice", undefined, 400],
  ["GET", "/search?q=x&q=y", undefined, 400],
  ["GET", `/conversations/${CONVERSATION}/search?q=x&regex=.*`, undefined, 400],
  ["DELETE", `/conversations/${CONVERSATION}/members/x`, undefined, 400],
  ["DELETE", `/conversations/${CONVERSATION}/members/${id(1)}?reason=${"x".repeat(501)}`, undefined, 400],
  ["DELETE", `/conversations/${CONVERSATION}/devices/${id(1)}`, undefined, 400],
  ["POST", "/conversations", {}, 422],
  ["POST", "/conversations", { mode: 2 }, 422],
  ["POST", "/conversations", { mode: "one-to-one" }, 422],
  ["POST", "/conversations", { mode: "public", title: "a\nb" }, 422],
  ["POST", "/conversations", { mode: "public", title: "x".repeat(257) }, 422],
  ["POST", "/conversations", { mode: "public", title: "\0" }, 422],
  ["POST", "/conversations", { mode: "public", description: "\ud800" }, 422],
  ["POST", `/conversations/${CONVERSATION}/members`, { jamiId: id(0) }, 422],
  ["PATCH", `/conversations/${CONVERSATION}`, { avatar: "no base64!" }, 422],
  ["PATCH", `/conversations/${CONVERSATION}`, { avatar: "A".repeat(48_004) }, 422],
  ["PATCH", `/conversations/${CONVERSATION}`, { mode: "public" }, 422],
  ["PATCH", `/conversations/${CONVERSATION}`, { defaultHost: { jamiId: id(1) } }, 422],
  ["POST", `/conversations/${CONVERSATION}/members`, { jamiId: "nobody" }, 422],
  ["POST", "/contacts", {}, 422],
  ["POST", "/contacts", [], 422],
  ["POST", "/contacts", null, 422],
  ["POST", "/contacts", { jamiId: "nobody" }, 422],
  ["POST", "/contacts", { jamiId: id(1), role: "admin" }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: "" }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: 5 }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: "x".repeat(16_001) }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: "half a pair: \ud83d" }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: "\udc00\ud800" }, 422],
  ["POST", `/conversations/${CONVERSATION}/messages`, { body: "cut\0here" }, 422],
  ["POST", "/contacts", { jamiId: id(0) }, 422],
  ["POST", "/contacts", { jamiId: `jami:${id(0)}` }, 422],
];

for (const [method, path, body, status] of malformed) {
  Deno.test(`refused: ${method} ${path} ${JSON.stringify(body)?.slice(0, 40) ?? ""}`, async () => {
    await problemOf(setUp().ask(method, path, body), status);
  });
}

Deno.test("a body must be JSON, be called JSON, be there, and be small", async () => {
  const { app, node } = setUp();
  const send = (body: string | undefined, type?: string, headers = {}) =>
    app.request("/api/v1/contacts", {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, ...type && { "content-type": type }, ...headers },
      body,
    });
  const good = JSON.stringify({ jamiId: id(1) });
  assert.match(await problemOf(send("{", "application/json"), 400), /JSON/);
  await problemOf(send(good, "text/plain"), 415);
  await problemOf(send(good, "application/x-www-form-urlencoded"), 415);
  await problemOf(send(undefined), 422);
  await problemOf(send(`"${"x".repeat(65_536)}"`, "application/json"), 413);
  await problemOf(send(good, "application/json", { "content-length": "70000" }), 413);
  assert.equal(node.known.size, 0);
  assert.equal((await send(good, "application/json; charset=utf-8")).status, 201);
});

Deno.test("a body that does not say how long it is stops at the limit", async () => {
  const { app } = setUp();
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 4096;
      if (sent > 10_000_000) controller.error(new Error("read on and on"));
      else controller.enqueue(new Uint8Array(4096).fill(0x20));
    },
  });
  const response = app.request("/api/v1/contacts", {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: endless,
  });
  await problemOf(response, 413);
  assert.ok(sent < 200_000, `${sent} bytes were read`);
});

Deno.test("unknown paths and methods are told apart", async () => {
  const { app, ask } = setUp();
  await problemOf(ask("GET", "/nothing"), 404);
  await problemOf(app.request("/nothing"), 404);
  await problemOf(app.request("/../../etc/passwd"), 404);
  const response = await ask("PUT", "/contacts");
  assert.equal(response.headers.get("allow"), "GET, HEAD, POST");
  await problemOf(response, 405);
  await problemOf(ask("POST", `/contacts/${id(1)}`), 405);
  await problemOf(app.request("/healthz", { method: "POST" }), 405);
});

Deno.test("pages of other sites are refused, those of this host are not", async () => {
  const { app } = setUp();
  const from = (origin: string, host = "127.0.0.1:8042") =>
    app.request(`http://${host}/api/v1/node`, { headers: { authorization: `Bearer ${TOKEN}`, origin, host } });
  assert.equal((await from("http://127.0.0.1:8042")).status, 200);
  assert.equal((await from("https://console.example", "Console.Example")).status, 200);
  for (const origin of ["http://evil.example", "http://127.0.0.1:9999", "null", "", "http://127.0.0.1:8042/x"]) {
    await problemOf(from(origin), 403);
  }
});

Deno.test("every answer tells browsers to do nothing with it", async () => {
  const { app, ask } = setUp();
  for (const response of [await app.request("/"), await ask("GET", "/node"), await ask("GET", "/none")]) {
    const csp = response.headers.get("content-security-policy") ?? "";
    assert.match(csp, /default-src 'none'/);
    assert.match(csp, /frame-ancestors 'none'/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal(response.headers.get("strict-transport-security"), null);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  }
});

Deno.test("a blank title is refused once", async () => {
  const { ask } = setUp();
  for (const title of ["", "  ", "\u200b"]) {
    const detail = await problemOf(ask("POST", "/conversations", { mode: "public", title }), 422);
    assert.equal(detail.match(/blank/g)?.length, 1, detail);
  }
});
