/** How the node does, live. */

import { useEffect, useState } from "preact/hooks";
import type { Overview, OverviewNow, Sample, WaitingDevices } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Chart } from "./parts/chart.tsx";
import { useEvents } from "./parts/live.ts";
import { usePolling } from "./parts/poll.ts";
import { Badge, Copy, When } from "./parts/ui.tsx";
import { Waiting } from "./parts/waiting.tsx";
import { bytes, fill, number, plural, span } from "./parts/words.ts";

/** Seconds that the charts go back, and between two points of the node; what happens between is told by points that the next one replaces. */
const HOUR = 3_600;
const POINT = 10;
/** Seconds in which a node that starts is not expected to be reachable. */
const START_GRACE = 60;
/** The day gets a new point so often, ms. */
const DAY_EVERY = 300_000;

/** Distances of the lines in charts: of counts, and of bytes. */
const DECIMAL = [1, 2, 5].flatMap((n) => [1, 10, 100, 1e3, 1e4, 1e5].map((e) => n * e)).sort((a, b) => a - b);
const BINARY = Array.from({ length: 16 }, (_, i) => 2 ** (20 + i));
const SIZES = Array.from({ length: 36 }, (_, i) => 2 ** i);

interface Props {
  lang: string;
  t: Texts["overview"];
  common: Texts["common"];
  first: Overview;
  /** who waits, for moderators and owners */
  waiting: WaitingDevices | null;
}

