/** Coming in, going out, and who is let in, over HTTP: what `tests/unit/admins` says of the accounts reaches the API. */

import assert from "node:assert/strict";
import { Authenticator } from "../../support/authenticator.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { browser, PASSWORD, problemOf, session, setUp, SITE, TOKEN } from "./support.ts";

type World = ReturnType<typeof setUp>;

/** Posts JSON as the console's own page would, with or without a session. */
function post({ app }: World, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return app.request(`/api/v1${path}`, {
    method: "POST",
    headers: { origin: SITE.origin, "sec-fetch-site": "same-origin", "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/** The secret in the cookie that an answer sets, after a look at how it is set. */
function cookieOf(response: Response): string {
  const [cookie, ...more] = response.headers.getSetCookie();
  assert.deepEqual(more, []);
  const [, secret, attributes] = /^__Host-kituo=([A-Za-z0-9_-]{43})(; .*)$/.exec(cookie) ?? [];
  assert.deepEqual(attributes?.split("; ").filter((a) => a).sort(), [
    "HttpOnly",
    "Max-Age=604800",
    "Path=/",
    "SameSite=Strict",
    "Secure",
  ]);
  return secret;
}

const ADMIN = { name: "Asha", password: PASSWORD };

Deno.test("set-up: the link makes an owner who is signed in, names the node and picks the policy", async () => {
  const world = setUp();
  const { node, app } = world;
  const secret = node.admins.newSetupSecret();
  assert.deepEqual(await (await app.request("/api/v1/setup")).json(), { needed: true });
  const wanted = { name: "Kituo cha Pwani", acceptRequests: "anyone" };
  await problemOf(post(world, "/setup", { secret: "A".repeat(43), admin: ADMIN, node: wanted }), 403);
  await problemOf(post(world, "/setup", { secret, admin: { name: "Asha", password: "short" } }), 422);
  await problemOf(post(world, "/setup", { secret, admin: { name: "Asha" } }), 422);
  await problemOf(post(world, "/setup", { secret, admin: ADMIN, node: { name: "a\nb" } }), 422);
  await problemOf(post(world, "/setup", { secret, admin: ADMIN, node: { acceptRequests: "all" } }), 422);
  assert.deepEqual(node.configured, {});
  const response = await post(world, "/setup", { secret, admin: ADMIN, node: wanted });
  assert.equal(response.status, 201);
  const me = await response.json();
  assert.deepEqual([me.name, me.role, me.kind], ["Asha", "owner", "session"]);
  assert.deepEqual(node.configured, wanted);
  const headers = browser(cookieOf(response));
  assert.deepEqual(await (await app.request("/api/v1/session", { headers })).json(), me);
  assert.deepEqual(await (await app.request("/api/v1/setup")).json(), { needed: false });
  await problemOf(post(world, "/setup", { secret, admin: { ...ADMIN, name: "Eve" } }), 409);
});

Deno.test("signing in with a password begins a new session each time; the one before in this browser ends", async () => {
  const world = setUp();
  const { node, app } = world;
  const old = await session(node, "moderator", "Juma");
  const who = async (secret: string) => (await app.request("/api/v1/session", { headers: browser(secret) })).status;
  const signIn = (password: string, headers = {}) => post(world, "/session", { name: "juma", password }, headers);
  const wrong = await signIn("wrong wrong wrong", { cookie: `__Host-kituo=${old.secret}` });
  assert.equal(wrong.headers.getSetCookie().length, 0);
  await problemOf(wrong, 401);
  assert.equal(await who(old.secret), 200);
  const response = await signIn(PASSWORD, { cookie: `__Host-kituo=${old.secret}` });
  const secret = cookieOf(response);
  assert.notEqual(secret, old.secret);
  assert.deepEqual([await who(secret), await who(old.secret)], [200, 401]);
  const out = await app.request("/api/v1/session", { method: "DELETE", headers: browser(secret) });
  assert.equal(out.status, 204);
  assert.match(out.headers.getSetCookie()[0], /^__Host-kituo=; Max-Age=0; .*Secure/);
  assert.equal(await who(secret), 401);
});

Deno.test("signing out everywhere ends the sessions of all browsers", async () => {
  const world = setUp();
  const { secret } = await session(world.node, "viewer", "Juma");
  const other = cookieOf(await post(world, "/session", { name: "Juma", password: PASSWORD }));
  const response = await world.app.request("/api/v1/sessions", { method: "DELETE", headers: browser(other) });
  assert.equal(response.status, 204);
  for (const one of [secret, other]) {
    await problemOf(world.app.request("/api/v1/session", { headers: browser(one) }), 401);
  }
});

Deno.test("one sees where one is signed in, and ends one of the sessions; an owner ends all of somebody else's", async () => {
  const world = setUp();
  const { secret } = await session(world.node, "viewer", "Juma");
  const phone = { "user-agent": "Mozilla/5.0 (Android 15; Mobile) " + "x".repeat(999) };
  const other = cookieOf(await post(world, "/session", { name: "Juma", password: PASSWORD }, phone));
  const list = async () => {
    const answer = await world.app.request("/api/v1/sessions", { headers: browser(secret) });
    return (await answer.json()).sessions as { id: string; agent: string; here: boolean }[];
  };
  const [there] = (await list()).filter(({ here }) => !here);
  assert.equal((await list()).length, 2);
  assert.match(there.agent, /^Mozilla\/5\.0 \(Android 15; Mobile\) x{200,}$/);
  assert.ok(there.agent.length <= 300);
  const end = (id: string) =>
    world.app.request(`/api/v1/sessions/${id}`, { method: "DELETE", headers: browser(secret) });
  assert.equal((await end(there.id)).status, 204);
  await problemOf(end(there.id), 404);
  await problemOf(world.app.request("/api/v1/session", { headers: browser(other) }), 401);
  assert.deepEqual((await list()).map(({ here }) => here), [true]);
  const juma = (await (await world.ask("GET", "/admins")).json()).admins.find(({ name }: { name: string }) =>
    name === "Juma"
  );
  assert.equal(juma.sessions, 1);
  assert.equal(juma.seen, Math.floor(world.clock.now() / 1000));
  assert.equal((await world.ask("DELETE", `/admins/${juma.id}/sessions`)).status, 204);
  await problemOf(world.app.request("/api/v1/session", { headers: browser(secret) }), 401);
  const [entry] = world.node.admins.audit({}, 1);
  assert.deepEqual([entry.actor, entry.action, entry.target], ["admin", "admin.sign-out", juma.id]);
  await problemOf(world.ask("DELETE", `/admins/${"0".repeat(32)}/sessions`), 404);
});

Deno.test("one's own name can be changed, to none that somebody has; the trail tells which it was", async () => {
  const world = setUp();
  const headers = {
    ...browser((await session(world.node, "viewer", "Juma")).secret),
    "content-type": "application/json",
  };
  const rename = (name: string) =>
    world.app.request("/api/v1/session", { method: "PATCH", headers, body: JSON.stringify({ name }) });
  await problemOf(rename("FIRST owner"), 409);
  await problemOf(rename("admin"), 422);
  assert.equal((await (await rename("juma")).json()).name, "juma");
  assert.equal((await (await rename("Juma wa Pwani")).json()).name, "Juma wa Pwani");
  const [last] = world.node.admins.audit({}, 1);
  assert.deepEqual([last.actor, last.action, last.target], ["juma", "admin.rename", "Juma wa Pwani"]);
  await problemOf(post(world, "/session", { name: "Juma", password: PASSWORD }), 401);
  assert.equal((await post(world, "/session", { name: "juma wa pwani", password: PASSWORD })).status, 200);
});

Deno.test("a passkey signs in without a name, is listed, and another can be added", async () => {
  const world = setUp();
  const { node, app } = world;
  await session(node, "owner");
  const { secret: link } = node.admins.invite("moderator", 1_000, "test");
  const key = new Authenticator(SITE.origin);
  const options = await (await post(world, "/admin-invitations/accept/passkey", { secret: link, name: "Juma" })).json();
  assert.equal(options.rp.id, "localhost");
  const joined = await post(world, "/admin-invitations/accept", {
    secret: link,
    name: "Juma",
    passkey: key.create(options),
  });
  assert.equal(joined.status, 201);
  const asked = await (await post(world, "/session/passkey")).json();
  const response = await post(world, "/session/passkey/finish", { passkey: key.get(asked) });
  assert.equal((await response.clone().json()).name, "Juma");
  const headers = browser(cookieOf(response));
  const more = new Authenticator(SITE.origin);
  const begun = await (await post(world, "/passkeys/begin", undefined, headers)).json();
  assert.deepEqual(begun.excludeCredentials.map(({ id }: { id: string }) => id), [key.id]);
  const added = await post(world, "/passkeys", { name: "phone", passkey: more.create(begun) }, headers);
  assert.equal(added.status, 201);
  const { passkeys } = await (await app.request("/api/v1/passkeys", { headers })).json();
  assert.deepEqual(
    passkeys.map(({ id, name }: { id: string; name: string }) => [id, name]).sort(),
    [
      [key.id, "Juma"],
      [more.id, "phone"],
    ].sort(),
  );
  const rename = (one: string, name: string) =>
    app.request(`/api/v1/passkeys/${one}`, {
      method: "PATCH",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ name }),
    });
  assert.equal((await (await rename(more.id, "tablet")).json()).name, "tablet");
  await problemOf(rename("AAAA", "tablet"), 404);
  await problemOf(rename(more.id, " "), 422);
  const remove = (one: string) => app.request(`/api/v1/passkeys/${one}`, { method: "DELETE", headers });
  assert.equal((await remove(key.id)).status, 204);
  await problemOf(remove(more.id), 409);
  await problemOf(post(world, "/session/passkey/finish", { passkey: key.get(asked) }), 401);
  await problemOf(post(world, "/session/passkey/finish", { passkey: { id: "x" } }), 422);
});

Deno.test("under plain HTTP elsewhere nobody can sign in and no session counts; under a named origin all can", async () => {
  const world = setUp({ origins: ["https://console.example"] });
  const { app, node } = world;
  const { secret } = await session(node, "owner", "Asha");
  const at = (host: string, origin: string, path: string, method = "POST") =>
    app.request(`http://${host}/api/v1${path}`, {
      method,
      headers: { ...browser(secret), host, origin, "content-type": "application/json" },
      body: method === "GET" ? undefined : JSON.stringify(ADMIN),
    });
  for (const host of ["192.0.2.1:8042", "kituo.lan", "console.example.evil.example", "localhost.evil.example"]) {
    assert.match(await problemOf(at(host, `http://${host}`, "/session"), 403), /TLS/, host);
    await problemOf(at(host, `http://${host}`, "/node", "GET"), 401);
  }
  const places = [
    ["console.example", "https://console.example"],
    ["localhost:8042", "http://localhost:8042"],
    ["127.0.0.1:8042", "http://127.0.0.1:8042"],
    ["[::1]:8042", "http://[::1]:8042"],
  ];
  for (const [host, origin] of places) {
    assert.equal((await at(host, origin, "/node", "GET")).status, 200, host);
  }
  for (const [host, origin] of places) assert.equal((await at(host, origin, "/session")).status, 200, host);
  const passkey = await (await at("console.example", "https://console.example", "/session/passkey")).json();
  assert.equal(passkey.rpId, "console.example");
  await problemOf(at("127.0.0.1:8042", "http://127.0.0.1:8042", "/session/passkey"), 409);
});

Deno.test("guessing is slowed down, by address, also behind a proxy whose word is believed", async () => {
  const world = setUp({ proxies: ["192.0.2.9"] });
  await session(world.node, "owner", "Asha");
  const from = (hostname: string, forwarded: string, name: string) =>
    world.app.request("/api/v1/session", {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
      body: JSON.stringify({ name, password: "wrong wrong wrong" }),
    }, { remoteAddr: { transport: "tcp", hostname, port: 1 } });
  for (let n = 0; n < 30; n++) await problemOf(from("198.51.100.1", `10.0.0.${n}`, `name ${n}`), 401);
  const refused = await from("198.51.100.1", "10.0.0.99", "name");
  assert.equal(refused.headers.get("retry-after"), "60");
  await problemOf(refused, 429);
  for (let n = 0; n < 30; n++) await problemOf(from("192.0.2.9", `${n}.0.0.1, 203.0.113.5`, `other ${n}`), 401);
  await problemOf(from("192.0.2.9", "7.0.0.1, 203.0.113.5", "other"), 429);
  await problemOf(from("192.0.2.9", "203.0.113.6", "other"), 401);
  assert.equal(world.node.admins.audit({ action: "session.refuse" }, 1)[0].address, "198.51.100.1");
});

Deno.test("an API token has its role until it expires; its secret is told once", async () => {
  const { ask, app, node, clock } = setUp();
  const made = await (await ask("POST", "/tokens", { name: "bot", role: "moderator", days: 1 })).json();
  assert.equal(made.expires - made.created, 86_400);
  const { tokens } = await (await ask("GET", "/tokens")).json();
  assert.equal(tokens.length, 1);
  assert.ok(!JSON.stringify(tokens).includes(made.token));
  const headers = { authorization: `Bearer ${made.token}` };
  assert.equal((await app.request("/api/v1/requests", { headers })).status, 200);
  await problemOf(app.request("/api/v1/tokens", { headers }), 403);
  assert.equal((await (await app.request("/api/v1/session", { headers })).json()).name, "token:bot");
  await problemOf(app.request("/api/v1/passkeys", { headers }), 409);
  await clock.advance(86_400_000);
  await problemOf(app.request("/api/v1/requests", { headers }), 401);
  assert.equal((await ask("DELETE", `/tokens/${made.id}`)).status, 204);
  await problemOf(ask("DELETE", `/tokens/${made.id}`), 404);
  await problemOf(ask("POST", "/tokens", { name: "bot", role: "god", days: 1 }), 422);
  assert.equal(node.admins.tokens().length, 0);
});

Deno.test("admins are listed, change roles and go, but never the last owner", async () => {
  const { ask, node, app, clock } = setUp();
  await session(node, "moderator", "Amina");
  await clock.advance(1);
  const { id: viewer } = await session(node, "viewer", "Juma");
  const { admins } = await (await ask("GET", "/admins")).json();
  const owner = admins.find(({ name }: { name: string }) => name === "first owner").id;
  assert.equal(admins.length, 3);
  assert.deepEqual([admins[2].name, admins[2].role, admins[2].password], ["Juma", "viewer", true]);
  assert.ok(!JSON.stringify(admins).includes("argon2"));
  await problemOf(ask("PATCH", `/admins/${owner}`, { role: "viewer" }), 409);
  await problemOf(ask("DELETE", `/admins/${owner}`), 409);
  assert.equal((await (await ask("PATCH", `/admins/${viewer}`, { role: "owner" })).json()).role, "owner");
  assert.equal((await ask("DELETE", `/admins/${owner}`)).status, 204);
  await problemOf(ask("PATCH", `/admins/${owner}`, { role: "viewer" }), 404);
  const invited = await (await ask("POST", "/admin-invitations", { role: "viewer" })).json();
  assert.match(invited.link, /^http:\/\/localhost\/admin-invitation\?secret=[A-Za-z0-9_-]{43}$/);
  assert.equal(invited.expires - invited.created, 3 * 86_400);
  assert.equal((await ask("DELETE", `/admin-invitations/${invited.id}`)).status, 204);
  const secret = invited.link.slice(-43);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ secret, ...ADMIN });
  await problemOf(app.request("/api/v1/admin-invitations/accept", { method: "POST", headers, body }), 403);
});

