/** The steps of the set-up after the first admin is made. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SETUP_STEPS } from "../../../core/node_api.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

/** Somebody signed in, who looks at pages. */
async function reader(role: "owner" | "moderator" = "owner") {
  const world = setUp();
  const { secret } = await session(world.node, role);
  const look = (path: string) => world.app.request(path, { headers: { ...browser(secret), accept: "text/html" } });
  return { ...world, look };
}

Deno.test("each step has its page, the end of one leads to the next, what was done can be looked at again", async () => {
  const { node, look, ask } = await reader();
  node.setup.begin();
  const seen: string[] = [];
  for (const [i, step] of SETUP_STEPS.entries()) {
    assert.equal((await look("/")).headers.get("location"), "/setup", "an owner is led back to where it was left");
    const page = await (await look("/setup")).text();
    assert.match(page, new RegExp(`Step ${i + 1} of 4`));
    seen.push(/<h1[^>]*>([^<]*)/.exec(page)?.[1] ?? "");
    assert.match(await (await look("/setup?step=add")).text(), new RegExp(`Step ${i + 1} of 4`), "nothing is skipped");
    if (i > 0) assert.match(await (await look("/setup?step=node")).text(), /Step 1 of 4/);
    assert.equal((await ask("PATCH", "/setup", { done: step })).status, 200);
    assert.equal((await ask("PATCH", "/setup", { done: SETUP_STEPS[0] })).status, 200, "told again it changes nothing");
  }
  assert.equal(new Set(seen).size, 4);
  assert.equal((await look("/")).status, 200);
  assert.equal((await look("/setup")).headers.get("location"), "/");
});

Deno.test("only owners are led through the set-up; who is not signed in is asked to", async () => {
  const { node, look, app } = await reader("moderator");
  node.setup.begin();
  assert.equal((await look("/")).status, 200);
  assert.equal((await look("/setup")).headers.get("location"), "/");
  assert.equal((await app.request("/setup")).headers.get("location"), "/sign-in?next=/setup");
});

Deno.test("a step says what is to be set, and nothing else is taken", async () => {
  const { node, ask } = await reader();
  node.setup.begin();
  const jamiId = "AB".repeat(20);
  await ask("PATCH", "/setup", { done: "node", name: "Pwani" });
  await ask("PATCH", "/setup", { done: "policy", acceptRequests: "allowlist", allowlist: [`jami:${jamiId}`] });
  assert.deepEqual(node.setup.told, [
    { name: "Pwani" },
    { acceptRequests: "allowlist", allowlist: [jamiId.toLowerCase()] },
  ]);
  const bad = [
    { done: "admin" },
    { done: "node", name: " " },
    { done: "node", dhtPort: 1 },
    { done: "node", picture: "" },
    { done: "policy", acceptRequests: "all" },
    { done: "policy", allowlist: ["x"] },
  ];
  for (const body of bad) await problemOf(ask("PATCH", "/setup", body), 422);
});

Deno.test("an archive may be large, but not larger than archives are; nobody else may send so much", async () => {
  const { node, ask, app } = await reader();
  const archive = Buffer.alloc(8 * 1024 * 1024).toString("base64");
  assert.equal((await ask("POST", "/setup/import", { archive, password: "x" })).status, 202);
  assert.deepEqual(node.setup.imported, [[8 * 1024 * 1024, "x"]]);
  assert.deepEqual(await (await ask("GET", "/setup/import")).json(), { state: "running", step: "open" });
  await problemOf(ask("POST", "/setup/import", { archive: "no base64!" }), 422);
  await problemOf(ask("POST", "/setup/import", { archive: `${archive}AAAA` }), 422);
  await problemOf(ask("POST", "/setup/import", { archive, more: "x".repeat(70_000) }), 413);
  const stranger = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ archive }),
  };
  await problemOf(app.request("/api/v1/setup/import", stranger), 401);
  node.setup.mayImport = false;
  await problemOf(ask("POST", "/setup/import", { archive: "AAAA" }), 409);
});
