/** Asks for a passphrase and lets the browser fetch the back-up, straight to the disk. */

import { useState } from "preact/hooks";
import type { BackupOffer } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { OperationsTexts } from "../routes/texts/operations.ts";
import { Field, Switch } from "./parts/form.tsx";
import { useActing } from "./parts/status.tsx";
import { bytes, fill } from "./parts/words.ts";

interface Props {
  lang: string;
  t: OperationsTexts["backup"];
  common: Texts["common"];
  /** bytes of the files that members sent */
  filesSize: number;
}

export default function Backup({ lang, t, common, filesSize }: Props) {
  const { status, busy, say, act } = useActing(common);
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [files, setFiles] = useState(true);
  const isOther = again !== "" && again !== passphrase;
  const make = async (event: Event) => {
    event.preventDefault();
    if (again !== passphrase) return say(t.different, true);
    const offer = await act<BackupOffer>("POST", "/backups", { passphrase, files });
    if (!offer.ok) return;
    setPassphrase("");
    setAgain("");
    location.assign(`/api/v1/backups/${offer.data.id}`); // a download: the page stays
    say(fill(t.begun, { name: offer.data.name }));
  };
  return (
    <form onSubmit={make} class="grid gap-4">
      <div class="grid gap-4 sm:grid-cols-2">
        <Field
          label={t.passphrase}
          type="password"
          autocomplete="new-password"
          required
          minLength={12}
          maxLength={1024}
          value={passphrase}
          onInput={(event) => setPassphrase(event.currentTarget.value)}
        />
        <Field
          label={t.again}
          type="password"
          autocomplete="new-password"
          required
          maxLength={1024}
          value={again}
          problem={isOther ? t.different : ""}
          onInput={(event) => setAgain(event.currentTarget.value)}
        />
      </div>
      <p class="text-sm text-muted">{t.passphraseHint}</p>
      <Switch
        label={t.files}
        hint={fill(t.filesHint, { size: bytes(lang, filesSize) })}
        checked={files}
        onSwitch={setFiles}
      />
      <div class="flex flex-wrap items-center gap-4">
        <button type="submit" class="button primary" disabled={busy}>{t.download}</button>
        {status}
      </div>
    </form>
  );
}
