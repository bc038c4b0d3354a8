/** The history of a conversation as a graph: where members wrote without hearing of each other, and who joined the branches. */

import { MAX_MESSAGES_LIMIT, type MessageInfo } from "../core/node_api.ts";
import { plain } from "../islands/parts/given.tsx";
import { When, Who } from "../islands/parts/ui.tsx";
import { fill, plural, shortId } from "../islands/parts/words.ts";
import { branches, folded, type Placed, type Row, sideOf } from "./branches.ts";
import type { SectionContext } from "./conversation.tsx";
import type { Texts } from "./texts/index.ts";

/** Pixels. */
const ROW = 36;
const LANE = 16;
const RADIUS = 4.5;
/** Lanes drawn: what a split of a whole crowd makes beyond them is cut off. */
const MAX_LANES = 12;
/** People named in one line. */
const MAX_NAMED = 3;

export async function historySection({ api, page, conversation, names, all }: SectionContext) {
  const { lang, t: { history: t, timeline } } = page;
  const { state } = conversation;
  const isHere = state === "active" || state === "leaving" || state === "left";
  const commits = isHere ? await api.messages(conversation.id, { limit: MAX_MESSAGES_LIMIT }) : [];
  if (commits.length === 0) return <p class="panel p-8 text-center text-muted">{timeline.empty}</p>;
  const { rows: placed, lanes } = branches(commits);
  const rows = all ? placed.map((one): Row => ({ kind: "commit", placed: one })) : folded(placed);
  const merges = placed.filter(({ merge }) => merge).length;
  const width = Math.min(lanes, MAX_LANES) * LANE + LANE;
  const line = { byId: new Map(commits.map((commit) => [commit.id, commit])), commits, names, lang, t };
  return (
    <>
      <p class="mb-1 max-w-3xl text-muted">{t.hint}</p>
      <p class="mb-4 flex flex-wrap gap-x-3">
        <span class="font-medium">
          {fill(t.read, { commits: plural(lang, commits.length, t.commits) })}{" "}
          {merges > 0 ? plural(lang, merges, t.split) : t.straight}
        </span>
        {all
          ? <a class="link" href={`/conversations/${conversation.id}/history`}>{t.fold}</a>
          : rows.length < placed.length && (
            <a class="link" href={`/conversations/${conversation.id}/history?all=1`}>{t.unfold}</a>
          )}
      </p>
      <div class="panel overflow-x-auto flex py-1">
        <svg
          class="graph flex-none ml-3"
          width={width}
          height={rows.length * ROW}
          viewBox={`0 0 ${width} ${rows.length * ROW}`}
          aria-hidden="true"
        >
          {rows.map((row, y) => <Lines key={y} row={row} y={y} />)}
          {rows.map((row, y) => row.kind === "commit" && <Point key={y} placed={row.placed} y={y} />)}
        </svg>
        <ol class="flex-1 min-w-0" aria-label={t.label}>
          {rows.map((row) =>
            row.kind === "fold"
              ? <Folded key={row.ids[0]} ids={row.ids} {...line} />
              : <Commit key={row.placed.id} placed={row.placed} {...line} />
          )}
        </ol>
      </div>
    </>
  );
}

interface LineProps {
  byId: ReadonlyMap<string, MessageInfo>;
  commits: MessageInfo[];
  names: Record<string, string>;
  lang: string;
  t: Texts["history"];
}

function Commit({ placed, byId, commits, names, lang, t }: LineProps & { placed: Placed }) {
  const commit = byId.get(placed.id);
  if (!commit) return null;
  const { id, entry, author, timestamp } = commit;
  const side = placed.merge ? sideOf(commit, commits) : [];
  return (
    <li class="h-9 px-3 flex items-center gap-4 text-sm whitespace-nowrap">
      <code class="text-muted hidden sm:inline w-16" title={id}>{shortId(id)}</code>
      <span class={`w-20 sm:w-24 truncate ${placed.merge ? "font-medium" : "text-muted"}`}>{t.kinds[entry.kind]}</span>
      <span class="truncate flex-1">
        <Who id={author} name={names[author]} />
        {side.length > 0 && (
          <span class="text-muted">
            {" "}
            {fill(plural(lang, side.length, t.joins), { people: people(side, byId, names, t) })}
          </span>
        )}
      </span>
      <span class="text-muted hidden sm:inline">
        <When at={timestamp} lang={lang} />
      </span>
    </li>
  );
}

/** Commits in a row with nothing to see. */
function Folded({ ids, byId, names, lang, t }: LineProps & { ids: string[] }) {
  const oldest = byId.get(ids[ids.length - 1]);
  return (
    <li class="h-9 px-3 flex items-center gap-4 text-sm whitespace-nowrap text-muted">
      <span class="truncate flex-1">{plural(lang, ids.length, t.commits)} · {people(ids, byId, names, t)}</span>
      <span class="hidden sm:inline">{oldest && <When at={oldest.timestamp} lang={lang} />}</span>
    </li>
  );
}

/** Who wrote these commits. */
function people(
  ids: string[],
  byId: ReadonlyMap<string, MessageInfo>,
  names: Record<string, string>,
  t: Texts["history"],
): string {
  const authors = [...new Set(ids.map((id) => byId.get(id)?.author ?? ""))].filter((author) => author !== "");
  const named = authors.slice(0, MAX_NAMED).map((author) => plain(names[author] ?? shortId(author))).join(", ");
  const more = authors.length - MAX_NAMED;
  return more > 0 ? fill(t.andMore, { named, n: more }) : named;
}

function Point({ placed: { lane, merge }, y }: { placed: Placed; y: number }) {
  return <circle class={merge ? "merge" : lane > 0 ? "side" : ""} cx={x(lane)} cy={middle(y)} r={RADIUS} />;
}

function Lines({ row, y }: { row: Row; y: number }) {
  if (row.kind === "fold") {
    return <path class="fold" d={`M${x(0)} ${middle(y)}V${middle(y + 1)}`} />;
  }
  return (
    <>
      {row.placed.lines.map(({ from, to }) => {
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
