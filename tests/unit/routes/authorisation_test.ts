import assert from "node:assert/strict";
import { CONVERSATION, id } from "./fake_node.ts";
import { problemOf, setUp, TOKEN } from "./support.ts";

/** Each route of the description: method, path with ids put in, does it need the token. */
async function described(): Promise<{ method: string; path: string; needsToken: boolean }[]> {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  return Object.entries<Record<string, { security?: unknown[] }>>(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: template.replace("/conversations/{id}", `/conversations/${CONVERSATION}`).replace(
        "{deviceId}",
        "d".repeat(64),
      ).replace(/\{\w+\}/, id(1)),
      needsToken: JSON.stringify(security) === '[{"bearer":[]}]',
    }))
  );
}

Deno.test("the description names every route", async () => {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  assert.match(document.openapi, /^3\.1/);
  assert.equal(document.components.securitySchemes.bearer.scheme, "bearer");
  const routes = Object.entries<object>(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)).sort();
  assert.deepEqual(routes, [
    "delete /api/v1/contacts/{jamiId}",
    "delete /api/v1/conversations/{id}/devices/{deviceId}",
    "delete /api/v1/conversations/{id}/join-link",
    "delete /api/v1/conversations/{id}/members/{jamiId}",
    "delete /api/v1/conversations/{id}/refused/{commit}",
    "delete /api/v1/name-server/names/{name}",
    "get /api/v1/addresses/{jamiId}",
    "get /api/v1/contacts",
    "get /api/v1/conversations",
    "get /api/v1/conversations/{id}",
    "get /api/v1/conversations/{id}/files",
    "get /api/v1/conversations/{id}/join-link",
    "get /api/v1/conversations/{id}/messages",
    "get /api/v1/conversations/{id}/refused",
    "get /api/v1/conversations/{id}/search",
    "get /api/v1/events",
    "get /api/v1/name-server/names",
    "get /api/v1/names/{name}",
    "get /api/v1/node",
    "get /api/v1/requests",
    "get /api/v1/search",
    "get /api/v1/storage",
    "get /healthz",
    "get /join/{secret}",
    "get /readyz",
    "patch /api/v1/conversations/{id}",
    "post /api/v1/contacts",
    "post /api/v1/conversations",
    "post /api/v1/conversations/{id}/devices/{deviceId}/unban",
    "post /api/v1/conversations/{id}/join-link",
    "post /api/v1/conversations/{id}/leave",
    "post /api/v1/conversations/{id}/members",
    "post /api/v1/conversations/{id}/members/{jamiId}/unban",
    "post /api/v1/conversations/{id}/messages",
    "post /api/v1/conversations/{id}/refused/{commit}/override",
    "post /api/v1/node/name",
    "post /api/v1/requests/{id}/accept",
    "post /api/v1/requests/{id}/block",
    "post /api/v1/requests/{id}/decline",
    "post /join/{secret}",
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

Deno.test("every route the router knows is described, but for the front door and the description itself", async () => {
  const { app } = setUp();
  const known = app.routes.filter((route) => route.method !== "ALL").map(({ method, path }) => `${method} ${path}`);
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  const told = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`)
  );
  assert.deepEqual([...new Set(known)].sort(), [...told, "GET /", "GET /api/v1/openapi.json"].sort());
});

Deno.test("every route under /api/v1 answers 401 without the token and with a wrong one", async () => {
  const routes = [...await described(), { method: "GET", path: "/api/v1/openapi.json", needsToken: true }];
  assert.ok(routes.length >= 15);
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Basic ${btoa(`admin:${TOKEN}`)}`,
    TOKEN,
  ];
  for (const { method, path, needsToken } of routes) {
    assert.equal(needsToken, path.startsWith("/api/v1/"), path);
    if (!needsToken) continue;
    for (const authorization of wrong) {
      const { app, node } = setUp();
      const body = method === "POST" && !path.includes("/requests/") ? '{"body":"x"}' : undefined;
      const response = await app.request(path, {
        method,
        headers: { "content-type": "application/json", ...authorization !== undefined && { authorization } },
        body,
      });
      assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/, `${method} ${path} ${authorization}`);
      await problemOf(response, 401);
      assert.deepEqual([node.asked.size, node.known.size, node.posts.length, node.deeds.length], [1, 0, 0, 0]);
    }
  }
});

Deno.test("with the token every described route answers otherwise", async () => {
  for (const { method, path } of await described()) {
    const { app, stop } = setUp();
    const response = await app.request(path, { method, headers: { authorization: `bearer ${TOKEN}` } });
    assert.notEqual(response.status, 401, path);
    stop.abort();
    await response.body?.cancel();
  }
});

Deno.test("a path that does not exist does not tell so without the token", async () => {
  const { app } = setUp();
  await problemOf(app.request("/api/v1/nothing"), 401);
  await problemOf(app.request("/api/v1/contacts", { method: "PATCH" }), 401);
  await problemOf(app.request("/api/v1"), 401);
});
