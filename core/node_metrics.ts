/**
 * The node's numbers for Prometheus (`/metrics`). Names and labels are few and fixed: no ids, no names, no paths, so that
 * they neither grow with the number of people nor tell who is here.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type Clock, every } from "./base/clock.ts";
import type { Dht } from "./dht/dht.ts";
import type { LogRing } from "./log_ring.ts";
import type { AnsweredRequest, MetricsApi, Overview, StorageInfo } from "./node_api.ts";
import type { Relay } from "./relay/relay.ts";

/** How often it is looked whether the event loop is late, ms. */
const LOOP_CHECK_MS = 500;

/** Seconds: from what nobody notices to what breaks connections. */
const DELAYS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface NodeMetricsOptions {
  clock: Clock;
  dht: Dht;
  relay: Relay;
  logs: LogRing;
  overview(): Overview;
  storage(): StorageInfo;
  /** path of the database */
  database: string;
}

export class NodeMetrics implements MetricsApi {
  readonly #registry = new Registry();
  readonly #requests;
  readonly #loop;
  readonly #closedBytes = { in: 0, out: 0 };
  #off: () => void = () => {};

  constructor(private readonly options: NodeMetricsOptions) {
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: "kituo_http_request_duration_seconds",
      help: "Time until the answer to an HTTP request began",
      labelNames: ["kind", "status"],
      buckets: DELAYS,
      registers,
    });
    this.#loop = new Histogram({
      name: "kituo_event_loop_delay_seconds",
      help: "How late the event loop was, looked at twice a second",
      buckets: DELAYS,
      registers,
    });
    this.#process();
    this.#network();
    this.#relayed();
    this.#stored();
    this.#count();
  }

  /** Begins to look at the event loop. */
  start(): void {
    const { clock } = this.options;
    let expected = clock.now() + LOOP_CHECK_MS;
    this.#off = every(clock, LOOP_CHECK_MS, () => {
      const now = clock.now();
      this.#loop.observe(Math.max(0, now - expected) / 1000);
      expected = now + LOOP_CHECK_MS;
    });
  }

  stop(): void {
    this.#off();
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  answered({ kind, status, seconds }: AnsweredRequest): void {
    this.#requests.observe({ kind, status: `${Math.floor(status / 100)}xx` }, seconds);
  }

  #process(): void {
    const { info, ready } = this.#facts();
    const build = this.#gauge("kituo_info", "Always 1; the version of Kituo is in the label", ["version"]);
    build.set({ version: info().version }, 1);
    this.#read("kituo_uptime_seconds", "Time since the start", () => info().uptime);
    this.#read("kituo_ready", "Can others find the node?", () => Number(ready().dht && ready().announced));
    const memory = this.#gauge("kituo_memory_bytes", "Memory of the process", ["kind"], () => {
      const { rss, heapUsed, external } = Deno.memoryUsage();
      memory.set({ kind: "resident" }, rss);
      memory.set({ kind: "heap" }, heapUsed);
      memory.set({ kind: "external" }, external);
    });
    const records = this.#counter("kituo_log_records_total", "Records of the log by level", ["level"], () => {
      records.reset();
      for (const [level, n] of Object.entries(this.options.logs.counts)) records.inc({ level }, n);
    });
  }

  #network(): void {
    const { dht, relay: { connections } } = this.options;
    this.#read("kituo_dht_connected", "Is the DHT connected?", () => Number(dht.status === "connected"));
    const nodes = this.#gauge("kituo_dht_nodes", "Good nodes in the routing tables", ["family"], () => {
      const { nodes4, nodes6 } = dht.stats();
      nodes.set({ family: "4" }, nodes4);
      nodes.set({ family: "6" }, nodes6);
    });
    this.#read("kituo_dht_stored_values", "Values kept for others", () => dht.stats().storedValues);
    this.#read("kituo_dht_stored_bytes", "Bytes of values kept for others", () => dht.stats().storedBytes);
    this.#read("kituo_dht_searches", "Searches under way", () => dht.stats().searches);
    const requests = this.#counter("kituo_dht_requests_total", "Requests of the DHT", ["direction"], () => {
      const { requestsIn, requestsOut } = dht.traffic;
      requests.reset();
      requests.inc({ direction: "in" }, requestsIn);
      requests.inc({ direction: "out" }, requestsOut);
    });
    const packets = this.#counter("kituo_dht_packets_total", "UDP packets of the DHT", ["fate"], () => {
      const { received, sent, dropped } = dht.traffic;
      packets.reset();
      packets.inc({ fate: "received" }, received);
      packets.inc({ fate: "sent" }, sent);
      packets.inc({ fate: "dropped" }, dropped);
    });
    this.#read("kituo_connections", "Live connections with devices", () => connections.connections().length);
    const bytes = this.#counter("kituo_peer_bytes_total", "Bytes exchanged with devices", ["direction"], () => {
      const total = { ...this.#closedBytes };
      for (const { bytesIn, bytesOut } of connections.connections()) {
        total.in += bytesIn;
        total.out += bytesOut;
      }
      bytes.reset();
      bytes.inc({ direction: "in" }, total.in);
      bytes.inc({ direction: "out" }, total.out);
    });
    connections.on("closed", ({ connection: { bytesIn, bytesOut } }) => {
      this.#closedBytes.in += bytesIn;
      this.#closedBytes.out += bytesOut;
    });
  }

  #relayed(): void {
    const { totals, waiting } = this.#facts();
    this.#read("kituo_conversations", "Conversations that are relayed", () => totals().conversations);
    this.#read("kituo_people", "Accounts that are served, without the node's own", () => totals().people);
    this.#read("kituo_people_online", "Those of them that are online", () => totals().online);
    this.#read("kituo_requests_waiting", "Requests and invitations that wait for an admin", () => totals().requests);
    this.#read("kituo_messages_waiting", "Messages that devices of members still lack", () => waiting().messages);
    this.#read("kituo_devices_waiting", "Devices that lack some", () => waiting().devices);
  }

  #stored(): void {
    const { storage, database } = this.options;
    this.#read("kituo_database_bytes", "Size of the database", () => sizeOf(database) + sizeOf(`${database}-wal`));
    this.#read("kituo_files_bytes", "Bytes that files take, reserved ones included", () => storage().files.used);
    this.#read("kituo_files_quota_bytes", "Bytes that files may take", () => storage().files.quota);
    const files = this.#gauge("kituo_files", "Files that members sent", ["state"], () => {
      for (const [state, n] of Object.entries(storage().files.counts)) files.set({ state }, n);
    });
  }

  /** What is counted as it happens. */
  #count(): void {
    const { relay } = this.options;
    const commits = this.#counter("kituo_commits_total", "Commits that became part of a conversation here");
    const fetches = this.#counter("kituo_fetches_total", "Fetches from devices", ["result"]);
    const held = this.#counter("kituo_deliveries_total", "Times that a device was found to hold the newest");
    const connections = this.#counter("kituo_connections_total", "Connections that came up");
    relay.conversations.on("moved", ({ added }) => commits.inc(added.length));
    relay.fetcher.on("fetched", () => fetches.inc({ result: "fetched" }));
    relay.fetcher.on("refused", () => fetches.inc({ result: "refused" }));
    relay.fetcher.on("failed", () => fetches.inc({ result: "failed" }));
    relay.delivery.on("held", () => held.inc());
    relay.connections.on("connection", () => connections.inc());
  }

  /** What the overview says, worked out once for all that read it in one go. */
  #facts() {
    let now: Overview | null = null;
    const read = () => {
      if (!now) queueMicrotask(() => now = null);
      return now ??= this.options.overview();
    };
    return {
      info: () => read().node,
      ready: () => read().ready,
      totals: () => read().totals,
      waiting: () => read().waiting,
    };
  }

  /** A number that is read when it is asked for. */
  #read(name: string, help: string, read: () => number): void {
    const gauge: Gauge = this.#gauge(name, help, [], () => gauge.set(read()));
  }

  #gauge(name: string, help: string, labelNames: string[] = [], collect?: () => void): Gauge {
    return new Gauge({ name, help, labelNames, collect, registers: [this.#registry] });
  }

  #counter(name: string, help: string, labelNames: string[] = [], collect?: () => void): Counter {
    return new Counter({ name, help, labelNames, collect, registers: [this.#registry] });
  }
}

/** Bytes of a file; 0 = there is none. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
