/** Whether the audit log is what was written: the state of its chain of hashes, and how to check it from outside. */

import type { AuditCheck, AuditRow } from "../core/store/audit.ts";
import { Badge } from "../islands/parts/ui.tsx";
import { fill, number, plural } from "../islands/parts/words.ts";
import type { PageContext } from "./_layout.tsx";
import { auditTexts } from "./texts/audit.ts";

interface AuditChainProps {
  page: PageContext;
  /** null = not checked just now */
  check: AuditCheck | null;
  newest: AuditRow | undefined;
}

export function AuditChain({ page: { lang }, check, newest }: AuditChainProps) {
  const t = auditTexts[lang];
  if (!newest) return null;
  const broken = check?.broken ?? null;
  const state = check === null
    ? plural(lang, newest.seq, t.unchecked)
    : broken === null
    ? plural(lang, check.rows, t.sound)
    : fill(t.broken, { n: number(lang, broken) });
  return (
    <section class="panel p-4 sm:p-5 mb-5" aria-labelledby="chain">
      <div class="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 id="chain" class="font-semibold">{t.chain}</h2>
        <Badge tone={check === null ? "plain" : broken === null ? "good" : "bad"}>{state}</Badge>
        {check === null && <a class="link text-sm" href="/audit?check=1">{t.check}</a>}
      </div>
      <p class="text-sm mt-2">
        <span class="text-muted">{t.head}</span> <code>{newest.hash}</code>
      </p>
      <details class="text-sm mt-2">
        <summary class="cursor-pointer text-muted hover:text-ink">{t.howTo}</summary>
        <p class="mt-2 max-w-3xl">{t.headHint}</p>
        <p class="mt-2">
          <code>deno task verify DATA</code>
        </p>
      </details>
    </section>
  );
}
