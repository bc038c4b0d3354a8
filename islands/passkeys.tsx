/** One's own passkeys: added, named and removed. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { OwnTexts } from "../routes/texts/account.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Confirm } from "./parts/dialog.tsx";
import { Field } from "./parts/form.tsx";
import { Timed } from "./parts/once.tsx";
import { useActing } from "./parts/status.tsx";
import { When } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";

/** A passkey, as the API tells it. */
export interface PasskeyInfo {
  id: string;
  name: string;
  created: number;
  used: number | null;
}

const MAX_NAME = 64;

interface Props {
  lang: string;
  t: OwnTexts;
  common: Texts["common"];
  first: PasskeyInfo[];
}

export default function Passkeys({ lang, t, common, first }: Props) {
  const [passkeys, setPasskeys] = useState(first);
  const [name, setName] = useState("");
  const [renaming, setRenaming] = useState<string | null>(null);
  const [removing, setRemoving] = useState<PasskeyInfo | null>(null);
  const [able, setAble] = useState(true);
  const { act, say, busy, status } = useActing(common);
  useEffect(() => setAble("PublicKeyCredential" in globalThis && globalThis.isSecureContext), []);

  const add = async (event: Event) => {
    event.preventDefault();
    const begun = await act<PublicKeyCredentialCreationOptionsJSON>("POST", "/passkeys/begin", undefined, t.adding);
    if (!begun.ok) return;
    let made: Credential | null = null;
    try {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.data);
      made = await navigator.credentials.create({ publicKey });
    } catch {
      // cancelled, or the device has one for this account already
    }
    if (!(made instanceof PublicKeyCredential)) return say(t.cancelled, true);
    const kept = await act<PasskeyInfo>("POST", "/passkeys", { name, passkey: made.toJSON() }, fill(t.added, { name }));
    if (!kept.ok) return;
    setPasskeys((before) => [...before, kept.data]);
    setName("");
  };
  const rename = async (id: string, name: string) => {
    const answer = await act<PasskeyInfo>("PATCH", `/passkeys/${id}`, { name }, t.renamed);
    if (!answer.ok) return;
    setPasskeys((before) => before.map((one) => one.id === id ? answer.data : one));
    setRenaming(null);
  };
  const remove = async () => {
    if (!removing) return;
    const { id, name } = removing;
    setRemoving(null);
    const answer = await act("DELETE", `/passkeys/${id}`, undefined, fill(t.removed, { name }));
    if (answer.ok) setPasskeys((before) => before.filter((one) => one.id !== id));
  };
  return (
    <section class="panel p-5 mb-6" aria-labelledby="passkeys">
      <h2 id="passkeys" class="text-lg font-semibold">{t.passkeys}</h2>
      <p class="text-muted">{t.passkeysHint}</p>
      {passkeys.length === 0 ? <p class="text-muted mt-3">{t.noPasskeys}</p> : (
        <ul class="divide-y divide-line my-3">
          {passkeys.map((one) => (
            <li key={one.id} class="py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
              {renaming === one.id
                ? (
                  <Rename
                    t={t}
                    common={common}
                    first={one.name}
                    onName={(to) => to ? rename(one.id, to) : setRenaming(null)}
                  />
                )
                : (
                  <>
                    <div class="flex-1 min-w-[200px]">
                      <p class="font-medium break-words">{one.name}</p>
                      <Facts {...{ one, lang, t }} />
                    </div>
                    <button type="button" class="button small" onClick={() => setRenaming(one.id)}>{t.rename}</button>
                    <button type="button" class="button small danger" onClick={() => setRemoving(one)}>
                      {t.remove}
                    </button>
                  </>
                )}
            </li>
          ))}
        </ul>
      )}
      {able
        ? (
          <form onSubmit={add} class="flex flex-wrap items-end gap-3 mt-3 max-w-xl">
            <div class="flex-1 min-w-[200px]">
              <Field
                label={t.passkeyName}
                placeholder={t.passkeyNameHint}
                name="passkey-name"
                required
                maxLength={MAX_NAME}
                autocomplete="off"
                value={name}
                onInput={(event) => setName(event.currentTarget.value)}
              />
            </div>
            <button type="submit" class="button primary" disabled={busy}>{t.addPasskey}</button>
          </form>
        )
        : <p class="text-sm text-muted mt-3">{t.noPasskeysHere}</p>}
      {status}
      <Confirm
        open={removing !== null}
        title={fill(t.removeTitle, { name: removing?.name ?? "" })}
        hint={t.removeHint}
        confirm={t.remove}
        cancel={common.cancel}
        danger
        onClose={() => setRemoving(null)}
        onConfirm={remove}
      />
    </section>
  );
}

function Facts({ one: { created, used }, lang, t }: Pick<Props, "lang" | "t"> & { one: PasskeyInfo }) {
  return (
    <p class="text-sm text-muted">
      <Timed text={t.made}>
        <When at={created} lang={lang} />
      </Timed>
      {" · "}
      {used === null ? t.neverUsed : (
        <Timed text={t.used}>
          <When at={used} lang={lang} key={used} />
        </Timed>
      )}
    </p>
  );
}

interface RenameProps extends Pick<Props, "t" | "common"> {
  first: string;
  /** @param name null = cancelled */
  onName: (name: string | null) => void;
}

function Rename({ t, common, first, onName }: RenameProps) {
  const [name, setName] = useState(first);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);
  return (
    <form
      ref={form}
      class="flex flex-wrap items-end gap-2 flex-1"
      onSubmit={(event) => {
        event.preventDefault();
        onName(name);
      }}
    >
      <div class="flex-1 min-w-[200px]">
        <Field
          label={t.passkeyName}
          required
          maxLength={MAX_NAME}
          autocomplete="off"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </div>
      <button type="submit" class="button primary">{t.save}</button>
      <button type="button" class="button" onClick={() => onName(null)}>{common.cancel}</button>
    </form>
  );
}
