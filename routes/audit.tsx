/** /audit: the audit log, as a page. */

import type { Context } from "hono";
import type { Admins } from "../core/admins/admins.ts";
import type { AuditCheck, AuditFilter, AuditRow } from "../core/store/audit.ts";
import { MAX_LIST_LIMIT, type NodeApi } from "../core/node_api.ts";
import AuditFilterIsland, { type AuditQuery } from "../islands/audit_filter.tsx";
import { When } from "../islands/parts/ui.tsx";
import { AuditChain } from "./audit_chain.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { type AuditTexts, auditTexts } from "./texts/audit.ts";

const FilterForm = island("audit_filter", AuditFilterIsland);

/** Entries of a page. */
const PAGE = 50;
/** Entries up to which the whole trail is checked for each look at its newest: some tens of milliseconds. */
const CHECKED_ALWAYS = 10_000;
/** Digits of an id that the list shows. */
const SHORT = 8;

/** Fields that the query may have, each at most this long. */
const MAX_FIELD = 2_000;

export async function auditPage(api: NodeApi, page: PageContext, c: Context): Promise<Page> {
  const t = auditTexts[page.lang];
  const { admins } = api;
  const query = queryOf(c);
  const filter = filterOf(query, c);
  const rows = admins.audit(filter, PAGE + 1);
  const shown = rows.slice(0, PAGE);
  const narrowed = Object.values(query).some((value) => value !== "");
  const search = new URLSearchParams([...Object.entries(query), ["zone", c.req.query("zone") ?? "0"]]
    .filter(([, value]) => value !== "" && value !== "0"));
  const titles = new Map(api.conversations({ limit: MAX_LIST_LIMIT }).items.map(({ id, title }) => [id, title]));
  return {
    title: t.title,
    body: (
      <>
        <header class="flex flex-wrap items-end gap-x-6 gap-y-3 mb-5">
          <div class="mr-auto">
            <h1 class="text-2xl font-semibold">{t.title}</h1>
            <p class="text-muted mt-1">{t.hint}</p>
          </div>
          <a class="button" href={`/api/v1/audit/export?${exportSearch(query, filter)}`} download>{t.export}</a>
        </header>
        <AuditChain page={page} check={await checkOf(admins, c)} newest={admins.audit({}, 1)[0]} />
        <FilterForm t={t} actions={actionsOf(t)} given={query} narrowed={narrowed} />
        {shown.length === 0
          ? <p class="panel p-8 text-center text-muted">{narrowed ? t.noneFound : t.none}</p>
          : (
            <ol class="panel divide-y divide-line overflow-hidden">
              {shown.map((row) => <Entry key={row.seq} row={row} titles={titles} page={page} />)}
            </ol>
          )}
        <nav class="flex flex-wrap justify-center gap-2 mt-4" aria-label={t.title}>
          {filter.before !== undefined && <a class="button" href={`/audit?${search}`}>{t.newest}</a>}
          {rows.length > PAGE && (
            <a class="button" href={`/audit?${search}${search.size > 0 ? "&" : ""}before=${shown[PAGE - 1].seq}`}>
              {t.older}
            </a>
          )}
        </nav>
      </>
    ),
  };
}

interface EntryProps {
  row: AuditRow;
  /** of conversations, by id */
  titles: ReadonlyMap<string, string>;
  page: PageContext;
}