export default function OverviewIsland({ lang, t, common, first, waiting }: Props) {
  const [now, setNow] = useState<OverviewNow>(first);
  const [hour, setHour] = useState<Sample[]>(first.samples);
  const [day, setDay] = useState<Sample[] | null>(null);
  const [shown, setShown] = useState<"hour" | "day">("hour");
  const readDay = async () => {
    const answer = await ask<{ samples: Sample[] }>("GET", "/overview/history");
    if (answer.ok) setDay(answer.data.samples);
  };
  usePolling(shown === "day" ? DAY_EVERY : 0, readDay);
  useEffect(() => {
    if (shown === "day") readDay();
  }, [shown]);
  const samples = shown === "day" && day ? day : hour;
  const over = shown === "day" ? t.lastDay : t.lastHour;
  const open = useEvents({
    overview: (data: OverviewNow) => {
      setNow(data);
      setHour((before) => withPoint(before, data.sample));
    },
  });
  const { totals, storage: { files } } = now;
  const trouble = troubleOf(now, t);
  return (
    <>
      <header class="mb-6 max-w-3xl">
        <p class="text-xs font-semibold uppercase tracking-wider text-muted mb-2 flex items-center gap-2">
          <span
            class={`inline-block w-2 h-2 rounded-full ${open && trouble === "" ? "bg-good" : "bg-warn"}`}
            aria-hidden="true"
          />
          <span role="status">{open ? t.live : t.lost}</span>
        </p>
        <h1 class="text-2xl md:text-3xl font-semibold">{headline(now, lang, t)}</h1>
        {trouble !== "" && trouble !== t.revoked && (
          <p class="mt-3">
            <a class="link" href="/network">{t.toNetwork}</a>
          </p>
        )}
        {totals.conversations === 0 && (
          <p class="mt-4">
            <a class="button primary" href="/add">{common.addNode}</a>
          </p>
        )}
        {totals.requests > 0 && (
          <p class="mt-3">
            {waiting === null
              ? plural(lang, totals.requests, t.requestsOfOthers)
              : <a class="link" href="/requests">{plural(lang, totals.requests, t.requests)}</a>}
          </p>
        )}
      </header>
      <div class="segments w-44 mb-3" role="group" aria-label={t.span}>
        {(["hour", "day"] as const).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={shown === one}
            onClick={() => setShown(one)}
          >
            {t[one]}
          </button>
        ))}
      </div>
      <div class="grid gap-4 lg:grid-cols-3">
        <div class="grid gap-4 lg:col-span-2 content-start min-w-0">
          <div class="grid gap-4 sm:grid-cols-2 min-w-0">
            <Figure
              wide
              title={t.waiting}
              pick={(sample) => sample.waiting}
              format={(n) => number(lang, n)}
              steps={DECIMAL}
              {...{ samples, now, t, over }}
            />
            <Figure
              title={t.connections}
              pick={(sample) => sample.connections}
              format={(n) => number(lang, n)}
              steps={DECIMAL}
              note={plural(lang, totals.online, t.onlineNow)}
              {...{ samples, now, t, over }}
            />
            <Figure
              title={t.traffic}
              pick={({ bytesIn, bytesOut }) => bytesIn + bytesOut}
              format={(n) => bytes(lang, n)}
              steps={SIZES}
              note={fill(t.trafficInOut, {
                in: bytes(lang, now.sample.bytesIn),
                out: bytes(lang, now.sample.bytesOut),
              })}
              {...{ samples, now, t, over }}
            />
            <Figure
              title={t.loop}
              pick={(sample) => sample.loopDelay}
              format={(n) => `${number(lang, Math.round(n))} ms`}
              steps={DECIMAL}
              {...{ samples, now, t, over }}
            />
            <Figure
              title={t.memory}
              pick={(sample) => sample.memory}
              format={(n) => bytes(lang, n)}
              steps={BINARY}
              {...{ samples, now, t, over }}
            />
          </div>
          {waiting && <Waiting {...{ lang, t, now, first: waiting }} />}
          <Warnings {...{ now, lang, t }} />
        </div>
        <div class="grid gap-4 sm:grid-cols-2 lg:grid-cols-1 content-start">
          <Health {...{ now, lang, t }} />
          <section class="panel p-5">
            <h2 class="text-base font-semibold">{t.storage}</h2>
            <p class="mt-1 mb-2 text-sm text-muted figure">
              {fill(t.storageUsed, { used: bytes(lang, files.used), quota: bytes(lang, files.quota) })}
            </p>
            <progress max={Math.max(1, files.quota)} value={files.used} aria-label={t.storage} />
            <dl class="mt-3 text-sm grid gap-1">
              <Row name={t.stored}>{number(lang, files.counts.stored)}</Row>
              <Row name={t.waitingFiles}>{number(lang, files.counts.waiting + files.counts.partial)}</Row>
              <Row name={t.evicted}>{number(lang, files.counts.evicted)}</Row>
            </dl>
            <p class="mt-3 text-sm text-muted">
              {files.retentionDays > 0 ? plural(lang, files.retentionDays, t.retention) : t.forEver}
            </p>
          </section>
          <section class="panel p-5">
            <h2 class="text-base font-semibold mb-2">{t.node}</h2>
            {now.node.registeredName && (
              <p class="mb-2 font-semibold">
                <bdi>{now.node.registeredName}</bdi>
              </p>
            )}
            <p class="text-sm text-muted">{t.jamiId}</p>
            <p class="my-1">
              <code>{now.node.jamiId}</code>
            </p>
            <p class="flex flex-wrap items-center gap-3">
              <Copy text={now.node.jamiId} label={common.copy} done={common.copied} />
              <a class="link text-sm" href="/add">{common.addNode}</a>
            </p>
            <dl class="mt-4 text-sm grid gap-1">
              <Row name={t.uptime}>{span(lang, now.node.uptime)}</Row>
              <Row name={t.version}>{now.node.version}</Row>
            </dl>
          </section>
        </div>
      </div>
    </>
  );
}

/** The points of the last hour with one more; one that came between two others gives way. */
function withPoint(before: Sample[], point: Sample): Sample[] {
  const kept = before.filter(({ at }) => at > point.at - HOUR);
  const last = kept.at(-1), earlier = kept.at(-2);
  const isBetween = last !== undefined && earlier !== undefined && point.at - earlier.at <= POINT;
  return [...isBetween ? kept.slice(0, -1) : kept, point];
}

/** What keeps others from reaching the node; "" = nothing, or it is starting. */
export function troubleOf({ node, ready }: Pick<OverviewNow, "node" | "ready">, t: Texts["overview"]): string {
  if (ready.revoked) return t.revoked;
  if (node.uptime < START_GRACE) return "";
  return !ready.dht ? t.notConnected : !ready.announced ? t.notAnnounced : "";
}

