/** Taking the account's archive away, for other Jami apps. */

import { useState } from "preact/hooks";
import type { DevicesTexts } from "../routes/texts/devices.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ArchivePassword } from "./parts/archive_password.tsx";
import { Field } from "./parts/form.tsx";
import { fill } from "./parts/words.ts";

interface Props {
  t: DevicesTexts;
  common: Texts["common"];
  hasPassword: boolean;
}

export default function Archive({ t, common, hasPassword }: Props) {
  const [password, setPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<{ ok: boolean; text: string } | null>(null);
  const take = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const reason = await download({ password, newPassword }, common.unreachable);
    setBusy(false);
    setPassword("");
    setNewPassword("");
    setSaid(reason === null ? { ok: true, text: t.exported } : { ok: false, text: fill(common.failed, { reason }) });
  };
  return (
    <form class="panel p-4 sm:p-5 grid gap-4 sm:grid-cols-2 items-start" onSubmit={take}>
      {hasPassword && <ArchivePassword t={t} value={password} onChange={setPassword} />}
      <Field
        label={t.newPassword}
        hint={t.newPasswordHint}
        type="password"
        name="newPassword"
        autocomplete="new-password"
        value={newPassword}
        onInput={(event) => setNewPassword(event.currentTarget.value)}
      />
      <div class="sm:col-span-2 flex flex-wrap items-center gap-3">
        <button type="submit" class="button" disabled={busy}>{t.export}</button>
        <p role="status" class={said?.ok ? "text-good" : "text-bad"}>{said?.text}</p>
      </div>
    </form>
  );
}

/** Fetches the archive and gives it to the browser to keep; what went wrong, or null. */
async function download(body: { password: string; newPassword: string }, unreachable: string): Promise<string | null> {
  try {
    const response = await fetch("/api/v1/devices/archive", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) return (await response.json())?.detail ?? response.statusText;
    const url = URL.createObjectURL(await response.blob());
    const link = document.createElement("a");
    link.href = url;
    link.download = "account.gz";
    link.click();
    URL.revokeObjectURL(url);
    return null;
  } catch {
    return unreachable;
  }
}
