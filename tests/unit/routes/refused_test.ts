/** The routes of refused histories. */

import assert from "node:assert/strict";
import { CONVERSATION, id } from "./fake_node.ts";
import { problemOf, setUp } from "./support.ts";

const REFUSED = `/conversations/${CONVERSATION}/refused`;

Deno.test("refused histories are listed, accepted once with a reason, or dropped", async () => {
  const { ask, node } = setUp();
  const commits = async () => {
    const { refused }: { refused: { commit: string }[] } = await (await ask("GET", REFUSED)).json();
    return refused.map(({ commit }) => commit);
  };
  assert.deepEqual(await commits(), [id(0xe0), id(0xe1)]);
  const override = (commit: string, body: unknown) => ask("POST", `${REFUSED}/${commit}/override`, body);
  const answer = await override(id(0xe0), { reason: "harmless" });
  assert.deepEqual([answer.status, await answer.json()], [200, { refused: [] }]);
  assert.deepEqual(node.deeds, [`override ${id(0xe0)} harmless`]);
  await problemOf(override(id(0xe0), { reason: "again" }), 404);
  assert.match(await problemOf(override(id(0xe1), { reason: "please" }), 409), /never/);
  assert.equal((await ask("DELETE", `${REFUSED}/${id(0xe1)}`)).status, 204);
  assert.deepEqual(await commits(), []);
  await problemOf(ask("DELETE", `${REFUSED}/${id(0xe1)}`), 404);
});

Deno.test("an override wants a reason", async () => {
  const { ask, node } = setUp();
  for (const body of [{}, { reason: "" }, { reason: "x".repeat(501) }, { reason: 1 }, { reason: "r", more: 1 }]) {
    await problemOf(ask("POST", `${REFUSED}/${id(0xe0)}/override`, body), 422);
  }
  await problemOf(ask("GET", `/conversations/${id(1)}/refused`), 404);
  await problemOf(ask("POST", `${REFUSED}/HEAD/override`, { reason: "r" }), 400);
  assert.deepEqual(node.deeds, []);
});
