/** The node in the network, live: DHT, ports, connections, and the test of who can reach it. */

import { useState } from "preact/hooks";
import type { ConnectionInfo, ListPage, NetworkState, Reachability } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { NetworkTexts } from "../routes/texts/network.ts";
import { ask } from "./parts/api.ts";
import { Connections } from "./parts/connections.tsx";
import { BootstrapPanel, DhtPanel, PortsPanel, RequestsPanel } from "./parts/dht.tsx";
import { usePolling } from "./parts/poll.ts";
import { ReachabilityPanel } from "./parts/reachability.tsx";

/** The numbers are read anew so often, ms. */
const EVERY = 3_000;

interface Props {
  lang: string;
  t: NetworkTexts;
  common: Texts["common"];
  first: NetworkState;
  /** for moderators and owners */
  operated: { list: ListPage<ConnectionInfo>; test: Reachability | null } | null;
}

export default function Network({ lang, t, common, first, operated }: Props) {
  const [state, setState] = useState(first);
  usePolling(EVERY, async () => {
    const answer = await ask<NetworkState>("GET", "/network");
    if (answer.ok) setState(answer.data);
  });
  const shared = { lang, t, state };
  return (
    <div class="grid gap-4">
      {operated && <ReachabilityPanel {...{ lang, t, common, first: operated.test }} />}
      <div class="grid gap-4 lg:grid-cols-2">
        <div class="grid gap-4 content-start min-w-0">
          <DhtPanel {...shared} />
          <BootstrapPanel {...shared} />
        </div>
        <div class="grid gap-4 content-start min-w-0">
          <PortsPanel {...shared} />
          <RequestsPanel {...shared} />
        </div>
      </div>
      {operated && <Connections {...{ lang, t, common, first: operated.list }} />}
    </div>
  );
}