Deno.test("whatever is changed is noted: who, from where, what, to what, why; what is read or refused is not", async () => {
  const { app, ask, node } = setUp();
  const { secret } = await session(node, "moderator", "Juma");
  const env = { remoteAddr: { transport: "tcp", hostname: "198.51.100.1", port: 1 } };
  const change = (method: string, path: string, body?: unknown) =>
    app.request(`/api/v1${path}`, {
      method,
      headers: { ...browser(secret), ...body !== undefined && { "content-type": "application/json" } },
      body: body === undefined ? undefined : JSON.stringify(body),
    }, env);
  const conversation = `/conversations/${CONVERSATION}`, device = "d".repeat(64);
  const done: [string, string, unknown, string, string, string][] = [
    ["POST", `/requests/${id(1)}/accept`, undefined, "request.accept", id(1), ""],
    ["POST", "/contacts", { jamiId: `jami:${id(5)}` }, "contact.add", `jami:${id(5)}`, ""],
    ["DELETE", `/contacts/${id(5)}`, undefined, "contact.remove", id(5), ""],
    ["POST", "/conversations", { mode: "public", title: "Siri" }, "conversation.create", id(0xc1), ""],
    ["PATCH", conversation, { title: "Siri" }, "conversation.update", CONVERSATION, ""],
    ["POST", `${conversation}/leave`, undefined, "conversation.leave", CONVERSATION, ""],
    ["POST", `${conversation}/messages`, { body: "Siri" }, "message.post", CONVERSATION, ""],
    ["POST", `${conversation}/members`, { jamiId: id(6) }, "member.invite", `${CONVERSATION} ${id(6)}`, ""],
    [
      "DELETE",
      `${conversation}/members/${id(6)}?reason=spam`,
      undefined,
      "member.ban",
      `${CONVERSATION} ${id(6)}`,
      "spam",
    ],
    ["POST", `${conversation}/members/${id(6)}/unban`, undefined, "member.unban", `${CONVERSATION} ${id(6)}`, ""],
    ["DELETE", `${conversation}/devices/${device}`, undefined, "device.ban", `${CONVERSATION} ${device}`, ""],
    ["POST", `${conversation}/devices/${device}/unban`, undefined, "device.unban", `${CONVERSATION} ${device}`, ""],
  ];
  for (const [method, path, body, action, target, detail] of done) {
    const before = node.admins.audit({}, 1)[0]?.seq ?? 0;
    const { status } = await change(method, path, body);
    assert.ok(status < 300, `${method} ${path}: ${status}`);
    const [entry] = node.admins.audit({}, 1);
    assert.equal(entry.seq, before + 1, path);
    const { actor, address } = entry;
    assert.deepEqual([actor, address, entry.action, entry.target, entry.detail], [
      "Juma",
      "198.51.100.1",
      action,
      target,
      detail,
    ]);
  }
  const { seq } = node.admins.audit({}, 1)[0];
  await change("DELETE", `/contacts/${id(5)}`); // not there any more
  await change("POST", "/contacts", { jamiId: "x" });
  await change("POST", "/tokens", { name: "bot", role: "owner", days: 1 });
  await change("GET", "/requests");
  await change("POST", "/passkeys/begin");
  assert.equal(node.admins.audit({}, 1)[0].seq, seq);
  assert.ok(!JSON.stringify(node.admins.audit({}, 100)).includes("Siri"), "content is never noted");
  await ask("POST", "/tokens", { name: "bot", role: "viewer", days: 1 });
  const [made] = node.admins.audit({}, 1);
  assert.deepEqual([made.actor, made.action, made.target], ["admin", "token.create", "bot viewer"]);
  assert.equal(node.store.audit.verify().broken, null);
});

