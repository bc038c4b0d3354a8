/** The newest commits of a conversation and their branches. */

import { When, Who } from "../islands/parts/ui.tsx";
import { fill, plural, shortId } from "../islands/parts/words.ts";
import { branches, type Placed } from "./branches.ts";
import type { SectionContext } from "./conversation.tsx";

/** Commits shown. */
const COMMITS = 80;
/** Pixels. */
const ROW = 36;
const LANE = 16;
const RADIUS = 4.5;
/** Lanes drawn: what a split of a whole crowd makes beyond them is cut off. */
const MAX_LANES = 12;

export async function historySection({ api, page, conversation, names }: SectionContext) {
  const { lang, t: { history: t, timeline } } = page;
  const isOpen = conversation.state === "active" || conversation.state === "leaving";
  const commits = isOpen ? await api.messages(conversation.id, { limit: COMMITS }) : [];
  if (commits.length === 0) return <p class="panel p-8 text-center text-muted">{timeline.empty}</p>;
  const { rows, lanes } = branches(commits);
  const merges = rows.filter(({ merge }) => merge).length;
  const width = Math.min(lanes, MAX_LANES) * LANE + LANE;
  return (
    <>
      <p class="mb-4 max-w-3xl text-sm text-muted">
        {fill(t.hint, { n: commits.length })}{" "}
        <span class="font-medium text-ink">{merges > 0 ? plural(lang, merges, t.split) : t.straight}.</span>
      </p>
      <div class="panel overflow-x-auto flex">
        <svg
          class="graph flex-none ml-3"
          width={width}
          height={rows.length * ROW}
          viewBox={`0 0 ${width} ${rows.length * ROW}`}
          role="img"
          aria-label={t.label}
        >
          {rows.map((row, y) => <Lines key={row.id} row={row} y={y} />)}
          {rows.map(({ id, lane, merge }, y) => (
            <circle
              key={id}
              class={merge ? "merge" : lane > 0 ? "side" : ""}
              cx={x(lane)}
              cy={middle(y)}
              r={RADIUS}
            />
          ))}
        </svg>
        <ol class="flex-1 min-w-0">
          {commits.map(({ id, entry, author, timestamp }) => (
            <li key={id} class="h-9 px-3 flex items-center gap-4 text-sm whitespace-nowrap">
              <code class="text-muted hidden sm:inline w-16">{shortId(id)}</code>
              <span class="w-24 text-muted">{t.kinds[entry.kind]}</span>
              <span class="truncate flex-1">
                <Who id={author} name={names[author]} />
              </span>
              <span class="text-muted hidden sm:inline">
                <When at={timestamp} lang={lang} />
              </span>
            </li>
          ))}
        </ol>
      </div>
    </>
  );
}

function Lines({ row: { lines }, y }: { row: Placed; y: number }) {
  return (
    <>
      {lines.map(({ from, to }) => {
        const [top, bottom] = [middle(y), middle(y + 1)];
        const bend = `C${x(from)} ${top + ROW / 2} ${x(to)} ${bottom - ROW / 2} ${x(to)} ${bottom}`;
        return <path key={`${from}-${to}`} class={from > 0 || to > 0 ? "side" : ""} d={`M${x(from)} ${top}${bend}`} />;
      })}
    </>
  );
}

function x(lane: number): number {
  return LANE + Math.min(lane, MAX_LANES) * LANE;
}

function middle(row: number): number {
  return row * ROW + ROW / 2;
}
