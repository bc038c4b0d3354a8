/** The settings: changed here, written to the settings file, at work at once or after a restart. */

import { useEffect, useState } from "preact/hooks";
import type { SettingInfo, SettingProblem, SettingsState, SettingValue } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { SettingsTexts } from "../routes/texts/settings.ts";
import { wordsOf } from "./parts/setting_words.ts";
import { SettingRow } from "./parts/setting.tsx";
import { Status } from "./parts/status.tsx";
import { fill, plural } from "./parts/words.ts";

interface Props {
  lang: string;
  t: SettingsTexts;
  common: Texts["common"];
  first: SettingsState;
}

type Draft = Readonly<Record<string, SettingValue>>;

export default function Settings({ lang, t, common, first }: Props) {
  const [state, setState] = useState(first);
  const [draft, setDraft] = useState<Draft>({});
  const [problems, setProblems] = useState<SettingProblem[]>([]);
  const [said, setSaid] = useState({ text: "", bad: false });
  const [busy, setBusy] = useState(false);
  const [query, setQuery] = useState("");
  const change = (key: string, value: SettingValue | undefined) => {
    setSaid({ text: "", bad: false });
    setProblems((before) => before.filter((one) => one.key !== key));
    setDraft(({ [key]: _, ...rest }) => value === undefined ? rest : { ...rest, [key]: value });
  };
  const [refusals, setRefusals] = useState(0);
  useEffect(() => { // after each refusal, not while somebody types
    if (problems[0]) document.querySelector<HTMLElement>(`[data-setting="${problems[0].key}"] [name]`)?.focus();
  }, [refusals]);
  const discard = () => {
    setDraft({});
    setProblems([]);
    setSaid({ text: "", bad: false });
  };
  const save = async (event: Event) => {
    event.preventDefault();
    if (Object.keys(draft).length === 0) return;
    setBusy(true);
    const answer = await patch(draft);
    setBusy(false);
    if (answer.state) {
      setState(answer.state);
      setDraft({});
      setProblems([]);
      return setSaid({ text: t.saved, bad: false });
    }
    setProblems(answer.problems);
    setRefusals(refusals + 1);
    const text = answer.problems.length > 0
      ? plural(lang, answer.problems.length, t.wrong)
      : fill(common.failed, { reason: answer.reason || common.unreachable });
    setSaid({ text, bad: true });
  };
  const found = state.settings.filter((one) => fits(one, query, t));
  const groups = Map.groupBy(found, ({ group }) => group);
  const changes = Object.keys(draft).length;
  return (
    <form onSubmit={save} class="grid gap-4 max-w-3xl" noValidate>
      <p class="text-sm text-muted break-words">{fill(t.lead, { file: state.file })}</p>
      {state.problem && <Banner tone="bad" title={t.problemTitle}>{state.problem}</Banner>}
      {state.restart && <Banner tone="warn" title={t.restartTitle}>{t.restartHint}</Banner>}
      <input
        class="field w-full"
        type="search"
        placeholder={t.search}
        aria-label={t.search}
        value={query}
        onInput={(event) => setQuery(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()} // to search is not to save
      />
      <p role="status" class={found.length > 0 ? "sr-only" : "text-muted"}>{found.length > 0 ? "" : t.noneFound}</p>
      {[...groups].map(([group, settings]) => (
        <section key={group} class="panel p-5" aria-labelledby={`group-${group}`}>
          <h2 id={`group-${group}`} class="text-base font-semibold mb-1">{t.groups[group]}</h2>
          <div class="divide-y divide-line">
            {settings.map((setting) => (
              <SettingRow
                key={setting.key}
                {...{ setting, t }}
                draft={draft[setting.key]}
                problem={problems.find(({ key }) => key === setting.key)?.message ?? ""}
                onChange={(value) => change(setting.key, value)}
              />
            ))}
          </div>
        </section>
      ))}
      <div
        class={changes > 0 || said.text
          ? "sticky bottom-20 md:bottom-4 panel px-5 py-3 flex flex-wrap items-center gap-x-3 gap-y-1 z-10"
          : "sr-only"}
      >
        <div class="mr-auto min-w-0">
          {changes > 0 && <p class="text-sm font-medium">{plural(lang, changes, t.changes)}</p>}
          <Status {...said} />
        </div>
        {changes > 0 && (
          <>
            <button type="button" class="button" disabled={busy} onClick={discard}>{t.discard}</button>
            <button type="submit" class="button primary" disabled={busy}>{t.save}</button>
          </>
        )}
      </div>
    </form>
  );
}

function Banner({ tone, title, children }: { tone: "warn" | "bad"; title: string; children: string }) {
  return (
    <section class={`rounded-lg px-5 py-3 ${tone === "bad" ? "bg-bad-soft text-bad" : "bg-warn-soft text-warn"}`}>
      <h2 class="font-semibold">{title}</h2>
      <p class="text-sm break-words">{children}</p>
    </section>
  );
}

function fits(setting: SettingInfo, query: string, t: SettingsTexts): boolean {
  const { name, hint } = wordsOf(setting, t);
  const text = `${name} ${hint} ${setting.key} ${setting.flag} ${setting.variable}`.toLocaleLowerCase();
  return query.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** What came of a change; without state: the problems, or else a reason. */
interface Patched {
  state: SettingsState | null;
  problems: SettingProblem[];
  reason: string;
}

/** Not by `ask`: the answer may tell of each value what is wrong with it. */
async function patch(settings: Draft): Promise<Patched> {
  try {
    const response = await fetch("/api/v1/settings", {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ settings: Object.fromEntries(Object.entries(settings).map(([k, v]) => [k, written(v)])) }),
    });
    if (response.status === 401) location.reload(); // signed out meanwhile
    const data = await response.json();
    if (response.ok) return { state: data, problems: [], reason: "" };
    return { state: null, problems: data.problems ?? [], reason: data.detail ?? response.statusText };
  } catch {
    return { state: null, problems: [], reason: "" };
  }
}

/** Empty lines are no entries. */
function written(value: SettingValue): SettingValue {
  return Array.isArray(value) ? value.map((line) => line.trim()).filter((line) => line !== "") : value;
}
