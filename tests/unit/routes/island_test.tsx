import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import { Field } from "../../../islands/parts/form.tsx";
import { island } from "../../../routes/_island.tsx";

Deno.test("labels lead to the fields of their own island, however many islands a page has", () => {
  const Island = island("some", ({ label }: { label: string }) => <Field label={label} hint="hint" name="x" />);
  const html = render(
    <main>
      <Island label="one" />
      <Island label="two" />
      <Field label="of the page" />
    </main>,
  );
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(ids.length, 5);
  assert.equal(new Set(ids).size, 5);
  for (const [, id] of html.matchAll(/ (?:for|aria-describedby)="([^"]+)"/g)) assert.ok(ids.includes(id), id);
  // the browser counts from the same prefix
  for (const [, prefix, id] of html.matchAll(/data-prefix="([^"]+)"><div[^>]*><label for="([^"]+)"/g)) {
    assert.equal(id, `${prefix}-0`);
  }
});
