/** Every connection: whose, by which path, with which channels; and closing one. */

import { useState } from "preact/hooks";
import type { ConnectionInfo, ListPage } from "../../core/node_api.ts";
import type { Texts } from "../../routes/texts/en.ts";
import type { NetworkTexts } from "../../routes/texts/network.ts";
import { Filled, plain } from "./given.tsx";
import { ask } from "./api.ts";
import { Confirm } from "./dialog.tsx";
import { usePolling } from "./poll.ts";
import { useActing } from "./status.tsx";
import { Badge, Disc, When } from "./ui.tsx";
import { bytes, fill, plural, shortId } from "./words.ts";

/** The list is read anew so often, ms; and so many more are shown at a time. */
const EVERY = 3_000;
const STEP = 50;
/** Most of one page of the API. */
const MOST = 200;

interface Props {
  lang: string;
  t: NetworkTexts;
  common: Texts["common"];
  first: ListPage<ConnectionInfo>;
}

export function Connections({ lang, t, common, first }: Props) {
  const [{ items, next }, setPage] = useState(first);
  const [shown, setShown] = useState(STEP);
  const [query, setQuery] = useState("");
  const [closing, setClosing] = useState<ConnectionInfo | null>(null);
  const { status, act } = useActing(common);
  const read = async (wanted: number) => {
    const page = await readUpTo(wanted);
    if (page) setPage(page);
  };
  usePolling(EVERY, () => read(shown));
  const more = () => {
    setShown(shown + STEP);
    read(shown + STEP);
  };
  const close = async () => {
    const id = closing?.id;
    setClosing(null);
    const answer = await act("DELETE", `/network/connections/${id}`, undefined, t.closed);
    if (answer.ok) setPage((page) => ({ ...page, items: page.items.filter((one) => one.id !== id) }));
  };
  const found = items.filter((one) => fits(one, query));
  return (
    <section aria-labelledby="connections">
      <div class="flex flex-wrap items-end justify-between gap-3 mt-4 mb-3">
        <h2 id="connections" class="text-lg font-semibold">{t.connections}</h2>
        {items.length > 5 && (
          <input
            class="field flex-1 max-w-[360px] min-w-[220px]"
            type="search"
            placeholder={t.filter}
            aria-label={t.filter}
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        )}
      </div>
      {status}
      <p class="text-sm text-muted mb-2" role="status">
        {items.length === 0
          ? t.none
          : found.length === 0
          ? t.noneFound
          : `${plural(lang, found.length, t.count)}${next ? "+" : ""}`}
      </p>
      {found.length > 0 && (
        <ul class="panel divide-y divide-line">
          {found.map((one) => <Line key={one.id} {...{ one, lang, t }} onClose={() => setClosing(one)} />)}
        </ul>
      )}
      {next && (
        <p class="mt-4 text-center">
          <button type="button" class="button" onClick={more}>{t.more}</button>
        </p>
      )}
      <Confirm
        open={closing !== null}
        title={<Filled text={t.closeTitle} name={<bdi>{closing && nameOf(closing)}</bdi>} />}
        hint={t.closeHint}
        confirm={t.close}
        cancel={common.cancel}
        danger
        onClose={() => setClosing(null)}
        onConfirm={close}
      />
    </section>
  );
}

function Line({ one, lang, t, onClose }: { one: ConnectionInfo; lang: string; t: NetworkTexts; onClose: () => void }) {
  const { deviceId, local, remote, direction, askedBy, tls, since, lastHeard, bytesIn, bytesOut, channels } = one;
  return (
    <li class="px-5 py-4 flex flex-wrap gap-x-4 gap-y-2 items-start text-sm" data-connection={one.id}>
      <Disc name={nameOf(one)} />
      <div class="flex-1 min-w-[220px] grid gap-1">
        <p class="flex flex-wrap items-center gap-2">
          <bdi class="font-semibold text-base">{nameOf(one)}</bdi>
          <Badge tone={direction === "in" ? "accent" : "plain"}>{t.directions[direction]}</Badge>
          {tls && <Badge>{tls}</Badge>}
        </p>
        <p class="text-muted">
          {t.device} <code title={deviceId}>{deviceId.slice(0, 12)}</code> · {t.askedBy[askedBy]}
        </p>
        <p class="text-muted" title={t.directionHint[direction]}>
          <code>{remote}</code> {direction === "in" ? "→" : "←"} <code>{local}</code>
        </p>
        <p class="flex flex-wrap gap-1">
          {channels.length === 0 && <span class="text-muted">{t.noChannels}</span>}
          {channels.map(({ kind, state, count }) => (
            <Badge key={`${kind} ${state}`} tone={state === "open" ? "good" : "warn"}>
              {t.channelKinds[kind]}
              {count > 1 && ` × ${count}`}
              {state !== "open" && ` (${t.channelStates[state]})`}
            </Badge>
          ))}
        </p>
      </div>
      <div class="text-muted figure sm:text-right">
        <p>{bytes(lang, bytesIn)} {t.in} · {bytes(lang, bytesOut)} {t.out}</p>
        <p>
          {t.since} <When at={since} lang={lang} key={since} />
        </p>
        <p>
          {t.heard} <When at={lastHeard} lang={lang} key={lastHeard} />
        </p>
      </div>
      <button
        type="button"
        class="button small danger"
        aria-label={fill(t.closeLabel, { name: plain(nameOf(one)) })}
        onClick={onClose}
      >
        {t.close}
      </button>
    </li>
  );
}

/** The first `wanted` connections; null = the node does not answer. */
async function readUpTo(wanted: number): Promise<ListPage<ConnectionInfo> | null> {
  const items: ConnectionInfo[] = [];
  let next: string | null = "0";
  while (next !== null && items.length < wanted) {
    const limit = Math.min(MOST, wanted - items.length);
    const answer: Awaited<ReturnType<typeof page>> = await page(limit, next);
    if (!answer.ok) return null;
    items.push(...answer.data.connections);
    next = answer.data.next;
  }
  return { items, next };
}

function page(limit: number, after: string) {
  const path = `/network/connections?limit=${limit}&after=${after}`;
  return ask<{ connections: ConnectionInfo[]; next: string | null }>("GET", path);
}

function nameOf({ name, registeredName, jamiId }: ConnectionInfo): string {
  return name || registeredName || shortId(jamiId);
}

function fits(one: ConnectionInfo, query: string): boolean {
  const text = `${one.name} ${one.registeredName} ${one.jamiId} ${one.deviceId} ${one.remote}`.toLocaleLowerCase();
  return query.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}
