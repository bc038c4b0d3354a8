/** The utility classes (Twind), made into plain CSS when the console is built: nothing of it runs in the browser. */

import { twind, virtual } from "@twind/core";
import autoprefix from "@twind/preset-autoprefix";
import tailwind from "@twind/preset-tailwind";

/** The colours, each a token that `static/console.css` sets for light and dark. */
const COLOURS = [
  "page",
  "surface",
  "sunken",
  "line",
  "ink",
  "muted",
  "accent",
  "accent-ink",
  "accent-soft",
  "good",
  "good-soft",
  "warn",
  "warn-soft",
  "bad",
  "bad-ink",
  "bad-soft",
];

/** The CSS of all utility classes that stand, whole, in these sources; the browser's own styles are reset first. */
export function utilities(sources: string): string {
  const tw = twind({
    presets: [autoprefix(), tailwind()],
    hash: false,
    theme: {
      extend: { colors: Object.fromEntries(COLOURS.map((name) => [name, `var(--${name})`])) },
      fontFamily: { sans: "var(--sans)", mono: "var(--mono)" },
      fontSize: {
        "2xs": ["0.6875rem", "0.95rem"],
        xs: ["0.75rem", "1.1rem"],
        sm: ["0.8125rem", "1.25rem"],
        base: ["0.9375rem", "1.45rem"],
        lg: ["1.0625rem", "1.55rem"],
        xl: ["1.3125rem", "1.75rem"],
        "2xl": ["1.625rem", "2.1rem"],
        "3xl": ["2rem", "2.45rem"],
      },
      borderRadius: { none: "0", md: "6px", lg: "10px", xl: "14px", full: "9999px" },
    },
  }, virtual());
  for (const word of new Set(sources.match(/[A-Za-z0-9_\-:\/\[\]#.,%!()]+/g) ?? [])) {
    try {
      tw(word);
    } catch {
      // a word of the source, no class
    }
  }
  return [...tw.target].join("\n");
}
