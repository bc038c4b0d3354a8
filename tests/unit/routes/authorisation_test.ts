import assert from "node:assert/strict";
import { type Role, ROLES } from "../../../core/admins/roles.ts";
import type { VirtualClock } from "../../support/virtual_clock.ts";
import { CONVERSATION, type FakeNode, id } from "./fake_node.ts";
import { browser, problemOf, session, setUp, TOKEN } from "./support.ts";

/** A route as it is described. */
interface Route {
  method: string;
  /** with ids put in */
  path: string;
  /** as described */
  name: string;
  role: unknown;
  security: unknown;
  needsBody: boolean;
}

async function described(): Promise<Route[]> {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  type Operation = { security?: unknown[]; requestBody?: { required?: boolean }; "x-kituo-role"?: unknown };
  return Object.entries<Record<string, Operation>>(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: filledIn(template),
      name: `${method} ${template}`,
      role: operation["x-kituo-role"],
      security: operation.security,
      needsBody: operation.requestBody?.required ?? false,
    }))
  );
}

/** The path with ids in the place of its parameters. */
function filledIn(template: string): string {
  return template.replace("/conversations/{id}", `/conversations/${CONVERSATION}`)
    .replace("{protection}", "flood").replace("{number}", "1").replace("{listId}", "0".repeat(16))
    .replace("{deviceId}", "d".repeat(64)).replace("{name}", "pwani").replace("{commit}", id(1)).replace(
      /\{(admin|invitation|token|session)Id\}/,
      "0".repeat(16),
    )
    .replace(/\{\w+\}/g, id(1));
}

Deno.test("the description names every route", async () => {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  assert.match(document.openapi, /^3\.1/);
  assert.equal(document.components.securitySchemes.bearer.scheme, "bearer");
  const routes = Object.entries<object>(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)).sort();
  assert.deepEqual(routes, [
    "delete /api/v1/admin-invitations/{invitationId}",
    "delete /api/v1/admins/{adminId}",
    "delete /api/v1/admins/{adminId}/sessions",
    "delete /api/v1/ban-lists/{listId}",
    "delete /api/v1/bans/{target}",
    "delete /api/v1/contacts/{jamiId}",
    "delete /api/v1/conversations/{id}",
    "delete /api/v1/conversations/{id}/devices/{deviceId}",
    "delete /api/v1/conversations/{id}/join-link",
    "delete /api/v1/conversations/{id}/members/{jamiId}",
    "delete /api/v1/conversations/{id}/refused/{commit}",
    "delete /api/v1/conversations/{id}/reveal",
    "delete /api/v1/devices/{deviceId}",
    "delete /api/v1/name-server/names/{name}",
    "delete /api/v1/network/connections/{connectionId}",
    "delete /api/v1/passkeys/{passkeyId}",
    "delete /api/v1/session",
    "delete /api/v1/sessions",
    "delete /api/v1/sessions/{sessionId}",
    "delete /api/v1/tokens/{tokenId}",
    "get /api/v1/addresses/{jamiId}",
    "get /api/v1/admin-invitations",
    "get /api/v1/admins",
    "get /api/v1/audit",
    "get /api/v1/audit/check",
    "get /api/v1/audit/export",
    "get /api/v1/backups",
    "get /api/v1/backups/{backupId}",
    "get /api/v1/ban-lists",
    "get /api/v1/ban-lists/{listId}/entries",
    "get /api/v1/bans",
    "get /api/v1/bans/export",
    "get /api/v1/contacts",
    "get /api/v1/conversations",
    "get /api/v1/conversations/{id}",
    "get /api/v1/conversations/{id}/bundle",
    "get /api/v1/conversations/{id}/export",
    "get /api/v1/conversations/{id}/file-rules",
    "get /api/v1/conversations/{id}/files",
    "get /api/v1/conversations/{id}/files/{fileId}/content",
    "get /api/v1/conversations/{id}/join-link",
    "get /api/v1/conversations/{id}/members",
    "get /api/v1/conversations/{id}/messages",
    "get /api/v1/conversations/{id}/refused",
    "get /api/v1/conversations/{id}/search",
    "get /api/v1/devices",
    "get /api/v1/devices/link",
    "get /api/v1/events",
    "get /api/v1/held",
    "get /api/v1/logs",
    "get /api/v1/logs/export",
    "get /api/v1/logs/stream",
    "get /api/v1/name-server/names",
    "get /api/v1/names/{name}",
    "get /api/v1/network",
    "get /api/v1/network/connections",
    "get /api/v1/network/reachability",
    "get /api/v1/node",
    "get /api/v1/overview",
    "get /api/v1/overview/history",
    "get /api/v1/passkeys",
    "get /api/v1/protections",
    "get /api/v1/protections/actions",
    "get /api/v1/reports",
    "get /api/v1/requests",
    "get /api/v1/search",
    "get /api/v1/session",
    "get /api/v1/sessions",
    "get /api/v1/settings",
    "get /api/v1/setup",
    "get /api/v1/setup/import",
    "get /api/v1/storage",
    "get /api/v1/tokens",
    "get /api/v1/waiting",
    "get /healthz",
    "get /join/{secret}",
    "get /metrics",
    "get /readyz",
    "patch /api/v1/admins/{adminId}",
    "patch /api/v1/conversations/{id}",
    "patch /api/v1/conversations/{id}/file-rules",
    "patch /api/v1/passkeys/{passkeyId}",
    "patch /api/v1/protections/{protection}",
    "patch /api/v1/session",
    "patch /api/v1/settings",
    "patch /api/v1/setup",
    "post /api/v1/admin-invitations",
    "post /api/v1/admin-invitations/accept",
    "post /api/v1/admin-invitations/accept/passkey",
    "post /api/v1/backups",
    "post /api/v1/ban-lists",
    "post /api/v1/ban-lists/files",
    "post /api/v1/ban-lists/{listId}/refresh",
    "post /api/v1/bans",
    "post /api/v1/contacts",
    "post /api/v1/conversations",
    "post /api/v1/conversations/{id}/devices/{deviceId}/unban",
    "post /api/v1/conversations/{id}/join-link",
    "post /api/v1/conversations/{id}/leave",
    "post /api/v1/conversations/{id}/members",
    "post /api/v1/conversations/{id}/members/{jamiId}/unban",
    "post /api/v1/conversations/{id}/messages",
    "post /api/v1/conversations/{id}/refused/{commit}/override",
    "post /api/v1/conversations/{id}/reveal",
    "post /api/v1/devices/archive",
    "post /api/v1/devices/link",
    "post /api/v1/devices/link/cancel",
    "post /api/v1/devices/link/confirm",
    "post /api/v1/held/{id}/{target}/confirm",
    "post /api/v1/held/{id}/{target}/release",
    "post /api/v1/network/reachability",
    "post /api/v1/node/name",
    "post /api/v1/passkeys",
    "post /api/v1/passkeys/begin",
    "post /api/v1/protections/actions/{number}/undo",
    "post /api/v1/reports/{number}/resolve",
    "post /api/v1/requests/{id}/accept",
    "post /api/v1/requests/{id}/block",
    "post /api/v1/requests/{id}/decline",
    "post /api/v1/session",
    "post /api/v1/session/passkey",
    "post /api/v1/session/passkey/finish",
    "post /api/v1/setup",
    "post /api/v1/setup/import",
    "post /api/v1/setup/passkey",
    "post /api/v1/tokens",
    "post /join/{secret}",
    "put /api/v1/password",
    "put /api/v1/protections/allowlist",
  ]);
});

