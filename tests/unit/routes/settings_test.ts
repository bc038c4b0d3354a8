import assert from "node:assert/strict";
import { options } from "../../../core/config.ts";
import { SETTING_TRAITS } from "../../../core/setting_traits.ts";
import { settingsTexts } from "../../../routes/texts/settings.ts";
import { problemOf, setUp } from "./support.ts";

Deno.test("settings are read and changed, all or none, and each wrong value is told by its key", async () => {
  const { ask, node } = setUp();
  const { settings, file } = await (await ask("GET", "/settings")).json();
  assert.deepEqual(settings.map(({ key }: { key: string }) => key), ["name", "dhtPort"]);
  assert.equal(file, "/data/kituo.json");
  const changed = await ask("PATCH", "/settings", { settings: { name: "Pwani" } });
  assert.equal(changed.status, 200);
  assert.equal((await changed.json()).settings[0].value, "Pwani");
  const refused = await ask("PATCH", "/settings", { settings: { name: "wrong", nothing: 1, dhtPort: 1 } });
  assert.equal(refused.status, 422);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  const { detail, problems } = await refused.json();
  assert.equal(detail, "name: name is wrong; nothing: nothing is wrong");
  assert.deepEqual(problems.map(({ key }: { key: string }) => key), ["name", "nothing"]);
  assert.deepEqual(node.settings.values, { name: "Pwani", dhtPort: 4222 });
  for (const body of [{}, { settings: { name: {} } }, { settings: { name: ["x".repeat(5_000)] } }, { name: "x" }]) {
    await problemOf(ask("PATCH", "/settings", body), 422);
  }
});

Deno.test("every setting of the schema has its place on the page, and words in both languages", () => {
  const keys = options.map(({ key }) => `${key}`).sort();
  assert.deepEqual(Object.keys(SETTING_TRAITS).sort(), keys);
  for (const key of keys) {
    assert.ok(settingsTexts.en.words[key]?.name, `${key} has no English name`);
    assert.ok(settingsTexts.fr.words[key]?.hint, `${key} has no French hint`);
  }
});
