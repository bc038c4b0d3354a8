/** The page of all conversations. */

import { type ConversationSummary, MAX_LIST_LIMIT, type NodeApi } from "../core/node_api.ts";
import ConversationsIsland from "../islands/conversations.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { groupTexts } from "./texts/groups.ts";

const Conversations = island("conversations", ConversationsIsland);

/** @param waiting show only those of which devices lack something */
export function conversationsPage(api: NodeApi, { lang, t }: PageContext, waiting: boolean): Page {
  return {
    title: t.conversations.title,
    body: (
      <>
        <header class="flex flex-wrap items-center justify-between gap-3 mb-5">
          <h1 class="text-2xl font-semibold">{t.conversations.title}</h1>
          <a class="button primary" href="/conversations/new">{groupTexts[lang].make}</a>
        </header>
        <Conversations
          lang={lang}
          t={t.conversations}
          common={t.common}
          states={t.states}
          modes={t.modes}
          first={all(api)}
          waiting={waiting}
        />
      </>
    ),
  };
}

function all(api: NodeApi): ConversationSummary[] {
  const found: ConversationSummary[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const { items, next } = api.conversations({ limit: MAX_LIST_LIMIT, after });
    found.push(...items);
    after = next;
  }
  return found;
}