/** The state in one line. */
function headline(now: OverviewNow, lang: string, t: Texts["overview"]): string {
  const { totals, waiting } = now;
  const trouble = troubleOf(now, t);
  if (trouble !== "") return trouble;
  if (totals.conversations === 0) return t.idle;
  const relaying = fill(t.relaying, {
    conversations: plural(lang, totals.conversations, t.conversations),
    people: plural(lang, totals.people, t.people),
  });
  const waits = waiting.devices === 0 ? t.nothingWaits : fill(t.waits, {
    messages: plural(lang, waiting.messages, t.messagesWait),
    devices: plural(lang, waiting.devices, t.devices),
  });
  return `${relaying}; ${waits}`.replaceAll("; ", lang === "fr" ? "\u00a0; " : "; ");
}

interface FigureProps {
  title: string;
  samples: Sample[];
  now: OverviewNow;
  t: Texts["overview"];
  pick: (sample: Sample) => number;
  format: (value: number) => string;
  steps: number[];
  note?: string;
  /** the time that is shown */
  over: string;
  /** over the whole width */
  wide?: boolean;
}

/** One number, now and before. */
function Figure({ title, samples, now, t, pick, format, steps, note, over, wide }: FigureProps) {
  const current = format(pick(now.sample));
  return (
    <section class={`panel p-5 min-w-0 ${wide ? "sm:col-span-2" : ""}`}>
      <div class="flex items-baseline justify-between gap-3">
        <h2 class="text-sm font-medium text-muted">{title}</h2>
        <span class="text-xs text-muted whitespace-nowrap">{over}</span>
      </div>
      <p class="text-xl font-semibold figure mt-1">
        {current}
        {note && <span class="ml-2 text-sm font-normal text-muted">{note}</span>}
      </p>
      {samples.length > 1
        ? (
          <Chart
            times={samples.map(({ at }) => at)}
            values={samples.map(pick)}
            label={`${title}, ${over}: ${current}`}
            format={format}
            steps={steps}
          />
        )
        : <p class="h-[104px] flex items-center text-sm text-muted">{t.noHistory}</p>}
    </section>
  );
}

function Health({ now, lang, t }: { now: OverviewNow; lang: string; t: Texts["overview"] }) {
  const { node: { dht }, ready } = now;
  return (
    <section class="panel p-5">
      <h2 class="text-base font-semibold mb-2">{t.health}</h2>
      <dl class="text-sm grid gap-2">
        <Row name={t.dht}>
          <Badge tone={dht.status === "connected" ? "good" : dht.status === "connecting" ? "warn" : "bad"}>
            {t.dhtStates[dht.status]}
          </Badge>
        </Row>
        <Row name="">{plural(lang, dht.nodes4 + dht.nodes6, t.dhtNodes)}</Row>
        <Row name={t.announced}>
          <Badge tone={ready.announced ? "good" : "warn"}>{ready.announced ? t.yes : t.no}</Badge>
        </Row>
      </dl>
      <p class={`mt-2 text-sm ${ready.revoked ? "text-bad" : "text-muted"}`}>
        {ready.revoked ? t.revoked : ready.announced ? t.announcedYes : t.announcedNo}
      </p>
    </section>
  );
}

function Warnings({ now, lang, t }: { now: OverviewNow; lang: string; t: Texts["overview"] }) {
  const trouble = troubleOf(now, t);
  return (
    <section class="panel p-5 min-w-0">
      <h2 class="text-base font-semibold mb-2">{t.warnings}</h2>
      {now.warnings.length === 0 && trouble === ""
        ? <p class="text-muted">{t.noWarnings}</p>
        : (
          <ul class="divide-y divide-line">
            {trouble !== "" && <li class="py-2 text-sm text-bad">{trouble}</li>}
            {now.warnings.slice(0, 8).map(({ at, level, room, text }, i) => (
              <li key={`${at}-${i}`} class="py-2 text-sm">
                <div class="flex flex-wrap items-center gap-2 text-muted">
                  <Badge tone={level === "error" ? "bad" : "warn"}>{room}</Badge>
                  <When at={at} lang={lang} key={at} />
                </div>
                <p class="mt-1 break-words">{text}</p>
              </li>
            ))}
          </ul>
        )}
    </section>
  );
}

function Row({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div class="flex items-center justify-between gap-3">
      <dt class="text-muted">{name}</dt>
      <dd class="font-medium figure text-right">{children}</dd>
    </div>
  );
}
