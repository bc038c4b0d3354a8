/** How many files of a group are kept, and for how long: a few sensible steps, and whatever is set already. */

import type { GroupFilesChanges, GroupFilesInfo } from "../../core/node_api.ts";
import { Choice } from "./form.tsx";
import { bytes, fill, type Plural, plural } from "./words.ts";

/** Steps of the two choices: days (0 = for ever) and bytes. */
const DAYS = [7, 30, 90, 365, 1_825, 0];
const SIZES = [100 * 2 ** 20, 500 * 2 ** 20, 2 ** 30, 2 * 2 ** 30, 5 * 2 ** 30, 20 * 2 ** 30, 100 * 2 ** 30];

/** What the choices say. */
export interface FileRulesTexts {
  retention: string;
  quota: string;
  asNode: string;
  days: Plural;
  forEver: string;
}

interface Props {
  lang: string;
  t: FileRulesTexts;
  /** the node's settings, and the room there is at all */
  node: Pick<GroupFilesInfo, "defaults" | "total">;
  value: Required<GroupFilesChanges>;
  disabled?: boolean;
  onChange: (value: Required<GroupFilesChanges>) => void;
}

export function FileRules({ lang, t, node: { defaults, total }, value, disabled, onChange }: Props) {
  const days = (n: number) => n === 0 ? t.forEver : plural(lang, n, t.days);
  const options = (steps: number[], own: number | null, preset: string, name: (n: number) => string) => {
    const all = own === null || steps.includes(own) ? steps : [own, ...steps];
    return [
      { value: "", name: fill(t.asNode, { value: preset }) },
      ...all.map((step) => ({ value: `${step}`, name: name(step) })),
    ];
  };
  const { quota, retentionDays } = value;
  const number = (text: string) => text === "" ? null : Number(text);
  return (
    <div class="grid gap-4 sm:grid-cols-2">
      <Choice
        label={t.retention}
        value={`${retentionDays ?? ""}`}
        options={options(DAYS, retentionDays, days(defaults.retentionDays), days)}
        disabled={disabled}
        onChoose={(text) => onChange({ quota, retentionDays: number(text) })}
      />
      <Choice
        label={t.quota}
        value={`${quota ?? ""}`}
        options={options(SIZES.filter((size) => size <= total), quota, bytes(lang, defaults.quota), (n) =>
          bytes(lang, n))}
        disabled={disabled}
        onChoose={(text) =>
          onChange({ retentionDays, quota: number(text) })}
      />
    </div>
  );
}
