/** The field for the password of the account's archive. */

import type { DevicesTexts } from "../../routes/texts/devices.ts";
import { Field } from "./form.tsx";

interface ArchivePasswordProps {
  t: Pick<DevicesTexts, "password" | "passwordHint">;
  value: string;
  onChange: (password: string) => void;
}

export function ArchivePassword({ t, value, onChange }: ArchivePasswordProps) {
  return (
    <Field
      label={t.password}
      hint={t.passwordHint}
      type="password"
      name="password"
      autocomplete="off"
      required
      value={value}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}
