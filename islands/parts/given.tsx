/** Texts that strangers chose, titles, names, reasons: their direction and their length stay with them. */

import type { ComponentChildren } from "preact";

/** Marks that turn the direction of text, or hide in it: U+061C, U+200B to U+200F, U+202A to U+202E, U+2060 to U+2069, U+FEFF. */
const UNSEEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** The longest title that somebody is asked to type. */
const MAX_TYPED = 40;

/** A text with elements in its `{places}`. */
export function Filled({ text, ...parts }: { text: string } & Record<string, ComponentChildren>) {
  return (
    <>
      {text.split(/(\{\w+\})/).map((part, i) => <span key={i}>{parts[part.slice(1, -1)] ?? part}</span>)}
    </>
  );
}

/** A text of a stranger where there can be no element: in titles of windows, labels and messages. */
export function plain(text: string): string {
  return text.replace(UNSEEN, "");
}

/** Can somebody type it who sees it? Not what hides, not what is too long. */
export function canBeTyped(text: string): boolean {
  return text === plain(text) && text.length <= MAX_TYPED && /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(text);
}
