/** The API for people, drawn from the same description that machines read. */

import type { ComponentChildren } from "preact";
import { Badge, type Tone } from "../islands/parts/ui.tsx";
import { plural } from "../islands/parts/words.ts";
import {
  type ApiDocument,
  type Content,
  curlOf,
  type Operation,
  type Parameter,
  referenced,
  type Resource,
  resourcesOf,
  type Schema,
} from "./api_document.ts";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { type OperationsTexts, operationsTexts } from "./texts/operations.ts";

type T = OperationsTexts["api"];

/** What every part of the page needs. */
interface Setting {
  t: T;
  page: PageContext;
  schemas: Record<string, Schema>;
  site: string;
}

const METHOD_TONES: Record<string, Tone> = { GET: "good", POST: "accent", PUT: "warn", PATCH: "warn", DELETE: "bad" };

/** @param q words that a route must have @param site where the reader sees the console */
export function apiPage(document: ApiDocument, page: PageContext, q: string, site: string): Page {
  const t = operationsTexts[page.lang].api, resources = resourcesOf(document, q);
  const schemas = document.components?.schemas ?? {};
  const setting = { t, page, schemas, site };
  const count = resources.reduce((sum, { operations }) => sum + operations.length, 0);
  return {
    title: page.t.layout.pages.api,
    body: (
      <>
        <header class="mb-6 max-w-3xl">
          <h1 class="text-2xl font-semibold mb-2">{page.t.layout.pages.api}</h1>
          <p class="text-muted">
            <WithLink text={t.hint} href="/api/v1/openapi.json" name="openapi.json" />
          </p>
          <p class="text-muted mt-3">
            <WithLink text={t.tokens} href="/settings/admins" name={t.tokensLink} />
          </p>
          <Code>
            {`TOKEN=$(cat data/admin.token)\ncurl -sS "${site}/api/v1/node" -H "Authorization: Bearer $TOKEN"`}
          </Code>
          <form method="get" action="/api" role="search" class="flex flex-wrap gap-2 items-end mt-4">
            <div class="grid gap-1 flex-1 min-w-48">
              <label for="api-q" class="text-sm font-medium">{t.search}</label>
              <input id="api-q" type="search" name="q" value={q} maxLength={200} class="field w-full" />
            </div>
            <button type="submit" class="button">{t.find}</button>
            {q !== "" && <a class="button" href="/api">{t.all}</a>}
          </form>
          <p class="mt-2 text-sm text-muted" role="status">
            {count === 0 ? t.nothing : plural(page.lang, count, t.found)}
          </p>
        </header>
        <div class="lg:grid lg:grid-cols-4 lg:gap-8">
          <Contents setting={setting} resources={resources} />
          <div class="lg:col-span-3 grid gap-8 content-start min-w-0">
            {resources.map((resource) => (
              <Section key={resource.name} setting={setting} resource={resource} open={q !== ""} />
            ))}
            {q === "" && <Schemas setting={setting} />}
          </div>
        </div>
      </>
    ),
  };
}

/** A text with `{link}` in it. */
function WithLink({ text, href, name }: { text: string; href: string; name: string }) {
  const [before, after] = text.split("{link}");
  return (
    <>
      {before}
      <a class="link" href={href}>{name}</a>
      {after}
    </>
  );
}

function Contents({ setting: { t }, resources }: { setting: Setting; resources: Resource[] }) {
  return (
    <nav aria-label={t.contents} class="mb-6 lg:mb-0">
      <div class="lg:sticky lg:top-6">
        <h2 class="text-sm font-medium text-muted mb-2">{t.contents}</h2>
        <ul class="flex flex-wrap lg:grid gap-x-4 gap-y-1">
          {resources.map(({ name }) => (
            <li key={name}>
              <a class="link" href={`#${name}`}>{name}</a>
            </li>
          ))}
          <li>
            <a class="link" href="#schemas">{t.schemas}</a>
          </li>
        </ul>
      </div>
    </nav>
  );
}

