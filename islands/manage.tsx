/** Taking a conversation away, leaving it, deleting what is here of it. */

import { useState } from "preact/hooks";
import type { ConversationSummary } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Confirm } from "./parts/dialog.tsx";
import { useActing } from "./parts/status.tsx";

interface Props {
  t: Texts["manage"];
  common: Texts["common"];
  id: string;
  mode: number;
  state: ConversationSummary["state"];
  /** what must be typed to delete: the title, or the beginning of the id */
  word: string;
  /** may its texts be read now? */
  revealed: boolean;
}

export default function Manage({ t, common, id, mode, state, word, revealed }: Props) {
  const [asking, setAsking] = useState<"leave" | "delete" | null>(null);
  const { act, busy, status } = useActing(common);
  const left = state === "left", leaving = state === "leaving";
  const go = async (method: string, path: string, then: string) => {
    setAsking(null);
    if ((await act(method, `/conversations/${id}${path}`)).ok) location.assign(then);
  };
  return (
    <div class="grid gap-4 max-w-3xl">
      {status}
      <section class="panel p-5" aria-labelledby="export">
        <h2 id="export" class="font-semibold">{t.exportTitle}</h2>
        <p class="text-sm text-muted mt-1 mb-3">{t.exportHint}</p>
        {revealed
          ? (
            <div class="flex flex-wrap gap-2">
              <a class="button" href={`/api/v1/conversations/${id}/export`} download>{t.json}</a>
              <a class="button" href={`/api/v1/conversations/${id}/bundle`} download>{t.bundle}</a>
            </div>
          )
          : <a class="button" href={`/conversations/${id}`}>{t.revealFirst}</a>}
      </section>
      <section class="panel p-5" aria-labelledby="leave">
        <h2 id="leave" class="font-semibold">{t.leaveTitle}</h2>
        <p class="text-sm text-muted mt-1">
          {mode === 0 ? t.oneToOne : left ? t.hasLeft : leaving ? t.leavingHint : t.leaveHint}
        </p>
        {mode !== 0 && !left && (
          <button
            type="button"
            class="button danger mt-3"
            disabled={busy}
            onClick={() => setAsking("leave")}
          >
            {leaving ? t.leaveNow : t.leave}
          </button>
        )}
      </section>
      <section class="panel p-5" aria-labelledby="delete">
        <h2 id="delete" class="font-semibold">{t.deleteTitle}</h2>
        <p class="text-sm text-muted mt-1">{left ? t.deleteHint : t.deleteFirst}</p>
        {left && (
          <button type="button" class="button danger mt-3" disabled={busy} onClick={() => setAsking("delete")}>
            {t.deleteAsk}
          </button>
        )}
      </section>
      <Confirm
        open={asking !== null}
        title={asking === "delete" ? t.deleteTitle : leaving ? t.leaveNow : t.leave}
        hint={asking === "delete" ? t.deleteHint : leaving ? t.leavingHint : t.leaveHint}
        confirm={asking === "delete" ? t.delete : leaving ? t.leaveNow : t.leave}
        cancel={common.cancel}
        danger
        typed={asking === "delete" ? { word, ask: t.deleteType } : undefined}
        onClose={() => setAsking(null)}
        onConfirm={() =>
          asking === "delete" ? go("DELETE", "", "/conversations") : go("POST", "/leave", location.pathname)}
      />
    </div>
  );
}
