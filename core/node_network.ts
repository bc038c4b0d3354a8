/** The node's place in the network, in the words of the HTTP API. */

import { getLogger } from "@logtape/logtape";
import { type Clock, every } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import type { Config } from "./config.ts";
import type { Dht } from "./dht/dht.ts";
import type { RequestCounts } from "./dht/network.ts";
import { type ChannelName, parseChannelName } from "./messaging/channel_name.ts";
import { type Doer, type ListPage, NodeError } from "./node_api.ts";
import type {
  ChannelKind,
  ConnectionInfo,
  ConnectionsQuery,
  NetworkApi,
  NetworkState,
  Reachability,
  RequestKind,
} from "./node_api_network.ts";
import { isNear, ownAddresses } from "./node_interfaces.ts";
import type { Calling } from "./node_names.ts";
import { type Facts, judge } from "./node_reachability.ts";
import type { Audit } from "./store/audit.ts";
import type { ConnectionManager, ConnectionStanding } from "./transport/connection_manager.ts";

const log = getLogger(["kituo", "node"]);

/** Requests of the DHT are counted this often, and told for the last so many times: a minute. */
const COUNT_EVERY_MS = 5_000;
const COUNTS_KEPT = 12;
/** Devices that a test asks to connect, of each kind: far ones and near ones. Each opens one more connection. */
const PROBED = 2;
/** After a test the next one waits so long: each costs peers something. */
const TEST_PAUSE_MS = 10_000;

/** What channels are for, in fewer words than their names. */
const CHANNEL_KINDS: Record<ChannelName["kind"], ChannelKind> = {
  "sip": "messages",
  "msg": "messages",
  "git": "git",
  "swarm": "overlay",
  "sync": "sync",
  "file": "file",
  "profile-request": "profile",
  "profile": "profile",
  "own-profile": "profile",
  "service-query": "service",
  "service": "service",
  "document": "document",
  "link-device": "link-device",
  "unknown": "other",
};

export interface NodeNetworkOptions {
  clock: Clock;
  dht: Dht;
  connections: ConnectionManager;
  config: Pick<Config, "dhtPort" | "peerPort" | "publicAddress">;
  audit: Pick<Audit, "append">;
  called: Calling;
}

export class NodeNetwork implements NetworkApi {
  /** The newest last. */
  #counts: { at: number; in: RequestCounts; out: RequestCounts }[] = [];
  #stopCounting = () => {};
  #test: Reachability | null = null;

  constructor(private readonly options: NodeNetworkOptions) {}