function Section(
  { setting, resource: { name, operations }, open }: { setting: Setting; resource: Resource; open: boolean },
) {
  return (
    <section aria-labelledby={name}>
      <h2 id={name} class="text-lg font-semibold mb-2">{name}</h2>
      <div class="panel divide-y divide-line">
        {operations.map((operation) => (
          <Route
            key={operation.id}
            setting={setting}
            operation={operation}
            open={open}
          />
        ))}
      </div>
    </section>
  );
}

function Route({ setting, operation, open }: { setting: Setting; operation: Operation; open: boolean }) {
  const { t, page } = setting;
  const { id, method, path, summary, description, parameters = [], requestBody, responses = {} } = operation;
  const role = operation["x-kituo-role"];
  const roles: Record<string, string> = page.t.layout.roles;
  return (
    <details id={id} open={open}>
      <summary class="cursor-pointer px-4 py-3 flex items-baseline gap-3">
        <span class="w-16 flex-none">
          <Badge tone={METHOD_TONES[method]}>{method}</Badge>
        </span>
        <span class="min-w-0 flex-1">
          <code class="font-medium">{path.replace(/^\/api\/v1/, "")}</code>
          <span class="block text-muted text-sm">{summary}</span>
        </span>
      </summary>
      <div class="px-4 pb-5 grid gap-4">
        <p class="text-sm flex flex-wrap gap-2 items-center">
          <Badge>{role && role !== "anybody" ? t.role.replace("{role}", roles[role] ?? role) : t.anybody}</Badge>
          <a class="link" href={`#${id}`}>#{id}</a>
        </p>
        {description && (
          <p>
            <Prose text={description} />
          </p>
        )}
        {parameters.length > 0 && (
          <Part title={t.parameters}>
            <Rows rows={parameters.map((one) => parameterRow(setting, one))} />
          </Part>
        )}
        {requestBody && (
          <Part title={t.body}>
            <Body setting={setting} content={requestBody} />
          </Part>
        )}
        <Part title={t.answers}>
          <dl class="grid gap-1">
            {Object.entries(responses).map(([status, content]) => (
              <Answer key={status} setting={setting} status={Number(status)} content={content} />
            ))}
          </dl>
        </Part>
        <Part title={t.example}>
          <Code>{curlOf(operation, setting.schemas, setting.site)}</Code>
        </Part>
      </div>
    </details>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="min-w-0">
      <h3 class="text-sm font-medium text-muted mb-1">{title}</h3>
      {children}
    </div>
  );
}

function Answer({ setting, status, content }: { setting: Setting; status: number; content: Content }) {
  const isGood = status < 300;
  return (
    <div class={`flex gap-3 ${isGood ? "" : "text-sm text-muted"}`}>
      <dt class="w-10 flex-none">
        <code>{status}</code>
      </dt>
      <dd class="min-w-0 flex-1">
        <Prose text={content.description ?? ""} /> {isGood && <Body setting={setting} content={content} />}
      </dd>
    </div>
  );
}

/** What is sent or comes back. */
function Body({ setting, content: { content = {} } }: { setting: Setting; content: Content }) {
  const [[type, { schema = {} }] = ["", {}]] = Object.entries(content);
  if (type === "") return <span class="text-muted">{setting.t.nothingBack}</span>;
  if (type !== "application/json") return <code>{type}</code>;
  return schema.properties
    ? <Properties setting={setting} schema={schema} />
    : <Type setting={setting} schema={schema} />;
}

/** A line of a table: a name, its type, whether it must be there, and what it means. */
interface Row {
  name: string;
  type: ComponentChildren;
  note: string;
  meaning: string;
}

function parameterRow(setting: Setting, { name, in: place, required, description, schema = {} }: Parameter): Row {
  const { t } = setting;
  return {
    name,
    type: <Type setting={setting} schema={schema} />,
    note: [t.places[place], ...required ? [t.required] : []].join(", "),
    meaning: description ?? schema.description ?? "",
  };
}

function Properties({ setting, schema: { properties = {}, required = [] } }: { setting: Setting; schema: Schema }) {
  return (
    <Rows
      rows={Object.entries(properties).map(([name, schema]) => ({
        name,
        type: <Type setting={setting} schema={schema} />,
        note: required.includes(name) ? setting.t.required : "",
        meaning: schema.description ?? "",
      }))}
    />
  );
}

