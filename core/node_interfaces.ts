/** The network interfaces of this machine. */

import { networkInterfaces } from "node:os";
import { nearness } from "./transport/nearness.ts";

/** The machine's addresses that others may reach: not loopback, not link-local. */
export function ownAddresses(): string[] {
  return interfaces().map(({ address }) => address);
}

/** Is this the IP address of a machine in one of our networks, or behind the same router? @param own our public addresses */
export function isNear(address: string, own: readonly string[]): boolean {
  return nearness(interfaces(), own)(address);
}

function interfaces() {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
}
