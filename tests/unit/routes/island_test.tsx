import assert from "node:assert/strict";
import { render } from "preact-render-to-string";
import { Field } from "../../../islands/parts/form.tsx";
import { canBeTyped, Filled, plain } from "../../../islands/parts/given.tsx";
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

Deno.test("texts of strangers: what hides is taken out where it cannot be shut in, and nobody has to type it", () => {
  assert.equal(plain("a\u202eb\u2066c\u200b\ufeff سوق"), "abc سوق");
  for (const fine of ["Saturday walk", "سوق", "Élodie 🌍"]) assert.ok(canBeTyped(fine), fine);
  for (const bad of ["", "a\u202eb", "a\nb", "W".repeat(41), "a\u00a0b"]) {
    assert.ok(!canBeTyped(bad), JSON.stringify(bad));
  }
  const html = render(
    <p>
      <Filled text="Ban {name}?" name={<bdi>{"<b>"}</bdi>} />
    </p>,
  );
  assert.equal(html.replace(/<\/?span>/g, ""), "<p>Ban <bdi>&lt;b></bdi>?</p>");
});
