/** The form that narrows the audit log down. It works without scripts, in UTC; with them in the reader's own time. */

import { useEffect, useState } from "preact/hooks";
import type { AuditTexts } from "../routes/texts/audit.ts";
import { Choice, Field } from "./parts/form.tsx";

/** What is looked for, as it stands in the address. */
export interface AuditQuery {
  actor: string;
  action: string;
  target: string;
  /** as the form has them: "2026-11-29T14:00" */
  from: string;
  to: string;
}

interface Props {
  t: Pick<AuditTexts, "who" | "what" | "target" | "from" | "to" | "filter" | "reset" | "targetHint">;
  /** what "what" can be, with its names */
  actions: { value: string; name: string }[];
  given: AuditQuery;
  /** is anything looked for? */
  narrowed: boolean;
}

export default function AuditFilter({ t, actions, given, narrowed }: Props) {
  const [zone, setZone] = useState(0);
  useEffect(() => setZone(new Date().getTimezoneOffset()), []);
  return (
    <details class="panel mb-5" open={narrowed}>
      <summary class="px-4 sm:px-5 py-3 cursor-pointer font-medium">{t.filter}</summary>
      <form method="get" action="/audit" class="px-4 pb-4 sm:px-5 sm:pb-5">
        <input type="hidden" name="zone" value={zone} />
        <div class="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
          <Field label={t.who} name="actor" defaultValue={given.actor} maxLength={200} autocomplete="off" />
          <Choice label={t.what} name="action" value={given.action} options={actions} />
          <Field
            label={t.target}
            name="target"
            defaultValue={given.target}
            maxLength={2_000}
            placeholder={t.targetHint}
            autocomplete="off"
          />
          <Field label={t.from} name="from" type="datetime-local" defaultValue={given.from} />
          <Field label={t.to} name="to" type="datetime-local" defaultValue={given.to} />
        </div>
        <div class="flex flex-wrap items-center gap-2 mt-4">
          <button type="submit" class="button primary">{t.filter}</button>
          {narrowed && <a class="button" href="/audit">{t.reset}</a>}
        </div>
      </form>
    </details>
  );
}
