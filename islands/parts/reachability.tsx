/** The test of who can reach the node, and what to do about it. */

import { useState } from "preact/hooks";
import type { Reachability, ReachabilityCheck } from "../../core/node_api.ts";
import type { Texts } from "../../routes/texts/en.ts";
import type { NetworkTexts } from "../../routes/texts/network.ts";
import { ask } from "./api.ts";
import { usePolling } from "./poll.ts";
import { useActing } from "./status.tsx";
import { Badge, When } from "./ui.tsx";
import { fill } from "./words.ts";

/** While the test runs its result is looked for so often, ms. */
const EVERY = 1_000;

const TONES = { good: "good", bad: "bad", unknown: "plain", note: "warn" } as const;

interface Props {
  lang: string;
  t: NetworkTexts;
  common: Texts["common"];
  first: Reachability | null;
}

export function ReachabilityPanel({ lang, t, common, first }: Props) {
  const [test, setTest] = useState(first);
  const { status, busy, act } = useActing(common);
  const running = test?.state === "running";
  const run = async () => {
    const answer = await act<{ test: Reachability }>("POST", "/network/reachability");
    if (answer.ok) setTest(answer.data.test);
  };
  usePolling(running ? EVERY : 0, async () => {
    const answer = await ask<{ test: Reachability | null }>("GET", "/network/reachability");
    if (answer.ok) setTest(answer.data.test);
  });
  return (
    <section class="panel p-5" aria-busy={running}>
      <div class="flex flex-wrap items-start justify-between gap-3">
        <div class="max-w-2xl min-w-0">
          <h2 class="text-base font-semibold">{t.test}</h2>
          <p class="text-sm text-muted">{t.testHint}</p>
        </div>
        <button type="button" class="button primary" disabled={busy || running} onClick={run}>{t.run}</button>
      </div>
      {status}
      <p role="status" class="text-sm text-muted mt-2">
        {running && t.running}
        {test?.state === "done" && test.finished !== null && <Tested at={test.finished} lang={lang} t={t} />}
      </p>
      {test?.state === "done" && test.checks.length === 0 && <p class="text-sm text-bad">{t.failed}</p>}
      {test?.state === "done" && test.checks.length > 0 && (
        <ul class="mt-2 divide-y divide-line">
          {test.checks.map((check) => <Check key={check.id} check={check} t={t} />)}
        </ul>
      )}
    </section>
  );
}

function Check({ check: { id, verdict, finding, advice, values }, t }: { check: ReachabilityCheck; t: NetworkTexts }) {
  return (
    <li class="py-3 grid gap-x-4 gap-y-1 sm:grid-cols-[180px_minmax(0,1fr)]" data-check={id} data-verdict={verdict}>
      <p class="flex sm:flex-col items-center sm:items-start gap-2">
        <span class="text-sm font-medium">{t.checks[id]}</span>
        <Badge tone={TONES[verdict]}>{t.verdicts[verdict]}</Badge>
      </p>
      <div class="text-sm min-w-0 break-words">
        <p>{fill(t.findings[finding], values)}</p>
        <p class={advice === "nothing" ? "text-muted" : "font-medium mt-1"}>{fill(t.advice[advice], values)}</p>
      </div>
    </li>
  );
}

function Tested({ at, lang, t }: { at: number; lang: string; t: NetworkTexts }) {
  const [before, after] = t.tested.split("{time}");
  return (
    <>
      {before}
      <When at={at} lang={lang} key={at} />
      {after}
    </>
  );
}
