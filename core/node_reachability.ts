/**
 * Can others reach this node? Nobody outside is asked but who is connected anyway, so much stays unknown, and is called so. What can be seen:
 *
 * - UDP out: nodes of the DHT answer.
 * - UDP in: a request came from where nothing was sent for minutes (dht/arrivals.ts).
 * - A router that translates: nodes see another address (opendht.md 6.6).
 * - TCP in: a peer dialled our port; or a connected device that was asked to, at the public address alone, did or did not come through.
 */

import { isIPv4 } from "node:net";
import type { Advice, Finding, ReachabilityCheck } from "./node_api_network.ts";
import type { Unasked } from "./dht/arrivals.ts";
import type { ProbeResult } from "./transport/connection_manager.ts";
import type { Incoming } from "./transport/ice_listener.ts";

/** So long without a request that came unasked says something: nodes near in the DHT look for each other every few minutes (opendht.md 6.3). */
const UNASKED_PATIENCE_MS = 15 * 60_000;
/** … in a network of so many at least: where a few know each other all have spoken to all. */
const UNASKED_NODES = 20;

/** What was seen. Times are milliseconds since 1970. */
export interface Facts {
  now: number;
  /** Good nodes of the DHT and bootstrap hosts: how many were asked just now, and how many answered. */
  asked: number;
  answered: number;
  unasked: Unasked;
  /** Good nodes that are known. */
  nodes: number;
  /** Addresses of this machine. */
  own: readonly string[];
  /** Addresses that most others see, at most one for each family. */
  seen: readonly string[];
  /** Those of the settings. */
  configured: readonly string[];
  udpPort: number;
  tcpPort: number;
  /** Do the settings name the TCP port? */
  isTcpPortFixed: boolean;
  incoming: Readonly<Record<"near" | "far", Incoming>>;
  /** What came of asking connected devices. */
  probes: { near: boolean; result: ProbeResult }[];
}

/** The results, each with its advice. */
export function judge(facts: Facts): ReachabilityCheck[] {
  return [udpOut(facts), udpIn(facts), address(facts), tcpIn(facts), tcpPort(facts)];
}

type Verdict = ReachabilityCheck["verdict"];
type Values = ReachabilityCheck["values"];

function check(
  id: ReachabilityCheck["id"],
  verdict: Verdict,
  finding: Finding,
  advice: Advice,
  values: Values = {},
): ReachabilityCheck {
  return { id, verdict, finding, advice, values };
}

function udpOut({ asked, answered, udpPort }: Facts): ReachabilityCheck {
  const values = { asked, answered, port: udpPort };
  if (answered > 0) return check("udp-out", "good", "nodes-answer", "nothing", values);
  if (asked > 0) return check("udp-out", "bad", "no-node-answers", "allow-udp-out", values);
  return check("udp-out", "unknown", "no-node-known", "set-bootstrap", values);
}

function udpIn(facts: Facts): ReachabilityCheck {
  const { now, unasked, udpPort, answered, nodes } = facts;
  const minutes = Math.max(0, Math.floor((now - unasked.since) / 60_000));
  const values = { count: unasked.count, minutes, port: udpPort, own: ownAddress(facts) };
  if (unasked.count > 0) return check("udp-in", "good", "came-unasked", "nothing", values);
  if (answered === 0 || nodes < UNASKED_NODES || now - unasked.since < UNASKED_PATIENCE_MS) {
    return check("udp-in", "unknown", "none-unasked-yet", "wait", values);
  }
  return check("udp-in", "bad", "none-unasked", isTranslated(facts) ? "forward-udp" : "allow-udp-in", values);
}

function address(facts: Facts): ReachabilityCheck {
  const { configured } = facts;
  const seen = seenAddress(facts);
  const values = { seen, own: ownAddress(facts), configured: configured.join(", ") };
  if (seen === "") return check("address", "unknown", "address-unknown", "wait", values);
  const sameFamily = configured.filter((ip) => isIPv4(ip) === isIPv4(seen));
  if (sameFamily.length > 0 && !sameFamily.includes(seen)) {
    return check("address", "bad", "address-differs", "correct-public-address", values);
  }
  if (!isTranslated(facts)) return check("address", "good", "own-address", "nothing", values);
  return check("address", "note", "translated", "nothing", values);
}

function tcpIn(facts: Facts): ReachabilityCheck {
  const { incoming, probes, tcpPort } = facts;
  const translated = isTranslated(facts);
  const far = probes.filter(({ near }) => !near), nearby = probes.filter(({ near }) => near);
  const came = (list: Facts["probes"]) => list.flatMap(({ result }) => result.outcome === "connected" ? [result] : []);
  const failed = (list: Facts["probes"]) => list.filter(({ result }) => result.outcome === "nothing came").length;
  const values: Values = { port: tcpPort, own: ownAddress(facts), seen: seenAddress(facts), asked: far.length };
  const said = (verdict: Verdict, finding: Finding, advice: Advice, more: Values = {}) =>
    check("tcp-in", verdict, finding, advice, { ...values, ...more });
  const [open, unsure]: Advice[] = translated
    ? ["forward-tcp", "forward-tcp-if-not"]
    : ["allow-tcp-in", "allow-tcp-in-if-not"];
  const [fromFar] = came(far), [fromNear] = came(nearby);
  if (fromFar) return said("good", "came-from-far", "nothing", { from: fromFar.from });
  // they were told the public address only, so the router has sent them on to us
  if (fromNear && translated) return said("good", "came-through-router", "nothing", { from: fromNear.from });
  if (failed(far) > 0) return said("bad", "did-not-come", open, { failed: failed(far) });
  if (incoming.far.count > 0) return said("good", "came-from-far", "nothing", { from: incoming.far.from });
  if (fromNear) return said("unknown", "came-from-near", unsure, { from: fromNear.from });
  if (probes.length > 0) return said("unknown", "nobody-answered", unsure);
  if (incoming.near.count > 0) return said("unknown", "came-from-near", unsure, { from: incoming.near.from });
  return said("unknown", "nobody-to-ask", unsure);
}

function tcpPort({ tcpPort: port, isTcpPortFixed }: Facts): ReachabilityCheck {
  return isTcpPortFixed
    ? check("tcp-port", "good", "port-fixed", "nothing", { port })
    : check("tcp-port", "note", "port-changes", "set-peer-port", { port });
}

/** The address that others see, of IPv4 where there is one: routers translate that. */
function seenAddress({ seen }: Facts): string {
  return seen.find((ip) => isIPv4(ip)) ?? seen[0] ?? "";
}

/** The address of this machine that a router would send to. */
function ownAddress(facts: Facts): string {
  const seen = seenAddress(facts);
  if (facts.own.includes(seen)) return seen;
  return facts.own.find((ip) => isIPv4(ip) === (seen === "" || isIPv4(seen))) ?? facts.own[0] ?? "";
}

function isTranslated(facts: Facts): boolean {
  const seen = seenAddress(facts);
  return seen !== "" && !facts.own.includes(seen);
}
