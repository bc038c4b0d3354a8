import assert from "node:assert/strict";
import type { ReportInfo } from "../../../core/node_api.ts";
import { MAX_BODY, MAX_LIST_FILE } from "../../../routes/constants.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

const SECRET = "the treasure is under the baobab";

const report = (number: number, kind: ReportInfo["kind"]): ReportInfo => ({
  id: number,
  at: 1_790_000_000 + number,
  kind,
  jamiId: id(2),
  name: "Asha",
  conversationId: CONVERSATION,
  title: "",
  commit: id(3),
  text: kind === "report" ? SECRET : "flood: more than 10 messages",
  common: [],
  resolved: null,
});

Deno.test("reports: what a member wrote is hidden until the conversation is revealed; findings never were a text", async () => {
  for (const blind of [false, true]) {
    const { node, app, ask: asToken } = setUp({ blind });
    node.moderation.told.push(report(1, "report"), report(2, "finding"));
    const headers = browser((await session(node, "moderator")).secret);
    const texts = async () => {
      const { reports } = await (await app.request("/api/v1/reports", { headers })).json();
      return reports.map(({ text }: { text: string | null }) => text);
    };
    assert.deepEqual(await texts(), ["flood: more than 10 messages", null]);
    const page = await (await app.request("/protection/reports", { headers })).text();
    assert.ok(!page.includes(SECRET));
    const reveal = await app.request(`/api/v1/conversations/${CONVERSATION}/reveal`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ reason: "a member reported abuse" }),
    });
    assert.equal(reveal.status, blind ? 403 : 201);
    assert.deepEqual((await texts())[1], blind ? null : SECRET);
    const { reports } = await (await asToken("GET", "/reports")).json();
    assert.equal(reports[1].text, blind ? null : SECRET);
  }
});

Deno.test("reports: paged by number, resolved once with a note, which the trail knows", async () => {
  const { node, ask } = setUp();
  node.moderation.told.push(report(1, "report"), report(2, "report"), report(3, "finding"));
  const first = await (await ask("GET", "/reports?limit=2")).json();
  assert.deepEqual([first.reports.map((one: ReportInfo) => one.id), first.next], [[3, 2], 2]);
  const second = await (await ask("GET", "/reports?limit=2&before=2")).json();
  assert.deepEqual([second.reports.map((one: ReportInfo) => one.id), second.next], [[1], null]);
  assert.equal((await ask("POST", "/reports/2/resolve", { note: "talked" })).status, 204);
  await problemOf(ask("POST", "/reports/2/resolve", { note: "again" }), 404);
  await problemOf(ask("POST", "/reports/x/resolve", { note: "" }), 400);
  const resolved = await (await ask("GET", "/reports?state=resolved")).json();
  assert.deepEqual(resolved.reports[0].resolved, { at: 1_790_000_000, by: "admin", note: "talked" });
  assert.deepEqual(node.admins.audit({ action: "report.resolve" }, 5).map(({ target }) => target), ["2"]);
});

Deno.test("protections: set in parts, refused in words; whom none touches", async () => {
  const { node, ask } = setUp();
  const set = await (await ask("PATCH", "/protections/flood", { mode: "dry", settings: { messages: 7 } })).json();
  assert.deepEqual([set.mode, set.settings.messages], ["dry", 7]);
  await problemOf(ask("PATCH", "/protections/flood", { mode: "wet" }), 422);
  await problemOf(ask("PATCH", "/protections/flood", { settings: { wrong: 1 } }), 422);
  await problemOf(ask("PATCH", "/protections/none", { mode: "on" }), 404);
  await problemOf(ask("PUT", "/protections/allowlist", { jamiIds: ["x"] }), 422);
  const allowed = await ask("PUT", "/protections/allowlist", { jamiIds: [`jami:${id(0xa).toUpperCase()}`] });
  assert.deepEqual((await allowed.json()).allowlist, [id(0xa)]);
  await problemOf(ask("POST", "/protections/actions/1/undo"), 404);
  assert.deepEqual(node.admins.audit({ action: "protection." }, 9).map(({ action, target }) => `${action} ${target}`), [
    "protection.allowlist ",
    "protection.update flood",
  ]);
});

