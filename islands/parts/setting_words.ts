/** What settings and their values are called. */

import type { SettingInfo, SettingValue } from "../../core/node_api.ts";
import type { SettingsTexts } from "../../routes/texts/settings.ts";

/** Name and hint; a setting that has no words yet goes by its key and the words of the schema. */
export function wordsOf({ key, meaning }: SettingInfo, t: SettingsTexts): { name: string; hint: string } {
  const words = t.words[key];
  return { name: words?.name ?? key, hint: words?.hint ?? forSwitch(meaning) };
}

/** The words of the schema begin with what can be written: where there is a switch, nobody writes it. */
function forSwitch(meaning: string): string {
  const rest = meaning.replace(/^`?true`? or `?false`?: /, "");
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** A value for the eye. */
export function valueText(value: SettingValue, { key }: SettingInfo, t: SettingsTexts): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return t.nothing;
  if (typeof value === "boolean") return value ? t.yes : t.no;
  if (Array.isArray(value)) return value.join(", ");
  return t.choices[key]?.[`${value}`] ?? `${value}`;
}

/** The value that a setting has when nobody sets it, in the form of its kind. */
export function fallbackOf({ fallback, kind }: SettingInfo): SettingValue {
  if (kind === "boolean") return fallback === "true";
  if (kind === "list") return fallback === "none" || fallback === null ? [] : `${fallback}`.split(",");
  return fallback;
}
