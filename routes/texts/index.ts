/** The languages of the console. */

import { en, type Texts } from "./en.ts";
import { fr } from "./fr.ts";

export type { Texts } from "./en.ts";

const TEXTS = { en, fr } satisfies Record<string, Texts>;

/** A language of the console. */
export type Lang = keyof typeof TEXTS;

/** The languages, each by its own name. */
export const LANGUAGES: { lang: Lang; name: string }[] = [
  { lang: "en", name: en.language },
  { lang: "fr", name: fr.language },
];

/** Is it one of ours? */
export function isLang(text: string | undefined): text is Lang {
  return LANGUAGES.some(({ lang }) => lang === text);
}

/** The texts of a language. */
export function textsOf(lang: Lang): Texts {
  return TEXTS[lang];
}

/**
 * The language for a reader: the one they chose, else the first of their browser's that there is, else English.
 * @param chosen what the cookie says
 * @param accepted the header Accept-Language
 */
export function languageFor(chosen: string | undefined, accepted: string | undefined): Lang {
  if (isLang(chosen)) return chosen;
  const wanted = (accepted ?? "").split(",").map((part) => {
    const [tag, ...rest] = part.trim().split(";");
    const q = /^\s*q=([0-9.]+)/.exec(rest.join(";"))?.[1];
    return { lang: tag.split("-")[0].toLowerCase(), weight: q === undefined ? 1 : Number(q) };
  });
  const best = wanted.filter(({ lang, weight }) => isLang(lang) && weight > 0).sort((a, b) => b.weight - a.weight)[0];
  return best && isLang(best.lang) ? best.lang : "en";
}
