/** The pages by which people come in: their forms work without any script. */

import assert from "node:assert/strict";
import { browser, PASSWORD, problemOf, session, setUp } from "./support.ts";

type World = ReturnType<typeof setUp>;

/** Sends a form as a browser does. */
function submit({ app }: World, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  return app.request(path, {
    method: "POST",
    headers: { origin: "http://localhost", "sec-fetch-site": "same-origin", ...headers },
    body: new URLSearchParams(fields),
  });
}

/** The secret in the cookie that an answer sets; undefined = it sets none. */
const cookieOf = (response: Response) => /^__Host-kituo=([^;]{43});/.exec(response.headers.getSetCookie()[0])?.[1];

async function pageOf(response: Response, status: number): Promise<string> {
  assert.equal(response.status, status);
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  return await response.text();
}

Deno.test("the set-up page makes the first admin and tells what is wrong; typed text is kept, passwords are not", async () => {
  const world = setUp();
  const { node, app } = world;
  const secret = node.admins.newSetupSecret() ?? "";
  assert.match(await pageOf(await app.request(`/setup?secret=${secret}`), 200), new RegExp(`value="${secret}"`));
  const fields = { secret, name: "Asha", password: PASSWORD, next: "/setup" };
  const weak = await pageOf(await submit(world, "/setup", { ...fields, password: "elevenchars" }), 422);
  assert.match(weak, /at least 12 characters/);
  assert.match(weak, /value="Asha"/);
  assert.doesNotMatch(weak, /elevenchars/);
  await pageOf(await submit(world, "/setup", { ...fields, secret: "A".repeat(43) }), 403);
  const hostile = await pageOf(await submit(world, "/setup", { ...fields, name: '"><script>', password: "x" }), 422);
  assert.doesNotMatch(hostile, /<script>/);
  const done = await submit(world, "/setup", fields);
  assert.deepEqual([done.status, done.headers.get("location")], [303, "/setup"]);
  assert.equal(node.admins.bySession(cookieOf(done) ?? "")?.name, "Asha");
  await pageOf(await submit(world, "/setup", fields), 409);
  assert.equal((await app.request("/setup")).headers.get("location"), "/sign-in?next=/setup");
  assert.deepEqual(node.admins.audit({ action: "node.setup" }, 9).map(({ actor }) => actor), ["Asha"]);
});

Deno.test("the sign-in page leads to where one wanted to go, on this site only, and out again", async () => {
  const world = setUp();
  const { app, node } = world;
  assert.match(await pageOf(await app.request("/sign-in"), 200), /Nobody is admin here yet/);
  await session(node, "viewer", "Juma");
  assert.doesNotMatch(await pageOf(await app.request("/sign-in"), 200), /Nobody is admin here yet/);
  const wrong = await submit(world, "/sign-in", { name: "Juma", password: "wrong wrong wrong", next: "/requests" });
  assert.equal(cookieOf(wrong), undefined);
  assert.match(await pageOf(wrong, 401), /The name or the password is wrong[^]*value="\/requests"/);
  const to = async (next: string) =>
    (await submit(world, "/sign-in", { name: "Juma", password: PASSWORD, next })).headers.get("location");
  assert.equal(await to("/requests"), "/requests");
  for (const elsewhere of ["//evil.example", "/\\evil.example", "https://evil.example", "", "javascript:alert(1)"]) {
    assert.equal(await to(elsewhere), "/");
  }
  const secret = cookieOf(await submit(world, "/sign-in", { name: "juma", password: PASSWORD })) ?? "";
  await problemOf(submit(world, "/sign-out", {}, { ...browser(secret), origin: "https://evil.example" }), 403);
  assert.ok(node.admins.bySession(secret));
  const out = await submit(world, "/sign-out", {}, browser(secret));
  assert.deepEqual([out.status, out.headers.get("location")], [303, "/sign-in"]);
  assert.equal(node.admins.bySession(secret), null);
});

Deno.test("a form of another site signs nobody in", async () => {
  const world = setUp();
  await session(world.node, "viewer", "Juma");
  const fields = { name: "Juma", password: PASSWORD };
  const foreign: Record<string, string>[] = [{ origin: "https://evil.example" }, { origin: "null" }, {
    "sec-fetch-site": "cross-site",
  }];
  for (const headers of foreign) {
    await problemOf(submit(world, "/sign-in", fields, headers), 403);
  }
});

Deno.test("an invited admin joins by the link", async () => {
  const world = setUp();
  await session(world.node, "owner");
  const { secret } = world.node.admins.invite("moderator", 1_000, "test");
  assert.match(
    await pageOf(await world.app.request(`/admin-invitation?secret=${secret}`), 200),
    new RegExp(`value="${secret}"`),
  );
  const joined = await submit(world, "/admin-invitation", { secret, name: "Juma", password: PASSWORD });
  assert.equal(joined.status, 303);
  assert.equal(world.node.admins.bySession(cookieOf(joined) ?? "")?.role, "moderator");
  await pageOf(await submit(world, "/admin-invitation", { secret, name: "Eve", password: PASSWORD }), 403);
});

Deno.test("under plain HTTP elsewhere the pages say why nobody can sign in, and take no password", async () => {
  const world = setUp();
  const headers = { host: "192.0.2.1:8042", origin: "http://192.0.2.1:8042" };
  for (const path of ["/sign-in", "/setup", "/admin-invitation"]) {
    const page = await pageOf(await world.app.request(path, { headers }), 403);
    assert.match(page, /needs TLS/);
    assert.doesNotMatch(page, /<input/);
  }
  await session(world.node, "viewer", "Juma");
  const response = await submit(world, "/sign-in", { name: "Juma", password: PASSWORD }, headers);
  assert.equal(cookieOf(response), undefined);
  assert.equal(response.status, 403);
});

Deno.test("guessing through the page is slowed down as well", async () => {
  const world = setUp();
  await session(world.node, "viewer", "Juma");
  const guess = () => submit(world, "/sign-in", { name: "Juma", password: "wrong wrong wrong" });
  for (let n = 0; n < 10; n++) assert.equal((await guess()).status, 401);
  assert.match(await pageOf(await guess(), 429), /Too many tries/);
});

Deno.test("the pages are in French for who reads French", async () => {
  const response = await setUp().app.request("/sign-in", { headers: { "accept-language": "fr-FR,fr;q=0.9" } });
  assert.match(await pageOf(response, 200), /<html lang="fr">[^]*Mot de passe/);
});

Deno.test("the way to the sign-in keeps the query, and who is in is led on", async () => {
  const { app, node } = setUp();
  const { secret } = await session(node, "viewer");
  const out = await app.request("/conversations?q=walk&x=1");
  assert.equal(out.headers.get("location"), `/sign-in?next=${encodeURIComponent("/conversations?q=walk&x=1")}`);
  const headers = browser(secret);
  const where = async (path: string) => (await app.request(path, { headers })).headers.get("location");
  assert.equal(await where("/sign-in"), "/");
  assert.equal(await where("/sign-in?next=%2Faudit%3Fq%3D1"), "/audit?q=1");
  assert.equal(await where("/sign-in?next=%2F%2Fevil.example"), "/");
  const home = await (await app.request("/", { headers })).text();
  assert.ok(home.includes("1 request waits for a moderator") && !home.includes('href="/requests"'));
});
