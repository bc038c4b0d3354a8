/** The log as it comes: by weight and words, paused to be read, older lines on demand. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { LogEntry, LoggedLevel } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { OperationsTexts } from "../routes/texts/operations.ts";
import { ask } from "./parts/api.ts";
import { useEvents } from "./parts/live.ts";
import { Status } from "./parts/status.tsx";
import { Badge, type Tone } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";

/** By weight, as core/log_ring.ts has them. */
const LEVELS: LoggedLevel[] = ["debug", "info", "warning", "error"];
const TONES: Record<LoggedLevel, Tone> = { debug: "plain", info: "accent", warning: "warn", error: "bad" };
/** Lines asked for at a time. */
const PAGE = 200;
/** Lines kept while they come live: who wants more reads older ones. */
const LIVE = 1_000;
/** ms after the last key that a search waits for. */
const PATIENCE = 250;

interface Props {
  lang: string;
  t: OperationsTexts["logs"];
  common: Texts["common"];
  first: LogEntry[];
}

interface Filter {
  level: LoggedLevel;
  q: string;
}

/** Does a new line fit? The server answers all other questions. */
function fits({ level, q }: Filter, entry: LogEntry): boolean {
  const text = `${entry.room} ${entry.text}`.toLowerCase();
  return LEVELS.indexOf(entry.level) >= LEVELS.indexOf(level) &&
    q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** The same line? Numbers begin anew when the node does. */
function isSame(a: LogEntry, b: LogEntry): boolean {
  return a.number === b.number && a.at === b.at;
}

/** Has it come by the stream since the newest line of an answer was written? */
function isNewer(entry: LogEntry, newest: LogEntry | undefined): boolean {
  return newest === undefined || entry.number > newest.number && entry.at >= newest.at;
}

function queryOf({ level, q }: Filter, more: Record<string, string> = {}): string {
  return new URLSearchParams({ level, ...q.trim() && { q: q.trim() }, ...more }).toString();
}

export default function Logs({ lang, t, common, first }: Props) {
  const [filter, setFilter] = useState<Filter>({ level: "debug", q: "" });
  const [entries, setEntries] = useState(first);
  const [hasOlder, setHasOlder] = useState(first.length === PAGE);
  const [live, setLive] = useState(true);
  const [problem, setProblem] = useState("");
  const isFirst = useRef(true);

  const load = async (before?: number) => {
    const asked = queryOf(filter, { limit: `${PAGE}`, ...before !== undefined && { before: `${before}` } });
    const answer = await ask<{ records: LogEntry[]; next: number | null }>("GET", `/logs?${asked}`);
    setProblem(answer.ok ? "" : fill(common.failed, { reason: answer.reason || common.unreachable }));
    if (!answer.ok) return;
    const { records, next } = answer.data;
    const newerOf = (now: LogEntry[]) => now.filter((entry) => fits(filter, entry) && isNewer(entry, records[0]));
    setEntries((now) => before === undefined ? [...newerOf(now), ...records] : [...now, ...records]);
    setHasOlder(next !== null);
  };
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    if (!live) return;
    const timer = setTimeout(load, PATIENCE);
    return () => clearTimeout(timer);
  }, [filter, live]);
  useEvents({
    // what was written before the stream was open, it does not bring
    opened: () => {
      if (live) load();
    },
    log: (entry: LogEntry) => {
      if (!live || !fits(filter, entry)) return;
      setEntries((now) => now.some((other) => isSame(other, entry)) ? now : [entry, ...now].slice(0, LIVE));
    },
  }, "/logs/stream");

  return (
    <>
      <div class="flex flex-wrap items-end gap-3 mb-4">
        <div class="grid gap-1">
          <span id="weight" class="text-sm font-medium">{t.least}</span>
          <div class="segments" role="group" aria-labelledby="weight">
            {LEVELS.map((level) => (
              <button
                type="button"
                key={level}
                aria-pressed={filter.level === level}
                onClick={() => setFilter({ ...filter, level })}
              >
                {t.levels[level]}
              </button>
            ))}
          </div>
        </div>
        <div class="grid gap-1 flex-1 min-w-48">
          <label for="log-search" class="text-sm font-medium">{t.search}</label>
          <input
            id="log-search"
            type="search"
            class="field w-full"
            placeholder={t.searchHint}
            maxLength={200}
            value={filter.q}
            onInput={(event) => setFilter({ ...filter, q: event.currentTarget.value })}
          />
        </div>
        <div class="flex gap-2">
          <button type="button" class="button" onClick={() => setLive(!live)}>{live ? t.pause : t.goOn}</button>
          <a class="button" href={`/api/v1/logs/export?${queryOf(filter)}`} download>{t.download}</a>
        </div>
      </div>
      <Status text={problem} bad />
      <div class="panel overflow-hidden">
        <p class="px-4 py-2 border-b border-line text-sm text-muted flex items-center gap-2" role="status">
          <span class={`inline-block w-2 h-2 rounded-full ${live ? "bg-good" : "bg-warn"}`} aria-hidden="true" />
          {live ? t.live : t.paused}
        </p>
        {entries.length === 0
          ? <p class="p-8 text-center text-muted">{filter.q || filter.level !== "debug" ? t.nothing : t.quiet}</p>
          : (
            <ol aria-label={t.list} class="divide-y divide-line">
              {entries.map((entry) => <Line key={entry.number} lang={lang} t={t} entry={entry} />)}
            </ol>
          )}
      </div>
      {hasOlder && entries.length > 0 && (
        <p class="mt-4 text-center">
          <button type="button" class="button" onClick={() => load(entries[entries.length - 1].number)}>
            {t.older}
          </button>
        </p>
      )}
    </>
  );
}

function Line({ t, entry: { at, level, room, text } }: { lang: string; t: Props["t"]; entry: LogEntry }) {
  const iso = new Date(at * 1000).toISOString();
  return (
    <li class="px-4 py-2 text-sm sm:flex sm:items-baseline sm:gap-3">
      <span class="flex items-baseline gap-3 flex-none">
        <time dateTime={iso} class="font-mono text-xs text-muted whitespace-nowrap">
          {iso.slice(5, 19).replace("T", " ")}
        </time>
        <span class="sm:w-28">
          <Badge tone={TONES[level]}>{t.level[level]}</Badge>
        </span>
        <span class="sm:w-20 text-muted truncate">{room}</span>
      </span>
      <span class="block min-w-0 font-mono text-xs leading-5 break-words whitespace-pre-wrap">{text}</span>
    </li>
  );
}
