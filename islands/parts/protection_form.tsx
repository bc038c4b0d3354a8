/** The settings of one protection, drawn from their JSON Schema. */

import { useState } from "preact/hooks";
import type { ProtectionInfo } from "../../core/node_api.ts";
import type { ModerationTexts } from "../../routes/texts/moderation.ts";
import { Area, Choice, Field, Switch } from "./form.tsx";

/** A part of a JSON Schema, as far as it is drawn. */
interface Schema {
  type?: string;
  enum?: string[];
  minimum?: number;
  maximum?: number;
}

interface Props {
  protection: ProtectionInfo;
  groups: { id: string; title: string }[];
  t: ModerationTexts;
  busy: boolean;
  onSave: (changes: Partial<ProtectionInfo>) => void;
}

/** A form; what it holds is sent whole. */
export function ProtectionForm({ protection, groups, t, busy, onSave }: Props) {
  const [settings, setSettings] = useState(protection.settings);
  const [consequence, setConsequence] = useState(protection.consequence);
  const [banHours, setBanHours] = useState(`${protection.banHours}`);
  const [chosen, setChosen] = useState(protection.conversations);
  const properties: Record<string, Schema> = Object(protection.schema.properties);
  const put = (key: string, value: unknown) => setSettings({ ...settings, [key]: value });
  const save = (event: Event) => {
    event.preventDefault();
    onSave({ settings, consequence, banHours: Number(banHours), conversations: chosen });
  };
  const hours = Object.entries(t.ban.durations).map(([s, name]) => ({ value: `${Number(s) / 3_600}`, name }))
    .toSorted((a, b) => Number(a.value) - Number(b.value));
  return (
    <form onSubmit={save} class="grid gap-4 pt-4">
      <div class="grid gap-4 sm:grid-cols-2">
        {Object.entries(properties).map(([key, schema]) => (
          <Setting
            key={key}
            label={t.fields[`${protection.name}.${key}`] ?? key}
            hint={t.fieldHints[`${protection.name}.${key}`]}
            schema={schema}
            value={settings[key]}
            choices={t.choices}
            onChange={(value) => put(key, value)}
          />
        ))}
      </div>
      <div class="grid gap-4 sm:grid-cols-2">
        <Choice
          label={t.consequence}
          hint={t.consequenceHints[consequence]}
          value={consequence}
          options={(["notify", "hold", "ban"] as const).map((value) => ({ value, name: t.consequences[value] }))}
          onChoose={(value) => setConsequence(value as ProtectionInfo["consequence"])} // reason: one of the options
        />
        {consequence === "ban" && <Choice label={t.banFor} value={banHours} options={hours} onChoose={setBanHours} />}
      </div>
      {groups.length > 0 && (
        <fieldset>
          <legend class="text-sm font-medium">{t.groups}</legend>
          <p class="text-sm text-muted mb-2">{t.groupsHint}</p>
          <div class="flex flex-wrap gap-x-5 gap-y-1">
            {groups.map(({ id, title }) => (
              <label key={id} class="flex items-center gap-2 min-h-[28px] min-w-0">
                <input
                  type="checkbox"
                  checked={chosen.includes(id)}
                  onChange={() => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id])}
                />
                <bdi class="min-w-0">{title || t.untitled}</bdi>
              </label>
            ))}
          </div>
        </fieldset>
      )}
      <div class="flex justify-end">
        <button type="submit" class="button primary" disabled={busy}>{t.save}</button>
      </div>
    </form>
  );
}

interface SettingProps {
  label: string;
  hint?: string;
  schema: Schema;
  value: unknown;
  choices: Record<string, string>;
  onChange: (value: unknown) => void;
}

function Setting({ label, hint, schema, value, choices, onChange }: SettingProps) {
  if (schema.type === "boolean") {
    return <Switch label={label} hint={hint} checked={value === true} onSwitch={onChange} />;
  }
  if (schema.enum) {
    const options = schema.enum.map((one) => ({ value: one, name: choices[one] ?? one }));
    return <Choice label={label} hint={hint} value={`${value}`} options={options} onChoose={onChange} />;
  }
  if (schema.type === "array") {
    return (
      <Area
        label={label}
        hint={hint}
        value={Array.isArray(value) ? value.join("\n") : ""}
        onChange={(event) => onChange(linesOf(event.currentTarget.value))}
        spellcheck={false}
      />
    );
  }
  return (
    <Field
      label={label}
      hint={hint}
      type="number"
      required
      min={schema.minimum}
      max={schema.maximum}
      value={`${value}`}
      onInput={(event) => onChange(Number(event.currentTarget.value))}
    />
  );
}

/** The lines of a text that hold something. */
export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
