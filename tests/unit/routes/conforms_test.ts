import assert from "node:assert/strict";
import type { ApiDocument } from "../../../routes/api_document.ts";
import { faultsOf } from "./conforms.ts";
import { CONVERSATION } from "./fake_node.ts";
import { setUp } from "./support.ts";

/** Their answers never end, or are no JSON that is described. */
const OTHERS = /\/(events|openapi\.json|metrics)$/;

Deno.test("every answer of a route that reads has the form that the description promises", async () => {
  const { ask } = setUp();
  const { paths = {}, components: { schemas = {} } = {} }: ApiDocument = await (await ask("GET", "/openapi.json"))
    .json();
  const faults: string[] = [];
  let asked = 0;
  for (const [path, { get }] of Object.entries(paths)) {
    const schema = get?.responses?.["200"]?.content?.["application/json"]?.schema;
    if (!schema || !path.startsWith("/api/v1/") || OTHERS.test(path)) continue;
    const query = (get.parameters ?? []).some(({ name, required }) => name === "q" && required) ? "?q=map" : "";
    const response = await ask("GET", path.slice("/api/v1".length).replace("{id}", CONVERSATION) + query);
    const answer = await response.text();
    if (response.status !== 200) continue; // what is not there, or is told to sessions only
    asked++;
    faults.push(...faultsOf(JSON.parse(answer), schema, schemas).map((fault) => `${path} ${fault}`));
  }
  assert.deepEqual(faults, []);
  assert.ok(asked > 25, `only ${asked} routes answered`);
});

Deno.test("the check of forms finds what is wrong", () => {
  const schemas = { A: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } };
  const form = { type: "array", items: { $ref: "#/components/schemas/A" } };
  assert.deepEqual(faultsOf([{ n: 1 }], form, schemas), []);
  assert.deepEqual(faultsOf([{ n: "1" }, {}, { n: 1.5 }], form, schemas), [
    "$[0].n: is no integer",
    "$[1].n: is missing",
    "$[2].n: is no integer",
  ]);
  assert.equal(faultsOf(6, { enum: [4] }, {}).length, 1);
});
