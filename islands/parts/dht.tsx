/** The panels about the DHT and the ports. */

import type { ComponentChildren } from "preact";
import type { NetworkState } from "../../core/node_api.ts";
import type { NetworkTexts } from "../../routes/texts/network.ts";
import { Badge, When } from "./ui.tsx";
import { bytes, fill, number, plural } from "./words.ts";

interface PanelProps {
  lang: string;
  t: NetworkTexts;
  state: NetworkState;
}

const STATUS_TONES = { connected: "good", connecting: "warn", disconnected: "bad" } as const;

/** How the node stands with the DHT. */
export function DhtPanel({ lang, t, state: { dht } }: PanelProps) {
  const families = dht.nodes.filter(({ good, dubious }, i) => i === 0 || good + dubious > 0);
  return (
    <section class="panel p-5">
      <Head title={t.dht} hint={t.dhtHint}>
        <Badge tone={STATUS_TONES[dht.status]}>{t.states[dht.status]}</Badge>
      </Head>
      <dl class="text-sm grid gap-3">
        <Row name={t.nodes} hint={t.nodesHint}>
          {families.map(({ family, good, dubious }) => (
            <span key={family} class="block">
              <span class="text-muted font-normal">{fill(t.family, { family })}</span>{" "}
              {fill(t.goodDubious, { good: number(lang, good), dubious: number(lang, dubious) })}
            </span>
          ))}
        </Row>
        <Row name={t.seenAs}>
          {dht.seenAs.length === 0 ? <span class="text-muted font-normal">{t.seenNone}</span> : (
            dht.seenAs.slice(0, 4).map(({ address, votes, own }) => (
              <span key={address} class="block mb-1">
                <code>{address}</code>
                <span class="block text-muted font-normal">
                  {own ? t.own : t.translated} · {plural(lang, votes, t.votes)}
                </span>
              </span>
            ))
          )}
        </Row>
        <Row name={t.stored} hint={fill(t.storedHint, { n: number(lang, dht.stored.maxValuesPerKey) })}>
          {fill(plural(lang, dht.stored.values, t.storedOf), {
            used: bytes(lang, dht.stored.bytes),
            most: bytes(lang, dht.stored.maxBytes),
          })}
        </Row>
        <Row name={t.listeners}>{number(lang, dht.listeners)}</Row>
      </dl>
    </section>
  );
}

/** The ports, and what peers are told. */
export function PortsPanel({ lang, t, state: { ports, candidates, connections } }: PanelProps) {
  return (
    <section class="panel p-5">
      <Head title={t.ports} />
      <dl class="text-sm grid gap-3">
        {ports.map(({ protocol, use, port, fixed }) => (
          <Row key={use} name={t.portUses[use]}>
            <span class="inline-flex flex-wrap items-center justify-end gap-2">
              <code>{`${protocol.toUpperCase()} ${port}`}</code>
              <Badge tone={fixed ? "plain" : "warn"}>{fixed ? t.fixed : t.changes}</Badge>
            </span>
          </Row>
        ))}
        <Row name={t.candidates}>
          {candidates.map(({ address, port, kind }) => (
            <span key={`${address} ${kind}`} class="block">
              <code>{address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`}</code>{" "}
              <span class="text-muted font-normal">{t.kindsOfAddress[kind]}</span>
            </span>
          ))}
        </Row>
        <Row name={t.traffic}>
          <span class="block">{bytes(lang, connections.bytesIn)} {t.received}</span>
          <span class="block">{bytes(lang, connections.bytesOut)} {t.sent}</span>
        </Row>
      </dl>
    </section>
  );
}

/** Requests in both directions, by kind. */
export function RequestsPanel({ lang, t, state: { dht } }: PanelProps) {
  const rate = (n: number) =>
    new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(n);
  return (
    <section class="panel p-5 min-w-0">
      <Head title={t.requests} hint={t.requestsHint} />
      <table class="w-full text-sm">
        <thead class="text-muted">
          <tr>
            <th scope="col" class="text-left font-normal pb-1">{t.kind}</th>
            <th scope="col" class="text-right font-normal pb-1 pl-3">{t.in}</th>
            <th scope="col" class="text-right font-normal pb-1 pl-3">{t.out}</th>
          </tr>
        </thead>
        <tbody class="divide-y divide-line">
          {dht.requests.map((one) => (
            <tr key={one.kind}>
              <th scope="row" class="text-left font-normal py-1">{t.kinds[one.kind]}</th>
              <Rate now={rate(one.in)} total={number(lang, one.totalIn)} t={t} />
              <Rate now={rate(one.out)} total={number(lang, one.totalOut)} t={t} />
            </tr>
          ))}
        </tbody>
      </table>
      {dht.limited > 0 && <p class="mt-2 text-sm text-warn">{t.limited}: {number(lang, dht.limited)}</p>}
    </section>
  );
}

function Rate({ now, total, t }: { now: string; total: string; t: NetworkTexts }) {
  return <td class="text-right py-1 pl-3 figure font-medium" title={`${total} ${t.total}`}>{now}</td>;
}

/** Where the node joins, and who answered. */
export function BootstrapPanel({ lang, t, state: { dht: { bootstrap } } }: PanelProps) {
  return (
    <section class="panel p-5 min-w-0">
      <Head title={t.bootstrap} hint={bootstrap.length > 0 ? t.bootstrapHint : undefined} />
      {bootstrap.length === 0
        ? <p class="text-sm text-muted">{t.bootstrapNone}</p>
        : (
          <ul class="divide-y divide-line text-sm">
            {bootstrap.map(({ host, addresses, asked, answered, problem }) => (
              <li key={host} class="py-2">
                <p class="flex flex-wrap items-center justify-between gap-2">
                  <code>{host}</code>
                  {answered !== null
                    ? <Badge tone="good">{t.answered}</Badge>
                    : <Badge tone={asked === null ? "plain" : "warn"}>{asked === null ? t.notAsked : t.silent}</Badge>}
                </p>
                <p class="text-muted break-words">
                  {problem || addresses.slice(0, 4).join(", ")}
                  {answered !== null && (
                    <>
                      {" "}· <When at={answered} lang={lang} key={answered} />
                    </>
                  )}
                </p>
              </li>
            ))}
          </ul>
        )}
    </section>
  );
}

function Head({ title, hint, children }: { title: string; hint?: string; children?: ComponentChildren }) {
  return (
    <header class="mb-3">
      <div class="flex items-center justify-between gap-3">
        <h2 class="text-base font-semibold">{title}</h2>
        {children}
      </div>
      {hint && <p class="text-sm text-muted">{hint}</p>}
    </header>
  );
}

function Row({ name, hint, children }: { name: string; hint?: string; children: ComponentChildren }) {
  return (
    <div class="flex items-start justify-between gap-4">
      <dt class="text-muted max-w-[55%]">
        {name}
        {hint && <span class="block text-xs">{hint}</span>}
      </dt>
      <dd class="font-medium figure text-right min-w-0">{children}</dd>
    </div>
  );
}
