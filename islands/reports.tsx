/** What members report and protections tell, open or resolved. */

import { useState } from "preact/hooks";
import type { ShownReport } from "../routes/privacy.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Dialog } from "./parts/dialog.tsx";
import { Empty } from "./parts/empty.tsx";
import { Area } from "./parts/form.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { When } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";
import { Filled } from "./parts/given.tsx";

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: { reports: ShownReport[]; next: number | null };
  blind: boolean;
}

export default function Reports({ lang, t, common, first, blind }: Props) {
  const [{ reports, next }, setPage] = useState(first);
  const [state, setState] = useState<"open" | "resolved">("open");
  const [resolving, setResolving] = useState<ShownReport | null>(null);
  const { act, busy, status } = useActing(common);
  const load = async (which = state, before?: number) => {
    const answer = await ask<Props["first"]>(
      "GET",
      `/reports?state=${which}${before === undefined ? "" : `&before=${before}`}`,
    );
    if (!answer.ok) return;
    const { reports, next } = answer.data;
    setPage((page) => ({ reports: before === undefined ? reports : [...page.reports, ...reports], next }));
  };
  useEvents({ moderation: ({ about }: { about: string }) => about === "reports" && load(), reset: () => load() });
  const show = (which: "open" | "resolved") => {
    setState(which);
    load(which);
  };
  const resolve = async (report: ShownReport, note: string) => {
    setResolving(null);
    await act("POST", `/reports/${report.id}/resolve`, { note }, t.reports.isResolved);
    await load();
  };
  return (
    <>
      <div role="group" aria-label={t.reports.open} class="flex gap-1 mb-4">
        {(["open", "resolved"] as const).map((one) => (
          <button
            type="button"
            key={one}
            class={`button small ${one === state ? "primary" : ""}`}
            aria-pressed={one === state}
            onClick={() => show(one)}
          >
            {t.reports[one]}
          </button>
        ))}
      </div>
      {status}
      {reports.length === 0
        ? state === "open"
          ? <Empty title={t.reports.none} hint={t.reports.noneHint} />
          : <Empty title={t.reports.noneResolved} />
        : (
          <ul class="panel divide-y divide-line">
            {reports.map((report) => (
              <li key={report.id} class="px-4 sm:px-5 py-4 flex flex-wrap items-start gap-x-4 gap-y-2">
                <div class="flex-1 min-w-[220px]">
                  <Told {...{ report, lang, t, blind }} />
                </div>
                {!report.resolved && (
                  <button
                    type="button"
                    class="button small primary"
                    disabled={busy}
                    onClick={() => setResolving(report)}
                  >
                    {t.reports.resolve}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
      {next !== null && <button type="button" class="button mt-3" onClick={() => load(state, next)}>{t.more}</button>}
      <Dialog open={resolving !== null} title={t.reports.resolve} onClose={() => setResolving(null)}>
        {resolving && (
          <Resolution
            {...{ t, common }}
            onClose={() => setResolving(null)}
            onNote={(note) => resolve(resolving, note)}
          />
        )}
      </Dialog>
    </>
  );
}

function Told({ report, lang, t, blind }: { report: ShownReport } & Pick<Props, "lang" | "t" | "blind">) {
  const { kind, name, jamiId, text, conversationId, title, common, resolved, at } = report;
  const who = name || jamiId.slice(0, 8);
  return (
    <>
      <p class="flex flex-wrap items-center gap-2">
        <span class="font-semibold" title={jamiId}>
          <Filled text={kind === "report" ? t.reports.by : t.reports.about} name={<bdi>{who}</bdi>} />
        </span>
        {kind === "finding" && (
          <span class="text-sm text-accent min-w-0">
            <Filled text={t.inGroup} title={<bdi>{title || t.untitled}</bdi>} />
          </span>
        )}
      </p>
      {text === null
        ? (
          <p class="text-muted">
            {t.reports.hidden}{" "}
            {!blind && <a class="link" href={`/conversations/${conversationId}`}>{t.reports.reveal}</a>}
          </p>
        )
        : (
          <p class="whitespace-pre-wrap break-words" dir="auto">
            <bdi>{text}</bdi>
          </p>
        )}
      <p class="text-sm text-muted">
        <When at={at} lang={lang} />
        {kind === "finding" && (
          <>
            {" · "}
            <a class="link" href={`/conversations/${conversationId}/members`}>{t.reports.look}</a>
          </>
        )}
        {kind === "report" && common.length > 0 && (
          <>
            {` · ${t.reports.common} `}
            {common.map((group, i) => (
              <>
                {i > 0 && ", "}
                <a class="link" href={`/conversations/${group.id}/members`}>
                  <bdi>{group.title || t.untitled}</bdi>
                </a>
              </>
            ))}
          </>
        )}
      </p>
      {resolved && (
        <p class="text-sm mt-1 break-words">
          {fill(t.reports.resolvedBy, { name: resolved.by })} · <When at={resolved.at} lang={lang} />
          {resolved.note && <span class="block text-muted whitespace-pre-wrap">{resolved.note}</span>}
        </p>
      )}
    </>
  );
}

interface ResolutionProps extends Pick<Props, "t" | "common"> {
  onClose: () => void;
  onNote: (note: string) => void;
}

function Resolution({ t, common, onClose, onNote }: ResolutionProps) {
  const [note, setNote] = useState("");
  const go = (event: Event) => {
    event.preventDefault();
    onNote(note.trim());
  };
  return (
    <form onSubmit={go} class="grid gap-4">
      <Area
        label={t.reports.note}
        placeholder={t.reports.notePlaceholder}
        name="note"
        maxLength={2_000}
        value={note}
        onInput={(event) => setNote(event.currentTarget.value)}
      />
      <div class="flex justify-end gap-2">
        <button type="button" class="button" onClick={onClose}>{common.cancel}</button>
        <button type="submit" class="button primary">{t.reports.resolve}</button>
      </div>
    </form>
  );
}