/** One entry in a line; opened, all there is of it. */
function Entry({ row, titles, page: { lang } }: EntryProps) {
  const t = auditTexts[lang];
  const who = row.actor === "system" ? t.system : row.actor || t.nobody;
  return (
    <li>
      <details class="opens">
        <summary class="grid gap-x-4 gap-y-1 px-4 sm:px-5 py-3 items-baseline grid-cols-[auto_minmax(0,1fr)] sm:grid-cols-[10.5rem_9rem_minmax(0,1fr)]">
          <span class="text-sm text-muted">
            <When at={row.at / 1000} lang={lang} />
          </span>
          <bdi class="font-medium truncate">{who}</bdi>
          <span class="min-w-0 col-span-2 sm:col-span-1">
            <span class={row.action === "session.refuse" ? "text-bad" : ""}>{t.actions[row.action] ?? row.action}</span>
            <span class="text-muted break-words">
              <Target row={row} titles={titles} />
              {row.detail && row.action !== "session.refuse" && (
                <>
                  {" — "}
                  <bdi>{row.detail}</bdi>
                </>
              )}
            </span>
          </span>
        </summary>
        <dl class="facts px-4 sm:px-5 pb-4 text-sm">
          <Fact name={t.entry}>{row.seq}</Fact>
          <Fact name={t.code}>
            <code>{row.action}</code>
          </Fact>
          <Fact name={t.address}>
            <code>{row.address || "–"}</code>
          </Fact>
          {row.target && (
            <Fact name={t.fullTarget}>
              <code>
                <bdi>{row.target}</bdi>
              </code>
            </Fact>
          )}
          {row.detail && (
            <Fact name={t.reason}>
              <bdi>{row.detail}</bdi>
            </Fact>
          )}
          <Fact name={t.hash}>
            <code>{row.hash}</code>
          </Fact>
        </dl>
      </details>
    </li>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <>
      <dt class="text-muted">{name}</dt>
      <dd class="break-words min-w-0">{children}</dd>
    </>
  );
}

/** What something was done to, for the eye: titles for conversations, the first digits of other ids; each part by itself, so that no title turns what follows. */
function Target({ row: { target, actor }, titles }: Pick<EntryProps, "row" | "titles">) {
  const parts = target.split(/(?:jami:)?([0-9a-f]{16,64})/i).map((part, i) => {
    const isId = i % 2 === 1;
    return isId ? titles.get(part) || part.slice(0, SHORT) : part.replace(/^[ /]+|[ /]+$/g, "");
  }).filter((part) => part !== "");
  if (parts.length === 0 || target === actor) return null;
  return (
    <>
      {parts.map((part, i) => (
        <span key={i}>
          {i === 0 ? ": " : " · "}
          <bdi>{part}</bdi>
        </span>
      ))}
    </>
  );
}

/** All that can be chosen: everything, the nouns, and each action. */
function actionsOf(t: AuditTexts): { value: string; name: string }[] {
  const nouns = Object.entries(t.groups).map(([noun, name]) => ({ value: `${noun}.`, name }));
  const actions = Object.entries(t.actions).map(([value, name]) => ({ value, name: `– ${name}` }));
  const grouped = nouns.flatMap((noun) => [noun, ...actions.filter(({ value }) => value.startsWith(noun.value))]);
  return [{ value: "", name: t.everything }, ...grouped];
}

function queryOf(c: Context): AuditQuery {
  const field = (name: string) => (c.req.query(name) ?? "").trim().slice(0, MAX_FIELD);
  return {
    actor: field("actor"),
    action: field("action"),
    target: field("target"),
    from: field("from"),
    to: field("to"),
  };
}

function filterOf({ actor, action, target, from, to }: AuditQuery, c: Context): AuditFilter {
  const zone = Number(/^-?\d{1,4}$/.exec(c.req.query("zone") ?? "")?.[0] ?? 0);
  const before = /^\d{1,15}$/.exec(c.req.query("before") ?? "")?.[0];
  return {
    actor: actor || undefined,
    action: action || undefined,
    target: target || undefined,
    from: timeOf(from, zone),
    to: timeOf(to, zone),
    before: before === undefined ? undefined : Number(before),
  };
}

/** @param zone minutes that the reader's clock is behind UTC @returns ms; undefined = that is no time */
function timeOf(local: string, zone: number): number | undefined {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(local) ? Date.parse(`${local}Z`) : NaN;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms + zone * 60_000);
}

/** The same selection, for the API. */
function exportSearch({ actor, action, target }: AuditQuery, { from, to }: AuditFilter): string {
  const seconds = (ms: number | undefined) => ms === undefined ? "" : `${Math.floor(ms / 1000)}`;
  const fields = Object.entries({ actor, action, target, from: seconds(from), to: seconds(to) });
  return new URLSearchParams(fields.filter(([, value]) => value !== "")).toString();
}

/** The state of the chain; null = the trail is long, and nobody asked. */
async function checkOf(admins: Admins, c: Context): Promise<AuditCheck | null> {
  const length = admins.audit({}, 1)[0]?.seq ?? 0;
  return length <= CHECKED_ALWAYS || c.req.query("check") !== undefined ? await admins.checkAudit() : null;
}
