import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_STATES, Pattern } from "../../../core/moderation/pattern.ts";

/** Expressions that both engines know. */
const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    fc.constantFrom(
      "a",
      "b",
      "1",
      " ",
      "é",
      "😀",
      ".",
      "\\d",
      "\\w",
      "\\s",
      "\\W",
      "[ab]",
      "[^a1]",
      "[a-f😀]",
      "\\x61",
      "\\u{1f600}",
      "\\p{L}",
    ),
    fc.tuple(fc.constantFrom("(", "(?:"), tie("expression")).map(([open, inner]) => `${open}${inner})`),
  ),
  expression: fc.oneof(
    { depthSize: "small" },
    tie("atom"),
    fc.tuple(tie("atom"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,}", "*?")).map((parts) => parts.join("")),
    fc.tuple(tie("expression"), tie("expression")).map((parts) => parts.join("")),
    fc.tuple(tie("expression"), tie("expression")).map((parts) => parts.join("|")),
    fc.constantFrom("^", "$", "\\b"), // \B: JavaScript finds it within an emoji, too
  ),
}));

const said = fc.array(fc.constantFrom("a", "A", "b", "B", "f", "1", " ", "é", "É", "😀", "-", "\n"), { maxLength: 9 })
  .map((parts) => parts.join(""));

Deno.test("patterns: what JavaScript's engine finds is found, and nothing else", () => {
  fc.assert(
    fc.property(expression, said, (source, text) => {
      const pattern = Pattern.tryCompile(source);
      if (typeof pattern === "string") return; // too large
      // reason: texts are short here, so that backtracking costs nothing
      assert.equal(pattern.test(text), new RegExp(source, "iu").test(text), `/${source}/ on ${JSON.stringify(text)}`);
    }),
    { numRuns: 5_000 },
  );
});

Deno.test("patterns: those that stop a backtracking engine take no time here", () => {
  const evil: [string, string][] = [
    ["(a+)+$", "a".repeat(4_000) + "!"],
    ["(a|a)*b", "a".repeat(4_000)],
    ["(.*a){20}b", "a".repeat(4_000)],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(4_000)],
    ["(?:x*)*(?:x*)*(?:x*)*y", "x".repeat(4_000)],
  ];
  for (const [source, text] of evil) {
    const pattern = Pattern.compile(source);
    const begun = performance.now();
    pattern.test(text);
    const ms = performance.now() - begun;
    assert.ok(ms < 2_000, `/${source}/ took ${ms} ms`);
  }
});

Deno.test("patterns: what cannot be, or is too large, is refused in words", () => {
  const wrong: [string, RegExp][] = [
    ["(", /not closed/],
    [")", /not opened/],
    ["[a", /not closed/],
    ["[b-a]", /not possible/],
    ["a{3,2}", /wrong way round/],
    ["a{500}", /at most/],
    ["*", /nothing before/],
    ["a**", /repeats/],
    ["\\", /ends with/],
    ["\\1", /back references/],
    ["\\k<a>", /back references/],
    ["(?=a)", /look-around/],
    ["(?<!a)", /look-around/],
    ["(?<name>a)", /named groups/],
    ["^*", /cannot be repeated/],
    ["\\q", /means nothing/],
    ["\\u12", /not finished/],
    ["((a{100}){100}){100}", /too large/],
    ["(".repeat(30) + "a" + ")".repeat(30), /groups in groups/],
  ];
  for (const [source, message] of wrong) {
    const said = Pattern.tryCompile(source);
    assert.ok(typeof said === "string", source);
    assert.match(said, message, source);
  }
  assert.ok(Pattern.compile("a".repeat(900)).states <= MAX_STATES);
});

Deno.test("patterns: no text of an expression makes the reader throw anything else", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (source) => {
    Pattern.tryCompile(source);
  }));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(..."(){}[]|*+?^$\\.-,:=!ab1pu"), { maxLength: 20 }), (parts) => {
      Pattern.tryCompile(parts.join(""));
    }),
    { numRuns: 3_000 },
  );
});
