/** Words: texts with a word or a pattern of a list in them. */

import { z } from "zod";
import { MAX_PATTERN_TEXT, MAX_WORD_TEXT } from "../constants.ts";
import { MAX_STATES, Pattern } from "../pattern.ts";
import { protection } from "../protection.ts";

const settings = z.strictObject({
  words: z.array(z.string().trim().min(1).max(100)).max(500).default([]).describe(
    "Words and phrases, in any case, standing by themselves",
  ),
  patterns: z.array(z.string().min(1).max(200)).max(50).default([]).describe(
    "Regular expressions, in any case: without look-around and back references, so that no text can make them slow",
  ),
}).superRefine(({ patterns }, context) => {
  let states = 0;
  patterns.forEach((source, i) => {
    const compiled = Pattern.tryCompile(source);
    if (typeof compiled === "string") {
      context.addIssue({ code: "custom", path: ["patterns", i], message: `pattern ${i + 1}: ${compiled}` });
    } else states += compiled.states;
  });
  if (states > MAX_STATES) {
    context.addIssue({ code: "custom", path: ["patterns"], message: "the patterns together are too large" });
  }
});

type Settings = z.output<typeof settings>;

/** What was made of the settings. */
interface Compiled {
  from: Settings | null;
  words: { at: number; text: string }[];
  patterns: Pattern[];
}

export const words = protection({
  name: "words",
  settings,
  watches: ["text", "file"],
  consequence: "notify",
  begin: (): Compiled => ({ from: null, words: [], patterns: [] }),
  judge({ what }, { settings, memory }) {
    if (memory.from !== settings) compile(memory, settings);
    const said = what.kind === "text" ? what.text : what.kind === "file" ? what.name : "";
    const text = plain(said.slice(0, MAX_WORD_TEXT));
    const spaced = ` ${text.replace(/[^\p{L}\p{N}]+/gu, " ")} `;
    // the reason names the place in the list and not the word: it stands where texts are hidden
    const word = memory.words.find((word) => spaced.includes(word.text));
    if (word) return { reason: `word ${word.at + 1} of the list`, holds: what.kind === "file" ? "file" : "member" };
    const start = text.slice(0, MAX_PATTERN_TEXT);
    const pattern = memory.patterns.findIndex((pattern) => pattern.test(start));
    if (pattern < 0) return null;
    return { reason: `pattern ${pattern + 1} of the list`, holds: what.kind === "file" ? "file" : "member" };
  },
});

function compile(memory: Compiled, settings: Settings): void {
  memory.from = settings;
  memory.words = settings.words.map((word, at) => ({
    at,
    text: ` ${plain(word).replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `,
  })).filter(({ text }) => text.trim() !== "");
  memory.patterns = settings.patterns.map((source) => Pattern.compile(source));
}

/** One form for what looks the same: full-width letters, ligatures, capitals. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