Deno.test("what any route may refuse is described: bodies where one can be sent, conflicts where a clone may be under way", async () => {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  const entries = Object.entries<Record<string, { responses: object }>>(document.paths);
  for (const [path, methods] of entries.filter(([path]) => path.startsWith("/api/v1"))) {
    for (const [method, { responses }] of Object.entries(methods)) {
      assert.equal("415" in responses, method !== "get", `${method} ${path}`);
      assert.equal("413" in responses, method !== "get", `${method} ${path}`);
      assert.equal("507" in responses, method !== "get", `${method} ${path}`);
    }
  }
  assert.ok("409" in document.paths["/api/v1/conversations/{id}/messages"].get.responses);
});

Deno.test("the form of a new contact is a pattern of JSON Schema", async () => {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  const pattern = new RegExp(document.components.schemas.NewContact.properties.jamiId.pattern, "u");
  for (const good of [id(0xabc), id(0xabc).toUpperCase(), `jami:${id(1)}`, `JAMI:${id(1)}`]) {
    assert.match(good, pattern);
  }
  for (const bad of ["", `${id(1)}/i`, `x${id(1)}`, id(1).slice(1)]) assert.doesNotMatch(bad, pattern);
});

Deno.test("every route of the API that the router knows is described, but for the description itself", async () => {
  const { app } = setUp();
  const known = app.routes.filter(({ method, path }) => method !== "ALL" && path.startsWith("/api/"))
    .map(({ method, path }) => `${method} ${path}`);
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  const told = Object.entries<object>(document.paths).filter(([path]) => path.startsWith("/api/")).flatMap((
    [path, methods],
  ) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`));
  assert.deepEqual([...new Set(known)].sort(), [...told, "GET /api/v1/openapi.json"].sort());
});

const isApi = ({ path }: Route) => path.startsWith("/api/v1/");

Deno.test("every route of the API names the least role that may use it, and the schemes that go with it", async () => {
  const routes = (await described()).filter(isApi);
  for (const { name, role, security } of routes) {
    assert.ok(["anybody", "viewer", "moderator", "owner"].includes(String(role)), `${name} names no role`);
    assert.deepEqual(security, role === "anybody" ? [] : [{ session: [] }, { bearer: [] }], name);
  }
  const of = (wanted: string) => routes.filter(({ role }) => role === wanted).map(({ name }) => name).sort();
  // all others are for moderators: whoever adds a route here has thought about it
  assert.deepEqual(of("anybody"), [
    "get /api/v1/setup",
    "post /api/v1/admin-invitations/accept",
    "post /api/v1/admin-invitations/accept/passkey",
    "post /api/v1/session",
    "post /api/v1/session/passkey",
    "post /api/v1/session/passkey/finish",
    "post /api/v1/setup",
    "post /api/v1/setup/passkey",
  ]);
  assert.deepEqual(of("viewer"), [
    "delete /api/v1/passkeys/{passkeyId}",
    "delete /api/v1/session",
    "delete /api/v1/sessions",
    "delete /api/v1/sessions/{sessionId}",
    "get /api/v1/events",
    "get /api/v1/network",
    "get /api/v1/node",
    "get /api/v1/overview",
    "get /api/v1/overview/history",
    "get /api/v1/passkeys",
    "get /api/v1/session",
    "get /api/v1/sessions",
    "get /api/v1/storage",
    "patch /api/v1/passkeys/{passkeyId}",
    "patch /api/v1/session",
    "post /api/v1/passkeys",
    "post /api/v1/passkeys/begin",
    "put /api/v1/password",
  ]);
  const forOwners = /\/(admins|admin-invitations|tokens|audit|name-server|override|settings|keys|backups|logs)\b/;
  for (const { name } of routes.filter(({ path }) => forOwners.test(path))) {
    assert.ok(of("owner").includes(name) || of("anybody").includes(name), `${name} is for owners`);
  }
});

Deno.test("a route without a role is closed to everybody, an unknown role as well", async () => {
  for (const extra of [{}, { "x-kituo-role": "everybody" }, { "x-kituo-role": "" }, { "x-kituo-role": ["owner"] }]) {
    const { app, ask, node } = setUp();
    const route = { method: "get" as const, path: "/api/v1/new", responses: { 200: { description: "" } }, ...extra };
    let asked = 0;
    app.openapi(route, (c) => c.text(String(++asked)));
    await problemOf(ask("GET", "/new"), 403);
    await problemOf(app.request("/api/v1/new", { headers: browser((await session(node, "owner")).secret) }), 403);
    await problemOf(app.request("/api/v1/new"), 401);
    assert.equal(asked, 0);
  }
});

/** Every kind of who may ask: its headers, and which role it has by them (null = nobody, "foreign" = another site's page). */
async function everybody(node: FakeNode, clock: VirtualClock) {
  const { admins } = node;
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const old = await session(node, "owner", "asleep");
  const expired = admins.addToken("old", "owner", 1_000, "test");
  const gone = admins.addToken("gone", "owner", null, "test");
  admins.removeToken(gone.id);
  await clock.advance(13 * 3_600_000);
  const sessions = { owner: "", moderator: "", viewer: "" };
  for (const role of ROLES) sessions[role] = (await session(node, role)).secret;
  const removed = await session(node, "owner", "removed");
  admins.remove(removed.id);
  const out = await session(node, "owner", "out");
  admins.signOut(out.secret);
  const token = (role: Role) => bearer(admins.addToken(role, role, null, "test").secret);
  const own = browser(sessions.owner);
  const cookie = { cookie: own.cookie };
  const callers: [string, Record<string, string>, Role | "foreign" | null][] = [
    ...ROLES.map((
      role,
    ): [string, Record<string, string>, Role] => [`${role}'s session`, browser(sessions[role]), role]),
    ...ROLES.map((role): [string, Record<string, string>, Role] => [`${role}'s token`, token(role), role]),
    ["the admin token", bearer(TOKEN), "owner"],
    ["nobody", {}, null],
    ["a wrong token", bearer("wrong"), null],
    ["a wrong token of the right form", bearer("A".repeat(43)), null],
    ["nearly the admin token", bearer(TOKEN.slice(0, -1)), null],
    ["an expired token", bearer(expired.secret), null],
    ["a removed token", bearer(gone.secret), null],
    ["a wrong token beside a good session", { ...own, ...bearer("wrong") }, null],
    ["basic authentication", { authorization: `Basic ${btoa(`admin:${TOKEN}`)}` }, null],
    ["a wrong cookie", browser("A".repeat(43)), null],
    ["an expired session", browser(old.secret), null],
    ["a signed-out session", browser(out.secret), null],
    ["a removed admin's session", browser(removed.secret), null],
    ["another site's page", { ...own, origin: "https://evil.example", "sec-fetch-site": "cross-site" }, "foreign"],
    ["another site's page without Origin", { ...cookie, "sec-fetch-site": "cross-site" }, "foreign"],
    ["a page of a sibling host", { ...cookie, "sec-fetch-site": "same-site" }, "foreign"],
    ["an opaque origin", { ...own, origin: "null" }, "foreign"],
    ["an old browser on another site", { ...cookie, origin: "http://localhost:9999" }, "foreign"],
    ["another site's page with a token", { ...bearer(TOKEN), origin: "https://evil.example" }, "foreign"],
  ];
  return callers;
}

/** What a caller is answered, whatever else is in the request. */
function refusalFor(role: unknown, caller: Role | "foreign" | null): number | null {
  if (caller === "foreign") return 403;
  if (role === "anybody") return null;
  if (caller === null) return 401;
  return ROLES.indexOf(caller) < ROLES.findIndex((name) => name === role) ? 403 : null;
}

Deno.test("the matrix: every route of the API × everybody who may ask is let in or refused as described", async () => {
  const routes = [...(await described()).filter(isApi), {
    method: "GET",
    path: "/api/v1/openapi.json",
    name: "get /api/v1/openapi.json",
    role: "viewer",
    security: [],
    needsBody: false,
  }];
  assert.ok(routes.length >= 50);
  for (const { method, path, name, role, needsBody } of routes) {
    const { app, node, clock, stop } = setUp();
    const callers = await everybody(node, clock);
    const before = [node.asked.size, node.known.size, node.posts.length, node.deeds.length];
    const noted = node.admins.audit({}, 1_000).length;
    const ask = (headers: Record<string, string>) => app.request(path, { method, headers });
    // those who are refused first: they change nothing
    for (const [who, headers, caller] of callers) {
      const refused = refusalFor(role, caller);
      if (refused === null) continue;
      const response = await ask(headers);
      assert.equal(response.status, refused, `${name} by ${who}`);
      if (refused === 401) assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
      await problemOf(response, refused);
    }
    assert.deepEqual([node.asked.size, node.known.size, node.posts.length, node.deeds.length], before, name);
    assert.equal(node.admins.audit({}, 1_000).length, noted, `${name} noted what was refused`);
    for (const [who, headers, caller] of callers) {
      if (refusalFor(role, caller) !== null) continue;
      const { status, body } = await ask(headers);
      const fine = needsBody ? [422, 200, 201] : method === "GET" ? [200, 400, 404, 409] : [200, 201, 204, 404, 409];
      // a session that signed itself out, or was, is nobody's from then on
      const over = path.includes("/session") && method === "DELETE" ? [401] : [];
      // who may look at a conversation may not read it before they said why
      const unread = /\/(export|bundle|content)$/.test(path) ? [403] : [];
      assert.ok([...fine, ...over, ...unread].includes(status), `${name} by ${who}: ${status}`);
      await body?.cancel();
    }
    stop.abort();
  }
});

Deno.test("a browser that does not say where a change comes from is refused, a script with a token is not", async () => {
  const { app, node } = setUp();
  const { secret } = await session(node, "moderator");
  const { cookie } = browser(secret);
  const accept = (headers: Record<string, string>) =>
    app.request(`/api/v1/requests/${id(1)}/accept`, { method: "POST", headers });
  await problemOf(accept({ cookie }), 403);
  await problemOf(accept({ cookie, "sec-fetch-site": "none" }), 403);
  assert.equal(node.asked.size, 1);
  assert.equal((await app.request("/api/v1/requests", { headers: { cookie } })).status, 200);
  assert.equal((await accept({ cookie, "sec-fetch-site": "same-origin" })).status, 200);
  assert.equal((await accept({ authorization: `bearer ${TOKEN}` })).status, 404); // it is answered already
});

Deno.test("a path that does not exist does not tell so without the token", async () => {
  const { app } = setUp();
  await problemOf(app.request("/api/v1/nothing"), 401);
  await problemOf(app.request("/api/v1/contacts", { method: "PATCH" }), 401);
  await problemOf(app.request("/api/v1"), 401);
});
