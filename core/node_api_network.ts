/** What the console asks of the node's place in the network: DHT, ports, connections, a test. Times are seconds since 1970. */

import type { Doer, ListPage } from "./node_api.ts";

/** The kinds of requests in the DHT, by what they are for. */
export type RequestKind = "ping" | "find" | "get" | "put" | "refresh" | "listen" | "update";

/** A host that the node joins the DHT by. */
export interface BootstrapInfo {
  host: string;
  /** IP addresses that its name stood for; empty = it was not looked up yet, or has none */
  addresses: string[];
  /** when it was asked last, and answered last; null = never */
  asked: number | null;
  answered: number | null;
  /** why its name has no address; "" = no such trouble */
  problem: string;
}

/** The node in the network, in numbers. */
export interface NetworkState {
  dht: {
    status: "connected" | "connecting" | "disconnected";
    /** known nodes: good ones answered lately, dubious ones may be gone */
    nodes: { family: 4 | 6; good: number; dubious: number }[];
    /** how others see the node; `own`: it is an address of this machine, so no router translates */
    seenAs: { address: string; votes: number; own: boolean }[];
    /** values of others that are kept here */
    stored: { values: number; bytes: number; maxBytes: number; maxValuesPerKey: number };
    /** others that listen here for values */
    listeners: number;
    /** requests a second over the last minute, and since the start */
    requests: { kind: RequestKind; in: number; out: number; totalIn: number; totalOut: number }[];
    /** requests refused since the start because they were too many */
    limited: number;
    bootstrap: BootstrapInfo[];
  };
  /** `fixed`: the settings name it, so it is the same after a restart */
  ports: { protocol: "udp" | "tcp"; use: "dht" | "peers"; port: number; fixed: boolean }[];
  /** where peers are told to dial; "seen": an address of the router, or one of the settings */
  candidates: { address: string; port: number; kind: "own" | "seen" }[];
  /** connections that are up, and bytes of all since the start */
  connections: { count: number; bytesIn: number; bytesOut: number };
}

/** What a channel is for: the name without what tells whom it concerns. */
export type ChannelKind =
  | "messages"
  | "git"
  | "overlay"
  | "sync"
  | "file"
  | "profile"
  | "service"
  | "document"
  | "link-device"
  | "other";

/** One connection with a device. */
export interface ConnectionInfo {
  id: string;
  /** whose device it is, as {@link MemberInfo} tells it */
  jamiId: string;
  name: string;
  registeredName: string;
  deviceId: string;
  /** `address:port` of both ends */
  local: string;
  remote: string;
  /** "peer": the device asked for it */
  askedBy: "peer" | "node";
  /** "in": the TCP connection came to our port; "out": we dialled. Either side may, whoever asked */
  direction: "in" | "out";
  /** "TLSv1.3" */
  tls: string;
  since: number;
  /** when something came last, signs of life included */
  lastHeard: number;
  bytesIn: number;
  bytesOut: number;
  channels: { kind: ChannelKind; state: "opening" | "open" | "closing"; count: number }[];
}

/** A part of the connections, the oldest first. */
export interface ConnectionsQuery {
  /** 1 to {@link MAX_CONNECTIONS_LIMIT} */
  limit: number;
  /** only those after this one */
  after?: string;
}

/** Connections that one page of the list may have. */
export const MAX_CONNECTIONS_LIMIT = 200;

/** What is looked at. */
export type CheckId = "udp-out" | "udp-in" | "address" | "tcp-in" | "tcp-port";

/** What was seen. */
export type Finding =
  | "nodes-answer"
  | "no-node-answers"
  | "no-node-known"
  | "came-unasked"
  | "none-unasked-yet"
  | "none-unasked"
  | "own-address"
  | "translated"
  | "address-unknown"
  | "address-differs"
  | "came-from-far"
  | "came-through-router"
  | "came-from-near"
  | "did-not-come"
  | "nobody-to-ask"
  | "nobody-answered"
  | "port-fixed"
  | "port-changes";

/** What to do about it. */
export type Advice =
  | "nothing"
  | "allow-udp-out"
  | "set-bootstrap"
  | "wait"
  | "forward-udp"
  | "allow-udp-in"
  | "correct-public-address"
  | "forward-tcp"
  | "forward-tcp-if-not"
  | "allow-tcp-in"
  | "allow-tcp-in-if-not"
  | "set-peer-port";

/** One result. */
export interface ReachabilityCheck {
  id: CheckId;
  /** "unknown": nothing that was seen tells; "note": neither good nor bad */
  verdict: "good" | "bad" | "unknown" | "note";
  finding: Finding;
  advice: Advice;
  /** numbers and addresses that finding and advice speak of */
  values: Record<string, string | number>;
}

/** A test of whether others can reach the node. */
export interface Reachability {
  state: "running" | "done";
  started: number;
  /** null = it runs */
  finished: number | null;
  checks: ReachabilityCheck[];
}

/** The node's place in the network. */
export interface NetworkApi {
  state(): NetworkState;
  /** The connections that are up. */
  connections(query: ConnectionsQuery): ListPage<ConnectionInfo>;
  /** Ends a connection in order; the device may connect again. @throws {NodeError} "not found" */
  close(id: string, doer: Doer): Promise<void>;
  /** The latest test; null = there was none since the start. */
  reachability(): Reachability | null;
  /** Begins a test, which takes up to a minute. @throws {NodeError} "too many" when one runs, or has just run */
  testReachability(): Reachability;
}
