/** The page of what waits for a decision. */

import { MAX_LIST_LIMIT, type NodeApi } from "../core/node_api.ts";
import RequestsIsland from "../islands/requests.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";

const Requests = island("requests", RequestsIsland);

export function requestsPage(api: NodeApi, { lang, t }: PageContext): Page {
  const first = api.requests({ limit: MAX_LIST_LIMIT }).items.toSorted((a, b) => b.received - a.received);
  return {
    title: t.requests.title,
    body: (
      <>
        <h1 class="text-2xl font-semibold mb-5">{t.requests.title}</h1>
        <Requests lang={lang} t={t.requests} common={t.common} first={first} />
      </>
    ),
  };
}
