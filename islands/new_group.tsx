/** Making a group: what it is, who is in it, and how long its files are kept. */

import { useState } from "preact/hooks";
import type { ConversationDetail, GroupFilesInfo, GroupMode } from "../core/node_api.ts";
import type { GroupTexts } from "../routes/texts/groups.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { FileRules } from "./parts/file_rules.tsx";
import { Area, Field } from "./parts/form.tsx";
import { type Person, PersonField } from "./parts/people.tsx";
import { Picture } from "./parts/picture.tsx";
import { Status } from "./parts/status.tsx";
import { fill } from "./parts/words.ts";

/** In the order in which they are offered. */
const MODES: GroupMode[] = ["invites-only", "admin-invites-only", "public"];

interface Props {
  lang: string;
  t: GroupTexts;
  common: Texts["common"];
  files: Pick<GroupFilesInfo, "defaults" | "total">;
  /** the node's own Jami ID */
  self: string;
  maxTitle: number;
  maxDescription: number;
}

/** How far the making is; `id` = the group is made. */
interface Progress {
  text: string;
  bad: boolean;
  id: string;
  failed: string[];
}

const NOTHING: Progress = { text: "", bad: false, id: "", failed: [] };

export default function NewGroup({ lang, t, common, files, self, maxTitle, maxDescription }: Props) {
  const [mode, setMode] = useState<GroupMode>("invites-only");
  const [avatar, setAvatar] = useState("");
  const [people, setPeople] = useState<Person[]>([]);
  const [rules, setRules] = useState<{ quota: number | null; retentionDays: number | null }>({
    quota: null,
    retentionDays: null,
  });
  const [progress, setProgress] = useState(NOTHING);
  const [busy, setBusy] = useState(false);

  const create = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const [title, description] = [`${form.get("title")}`.trim(), `${form.get("description")}`.trim()];
    setBusy(true);
    setProgress({ ...NOTHING, text: t.making });
    const made = await ask<ConversationDetail>("POST", "/conversations", {
      mode,
      title,
      ...description && { description: description.replace(/\s*\n\s*/g, " ") },
      ...avatar && { avatar },
    });
    if (!made.ok) {
      setBusy(false);
      return setProgress({ ...NOTHING, text: failure(made.reason, common), bad: true });
    }
    const failed = await furnish(made.data.id);
    if (failed.length === 0) return location.assign(`/conversations/${made.data.id}/members`);
    setProgress({ text: t.notInvited, bad: true, id: made.data.id, failed });
  };
  /** What comes after the group is there. @returns what did not work */
  const furnish = async (id: string): Promise<string[]> => {
    const failed: string[] = [];
    if (rules.quota !== null || rules.retentionDays !== null) {
      const kept = await ask("PATCH", `/conversations/${id}/file-rules`, rules);
      if (!kept.ok) failed.push(`${t.files}: ${failure(kept.reason, common)}`);
    }
    for (const [i, { jamiId, name }] of people.entries()) {
      setProgress({ ...NOTHING, text: fill(t.inviting, { n: i + 1, all: people.length }) });
      const invited = await ask("POST", `/conversations/${id}/members`, { jamiId });
      if (!invited.ok) failed.push(`${name || jamiId}: ${failure(invited.reason, common)}`);
    }
    return failed;
  };
  const add = (person: Person) => {
    if (person.jamiId === self || people.some(({ jamiId }) => jamiId === person.jamiId)) return t.already;
    setPeople([...people, person]);
    return "";
  };

  if (progress.id) {
    return (
      <section class="panel p-6 max-w-3xl" role="alert">
        <p class="font-medium">{progress.text}</p>
        <ul class="list-disc pl-5 my-3 text-bad break-words">
          {progress.failed.map((one) => <li key={one}>{one}</li>)}
        </ul>
        <a class="button primary" href={`/conversations/${progress.id}/members`}>{t.toGroup}</a>
      </section>
    );
  }
  return (
    <form onSubmit={create} class="grid gap-4 max-w-3xl">
      <section class="panel p-5 sm:p-6 grid gap-5">
        <Field label={t.title} name="title" required maxLength={maxTitle} pattern=".*\S.*" autocomplete="off" />
        <Area label={t.description} name="description" rows={2} maxLength={maxDescription} hint={t.optional} />
        <Picture t={t} value={avatar} onChange={setAvatar} />
      </section>
      <fieldset class="panel p-5 sm:p-6 min-w-0">
        <legend class="sr-only">{t.mode}</legend>
        <p class="text-base font-semibold mb-3" aria-hidden="true">{t.mode}</p>
        <div class="grid gap-3">
          {MODES.map((one) => (
            <label key={one} class="flex items-start gap-3 cursor-pointer">
              <input
                type="radio"
                name="mode"
                value={one}
                class="mt-1"
                checked={mode === one}
                onChange={() => setMode(one)}
              />
              <span>
                <span class="block font-medium">{t.modes[one].name}</span>
                <span class="block text-sm text-muted">{t.modes[one].hint}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <section class="panel p-5 sm:p-6 min-w-0">
        <h2 class="text-base font-semibold">{t.people}</h2>
        <p class="text-sm text-muted mb-3">{t.peopleHint}</p>
        <PersonField t={t} common={common} onPerson={add} />
        {people.length > 0 && (
          <ul class="divide-y divide-line mt-2 border-t border-line">
            {people.map(({ jamiId, name }) => (
              <li key={jamiId} class="py-2 flex flex-wrap items-center gap-x-3 gap-y-1">
                <span class="flex-1 min-w-0">
                  {name && (
                    <span class="block font-semibold">
                      <bdi>{name}</bdi>
                    </span>
                  )}
                  <code class="block text-sm text-muted">{jamiId}</code>
                </span>
                <button
                  type="button"
                  class="button small"
                  aria-label={fill(t.remove, { name: name || jamiId.slice(0, 8) })}
                  onClick={() => setPeople(people.filter((one) => one.jamiId !== jamiId))}
                >
                  {t.removePicture}
                </button>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section class="panel p-5 sm:p-6">
        <h2 class="text-base font-semibold mb-3">{t.files}</h2>
        <FileRules lang={lang} t={t} node={files} value={rules} onChange={setRules} />
      </section>
      <div>
        <button type="submit" class="button primary" disabled={busy}>{t.create}</button>
        <Status text={progress.text} bad={progress.bad} />
      </div>
    </form>
  );
}

function failure(reason: string, common: Texts["common"]): string {
  return fill(common.failed, { reason: reason || common.unreachable });
}
