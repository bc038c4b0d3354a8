import assert from "node:assert/strict";
import { CONVERSATION, id } from "./fake_node.ts";
import { problemOf, setUp } from "./support.ts";

Deno.test("names and addresses are looked up", async () => {
  const { ask } = setUp();
  assert.deepEqual(await (await ask("GET", "/names/ASHA")).json(), { jamiId: id(2), registeredName: "asha" });
  assert.deepEqual(await (await ask("GET", `/addresses/${id(3)}`)).json(), { jamiId: id(3), registeredName: "juma" });
  await problemOf(ask("GET", "/names/nobody"), 404);
  await problemOf(ask("GET", `/addresses/${id(4)}`), 404);
  await problemOf(ask("GET", "/names/slow"), 502);
  for (const bad of ["a%2Fb", "..%2Fx", "%20", "x".repeat(65), id(1)]) {
    await problemOf(ask("GET", `/names/${bad}`), 400);
  }
  await problemOf(ask("GET", "/addresses/asha"), 400);
});

Deno.test("contacts and members are taken by name as by Jami ID, one of the two", async () => {
  const { ask, node } = setUp();
  const members = `/conversations/${CONVERSATION}/members`;
  assert.equal((await ask("POST", "/contacts", { registeredName: "Juma" })).status, 201);
  assert.ok(node.known.has(id(3)));
  assert.equal((await ask("POST", members, { registeredName: "juma" })).status, 201);
  assert.deepEqual(node.deeds, [`invite ${id(3)}`]);
  for (const path of ["/contacts", members]) {
    await problemOf(ask("POST", path, { registeredName: "nobody" }), 404);
    await problemOf(ask("POST", path, { registeredName: "slow" }), 502);
    const bad = [{}, { jamiId: id(3), registeredName: "juma" }, { registeredName: "a/b" }, { registeredName: id(3) }];
    for (const body of [...bad, { registeredName: 1 }, { registeredName: "juma", x: 1 }]) {
      await problemOf(ask("POST", path, body), 422);
    }
  }
  assert.equal(node.known.size, 1);
  assert.equal(node.deeds.length, 1);
});

Deno.test("the node's own name is registered, with the archive's password if it has one", async () => {
  const { ask, node } = setUp();
  const registered = await ask("POST", "/node/name", { name: "Kituo" });
  assert.equal(registered.status, 201);
  assert.deepEqual(await registered.json(), { jamiId: id(9), registeredName: "kituo" });
  await problemOf(ask("POST", "/node/name", { name: "kituo", password: "wrong" }), 403);
  for (const name of ["ab", "a b", "x".repeat(33), "été", ""]) {
    await problemOf(ask("POST", "/node/name", { name }), 422);
  }
  assert.deepEqual(node.deeds, ["register Kituo"]);
});

Deno.test("the names that the own name server gave out: pages, and taking one back", async () => {
  const { ask } = setUp();
  const list = async (query: string) => await (await ask("GET", `/name-server/names${query}`)).json();
  const all = await list("");
  assert.deepEqual(all.names.map(({ registeredName }: { registeredName: string }) => registeredName), ["asha", "juma"]);
  assert.equal(all.next, null);
  const first = await list("?limit=1");
  assert.equal(first.next, "asha");
  assert.deepEqual((await list("?limit=1&after=asha")).names, all.names.slice(1));
  assert.equal((await ask("DELETE", "/name-server/names/asha")).status, 204);
  await problemOf(ask("DELETE", "/name-server/names/asha"), 404);
  assert.equal((await list("")).names.length, 1);
});