Deno.test("bans: of accounts and devices, with reason and end, ended once; exported as a list", async () => {
  const { node, ask } = setUp();
  const made = await ask("POST", "/bans", { jamiId: `jami:${id(5)}`, reason: "spam", expiresIn: 60, inGroups: true });
  const { ban, groups } = await made.json();
  assert.deepEqual([made.status, ban.target, ban.by, ban.expires, groups], [
    201,
    id(5),
    "admin",
    1_790_000_060,
    [CONVERSATION],
  ]);
  assert.equal((await ask("POST", "/bans", { deviceId: "d".repeat(64) })).status, 201);
  await problemOf(ask("POST", "/bans", { jamiId: id(9) }), 400);
  for (const wrong of [{}, { jamiId: id(5), deviceId: "d".repeat(64) }, { jamiId: id(5), expiresIn: 0 }]) {
    await problemOf(ask("POST", "/bans", wrong), 422);
  }
  const exported = await ask("GET", "/bans/export");
  assert.match(exported.headers.get("content-disposition") ?? "", /bans\.json/);
  assert.equal((await exported.json()).entries.length, 2);
  assert.equal((await ask("DELETE", `/bans/${id(5)}`)).status, 204);
  await problemOf(ask("DELETE", `/bans/${id(5)}`), 404);
  assert.deepEqual(
    node.admins.audit({ action: "ban." }, 9).map(({ action, target, detail }) => [action, target, detail]),
    [
      ["ban.end", id(5), ""],
      ["ban.create", "d".repeat(64), ""],
      ["ban.create", `jami:${id(5)}`, "spam"],
    ],
  );
  const member = await ask("DELETE", `/conversations/${CONVERSATION}/members/${id(5)}?reason=x&expiresIn=3600`);
  assert.deepEqual([member.status, node.deeds.at(-1)], [204, `ban ${id(5)} x for 3600 s`]);
});

Deno.test("lists: subscribed to by owners only, put in with more room than other bodies have", async () => {
  const { node, app, ask } = setUp();
  const headers = { ...browser((await session(node, "moderator")).secret), "content-type": "application/json" };
  const body = JSON.stringify({ url: "https://lists.example.org/a.json" });
  assert.equal((await app.request("/api/v1/ban-lists", { method: "POST", headers, body })).status, 403);
  const made = await (await ask("POST", "/ban-lists", { url: "https://u:p@lists.example.org/a.json?key=s" })).json();
  const [{ action, target, detail }] = node.admins.audit({}, 1);
  assert.deepEqual([action, target, detail], ["ban-list.subscribe", made.id, "https://lists.example.org/a.json"]);
  assert.deepEqual([made.interval, made.allowPrivate], [86_400, false]);
  await problemOf(ask("POST", "/ban-lists", { url: "ftp://lists.example.org" }), 422);
  const entries = Array.from({ length: 2_000 }, (_, n) => ({ jamiId: id(n), reason: "" }));
  assert.ok(JSON.stringify(entries).length > MAX_BODY);
  assert.equal((await ask("POST", "/ban-lists/files", { name: "L", entries })).status, 201);
  await problemOf(ask("POST", "/ban-lists/files", { name: "x".repeat(MAX_LIST_FILE), entries: [] }), 413);
  await problemOf(ask("POST", "/bans", { jamiId: id(1), reason: "x".repeat(MAX_BODY) }), 413);
  assert.equal((await ask("DELETE", `/ban-lists/${made.id}`)).status, 204);
  await problemOf(ask("GET", `/ban-lists/${made.id}/entries`), 404);
});
