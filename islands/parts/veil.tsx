/** Says whether texts are hidden, and asks for the reason of who must read them. */

import { useRef, useState } from "preact/hooks";
import type { Texts } from "../../routes/texts/en.ts";
import { ask } from "./api.ts";
import { fill, placeOf } from "./words.ts";

interface VeilProps {
  id: string;
  lang: string;
  t: Texts["timeline"];
  common: Texts["common"];
  until: number | null;
  blind: boolean;
  onChange: (until: number | null) => void;
}

export function Veil({ id, lang, t, common, until, blind, onChange }: VeilProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState("");
  const reveal = async (event: Event) => {
    event.preventDefault();
    const answer = await ask<{ until: number }>("POST", `/conversations/${id}/reveal`, { reason });
    if (!answer.ok) return setProblem(fill(common.failed, { reason: answer.reason || common.unreachable }));
    dialog.current?.close();
    setReason("");
    setProblem("");
    onChange(answer.data.until);
  };
  const hide = async () => {
    await ask("DELETE", `/conversations/${id}/reveal`);
    onChange(null);
  };
  const title = blind ? t.blind : until === null ? t.hidden : null;
  return (
    <section class="mb-4 rounded-xl border border-line bg-sunken px-5 py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <div class="flex-1 min-w-[240px]">
        {title === null ? <Until {...{ lang, t, until }} /> : (
          <>
            <p class="font-medium">{title}</p>
            <p class="text-sm text-muted">{blind ? t.blindHint : t.hiddenHint}</p>
          </>
        )}
      </div>
      {!blind && until === null && (
        <button
          type="button"
          class="button"
          onClick={() => dialog.current?.showModal()}
        >
          {t.reveal}
        </button>
      )}
      {until !== null && <button type="button" class="button" onClick={hide}>{t.hide}</button>}
      <dialog ref={dialog} aria-labelledby="reveal-title">
        <form onSubmit={reveal} class="grid gap-3">
          <h2 id="reveal-title" class="text-lg font-semibold">{t.revealTitle}</h2>
          <p class="text-sm text-muted">{t.revealHint}</p>
          <label class="grid gap-1 text-sm font-medium">
            {t.reason}
            <input
              class="field font-normal"
              name="reason"
              required
              minLength={3}
              maxLength={500}
              placeholder={t.reasonHint}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          {problem && <p class="text-sm text-bad" role="alert">{problem}</p>}
          <div class="flex justify-end gap-2 mt-2">
            <button type="button" class="button" onClick={() => dialog.current?.close()}>{common.cancel}</button>
            <button type="submit" class="button primary">{t.confirm}</button>
          </div>
        </form>
      </dialog>
    </section>
  );
}

function Until({ lang, t, until }: { lang: string; t: Texts["timeline"]; until: number | null }) {
  const time = until === null ? "" : new Date(until * 1000).toLocaleTimeString(placeOf(lang), { timeStyle: "short" });
  return <p class="font-medium" role="status">{fill(t.revealed, { time })}</p>;
}
