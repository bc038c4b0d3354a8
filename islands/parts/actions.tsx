/** What protections did, or would have done: the newest first, each with its undo. */

import { useState } from "preact/hooks";
import type { ActionInfo, NumberedPage } from "../../core/node_api.ts";
import type { ModerationTexts } from "../../routes/texts/moderation.ts";
import type { Texts } from "../../routes/texts/en.ts";
import { ask } from "./api.ts";
import { Empty } from "./empty.tsx";
import { useEvents } from "./live.ts";
import { useActing } from "./status.tsx";
import { Badge, type Tone, When, Who } from "./ui.tsx";
import { Filled } from "./given.tsx";

/** How an outcome is shown. */
const TONES: Record<ActionInfo["outcome"], Tone> = {
  noted: "plain",
  done: "warn",
  failed: "bad",
  undone: "good",
  confirmed: "accent",
};

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: NumberedPage<ActionInfo>;
  titles: Record<string, string>;
}

/** The list, kept up to date. */
export function Actions({ lang, t, common, first, titles }: Props) {
  const [{ items, next }, setPage] = useState(first);
  const { act, busy, status } = useActing(common);
  const load = async (before?: number) => {
    const answer = await ask<{ actions: ActionInfo[]; next: number | null }>(
      "GET",
      `/protections/actions${before === undefined ? "" : `?before=${before}`}`,
    );
    if (!answer.ok) return;
    const { actions, next } = answer.data;
    setPage((page) => ({ items: before === undefined ? actions : [...page.items, ...actions], next }));
  };
  useEvents({ moderation: ({ about }: { about: string }) => about !== "lists" && load() });
  const undo = async ({ id }: ActionInfo) => {
    await act("POST", `/protections/actions/${id}/undo`, undefined, t.undone);
    await load();
  };
  if (items.length === 0) return <Empty title={t.doneNone} hint={t.doneNoneHint} />;
  return (
    <>
      {status}
      <ul class="panel divide-y divide-line">
        {items.map((action) => (
          <li key={action.id} class="px-4 sm:px-5 py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <div class="flex-1 min-w-[220px]">
              <p class="flex flex-wrap items-center gap-x-2 gap-y-1">
                <Who id={action.jamiId} name={action.name} />
                <Badge>{t.names[action.protection] ?? action.protection}</Badge>
                {action.dry
                  ? <Badge tone="accent">{t.dry}</Badge>
                  : <Badge tone={TONES[action.outcome]}>{t.outcomes[action.outcome]}</Badge>}
              </p>
              <p class="text-sm text-muted break-words">
                <bdi>{action.reason} {action.detail && `(${action.detail})`}</bdi>{" "}
                <a class="link" href={`/conversations/${action.conversationId}/members`}>
                  <Filled text={t.inGroup} title={<bdi>{titles[action.conversationId] || t.untitled}</bdi>} />
                </a>{" "}
                · {t.consequences[action.consequence]} · <When at={action.at} lang={lang} />
              </p>
            </div>
            {action.outcome === "done" && (
              <button
                type="button"
                class="button small"
                disabled={busy}
                onClick={() => undo(action)}
              >
                {t.undo}
              </button>
            )}
          </li>
        ))}
      </ul>
      {next !== null && <button type="button" class="button mt-3" onClick={() => load(next)}>{t.more}</button>}
    </>
  );
}