  start(): void {
    const count = () => {
      const { requestsIn, requestsOut } = this.options.dht.health();
      this.#counts.push({ at: this.options.clock.now(), in: requestsIn, out: requestsOut });
      if (this.#counts.length > COUNTS_KEPT + 1) this.#counts.shift();
    };
    count();
    this.#stopCounting = every(this.options.clock, COUNT_EVERY_MS, count);
  }

  stop(): void {
    this.#stopCounting();
  }

  state(): NetworkState {
    const { dht, connections, config } = this.options;
    const { nodes4, nodes6, dubious4, dubious6, remoteListeners } = dht.stats();
    const health = dht.health();
    const own = new Set(ownAddresses());
    const { in: bytesIn, out: bytesOut } = connections.traffic;
    return {
      dht: {
        status: dht.status,
        nodes: [{ family: 4, good: nodes4, dubious: dubious4 }, { family: 6, good: nodes6, dubious: dubious6 }],
        seenAs: health.seenAs.map(({ ip, votes }) => ({ address: ip, votes, own: own.has(ip) })),
        stored: health.stored,
        listeners: remoteListeners,
        requests: this.#requests(health.requestsIn, health.requestsOut),
        limited: health.limited,
        bootstrap: health.bootstrap.map(({ host, addresses, asked, answered, problem }) => ({
          host,
          addresses,
          asked: inSeconds(asked),
          answered: inSeconds(answered),
          problem,
        })),
      },
      ports: [
        { protocol: "udp", use: "dht", port: dht.port, fixed: config.dhtPort !== 0 },
        { protocol: "tcp", use: "peers", port: connections.port, fixed: config.peerPort !== 0 },
      ],
      candidates: connections.candidates().filter(({ tcpType }) => tcpType === "passive")
        .map(({ address, port, type }) => ({ address, port, kind: type === "host" ? "own" : "seen" })),
      connections: { count: connections.connections().length, bytesIn, bytesOut },
    };
  }

  connections({ limit, after = "0" }: ConnectionsQuery): ListPage<ConnectionInfo> {
    const rest = this.options.connections.standings().filter(({ connection }) => Number(connection.id) > Number(after));
    const page = rest.slice(0, limit);
    const next = rest.length > page.length ? page[page.length - 1].connection.id : null;
    return { items: page.map((standing) => connectionInfo(standing, this.options.called)), next };
  }

  async close(id: string, doer: Doer): Promise<void> {
    const connection = this.options.connections.connections().find((one) => one.id === id);
    if (!connection) throw new NodeError("not found", "There is no such connection.");
    await connection.close("an admin ended it");
    const { peer: { account, device }, remote } = connection;
    this.options.audit.append({ ...doer, action: "connection.close", target: `${account} ${device}`, detail: remote });
  }

  reachability(): Reachability | null {
    return this.#test;
  }

  testReachability(): Reachability {
    const { clock } = this.options;
    const finished = this.#test?.finished;
    if (finished === null) throw new NodeError("too many", "A test is under way.");
    if (finished !== undefined && clock.now() - finished * 1000 < TEST_PAUSE_MS) {
      throw new NodeError("too many", "There was a test just now: wait a few seconds.");
    }
    const test: Reachability = {
      state: "running",
      started: Math.floor(clock.now() / 1000),
      finished: null,
      checks: [],
    };
    this.#test = test;
    this.#facts().then(judge, (error) => {
      log.error("the test of the network failed: {error}", { error: messageOf(error) });
      return [];
    }).then((checks) => {
      this.#test = { ...test, state: "done", finished: Math.floor(clock.now() / 1000), checks };
    });
    return test;
  }

  async #facts(): Promise<Facts> {
    const { clock, dht, connections, config } = this.options;
    const began = clock.now();
    const [nodes, probes] = await Promise.all([dht.test(), this.#probes()]);
    const health = dht.health();
    const { nodes4, nodes6 } = dht.stats();
    const hosts = health.bootstrap.filter(({ addresses }) => addresses.length > 0);
    return {
      now: clock.now(),
      asked: nodes.asked + hosts.length,
      answered: nodes.answered + hosts.filter(({ answered }) => answered >= began).length,
      unasked: health.unasked,
      nodes: nodes4 + nodes6,
      own: ownAddresses(),
      seen: dht.publicAddresses().filter((ip) => !/^127\.|^::1$/.test(ip)), // what nodes on this machine see tells nothing
      configured: config.publicAddress,
      udpPort: dht.port,
      tcpPort: connections.port,
      isTcpPortFixed: config.peerPort !== 0,
      incoming: connections.incoming,
      probes,
    };
  }

  /** Asks some connected devices to connect to our public addresses. */
  async #probes(): Promise<Facts["probes"]> {
    const { connections, dht, config } = this.options;
    const addresses = [...new Set([...config.publicAddress, ...dht.publicAddresses()])];
    if (addresses.length === 0) return [];
    const devices = new Map(connections.standings().map((one) => [one.connection.peer.device, one.connection]));
    const asked = [...devices.values()].map((connection) => ({
      key: connection.peer.chain[0].publicKey,
      near: isNear(hostOf(connection.remote), addresses),
    }));
    const chosen = [asked.filter(({ near }) => !near), asked.filter(({ near }) => near)].flatMap((list) =>
      list.slice(0, PROBED)
    );
    return await Promise.all(chosen.map(async ({ key, near }) => ({
      near,
      result: await connections.probe(key, addresses),
    })));
  }

  #requests(totalIn: RequestCounts, totalOut: RequestCounts): NetworkState["dht"]["requests"] {
    const [oldest] = this.#counts;
    const seconds = oldest ? Math.max(1, (this.options.clock.now() - oldest.at) / 1000) : 1;
    // reason: the type of the counts says which keys there are
    const kinds = Object.keys(totalIn) as RequestKind[];
    return kinds.map((kind) => ({
      kind,
      in: (totalIn[kind] - (oldest?.in[kind] ?? 0)) / seconds,
      out: (totalOut[kind] - (oldest?.out[kind] ?? 0)) / seconds,
      totalIn: totalIn[kind],
      totalOut: totalOut[kind],
    }));
  }
}

/** A connection as the API tells it. */
export function connectionInfo(standing: ConnectionStanding, called: Calling): ConnectionInfo {
  const { connection, local, accepted, tls, channels, lastHeard } = standing;
  const { id, peer: { account, device }, incoming, since, remote, bytesIn, bytesOut } = connection;
  const kinds = new Map<string, ConnectionInfo["channels"][number]>();
  for (const { name, state } of channels) {
    const kind = CHANNEL_KINDS[parseChannelName(name).kind];
    const known = kinds.get(`${kind} ${state}`);
    if (known) known.count++;
    else kinds.set(`${kind} ${state}`, { kind, state, count: 1 });
  }
  return {
    id,
    jamiId: account,
    ...called(account),
    deviceId: device,
    local,
    remote,
    askedBy: incoming ? "peer" : "node",
    direction: accepted ? "in" : "out",
    tls,
    since: Math.floor(since / 1000),
    lastHeard: Math.floor(lastHeard / 1000),
    bytesIn,
    bytesOut,
    channels: [...kinds.values()],
  };
}

/** `[::1]:80` → `::1` */
function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** 0 = never */
function inSeconds(ms: number): number | null {
  return ms === 0 ? null : Math.floor(ms / 1000);
}
