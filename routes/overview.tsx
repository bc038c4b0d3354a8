/** The first page: how the node does. */

import { covers } from "../core/admins/roles.ts";
import type { NodeApi } from "../core/node_api.ts";
import OverviewIsland from "../islands/overview.tsx";
import { WAITING_SHOWN } from "../islands/parts/waiting.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";

const Overview = island("overview", OverviewIsland);

/** Points of the hour that the page carries: more would not be seen, and each costs bytes before anything is drawn. */
const POINTS = 90;

/** Who waits is told to moderators only: a viewer sees the node's health, and nothing of people. */
export function overviewPage(api: NodeApi, { lang, t, role }: PageContext): Page {
  const overview = api.overview();
  const step = Math.ceil(overview.samples.length / POINTS);
  const samples = overview.samples.filter((_, i, { length }) => (length - 1 - i) % step === 0);
  const waiting = role !== null && covers(role, "moderator") ? api.health.waiting(WAITING_SHOWN) : null;
  return {
    title: t.overview.title,
    body: <Overview lang={lang} t={t.overview} common={t.common} first={{ ...overview, samples }} waiting={waiting} />,
  };
}
