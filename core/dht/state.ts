/**
 * What a node should remember from one run to the next (opendht.md 8), as plain JSON. Storing it is the caller's
 * business.
 */

import { type Address, addressText, parseAddress } from "./address.ts";
import { MAX_STATE_NODES } from "./constants.ts";
import { type InfoHash, isInfoHash } from "./info_hash.ts";
import type { NodeInfo } from "./packet.ts";

/** JSON-able. */
export interface DhtState {
  readonly version: 1;
  readonly id: InfoHash;
  readonly port: number;
  readonly nodes: readonly { readonly id: InfoHash; readonly ip: string; readonly port: number }[];
}

/** The state with these good nodes. */
export function makeState(id: InfoHash, port: number, nodes: readonly NodeInfo[]): DhtState {
  const told = nodes.slice(0, MAX_STATE_NODES).map(({ id, address }) => ({ id, ip: address.ip, port: address.port }));
  return { version: 1, id, port, nodes: told };
}

/** The nodes of a state that can be used. */
export function stateNodes(state: DhtState): NodeInfo[] {
  const nodes = new Map<string, NodeInfo>();
  for (const { id, ip, port } of state.nodes.slice(0, MAX_STATE_NODES)) {
    const address: Address | null = parseAddress(ip, port);
    if (address && isInfoHash(id)) nodes.set(addressText(address), { id, address });
  }
  return [...nodes.values()];
}

/** The state in a parsed JSON text, or `null` when it is none. */
export function readState(json: unknown): DhtState | null {
  if (!isRecord(json) || json.version !== 1 || !isInfoHash(json.id) || !isPort(json.port)) return null;
  if (!Array.isArray(json.nodes)) return null;
  const nodes = json.nodes.flatMap((node: unknown) =>
    isRecord(node) && isInfoHash(node.id) && typeof node.ip === "string" && isPort(node.port)
      ? [{ id: node.id, ip: node.ip, port: node.port }]
      : []
  );
  return { version: 1, id: json.id, port: json.port, nodes };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535;
}
