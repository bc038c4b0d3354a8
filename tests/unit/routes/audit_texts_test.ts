import assert from "node:assert/strict";
import { actionOf } from "../../../routes/endpoints.ts";
import { auditTexts } from "../../../routes/texts/audit.ts";
import { setUp } from "./support.ts";

Deno.test("the audit log has words for all that the API can do, in every language, and a group for each noun", async () => {
  const document = await (await setUp().ask("GET", "/openapi.json")).json();
  const routes = Object.entries<Record<string, Record<string, unknown>>>(document.paths);
  const actions = routes.filter(([path]) => path.startsWith("/api/v1")).flatMap(([path, methods]) =>
    Object.entries(methods).filter(([method, { "x-kituo-action": told }]) => method !== "get" || told).map((
      [method, { "x-kituo-action": told }],
    ) => typeof told === "string" ? told : actionOf(method, path.slice("/api/v1".length).replace(/\{(\w+)\}/g, ":$1")))
  ).filter((action) => action !== "");
  for (const { actions: words, groups } of Object.values(auditTexts)) {
    assert.deepEqual(actions.filter((action) => !words[action]), []);
    const nouns = new Set(Object.keys(words).map((action) => action.split(".")[0]));
    assert.deepEqual([...nouns].filter((noun) => !(noun in groups)), []);
  }
  assert.deepEqual(Object.keys(auditTexts.en.actions).sort(), Object.keys(auditTexts.fr.actions).sort());
});
