import assert from "node:assert/strict";
import { CONVERSATION } from "./fake_node.ts";
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
