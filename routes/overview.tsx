/** The first page: how the node does. */

import type { NodeApi } from "../core/node_api.ts";
import OverviewIsland from "../islands/overview.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";

const Overview = island("overview", OverviewIsland);

export function overviewPage(api: NodeApi, { lang, t }: PageContext): Page {
  return {
    title: t.overview.title,
    body: <Overview lang={lang} t={t.overview} common={t.common} first={api.overview()} />,
  };
}
