/** Texts with numbers and names in them. */

/** A text for one and one for many; `{n}` is the number. */
export interface Plural {
  one: string;
  other: string;
}

/** Puts values into `{name}` places. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => `${values[name] ?? place}`);
}

/** The form for `n`, with the number as the language writes it. */
export function plural(lang: string, n: number, forms: Plural): string {
  const form = new Intl.PluralRules(lang).select(n) === "one" ? forms.one : forms.other;
  return fill(form, { n: number(lang, n) });
}

/** A number as the language writes it. */
export function number(lang: string, n: number): string {
  return new Intl.NumberFormat(lang).format(n);
}

/** Bytes for the eye: "1.4 GB". */
export function bytes(lang: string, n: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log2(n) / 10));
  return new Intl.NumberFormat(lang, {
    style: "unit",
    unit: units[step],
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: step > 2 ? 1 : 0,
  }).format(n / 1024 ** step);
}

/** A time span in its largest unit: "3 hr". @param s seconds */
export function span(lang: string, s: number): string {
  const [unit, n] = s < 90
    ? ["second", s]
    : s < 5_400
    ? ["minute", s / 60]
    : s < 129_600
    ? ["hour", s / 3_600]
    : ["day", s / 86_400];
  return new Intl.NumberFormat(lang, { style: "unit", unit: `${unit}`, unitDisplay: "long", maximumFractionDigits: 0 })
    .format(Number(n));
}

/** How times are written: as the reader's browser is set, when that is the language of the page. */
export function placeOf(lang: string): string {
  return navigator.language.startsWith(lang) ? navigator.language : lang;
}

/** The first digits of an id, enough for the eye. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}
