/** "Add this node": its Jami ID as text and code, its name, and what to do in Jami. */

import type { ComponentChild } from "preact";
import { covers } from "../core/admins/roles.ts";
import type { NodeApi } from "../core/node_api.ts";
import AddIsland from "../islands/add.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { QrCode } from "./_qr.tsx";
import { type AddTexts, addTexts } from "./texts/add.ts";

const Add = island("add", AddIsland);

export function addPage(api: NodeApi, page: PageContext): Page {
  const t = addTexts[page.lang];
  return {
    title: t.title,
    body: (
      <>
        <h1 class="text-2xl font-semibold mb-2">{t.title}</h1>
        <p class="text-muted mb-6 max-w-2xl">{t.hint}</p>
        <AddNode api={api} page={page} />
      </>
    ),
  };
}

/** What the page is about, without a heading: the set-up ends with it. */
export function AddNode({ api, page }: { api: NodeApi; page: PageContext }) {
  const t = addTexts[page.lang];
  const { jamiId, registeredName } = api.info();
  const owner = page.role !== null && covers(page.role, "owner");
  return (
    <div class="grid gap-4 md:grid-cols-2">
      <section class="panel p-5 sm:p-6 grid gap-5 content-start min-w-0">
        <div class="grid gap-2 justify-items-center text-center">
          <QrCode text={`jami:${jamiId}`} label={t.code} />
          <p class="text-sm text-muted">{t.codeHint}</p>
        </div>
        <Add t={t} common={page.t.common} jamiId={jamiId} registeredName={registeredName} owner={owner} />
      </section>
      <Steps t={t} moderator={page.role !== null && covers(page.role, "moderator")} />
    </div>
  );
}

function Steps({ t, moderator }: { t: AddTexts; moderator: boolean }) {
  const steps = [[t.step1, t.step1Hint], [t.step2, t.step2Hint], [t.step3, t.step3Hint]];
  const requests = moderator ? <a class="link" href="/requests">{t.requests}</a> : t.requests;
  return (
    <section class="panel p-5 sm:p-6">
      <h2 class="text-lg font-semibold mb-4">{t.steps}</h2>
      <ol class="grid gap-5">
        {steps.map(([title, hint], i) => (
          <li key={title} class="flex gap-4">
            <span
              class="flex-none inline-flex items-center justify-center w-8 h-8 rounded-full bg-accent-soft text-accent font-semibold figure"
              aria-hidden="true"
            >
              {i + 1}
            </span>
            <div class="min-w-0">
              <h3 class="font-semibold">{title}</h3>
              <p class="text-muted">{within(hint, "requests", requests)}</p>
            </div>
          </li>
        ))}
      </ol>
      {moderator && (
        <p class="mt-6 pt-4 border-t border-line text-muted">
          {within(t.ofGroup, "create", <a class="link" href="/conversations/new">{t.create}</a>)}
        </p>
      )}
    </section>
  );
}

/** Puts something else than a text into the place {key} of a text. */
function within(text: string, key: string, part: ComponentChild) {
  const [before, after] = text.split(`{${key}}`);
  return after === undefined ? text : <>{before}{part}{after}</>;
}