Deno.test("coming in is noted under the admin's name, never with a secret", async () => {
  const world = setUp();
  const secret = world.node.admins.newSetupSecret();
  const response = await post(world, "/setup", { secret, admin: ADMIN, node: {} });
  await post(world, "/session", ADMIN);
  await world.app.request("/api/v1/session", { method: "DELETE", headers: browser(cookieOf(response)) });
  const entries = world.node.admins.audit({}, 9).toReversed();
  assert.deepEqual(entries.map(({ actor, action }) => [actor, action]), [
    ["Asha", "node.setup"],
    ["Asha", "session.begin"],
    ["Asha", "session.end"],
  ]);
  for (const hidden of [PASSWORD, String(secret), cookieOf(response), TOKEN]) {
    assert.ok(!JSON.stringify(entries).includes(hidden));
  }
});

Deno.test("the audit trail is read in pages, by who and what, and as JSON lines", async () => {
  const { ask, clock } = setUp();
  for (let n = 1; n <= 5; n++) await ask("POST", "/contacts", { jamiId: id(n) });
  await ask("POST", `/conversations/${CONVERSATION}/members`, { jamiId: id(7) });
  const first = await (await ask("GET", "/audit?limit=4")).json();
  assert.deepEqual(first.entries.map(({ seq }: { seq: number }) => seq), [6, 5, 4, 3]);
  const rest = await (await ask("GET", `/audit?limit=4&before=${first.next}`)).json();
  assert.deepEqual(rest.entries.map(({ seq }: { seq: number }) => seq), [2, 1]);
  assert.equal(rest.next, null);
  const count = async (query: string) => (await (await ask("GET", `/audit?${query}`)).json()).entries.length;
  assert.deepEqual([await count("action=contact."), await count("action=member.invite"), await count("actor=eve")], [
    5,
    1,
    0,
  ]);
  const lines = await ask("GET", "/audit/export?action=contact.");
  assert.equal(lines.headers.get("content-type"), "application/jsonl");
  const parsed = (await lines.text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(parsed.map(({ seq }) => seq), [5, 4, 3, 2, 1]);
  assert.deepEqual(Object.keys(parsed[0]).sort(), [
    "action",
    "actor",
    "address",
    "at",
    "detail",
    "hash",
    "seq",
    "target",
  ]);
  await problemOf(ask("GET", "/audit?before=x"), 400);
  assert.deepEqual([await count(`target=${id(7)}`), await count(`target=${id(8)}`)], [1, 0]);
  const now = Math.floor(clock.now() / 1000);
  assert.deepEqual([await count(`from=${now}`), await count(`to=${now}`), await count(`from=${now + 1}`)], [6, 0, 0]);
});

Deno.test("the audit trail is checked whole, in parts, and a row changed beside the node is named", async () => {
  const { node, ask } = setUp();
  for (let n = 1; n <= 2_345; n++) {
    node.admins.note({ actor: "a", address: "", action: "x.y", target: `${n}`, detail: "" });
  }
  const good = await (await ask("GET", "/audit/check")).json();
  const [newest] = node.admins.audit({}, 1);
  assert.deepEqual(good, { rows: 2_345, head: newest.hash, broken: null });
  node.store.transaction(() => {
    node.db.exec("DROP TRIGGER audit_fixed; UPDATE audit SET target = 'other' WHERE seq = 1500");
  });
  const bad = await (await ask("GET", "/audit/check")).json();
  assert.deepEqual([bad.rows, bad.broken], [1_499, 1_500]);
});

Deno.test("a viewer's stream tells of the node's health only; a stream ends with the session", async () => {
  const { app, node, clock, stop } = setUp();
  const { secret, id: admin } = await session(node, "viewer");
  const response = await app.request("/api/v1/events", { headers: browser(secret) });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (words: string) => {
    while (!text.includes(words)) {
      const { value, done } = await reader.read();
      assert.ok(!done, `ended without ${words}: ${text}`);
      text += value;
    }
  };
  await until("retry:");
  node.emit({ type: "presence", data: { jamiId: id(3), online: true } });
  await node.post(CONVERSATION, "secret words");
  node.emit({ type: "status", data: { ready: true, dht: "connected" } });
  await until("event: status");
  assert.doesNotMatch(text, /presence|secret words/);
  node.admins.setRole(admin, "moderator");
  node.emit({ type: "presence", data: { jamiId: id(4), online: true } });
  await until("event: presence");
  node.admins.signOutEverywhere(admin);
  node.emit({ type: "presence", data: { jamiId: id(5), online: true } });
  await clock.advance(0);
  const { done } = await reader.read();
  assert.ok(done, "it goes on");
  stop.abort();
});
