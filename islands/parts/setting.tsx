/** One setting: its control, what it does, where its value comes from, and what is wrong with it. */

import type { ComponentChildren } from "preact";
import type { SettingInfo, SettingValue } from "../../core/node_api.ts";
import type { SettingsTexts } from "../../routes/texts/settings.ts";
import { Area, Choice, Field, Switch } from "./form.tsx";
import { fallbackOf, valueText, wordsOf } from "./setting_words.ts";
import { Badge } from "./ui.tsx";
import { fill } from "./words.ts";

interface SettingRowProps {
  setting: SettingInfo;
  t: SettingsTexts;
  /** what was changed and is not saved; null = back to the default */
  draft: SettingValue | undefined;
  /** what is wrong with it; "" = nothing */
  problem: string;
  /** undefined = as it was */
  onChange: (value: SettingValue | undefined) => void;
}

export function SettingRow({ setting, t, draft, problem, onChange }: SettingRowProps) {
  const { next, source, fixedBy, outside, key } = setting;
  const value = draft === undefined ? next : draft === null ? fallbackOf(setting) : draft;
  const edit = (given: SettingValue) => onChange(same(given, next) ? undefined : given);
  const mayReset = !fixedBy && !outside && source === "file" && draft === undefined;
  return (
    <div class="py-4 grid gap-2" data-setting={key}>
      <Control {...{ setting, t, value, problem, edit }} />
      <div class="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
        {setting.pending && draft === undefined && (
          <Badge tone="warn">{fill(t.afterRestart, { value: valueText(next, setting, t) })}</Badge>
        )}
        {source !== "default" && draft === undefined && <Badge>{t.sources[source]}</Badge>}
        <code>{setting.flag}</code>
        {mayReset && (
          <button type="button" class="link" onClick={() => onChange(null)}>
            {t.reset}
            <span class="sr-only">: {wordsOf(setting, t).name}</span>
          </button>
        )}
        {draft === null && <span>{fill(t.resetTo, { value: valueText(fallbackOf(setting), setting, t) })}</span>}
      </div>
    </div>
  );
}

interface ControlProps {
  setting: SettingInfo;
  t: SettingsTexts;
  value: SettingValue;
  problem: string;
  edit: (value: SettingValue) => void;
}

function Control({ setting, t, value, problem, edit }: ControlProps) {
  const { kind, key, choices, fixedBy, outside, placeholder, secret } = setting;
  const { name: label } = wordsOf(setting, t);
  const shared = { label, hint: <Hint {...{ setting, t }} />, name: key, disabled: fixedBy !== "" || outside };
  if (kind === "boolean") return <Switch {...shared} checked={value === true} onSwitch={edit} />;
  if (kind === "choice") {
    const options = choices.map((one) => ({ value: one, name: t.choices[key]?.[one] ?? one }));
    return <Choice {...shared} problem={problem} value={`${value}`} options={options} onChoose={edit} />;
  }
  if (kind === "list") {
    const lines = Array.isArray(value) ? value : [];
    return (
      <Area
        {...shared}
        problem={problem}
        rows={Math.min(8, Math.max(2, lines.length + 1))}
        spellcheck={false}
        placeholder={placeholder.replace("[,...]", "")}
        value={lines.join("\n")}
        onInput={(event) => edit(linesOf(event.currentTarget.value))}
      />
    );
  }
  return (
    <Field
      {...shared}
      problem={problem}
      type={secret ? "password" : "text"}
      inputMode={kind === "number" ? "numeric" : undefined}
      autocomplete="off"
      spellcheck={false}
      placeholder={/^[A-Z]+$/.test(placeholder) ? "" : placeholder} // a word like FILE is for the usage text
      value={value === null ? "" : `${value}`}
      onInput={(event) =>
        edit(event.currentTarget.value === "" && value !== null ? emptied(setting) : event.currentTarget.value)}
    />
  );
}

function Hint({ setting, t }: { setting: SettingInfo; t: SettingsTexts }): ComponentChildren {
  const { kind, effect, fixedBy, outside, secret } = setting;
  const more = [
    kind === "list" && t.listHint,
    kind === "size" && t.sizeHint,
    secret && t.secretSet,
    fixedBy ? fill(t.fixedBy, { what: fixedBy }) : outside ? t.outside : effect === "restart" && t.needsRestart,
  ].filter(Boolean);
  return <>{wordsOf(setting, t).hint} {more.join(" ")}</>;
}

/** Nothing in a field: the setting is taken out where it may be missing, else it is a wrong value, which the node explains. */
function emptied({ fallback }: SettingInfo): SettingValue {
  return fallback === null ? null : "";
}

/** The text as it stands, so that lines can be written; empty ones are no entries. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  return lines.every((line) => line.trim() === "") ? [] : lines;
}

function same(a: SettingValue, b: SettingValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || (a === "" && b === null) ||
    (a !== null && b !== null && `${a}` === `${b}`);
}
