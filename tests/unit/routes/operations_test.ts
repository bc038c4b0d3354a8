import assert from "node:assert/strict";
import type { LogRecord } from "@logtape/logtape";
import type { LogEntry } from "../../../core/node_api.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

function logged(level: LogRecord["level"], text: string, category = ["kituo", "relay"]): LogRecord {
  return { level, category, message: [text], rawMessage: text, properties: {}, timestamp: 1_790_000_000_500 };
}

Deno.test("a back-up is asked for with a passphrase and fetched once; both are in the audit trail, the passphrase is not", async () => {
  const { ask, node, app } = setUp();
  const { secret } = await session(node, "owner");
  const headers = browser(secret);
  assert.match(await problemOf(ask("POST", "/backups", { passphrase: "short" }), 400), /at least 12/);
  await problemOf(ask("POST", "/backups", {}), 422);
  const offered = await app.request("/api/v1/backups", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ passphrase: "nine blue herons", files: false }),
  });
  assert.equal(offered.status, 201);
  const { id, name, files } = await offered.json();
  assert.equal(files, false);
  const answer = await app.request(`/api/v1/backups/${id}`, { headers });
  assert.equal(answer.headers.get("content-type"), "application/octet-stream");
  assert.equal(answer.headers.get("content-disposition"), `attachment; filename="${name}"`);
  assert.equal(await answer.text(), "sealed");
  await problemOf(app.request(`/api/v1/backups/${id}`, { headers }), 404);
  const trail = node.admins.audit({ action: "backup." }, 10);
  assert.deepEqual(trail.map(({ action, actor, target }) => [action, actor, target]), [
    ["backup.fetch", "some owner", name],
    ["backup.create", "some owner", name],
  ]);
  assert.equal(JSON.stringify(trail).includes("herons"), false);
  assert.deepEqual(await (await ask("GET", "/backups")).json(), { schedule: null });
});

Deno.test("the log: newest first, by weight and words, in pages, and as a file", async () => {
  const { ask, node } = setUp();
  node.logs.add(logged("info", "connected with 12ab"));
  node.logs.add(logged("warning", "12ab sent a malformed packet", ["kituo", "dht"]));
  node.logs.add(logged("debug", "routine"));
  node.logs.add(logged("fatal", "all is lost"));
  const texts = async (query: string) => {
    const { records } = await (await ask("GET", `/logs${query}`)).json();
    return records.map(({ text }: LogEntry) => text);
  };
  assert.deepEqual(await texts(""), ["all is lost", "routine", "12ab sent a malformed packet", "connected with 12ab"]);
  assert.deepEqual(await texts("?level=warning"), ["all is lost", "12ab sent a malformed packet"]);
  assert.deepEqual(await texts("?q=DHT%2012AB"), ["12ab sent a malformed packet"]);
  const { records, next } = await (await ask("GET", "/logs?limit=3")).json();
  assert.deepEqual(records[2], {
    number: 2,
    at: 1_790_000_000.5,
    level: "warning",
    room: "dht",
    text: "12ab sent a malformed packet",
  });
  assert.deepEqual(await texts(`?before=${next}`), ["connected with 12ab"]);
  assert.equal((await (await ask("GET", "/logs")).json()).next, null);
  const file = await ask("GET", "/logs/export?level=info");
  assert.match(file.headers.get("content-disposition") ?? "", /kituo-log\.jsonl/);
  const lines = (await file.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ number }) => number), [1, 2, 4]);
});

Deno.test("new records of the log come live, and no more once who listens is removed", async () => {
  const { app, node, stop } = setUp();
  const { secret, id } = await session(node, "owner");
  const answer = await app.request("/api/v1/logs/stream", { headers: browser(secret) });
  assert.equal(answer.headers.get("content-type"), "text/event-stream");
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (wanted: string) => {
    for (let seen = ""; !seen.includes(wanted);) {
      const { value, done } = await reader.read();
      if (done) return null;
      seen += value;
      if (seen.includes(wanted)) return seen;
    }
  };
  await until("retry:");
  node.logs.add(logged("info", "something new"));
  assert.match(await until("\n\n") ?? "", /event: log\ndata: \{.*"text":"something new"\}/);
  node.admins.remove(id);
  node.logs.add(logged("info", "something secret"));
  assert.equal(await until("secret"), null);
  stop.abort();
});

Deno.test("what is kept of the log is bounded; warnings outlive chatter", () => {
  const { node: { logs } } = setUp();
  logs.add(logged("error", "what matters"));
  for (let n = 0; n < 1_000; n++) logs.add(logged("info", `chatter ${n} ${"x".repeat(5_000)}`));
  const all = logs.page({ limit: Infinity });
  assert.ok(all.length >= 10 && all.length <= 11, `${all.length}`);
  assert.ok(all.every(({ text }) => text.length <= 2_001));
  assert.deepEqual(logs.page({ limit: 10, level: "warning" }).map(({ text }) => text), ["what matters"]);
  assert.deepEqual(logs.counts, { debug: 0, info: 1_000, warning: 0, error: 1 });
});

Deno.test("the numbers are for viewers: a token is enough, nobody unknown gets them", async () => {
  const { app, node } = setUp();
  await problemOf(app.request("/metrics"), 401);
  const { secret } = node.admins.addToken("prometheus", "viewer", null, "test");
  const answer = await app.request("/metrics", { headers: { authorization: `Bearer ${secret}` } });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(await answer.text(), /^kituo_ready 1$/m);
  await app.request("/healthz");
  await app.request("/api/v1/nothing/at/all?secret=1");
  assert.deepEqual(node.measured.map(({ kind, status }) => `${kind} ${status}`), [
    "health 401",
    "health 200",
    "health 200",
    "api 401",
  ]);
});
