/** The step of the set-up that may bring an account along: its archive is sent, and how far the node is can be seen. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ImportState } from "../core/node_api.ts";
import type { SetupTexts } from "../routes/texts/setup.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Field } from "./parts/form.tsx";
import { Status } from "./parts/status.tsx";
import { fill } from "./parts/words.ts";

/** In the order in which they are done; each with the part of the whole that is done when it begins. */
const STEPS = [["open", 5], ["renew", 20], ["keys", 25], ["save", 75], ["restart", 80]] as const;

/** Milliseconds between two questions how far it is. */
const ASK_EVERY = 400;

interface Props {
  t: SetupTexts;
  common: Texts["common"];
  jamiId: string;
  first: ImportState;
  /** may another account still be taken? */
  possible: boolean;
  /** characters of an archive in base64 */
  most: number;
}

export default function SetupAccount({ t, common, jamiId, first, possible, most }: Props) {
  const [state, setState] = useState(first);
  const [own, setOwn] = useState(first.state === "none");
  const [said, setSaid] = useState({ text: "", bad: false });
  const [busy, setBusy] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (state.state !== "running") return;
    const timer = setTimeout(async () => {
      const answer = await ask<ImportState>("GET", "/setup/import");
      setState(answer.ok ? answer.data : { ...state }); // while the node starts again it does not answer
    }, ASK_EVERY);
    return () => clearTimeout(timer);
  }, [state]);

  const send = async (form: FormData) => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return setSaid({ text: t.account.noFile, bad: true });
    if (chosen.size > most * 3 / 4) return setSaid({ text: t.account.faults["too large"], bad: true });
    setBusy(true);
    setSaid({ text: t.account.reading, bad: false });
    const body = { archive: await base64Of(chosen), password: `${form.get("password")}` };
    const answer = await ask<ImportState>("POST", "/setup/import", body);
    setBusy(false);
    setSaid(
      answer.ok
        ? { text: "", bad: false }
        : { text: fill(common.failed, { reason: answer.reason || common.unreachable }), bad: true },
    );
    if (answer.ok) setState(answer.data);
  };
  const goOn = async () => {
    setBusy(true);
    const answer = await ask("PATCH", "/setup", { done: "account" });
    if (answer.ok) return location.assign("/setup");
    setBusy(false);
    setSaid({ text: fill(common.failed, { reason: answer.reason || common.unreachable }), bad: true });
  };
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    if (own) goOn();
    else send(new FormData(event.currentTarget));
  };

  if (state.state === "done") {
    return (
      <div class="panel p-5 sm:p-6 grid gap-3">
        <p class="font-medium" role="status">{t.account.done}</p>
        <code>{state.jamiId}</code>
        <p>
          <button type="button" class="button primary" disabled={busy} onClick={goOn}>{t.next}</button>
        </p>
        <Status {...said} />
      </div>
    );
  }
  const running = state.state === "running";
  return (
    <>
      {running && <Progress t={t} step={state.step} />}
      {/* hidden, not gone: after a wrong password the archive need not be chosen again */}
      <div hidden={running}>
        <form class="panel p-5 sm:p-6 grid gap-4" onSubmit={submit}>
          <fieldset class="grid gap-4 min-w-0">
            <legend class="sr-only">{t.account.title}</legend>
            <Kind name={t.account.keep} hint={t.account.keepHint} checked={own} onCheck={() => setOwn(true)}>
              <code class="text-sm">{jamiId}</code>
            </Kind>
            <Kind
              name={t.account.import}
              hint={possible ? t.account.importHint : t.account.gone}
              checked={!own}
              disabled={!possible}
              onCheck={() => setOwn(false)}
            />
          </fieldset>
          {!own && possible && (
            <div class="grid gap-4 border-t border-line pt-4">
              <div class="grid gap-1">
                <label for="archive" class="text-sm font-medium">{t.account.file}</label>
                <input ref={file} id="archive" type="file" class="field w-full" aria-describedby="archive-hint" />
                <p id="archive-hint" class="text-sm text-muted">{t.account.fileHint}</p>
              </div>
              <Field
                label={t.account.password}
                hint={t.account.passwordHint}
                name="password"
                type="password"
                autocomplete="off"
              />
            </div>
          )}
          <div>
            <button type="submit" class="button primary" disabled={busy}>{own ? t.next : t.account.begin}</button>
            {state.state === "failed" && !said.text
              ? <Status text={t.account.faults[state.fault]} bad />
              : <Status {...said} />}
          </div>
        </form>
      </div>
    </>
  );
}

interface KindProps {
  name: string;
  hint: string;
  checked: boolean;
  disabled?: boolean;
  onCheck: () => void;
  children?: ComponentChildren;
}

function Kind({ name, hint, checked, disabled, onCheck, children }: KindProps) {
  return (
    <label class="flex items-start gap-3 cursor-pointer">
      <input type="radio" name="account" class="mt-1" checked={checked} disabled={disabled} onChange={onCheck} />
      <span class="min-w-0">
        <span class="block font-medium">{name}</span>
        <span class="block text-sm text-muted">{hint}</span>
        {children}
      </span>
    </label>
  );
}

/** How far the node is. */
function Progress({ t, step }: { t: SetupTexts; step: (typeof STEPS)[number][0] }) {
  const at = STEPS.findIndex(([one]) => one === step);
  return (
    <div class="panel p-5 sm:p-6 grid gap-4">
      <progress max={100} value={STEPS[at][1]} aria-label={t.account.begin} />
      <p role="status" class="font-medium">{t.account.steps[step]} …</p>
      <ol class="grid gap-1 text-sm">
        {STEPS.map(([one], i) => (
          <li key={one} class={`flex gap-2 ${i === at ? "font-semibold" : "text-muted"}`}>
            <span class="w-4 text-accent" aria-hidden="true">{i < at ? "✓" : i === at ? "→" : ""}</span>
            {t.account.steps[one]}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** A file in base64. */
function base64Of(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(`${reader.result}`.split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
