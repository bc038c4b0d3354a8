/** The node in the network: DHT, ports, connections, and a test of who can reach it. */

import { covers } from "../core/admins/roles.ts";
import type { NodeApi } from "../core/node_api.ts";
import NetworkIsland from "../islands/network.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { networkTexts } from "./texts/network.ts";

const Network = island("network", NetworkIsland);

/** Connections that the page begins with. */
const FIRST = 50;

/** Connections tell of people: a viewer sees the node's own health only. */
export function networkPage({ network }: NodeApi, { lang, t: { common }, role }: PageContext): Page {
  const t = networkTexts[lang];
  const mayOperate = role !== null && covers(role, "moderator");
  const operated = mayOperate ? { list: network.connections({ limit: FIRST }), test: network.reachability() } : null;
  return {
    title: t.title,
    body: (
      <>
        <header class="mb-6 max-w-3xl">
          <h1 class="text-2xl font-semibold">{t.title}</h1>
          <p class="mt-1 text-muted">{t.lead}</p>
        </header>
        <Network {...{ lang, t, common, first: network.state(), operated }} />
      </>
    ),
  };
}
