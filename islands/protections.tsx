/** The protections: how each is set, whom none touches, and what they did. */

import { useState } from "preact/hooks";
import type { ActionInfo, NumberedPage, ProtectionInfo } from "../core/node_api.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Actions } from "./parts/actions.tsx";
import { Confirm } from "./parts/dialog.tsx";
import { Area } from "./parts/form.tsx";
import { linesOf, ProtectionForm } from "./parts/protection_form.tsx";
import { useActing } from "./parts/status.tsx";
import { fill } from "./parts/words.ts";

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: ProtectionInfo[];
  allowed: string[];
  actions: NumberedPage<ActionInfo>;
  groups: { id: string; title: string }[];
}

export default function Protections({ lang, t, common, first, allowed, actions, groups }: Props) {
  const [protections, setProtections] = useState(first);
  const titles = Object.fromEntries(groups.map(({ id, title }) => [id, title]));
  const changed = (one: ProtectionInfo) =>
    setProtections((all) => all.map((other) => other.name === one.name ? one : other));
  return (
    <>
      <div class="grid gap-4 xl:grid-cols-2 items-start">
        {protections.map((protection) => (
          <Card key={protection.name} {...{ protection, groups, t, common }} onChanged={changed} />
        ))}
        <Allowlist t={t} common={common} first={allowed} />
      </div>
      <section aria-labelledby="done" class="mt-10">
        <h2 id="done" class="text-lg font-semibold mb-3">{t.done}</h2>
        <Actions {...{ lang, t, common, titles }} first={actions} />
      </section>
    </>
  );
}

interface CardProps extends Pick<Props, "t" | "common" | "groups"> {
  protection: ProtectionInfo;
  onChanged: (protection: ProtectionInfo) => void;
}

function Card({ protection, groups, t, common, onChanged }: CardProps) {
  const { act, busy, status } = useActing(common);
  const [turningOn, setTurningOn] = useState(false);
  const { name, mode, lastDay } = protection;
  const title = t.names[name] ?? name;
  const change = async (changes: Partial<ProtectionInfo>) => {
    const answer = await act<ProtectionInfo>("PATCH", `/protections/${name}`, changes, t.saved);
    if (answer.ok) onChanged(answer.data);
  };
  return (
    <section class="panel p-4 sm:p-5" aria-labelledby={`p-${name}`}>
      <div class="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div class="flex-1 min-w-[200px]">
          <h2 id={`p-${name}`} class="text-lg font-semibold">{title}</h2>
          <p class="text-muted">{t.hints[name]}</p>
          <p class="text-sm text-muted mt-1">
            {t.modeHints[mode]} {mode !== "off" && fill(t.lastDay, lastDay)}
          </p>
        </div>
        <div role="group" aria-label={`${t.mode}: ${title}`} class="flex gap-1">
          {(["off", "dry", "on"] as const).map((one) => (
            <button
              type="button"
              key={one}
              class={`button small ${one === mode ? "primary" : ""}`}
              aria-pressed={one === mode}
              disabled={busy}
              onClick={() => one === mode || (one === "on" ? setTurningOn(true) : change({ mode: one }))}
            >
              {t.modes[one]}
            </button>
          ))}
        </div>
      </div>
      {status}
      <details class="mt-3">
        <summary class="cursor-pointer text-sm font-medium text-accent">{t.settings}</summary>
        <ProtectionForm key={JSON.stringify(protection)} {...{ protection, groups, t, busy }} onSave={change} />
      </details>
      <Confirm
        open={turningOn}
        title={fill(t.confirmOn, { name: title })}
        hint={t.confirmOnHint}
        confirm={t.turnOn}
        cancel={common.cancel}
        onClose={() => setTurningOn(false)}
        onConfirm={() => {
          setTurningOn(false);
          change({ mode: "on" });
        }}
      />
    </section>
  );
}

function Allowlist({ t, common, first }: Pick<Props, "t" | "common"> & { first: string[] }) {
  const { act, busy, status } = useActing(common);
  const [text, setText] = useState(first.join("\n"));
  const save = async (event: Event) => {
    event.preventDefault();
    const answer = await act<{ allowlist: string[] }>(
      "PUT",
      "/protections/allowlist",
      { jamiIds: linesOf(text) },
      t.saved,
    );
    if (answer.ok) setText(answer.data.allowlist.join("\n"));
  };
  return (
    <form onSubmit={save} class="panel p-4 sm:p-5 grid gap-3">
      <Area
        label={t.allowlist}
        hint={t.allowlistHint}
        name="allowlist"
        rows={3}
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {status}
      <div class="flex justify-end">
        <button type="submit" class="button" disabled={busy}>{t.save}</button>
      </div>
    </form>
  );
}
