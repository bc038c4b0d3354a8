import assert from "node:assert/strict";
import { troubleOf } from "../../../islands/overview.tsx";
import { en } from "../../../routes/texts/en.ts";
import { CONVERSATION, FakeNode } from "./fake_node.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

Deno.test("the day's charts are told to viewers, who waits to moderators only: on the page, too", async () => {
  const { ask, app, node } = setUp();
  const { samples } = await (await ask("GET", "/overview/history")).json();
  assert.deepEqual([samples.length, samples[0].bytesIn, samples[0].bytesOut], [1, 1, 2]);
  const { devices, total } = await (await ask("GET", "/waiting?limit=5")).json();
  assert.deepEqual([devices[0].name, devices[0].messages, devices[0].conversationId, total], [
    "Asha",
    3,
    CONVERSATION,
    1,
  ]);
  await problemOf(ask("GET", "/waiting?limit=201"), 400);
  const pageOf = async (role: "viewer" | "moderator") => {
    const { secret } = await session(node, role);
    return await (await app.request("/", { headers: { ...browser(secret), accept: "text/html" } })).text();
  };
  assert.ok(!(await pageOf("viewer")).includes("Asha"));
  const page = await pageOf("moderator");
  assert.match(page, /Asha/);
  assert.match(page, new RegExp(`/conversations/${CONVERSATION}/members`));
});

Deno.test("what keeps others from reaching the node is said first, once it had time to start", () => {
  const about = (uptime: number, dht: boolean, announced: boolean, revoked = false) => {
    const { node } = new FakeNode().overview();
    return troubleOf({ node: { ...node, uptime }, ready: { dht, announced, revoked } }, en.overview);
  };
  assert.equal(about(10, false, false), "");
  assert.equal(about(100, false, false), en.overview.notConnected);
  assert.equal(about(100, true, false), en.overview.notAnnounced);
  assert.equal(about(100, true, true), "");
  assert.equal(about(10, false, false, true), en.overview.revoked);
});
