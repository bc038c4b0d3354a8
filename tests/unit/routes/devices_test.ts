import assert from "node:assert/strict";
import { ARCHIVE_PASSWORD, OTHER_DEVICE } from "./fake_devices.ts";
import { problemOf, setUp } from "./support.ts";

Deno.test("own devices are listed, linked in steps, and revoked with the archive's password", async () => {
  const { ask } = setUp();
  const { devices, hasPassword } = await (await ask("GET", "/devices")).json();
  assert.deepEqual([devices.length, devices[0].thisOne, hasPassword], [2, true, true]);
  await problemOf(ask("POST", "/devices/link", { uri: "https://kituo" }), 400);
  await problemOf(ask("POST", "/devices/link/confirm"), 409);
  const uri = `jami-auth://${OTHER_DEVICE}/123456`;
  const begun = await (await ask("POST", "/devices/link", { uri })).json();
  assert.deepEqual([begun.stage, begun.address], ["confirm", "192.0.2.7:4000"]);
  await problemOf(ask("POST", "/devices/link", { uri }), 409);
  assert.equal((await (await ask("POST", "/devices/link/confirm")).json()).stage, "password");
  assert.equal((await (await ask("POST", "/devices/link/cancel")).json()).failure, "canceled");
  assert.equal((await (await ask("GET", "/devices/link")).json()).stage, "failed");
  await problemOf(ask("DELETE", `/devices/${OTHER_DEVICE}`, { password: "x" }), 403);
  await problemOf(ask("DELETE", `/devices/${"e".repeat(64)}`, { password: ARCHIVE_PASSWORD }), 404);
  await problemOf(ask("DELETE", `/devices/${OTHER_DEVICE}`), 422);
  const after = await (await ask("DELETE", `/devices/${OTHER_DEVICE}`, { password: ARCHIVE_PASSWORD })).json();
  assert.deepEqual(after.devices.map(({ revoked }: { revoked: boolean }) => revoked), [false, true]);
});

Deno.test("the archive is handed out as a file that nobody keeps", async () => {
  const { ask } = setUp();
  await problemOf(ask("POST", "/devices/archive", { password: "" }), 403);
  const answer = await ask("POST", "/devices/archive", { password: ARCHIVE_PASSWORD, newPassword: "mpya" });
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.match(answer.headers.get("content-disposition") ?? "", /attachment; filename="account.gz"/);
  assert.equal(await answer.text(), "archive mpya");
});

Deno.test("a node that its account has revoked is not ready, and says why", async () => {
  const { app, node } = setUp();
  node.revoked = true;
  const problem = await problemOf(app.request("/readyz"), 503);
  assert.match(JSON.stringify(problem), /revoked/);
});

/** What a revoked node still does: all that is this machine's own. */
const AT_HOME = [
  /^\w+ \/api\/v1\/(admin-invitations|admins|backups|name-server|passkeys|password|sessions?|settings|setup|tokens)\b/,
  /^delete \/api\/v1\/conversations\/\{id\}$/,
  /^(post|delete) \/api\/v1\/conversations\/\{id\}\/reveal$/,
  /^post \/api\/v1\/conversations\/\{id\}\/leave$/,
  /^post \/api\/v1\/devices\/archive$/,
];

Deno.test("a revoked node refuses to write what nobody would hear, and goes on with what is its own", async () => {
  const { ask, node } = setUp();
  node.revoked = true;
  const { paths } = await (await ask("GET", "/openapi.json")).json();
  const refused: string[] = [], answered: string[] = [];
  for (const [path, methods] of Object.entries<object>(paths)) {
    for (const method of Object.keys(methods).filter((method) => path.startsWith("/api/v1") && method !== "get")) {
      const filled = path.replace(/\{\w+\}/g, "0".repeat(40)).replace("/api/v1", "");
      if (filled === "/session") continue; // it would sign out
      const answer = await ask(method.toUpperCase(), filled, {});
      const { detail = "" } = answer.status === 409 ? await answer.json() : {};
      await answer.body?.cancel().catch(() => {}); // reason: it may be read already
      const list = /revoked this device/.test(detail) ? refused : answered;
      list.push(`${method} ${path}`);
    }
  }
  const isHome = (route: string) => AT_HOME.some((pattern) => pattern.test(route));
  assert.deepEqual(refused.filter(isHome), []);
  assert.deepEqual(answered.filter((route) => !isHome(route)), []);
  assert.ok(refused.includes("post /api/v1/contacts") && refused.includes("delete /api/v1/devices/{deviceId}"));
  assert.equal((await ask("GET", "/conversations")).status, 200);
});
