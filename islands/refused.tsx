/** Histories that are refused: why, in words, and what an owner decides about them. */

import { useState } from "preact/hooks";
import type { RefusedInfo } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { RefusedTexts } from "../routes/texts/refused.ts";
import { ask } from "./parts/api.ts";
import { Confirm } from "./parts/dialog.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, When, Who } from "./parts/ui.tsx";
import { plural } from "./parts/words.ts";

interface Props {
  lang: string;
  t: RefusedTexts;
  common: Texts["common"];
  id: string;
  /** of members, by Jami ID */
  names: Record<string, string>;
  first: RefusedInfo[];
  /** may the reader decide? */
  owner: boolean;
}

export default function Refused({ lang, t, common, id, names, first, owner }: Props) {
  const [refused, setRefused] = useState(first);
  const [question, setQuestion] = useState<{ kind: "override" | "drop"; history: RefusedInfo } | null>(null);
  const { act, say, busy, status } = useActing(common);
  const path = `/conversations/${id}/refused`;
  const refresh = async () => {
    const answer = await ask<{ refused: RefusedInfo[] }>("GET", path);
    if (answer.ok) setRefused(answer.data.refused);
  };
  useEvents({
    "conversation.refused": (data: { conversationId: string }) => data.conversationId === id && refresh(),
    reset: refresh,
  });
  const decide = async (reason: string) => {
    if (!question) return;
    const { kind, history: { commit } } = question;
    setQuestion(null);
    if (kind === "drop") await act("DELETE", `${path}/${commit}`, undefined, t.dropped);
    else {
      const answer = await act<{ refused: RefusedInfo[] }>(
        "POST",
        `${path}/${commit}/override`,
        { reason },
        t.overridden,
      );
      const more = answer.ok ? answer.data.refused.length : 0;
      if (more > 0) say(`${t.overridden} ${plural(lang, more, t.another)}`);
    }
    await refresh();
  };
  return (
    <>
      {status}
      {refused.length === 0
        ? (
          <div class="panel p-8 text-center">
            <p class="text-lg font-medium">{t.none}</p>
            <p class="text-muted mt-1">{t.noneHint}</p>
          </div>
        )
        : (
          <>
            <p class="text-muted mb-4 max-w-3xl">{t.hint}</p>
            <ul class="grid gap-4">
              {refused.map((history) => (
                <li key={history.commit} class="panel p-4 sm:p-5">
                  <History {...{ history, lang, t, names }} />
                  <div class="flex flex-wrap items-center gap-2 mt-4">
                    {owner
                      ? (
                        <>
                          {history.overridable && (
                            <button
                              type="button"
                              class="button"
                              disabled={busy}
                              onClick={() => setQuestion({ kind: "override", history })}
                            >
                              {t.override}
                            </button>
                          )}
                          <button
                            type="button"
                            class="button danger"
                            disabled={busy}
                            onClick={() => setQuestion({ kind: "drop", history })}
                          >
                            {t.drop}
                          </button>
                        </>
                      )
                      : <p class="text-sm text-muted">{t.ownerOnly}</p>}
                    {!history.overridable && <p class="text-sm text-muted">{t.never}</p>}
                  </div>
                </li>
              ))}
            </ul>
          </>
        )}
      <Confirm
        open={question !== null}
        title={question?.kind === "override" ? t.overrideTitle : t.dropTitle}
        hint={question?.kind === "override"
          ? `${t.overrideHint} ${t.price[question.history.refusedBy]}`.trim()
          : t.dropHint}
        confirm={(question?.kind === "override" ? t.override : t.drop).replace(/ ?…/, "")}
        cancel={common.cancel}
        danger
        reason={question?.kind === "override"
          ? { label: t.reason, placeholder: t.reasonHint, required: true }
          : undefined}
        onClose={() => setQuestion(null)}
        onConfirm={decide}
      />
    </>
  );
}

interface HistoryProps extends Pick<Props, "lang" | "t" | "names"> {
  history: RefusedInfo;
}

function History({ history, lang, t, names }: HistoryProps) {
  const { commit, head, from, reason, detail, type, author, received, refusedBy } = history;
  const [before, after] = t.offered.split("{name}");
  return (
    <>
      <h2 class="font-semibold">{t.reasons[reason] ?? reason}</h2>
      <p class="text-sm text-muted mt-1">
        {before}
        <Who id={from.jamiId} name={names[from.jamiId]} />
        {after} · <When at={received} lang={lang} />
      </p>
      <dl class="facts text-sm mt-3">
        <dt class="text-muted">{t.author}</dt>
        <dd>{author === null ? t.unknownAuthor : <Who id={author} name={names[author]} />}</dd>
        <dt class="text-muted">{t.kind}</dt>
        <dd>{type ? <code>{type}</code> : <Badge tone="bad">{t.unreadable}</Badge>}</dd>
        {detail && (
          <>
            <dt class="text-muted">{t.exactly}</dt>
            <dd class="break-words">{detail}</dd>
          </>
        )}
        <dt class="text-muted">{t.others}</dt>
        <dd>{t.refusedBy[refusedBy]}</dd>
        <dt class="text-muted">{t.first}</dt>
        <dd>
          <code>{commit}</code>
        </dd>
        <dt class="text-muted">{t.head}</dt>
        <dd>
          <code>{head}</code>
        </dd>
        {t.reasons[reason] && (
          <>
            <dt class="text-muted">{t.daemon}</dt>
            <dd>{reason}</dd>
          </>
        )}
      </dl>
    </>
  );
}
