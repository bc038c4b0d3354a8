/** How the node does, live. */

import { useState } from "preact/hooks";
import type { Overview, OverviewNow, Sample } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Chart } from "./parts/chart.tsx";
import { useEvents } from "./parts/live.ts";
import { Badge, Copy, When } from "./parts/ui.tsx";
import { bytes, fill, number, plural, span } from "./parts/words.ts";

/** Points of the charts: an hour of them. */
const SAMPLES = 360;

/** Distances of the lines in charts: of counts, and of bytes. */
const DECIMAL = [1, 2, 5].flatMap((n) => [1, 10, 100, 1e3, 1e4, 1e5].map((e) => n * e)).sort((a, b) => a - b);
const BINARY = Array.from({ length: 16 }, (_, i) => 2 ** (20 + i));

interface Props {
  lang: string;
  t: Texts["overview"];
  common: Texts["common"];
  first: Overview;
}

export default function OverviewIsland({ lang, t, common, first }: Props) {
  const [now, setNow] = useState<OverviewNow>(first);
  const [samples, setSamples] = useState<Sample[]>(first.samples);
  const open = useEvents({
    overview: (data: OverviewNow) => {
      setNow(data);
      setSamples((before) => [...before, data.sample].slice(-SAMPLES));
    },
  });
  const { totals, storage: { files } } = now;
  return (
    <>
      <header class="mb-6 max-w-3xl">
        <p class="text-xs font-semibold uppercase tracking-wider text-muted mb-2 flex items-center gap-2">
          <span class={`inline-block w-2 h-2 rounded-full ${open ? "bg-good" : "bg-warn"}`} aria-hidden="true" />
          <span role="status">{open ? t.live : t.lost}</span>
        </p>
        <h1 class="text-2xl md:text-3xl font-semibold">{headline(now, lang, t)}</h1>
        {totals.requests > 0 && (
          <p class="mt-3">
            <a class="link" href="/requests">{plural(lang, totals.requests, t.requests)}</a>
          </p>
        )}
      </header>
      <div class="grid gap-4 lg:grid-cols-3">
        <div class="grid gap-4 lg:col-span-2 content-start min-w-0">
          <div class="grid gap-4 sm:grid-cols-2 min-w-0">
            <Figure
              title={t.waiting}
              pick={(sample) => sample.waiting}
              format={(n) => number(lang, n)}
              steps={DECIMAL}
              {...{ samples, now, t }}
            />
            <Figure
              title={t.connections}
              pick={(sample) => sample.connections}
              format={(n) => number(lang, n)}
              steps={DECIMAL}
              note={plural(lang, totals.online, t.onlineNow)}
              {...{ samples, now, t }}
            />
            <Figure
              title={t.loop}
              pick={(sample) => sample.loopDelay}
              format={(n) => `${number(lang, Math.round(n))} ms`}
              steps={DECIMAL}
              {...{ samples, now, t }}
            />
            <Figure
              title={t.memory}
              pick={(sample) => sample.memory}
              format={(n) => bytes(lang, n)}
              steps={BINARY}
              {...{ samples, now, t }}
            />
          </div>
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
            {now.node.registeredName && <p class="mb-2 font-semibold">{now.node.registeredName}</p>}
            <p class="text-sm text-muted">{t.jamiId}</p>
            <p class="my-1">
              <code>{now.node.jamiId}</code>
            </p>
            <Copy text={now.node.jamiId} label={common.copy} done={common.copied} />
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

/** The state in one line. */
function headline({ totals, waiting, ready }: OverviewNow, lang: string, t: Texts["overview"]): string {
  if (ready.revoked) return t.revoked;
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
}

/** One number, now and in the last hour. */
function Figure({ title, samples, now, t, pick, format, steps, note }: FigureProps) {
  const current = format(pick(now.sample));
  return (
    <section class="panel p-5 min-w-0">
      <div class="flex items-baseline justify-between gap-3">
        <h2 class="text-sm font-medium text-muted">{title}</h2>
        <span class="text-xs text-muted whitespace-nowrap">{t.lastHour}</span>
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
            label={`${title}, ${t.lastHour}: ${current}`}
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
  return (
    <section class="panel p-5 min-w-0">
      <h2 class="text-base font-semibold mb-2">{t.warnings}</h2>
      {now.warnings.length === 0 ? <p class="text-muted">{t.noWarnings}</p> : (
        <ul class="divide-y divide-line">
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
