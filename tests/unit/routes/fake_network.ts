/** A network that is not there, for the tests of the HTTP face. */

import {
  type ConnectionInfo,
  type ConnectionsQuery,
  type NetworkApi,
  type NetworkState,
  NodeError,
  type Reachability,
} from "../../../core/node_api.ts";
import { id } from "./fake_node.ts";

const KINDS = ["ping", "find", "get", "put", "refresh", "listen", "update"] as const;

/** Three connections, and a test that is done at once. */
export class FakeNetwork implements NetworkApi {
  readonly closed: string[] = [];
  test: Reachability | null = null;

  state(): NetworkState {
    return {
      dht: {
        status: "connected",
        nodes: [{ family: 4, good: 3, dubious: 1 }, { family: 6, good: 0, dubious: 0 }],
        seenAs: [{ address: "203.0.113.7", votes: 3, own: false }],
        stored: { values: 5, bytes: 2_048, maxBytes: 67_108_864, maxValuesPerKey: 8_192 },
        listeners: 2,
        requests: KINDS.map((kind) => ({ kind, in: 0.5, out: 0.2, totalIn: 30, totalOut: 12 })),
        limited: 0,
        bootstrap: [{ host: "dht.example:4222", addresses: ["203.0.113.1"], asked: 1, answered: 2, problem: "" }],
      },
      ports: [
        { protocol: "udp", use: "dht", port: 4222, fixed: true },
        { protocol: "tcp", use: "peers", port: 40_123, fixed: false },
      ],
      candidates: [{ address: "192.168.1.2", port: 40_123, kind: "own" }],
      connections: { count: 3, bytesIn: 10, bytesOut: 20 },
    };
  }

  connections({ limit, after = "0" }: ConnectionsQuery) {
    const rest = ["1", "2", "3"].filter((n) => !this.closed.includes(n) && Number(n) > Number(after));
    return {
      items: rest.slice(0, limit).map((n) => connection(n)),
      next: rest.length > limit ? rest[limit - 1] : null,
    };
  }

  async close(connectionId: string): Promise<void> {
    await Promise.resolve();
    if (!["1", "2", "3"].includes(connectionId)) throw new NodeError("not found", "There is no such connection.");
    this.closed.push(connectionId);
  }

  reachability(): Reachability | null {
    return this.test;
  }

  testReachability(): Reachability {
    const values = { port: 40_123, own: "192.168.1.2", seen: "203.0.113.7" };
    return this.test = {
      state: "done",
      started: 1,
      finished: 2,
      checks: [{ id: "tcp-in", verdict: "bad", finding: "did-not-come", advice: "forward-tcp", values }],
    };
  }
}

function connection(n: string): ConnectionInfo {
  return {
    id: n,
    jamiId: id(Number(n)),
    name: "Asha",
    registeredName: "asha",
    deviceId: "e".repeat(64),
    local: "192.168.1.2:40123",
    remote: "203.0.113.9:5000",
    askedBy: "peer",
    direction: "in",
    tls: "TLSv1.3",
    since: 1_790_000_000,
    lastHeard: 1_790_000_000,
    bytesIn: 1,
    bytesOut: 2,
    channels: [{ kind: "messages", state: "open", count: 1 }],
  };
}