function Rows({ rows }: { rows: Row[] }) {
  return (
    <ul class="divide-y divide-line border-y border-line text-sm">
      {rows.map(({ name, type, note, meaning }) => (
        <li key={name} class="py-2 grid gap-x-4 sm:grid-cols-3">
          <span>
            <code class="font-medium">{name}</code> {note && <span class="text-xs text-muted">{note}</span>}
          </span>
          <span class="sm:col-span-2 min-w-0">
            {type} {meaning && (
              <span class="text-muted">
                <Prose text={meaning} />
              </span>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A type in words, with links to forms. */
function Type({ setting, schema }: { setting: Setting; schema: Schema }): ComponentChildren {
  const { t } = setting;
  if (schema.$ref) {
    const name = referenced(schema);
    return <a class="link" href={`#schema-${name}`}>{name}</a>;
  }
  const either = schema.anyOf ?? schema.oneOf;
  if (either) {
    return either.map((one, i) => (
      <>
        {i > 0 && ` ${t.or} `}
        <Type setting={setting} schema={one} />
      </>
    ));
  }
  if (schema.allOf) return schema.allOf.map((one, i) => <Type key={i} setting={setting} schema={one} />);
  if (schema.enum) return <code>{schema.enum.map((one) => JSON.stringify(one)).join(" | ")}</code>;
  if (schema.const !== undefined) return <code>{JSON.stringify(schema.const)}</code>;
  if (schema.items) {
    return (
      <>
        {t.listOf} <Type setting={setting} schema={schema.items} />
      </>
    );
  }
  if (schema.properties) return <Properties setting={setting} schema={schema} />;
  const names = Array.isArray(schema.type) ? schema.type : [schema.type ?? "object"];
  return (
    <span>
      {names.join(` ${t.or} `)}
      <span class="text-muted">{boundsOf(schema)}</span>
    </span>
  );
}

/** ", 1 to 100": what a value is limited to. */
function boundsOf({ minimum, maximum, minLength, maxLength, pattern, default: fallback }: Schema): string {
  const span = (least: number | undefined, most: number | undefined, unit: string) =>
    least === undefined && (most === undefined || most === Number.MAX_SAFE_INTEGER)
      ? []
      : [`${least ?? 0}–${most === undefined || most === Number.MAX_SAFE_INTEGER ? "…" : most}${unit}`];
  const parts = [
    ...span(minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum, maximum, ""),
    ...span(minLength, maxLength, " characters"),
    ...pattern === undefined ? [] : [pattern],
    ...fallback === undefined ? [] : [`= ${JSON.stringify(fallback)}`],
  ];
  return parts.map((part) => `, ${part}`).join("");
}

function Schemas({ setting }: { setting: Setting }) {
  const { t, schemas } = setting;
  return (
    <section aria-labelledby="schemas">
      <h2 id="schemas" class="text-lg font-semibold mb-2">{t.schemas}</h2>
      <div class="grid gap-4">
        {Object.entries(schemas).sort(([a], [b]) => a < b ? -1 : 1).map(([name, schema]) => (
          <div key={name} id={`schema-${name}`} class="panel p-4 min-w-0">
            <h3 class="font-semibold mb-2">{name}</h3>
            {schema.description && (
              <p class="mb-2 text-muted">
                <Prose text={schema.description} />
              </p>
            )}
            {schema.properties
              ? <Properties setting={setting} schema={schema} />
              : <Type setting={setting} schema={schema} />}
          </div>
        ))}
      </div>
    </section>
  );
}

/** Text of the description: what stands in backquotes is code. */
function Prose({ text }: { text: string }) {
  return <>{text.split("`").map((part, i) => i % 2 === 1 ? <code key={i}>{part}</code> : part)}</>;
}

function Code({ children }: { children: string }) {
  return <pre class="my-2 rounded-lg bg-sunken p-3 overflow-x-auto text-sm" tabIndex={0}><code>{children}</code></pre>;
}
