/**
 * How texts are cut into the words by which they are found: as FTS5's own tokenizer does it, and besides for scripts
 * that put no spaces between words, for emoji, and for letters that people write in more than one way.
 */

/** Letters, digits and marks of the scripts whose texts are not, or not reliably, cut into words by spaces. */
const UNSPACED = String
  .raw`[[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]&&[\p{L}\p{M}\p{N}]]`;

/** A run of such a script, an emoji (of several that were joined each one), or a word. */
const PARTS = new RegExp(
  String.raw`(${UNSPACED}+)|(\p{RI}{2}|\p{ExtPict})|[[\p{L}\p{M}\p{N}]--${UNSPACED}]+`,
  "gv",
);

/** Signs that change how others look, and no word: variants, the frame of a key, joiners, a stretched Arabic line. */
const INVISIBLE = /[\ufe00-\ufe0f\u20e3\u200c\u200d\u0640]/g;

/** In these scripts marks above and below letters may be left out, and are by who searches. */
const MARKED = /([\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}\p{scx=Arab}\p{scx=Hebr}])\p{Mn}+/gu;

/** Letters that are not a letter with a mark to Unicode, but to who types them on another keyboard. */
const PLAIN: Readonly<Record<string, string>> = { æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ς: "σ" };
const NOT_PLAIN = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");

/** Stands before the digits of an emoji's code: FTS5 takes it for a letter, and nobody types it. */
const EMOJI_MARK = "\ue000";

/** The words of a text for the index, one blank between. @param limit characters that are looked at */
export function indexedWords(text: string, limit: number): string {
  return cut(folded(text.slice(0, limit)).slice(0, limit), true).join(" ");
}

/**
 * What a user typed: for each word of it the words that must follow each other in a text, of which the last may go on.
 * @param limit words that are looked for
 */
export function soughtPhrases(text: string, limit: number): string[] {
  const typed = new Set(folded(text).split(/[\s\p{C}]+/u));
  const phrases = [...typed].map((word) => cut(word, false).join(" ")).filter((phrase) => phrase !== "");
  return phrases.slice(0, limit);
}

/** One form for all ways to write the same: without case, marks and widths ("Straße" = "STRASSE", "ｶﾞ" = "ガ"). */
function folded(text: string): string {
  const parted = text.toWellFormed().normalize("NFKD").replace(INVISIBLE, "").replace(MARKED, "$1");
  return parted.toUpperCase().toLowerCase().normalize("NFC").replace(NOT_PLAIN, (letter) => PLAIN[letter]);
}

/**
 * Runs without spaces become each two neighbours (`東京都` = `東京 京都 都`), so that every part of them is found. The last
 * sign stands alone as well where a text or another script goes on behind it.
 * @param whole is it a whole text, so that its last run ends there?
 */
function cut(text: string, whole: boolean): string[] {
  const words: string[] = [];
  for (const match of text.matchAll(PARTS)) {
    const [part, run, emoji] = match;
    if (emoji) words.push(EMOJI_MARK + codesOf(emoji));
    else if (!run) words.push(part);
    else {
      const signs = [...run];
      for (let at = 1; at < signs.length; at++) words.push(signs[at - 1] + signs[at]);
      const goesOn = !whole && match.index + part.length === text.length;
      if (!goesOn || signs.length === 1) words.push(signs[signs.length - 1]);
    }
  }
  return words;
}

function codesOf(emoji: string): string {
  return [...emoji].map((sign) => sign.codePointAt(0)?.toString(16).padStart(6, "0")).join("");
}
