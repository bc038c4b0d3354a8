/** The list of conversations: searched and sorted at once, kept up to date. */

import { useState } from "preact/hooks";
import type { ConversationSummary } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { useEvents } from "./parts/live.ts";
import { Badge, STATE_TONES, When } from "./parts/ui.tsx";
import { fill, plural, shortId } from "./parts/words.ts";

/** Rows drawn at first; more on demand. */
const STEP = 100;

type Order = "activity" | "waiting" | "title" | "members" | "commits";
const ORDERS: Order[] = ["activity", "waiting", "title", "members", "commits"];

interface Props {
  lang: string;
  t: Texts["conversations"];
  common: Texts["common"];
  states: Texts["states"];
  modes: Texts["modes"];
  first: ConversationSummary[];
  /** show only those of which devices lack something */
  waiting: boolean;
}

export default function Conversations({ lang, t, common, states, modes, first, waiting }: Props) {
  const [all, setAll] = useState(first);
  const [query, setQuery] = useState("");
  const [order, setOrder] = useState<Order>("activity");
  const [shown, setShown] = useState(STEP);
  const [lacking, setLacking] = useState(waiting);
  useEvents({
    "conversation-gone": ({ id }: { id: string }) =>
      setAll((before) => before.map((one) => one.id === id ? { ...one, state: "left" } : one)),
    conversation: (data: ConversationSummary) =>
      setAll((before) => [...before.filter(({ id }) => id !== data.id), data]),
  });
  const found = sorted(all.filter((one) => fits(one, query) && (!lacking || one.waiting.messages > 0)), order, lang);
  return (
    <>
      <form class="flex flex-wrap gap-3 mb-4" role="search" onSubmit={(event) => event.preventDefault()}>
        <input
          class="field flex-1 min-w-[200px]"
          type="search"
          placeholder={t.search}
          data-search
          aria-label={t.search}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        <label class="flex items-center gap-2 text-sm">
          <input
            type="checkbox"
            checked={lacking}
            onChange={(event) => setLacking(event.currentTarget.checked)}
          />
          {t.onlyWaiting}
        </label>
        <label class="flex items-center gap-2 text-sm text-muted">
          {t.sort}
          <select
            class="field"
            value={order}
            onChange={(event) => setOrder(ORDERS.find((one) => one === event.currentTarget.value) ?? "activity")}
          >
            {ORDERS.map((one) => <option key={one} value={one} selected={one === order}>{t.sorts[one]}</option>)}
          </select>
        </label>
      </form>
      <p class="text-sm text-muted mb-2" role="status">
        {found.length > 0
          ? plural(lang, found.length, t.count)
          : all.length === 0
          ? t.none
          : lacking && query === ""
          ? t.noneWaits
          : t.noneFound}
      </p>
      {all.length === 0 && (
        <p>
          <a class="button" href="/add">{common.addNode}</a>
        </p>
      )}
      {found.length > 0 && (
        <ul class="panel divide-y divide-line overflow-hidden">
          {found.slice(0, shown).map((one) => (
            <li key={one.id}>
              <a
                href={`/conversations/${one.id}`}
                class="grid gap-x-4 gap-y-1 px-5 py-3 hover:bg-sunken sm:grid-cols-[minmax(0,1fr)_auto_auto] items-center"
              >
                <span class="min-w-0">
                  <span class="block font-semibold truncate">
                    <bdi>{one.title || t.untitled}</bdi>
                  </span>
                  <span class="block text-sm text-muted truncate">
                    {modes[one.mode] ?? ""} · <code>{shortId(one.id)}</code>
                  </span>
                  {one.waiting.messages > 0 && (
                    <span class="block text-sm text-warn">
                      {fill(plural(lang, one.waiting.messages, t.waits), {
                        devices: plural(lang, one.waiting.devices, t.devices),
                      })}
                    </span>
                  )}
                </span>
                <span class="text-sm text-muted sm:text-right figure flex gap-3 sm:block">
                  {one.state !== "left" && <span class="sm:block">{plural(lang, one.members, t.members)}</span>}
                  <span class="sm:block">{plural(lang, one.commits, t.commits)}</span>
                </span>
                <span class="text-sm text-muted sm:w-44 sm:text-right flex sm:block items-center gap-2">
                  {one.lastActivity !== null && <When at={one.lastActivity} lang={lang} key={one.lastActivity} />}
                  {one.state !== "active" && (
                    <span class="sm:block sm:mt-1">
                      <Badge tone={STATE_TONES[one.state]}>{states[one.state]}</Badge>
                    </span>
                  )}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {found.length > shown && (
        <p class="mt-4 text-center">
          <button type="button" class="button" onClick={() => setShown(shown + STEP)}>{t.more}</button>
        </p>
      )}
    </>
  );
}

function fits({ title, id }: ConversationSummary, query: string): boolean {
  const words = query.toLocaleLowerCase().split(/\s+/);
  const text = `${title} ${id}`.toLocaleLowerCase();
  return words.every((word) => text.includes(word));
}

function sorted(list: ConversationSummary[], order: Order, lang: string): ConversationSummary[] {
  const byTitle = (a: ConversationSummary, b: ConversationSummary) =>
    Number(a.title === "") - Number(b.title === "") || a.title.localeCompare(b.title, lang) || (a.id < b.id ? -1 : 1);
  if (order === "title") return list.toSorted(byTitle);
  const figure = (one: ConversationSummary) =>
    order === "activity" ? one.lastActivity ?? 0 : order === "waiting" ? one.waiting.messages : one[order];
  return list.toSorted((a, b) => figure(b) - figure(a) || byTitle(a, b));
}
