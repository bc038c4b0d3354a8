/** The ICE text: credentials and TCP candidates of one side (connection.md 3). */

import { isIP } from "node:net";
import { ProtocolError } from "../base/errors.ts";
import { MAX_CANDIDATES, MAX_HOST_CANDIDATES, MAX_ICE_TEXT, MAX_RELAY_CANDIDATES } from "./constants.ts";

export type CandidateType = "host" | "srflx" | "prflx" | "relay";
export type TcpType = "active" | "passive" | "so";

/** One line of an ICE text. Component 1 and transport TCP are understood. */
export interface Candidate {
  foundation: string;
  priority: number;
  /** An IP address, IPv6 without brackets and zone. */
  address: string;
  port: number;
  type: CandidateType;
  tcpType: TcpType;
}

export interface IceText {
  ufrag: string;
  pwd: string;
  candidates: Candidate[];
}

/** The port written for candidates that only dial (3.2). */
export const ACTIVE_PORT = 9;

const TYPE_PREFERENCE: Record<CandidateType, number> = { host: 126, prflx: 110, srflx: 100, relay: 0 };
// RFC 8445 5.3 bounds both; longer ones do not occur.
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PWD = /^[A-Za-z0-9+/]{22,256}$/;
const LINE = new RegExp(
  "^([^ ]{1,31}) 1 TCP ([0-9]{1,10}) ([0-9A-Fa-f:.]{2,45}) ([0-9]{1,5}) " +
    "typ (host|srflx|prflx|relay) tcptype (active|passive|so)$",
);

/** The priority of a candidate of component 1 (3.3). */
export function candidatePriority(type: CandidateType, localPreference: number): number {
  return TYPE_PREFERENCE[type] * 2 ** 24 + localPreference * 256 + 255;
}

/** The text of an offer or answer, every line ended (3.1). */
export function formatIceText(ice: IceText): string {
  const lines = ice.candidates.map((c) =>
    `${c.foundation} 1 TCP ${c.priority} ${c.address} ${c.port} typ ${c.type} tcptype ${c.tcpType}`
  );
  return [ice.ufrag, ice.pwd, ...lines].map((line) => line + "\n").join("");
}

/**
 * Reads a text. Lines that are no TCP candidates are skipped, and those beyond the limits of 3.2.
 * @throws {ProtocolError} when the credentials are not there
 */
export function parseIceText(text: string): IceText {
  if (text.length > MAX_ICE_TEXT) throw new ProtocolError("ice text", "too long");
  const [ufrag, pwd, ...lines] = text.split("\n");
  if (!UFRAG.test(ufrag)) throw new ProtocolError("ice text", "no ufrag");
  if (pwd === undefined || !PWD.test(pwd)) throw new ProtocolError("ice text", "no password");
  const candidates: Candidate[] = [];
  const room = { host: MAX_HOST_CANDIDATES, relay: MAX_RELAY_CANDIDATES, srflx: Infinity, prflx: Infinity };
  for (const line of lines) {
    const candidate = parseCandidate(line);
    if (!candidate || candidates.length >= MAX_CANDIDATES || room[candidate.type] <= 0) continue;
    room[candidate.type]--;
    candidates.push(candidate);
  }
  return { ufrag, pwd, candidates };
}

function parseCandidate(line: string): Candidate | null {
  const match = LINE.exec(line);
  if (!match) return null;
  const [, foundation, priority, address, port, type, tcpType] = match;
  if (Number(priority) > 0xffffffff || Number(port) > 65_535 || !isIP(address)) return null;
  return {
    foundation,
    priority: Number(priority),
    address,
    port: Number(port),
    type: type as CandidateType, // reason: the expression allows only these words
    tcpType: tcpType as TcpType, // reason: likewise
  };
}

/**
 * What we list (3.4): every own address with our listening port; every other public address as server-reflexive, passive in case the port is
 * forwarded, and active because the peer lets only listed addresses through its TURN server.
 */
export function localCandidates(addresses: string[], publicAddresses: string[], port: number): Candidate[] {
  const out: Candidate[] = [];
  const next = new Map<string, number>();
  const add = (type: "host" | "srflx", address: string, tcpType: "active" | "passive") => {
    const list = `${type}${isIP(address)}`;
    const preference = next.get(list) ?? 65_535;
    next.set(list, preference - 1);
    out.push({
      foundation: `${type === "host" ? "H" : "S"}${out.length + 1}`,
      priority: candidatePriority(type, preference),
      address,
      port: tcpType === "passive" ? port : ACTIVE_PORT,
      type,
      tcpType,
    });
  };
  const own = new Set(addresses.filter((address) => isIP(address)).slice(0, MAX_HOST_CANDIDATES));
  for (const address of own) add("host", address, "passive");
  for (const address of new Set(publicAddresses)) {
    if (!isIP(address) || own.has(address) || out.length + 2 > MAX_CANDIDATES) continue;
    add("srflx", address, "passive");
    add("srflx", address, "active");
  }
  // Without one passive line the peer's ICE refuses to start, even when we can only dial (3.4).
  if (out.length === 0) add("host", "127.0.0.1", "passive");
  return out;
}
