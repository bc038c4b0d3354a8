/** Taking a conversation away, leaving it, deleting what is here of it. */

import { useState } from "preact/hooks";
import type { ConversationSummary } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { fill } from "./parts/words.ts";

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
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState("");
  const act = async (method: string, path: string, then: string) => {
    const answer = await ask(method, `/conversations/${id}${path}`);
    if (answer.ok) location.assign(then);
    else setProblem(fill(common.failed, { reason: answer.reason || common.unreachable }));
  };
  const left = state === "left";
  return (
    <div class="grid gap-4">
      {problem && <p class="text-bad" role="alert">{problem}</p>}
      <section class="panel p-5">
        <h2 class="text-base font-semibold">{t.exportTitle}</h2>
        <p class="text-sm text-muted mt-1 mb-3">{t.exportHint}</p>
        <div class="flex flex-wrap gap-2">
          <Download href={`/api/v1/conversations/${id}/export`} text={t.json} on={revealed && !left} />
          <Download href={`/api/v1/conversations/${id}/bundle`} text={t.bundle} on={revealed && !left} />
        </div>
      </section>
      <section class="panel p-5">
        <h2 class="text-base font-semibold">{t.leaveTitle}</h2>
        <p class="text-sm text-muted mt-1 mb-3">
          {mode === 0 ? t.oneToOne : state === "leaving" ? t.leavingHint : t.leaveHint}
        </p>
        {mode !== 0 && !left && (
          <button
            type="button"
            class="button danger"
            onClick={() => act("POST", "/leave", location.pathname)}
          >
            {state === "leaving" ? t.leaveNow : t.leave}
          </button>
        )}
      </section>
      <section class="panel p-5">
        <h2 class="text-base font-semibold">{t.deleteTitle}</h2>
        <p class="text-sm text-muted mt-1 mb-3">{left ? t.deleteHint : t.deleteFirst}</p>
        {left && (
          <form
            class="flex flex-wrap items-end gap-2"
            onSubmit={(event) => {
              event.preventDefault();
              if (typed === word) act("DELETE", "", "/conversations");
            }}
          >
            <label class="grid gap-1 text-sm font-medium">
              {fill(t.deleteType, { word })}
              <input
                class="field font-normal"
                name="word"
                autocomplete="off"
                value={typed}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
            <button type="submit" class="button danger" disabled={typed !== word}>{t.delete}</button>
          </form>
        )}
      </section>
    </div>
  );
}

function Download({ href, text, on }: { href: string; text: string; on: boolean }) {
  return on
    ? <a class="button" href={href} download>{text}</a>
    : <button type="button" class="button" disabled>{text}</button>;
}
