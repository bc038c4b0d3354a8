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
