import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { collectLicences } from "../../../core/licences.ts";
import { curlOf, exampleOf, resourcesOf } from "../../../routes/api_document.ts";
import { licenceTexts } from "../../../routes/settings_about.tsx";
import { browser, session, setUp } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

Deno.test("the page of the API shows every route that the description has, each under an anchor of its own", async () => {
  const { app, ask, node } = setUp();
  const headers = browser((await session(node, "viewer")).secret);
  const html = await (await app.request("/api", { headers })).text();
  const document = await (await ask("GET", "/openapi.json")).json();
  const all = resourcesOf(document).flatMap(({ operations }) => operations);
  const described = Object.values<object>(document.paths).flatMap((methods) => Object.keys(methods));
  assert.equal(all.length, described.length);
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, "an anchor is there twice");
  for (const { id } of all) assert.ok(ids.includes(id), id);
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) {
    assert.ok(ids.includes(target), `#${target} leads nowhere`);
  }
  assert.doesNotMatch(html, / style=|<script>/);
});

Deno.test("the page of the API finds routes by words; what is looked for does no harm", async () => {
  const { app, node } = setUp();
  const headers = browser((await session(node, "viewer")).secret);
  const found = async (q: string) => {
    const html = await (await app.request(`/api?q=${encodeURIComponent(q)}`, { headers })).text();
    assert.doesNotMatch(html, /<img/);
    return [...html.matchAll(/<details id="([^"]+)"/g)].map(([, id]) => id);
  };
  assert.deepEqual(await found("back-up fetched"), ["post-backups"]);
  assert.deepEqual(await found("nothing of this kind"), []);
  assert.deepEqual(await found('"><img src=x>'), []);
});

Deno.test("examples have the form that is described, and shells take them as they are", () => {
  const schemas = { Name: { type: "string", example: "it's" } };
  const body = {
    properties: { name: { $ref: "#/components/schemas/Name" }, n: { type: "integer", minimum: 3 }, x: {} },
    required: ["name", "n"],
  };
  assert.deepEqual(exampleOf(body, schemas), { name: "it's", n: 3 });
  const operation = {
    id: "",
    method: "POST",
    path: "/api/v1/names/{name}",
    requestBody: { content: { "application/json": { schema: body } } },
    "x-kituo-role": "owner",
  };
  assert.equal(
    curlOf(operation, schemas, "http://localhost:8042"),
    'curl -sS -X POST "http://localhost:8042/api/v1/names/NAME" \\\n' +
      '  -H "Authorization: Bearer $TOKEN" \\\n' +
      '  -H "Content-Type: application/json" \\\n' +
      `  -d '{"name":"it'\\''s","n":3}'`,
  );
});

Deno.test("back-ups and the log are an owner's pages, about and API everybody's who is signed in", async () => {
  const { app, node } = setUp();
  const pages = ["/settings/backup", "/settings/logs", "/settings/about", "/settings/about/licence.txt", "/api"];
  const statuses = async (headers: Record<string, string>) =>
    await Promise.all(pages.map(async (path) => {
      const response = await app.request(path, { headers });
      await response.body?.cancel();
      return response.status;
    }));
  assert.deepEqual(await statuses({}), [303, 303, 303, 303, 303]);
  for (const role of ["viewer", "moderator"] as const) {
    assert.deepEqual(await statuses(browser((await session(node, role)).secret)), [403, 403, 200, 200, 200]);
  }
  assert.deepEqual(await statuses(browser((await session(node, "owner")).secret)), [200, 200, 200, 200, 200]);
});

Deno.test("every package of the lock file stands in the list of licences, with a licence that goes with GPL-3.0-or-later", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const licences = await collectLicences(ROOT, Object.keys(imports));
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`));
  const known = new Set(licences.map(({ name, version }) => `${name}@${version}`));
  for (const [id, { os, cpu }] of Object.entries<{ os?: string[]; cpu?: string[] }>(lock.npm)) {
    if (os || cpu) continue; // for one kind of machine only
    assert.ok(known.has(id.replace(/_.*$/, "")), id);
  }
  for (const { name, licence, tool } of licences) {
    if (!tool) assert.match(licence, /^\(?(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Unlicense|CC0-1\.0)\b/, name);
  }
  for (const name of ["hono", "zod", "asn1js"]) assert.equal(licences.find((one) => one.name === name)?.tool, false);
  for (const name of ["axe-core", "playwright-core"]) {
    assert.equal(licences.find((one) => one.name === name)?.tool, true);
  }
  assert.match(licenceTexts(licences), /^hono \S+ \(MIT\)\n=+\n\nMIT License/m);
});
