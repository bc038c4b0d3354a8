import assert from "node:assert/strict";
import { networkTexts } from "../../../routes/texts/network.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

Deno.test("the network is told to viewers, its connections to moderators, a page at a time", async () => {
  const { ask, app, node } = setUp();
  const { dht, ports } = await (await ask("GET", "/network")).json();
  assert.equal(dht.requests.length, 7);
  assert.deepEqual(ports.map(({ use }: { use: string }) => use), ["dht", "peers"]);
  const first = await (await ask("GET", "/network/connections?limit=2")).json();
  assert.deepEqual(first.connections.map(({ id }: { id: string }) => id), ["1", "2"]);
  const rest = await (await ask("GET", `/network/connections?limit=2&after=${first.next}`)).json();
  assert.deepEqual([rest.connections.length, rest.next], [1, null]);
  await problemOf(ask("GET", "/network/connections?limit=201"), 400);
  await problemOf(ask("GET", "/network/connections?after=x"), 400);
  const { secret } = await session(node, "viewer");
  const html = await (await app.request("/network", { headers: { ...browser(secret), accept: "text/html" } })).text();
  assert.match(html, /203\.0\.113\.7/);
  assert.ok(!html.includes("Asha") && !html.includes("data-connection"), "a viewer hears nothing of people");
});

Deno.test("a connection can be ended once it is there; a test is begun and read", async () => {
  const { ask, node } = setUp();
  assert.equal((await ask("DELETE", "/network/connections/2")).status, 204);
  assert.deepEqual(node.network.closed, ["2"]);
  await problemOf(ask("DELETE", "/network/connections/9"), 404);
  await problemOf(ask("DELETE", "/network/connections/X"), 400);
  assert.deepEqual(await (await ask("GET", "/network/reachability")).json(), { test: null });
  const { test } = await (await ask("POST", "/network/reachability")).json();
  assert.deepEqual((await (await ask("GET", "/network/reachability")).json()).test, test);
  assert.equal(node.admins.audit({}, 1)[0].action, "network.test");
});

Deno.test("every place in the texts of findings and advice is one that the test fills, in both languages the same", () => {
  const filled = ["answered", "asked", "minutes", "seen", "own", "configured", "from", "port"];
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const part of ["findings", "advice"] as const) {
    for (const [key, text] of Object.entries<string>(networkTexts.en[part])) {
      const other: Record<string, string> = networkTexts.fr[part];
      assert.deepEqual(places(text), places(other[key]), key);
      for (const place of places(text)) assert.ok(filled.includes(place), `${key}: ${place}`);
    }
  }
});
