/** The machine's addresses that others may reach: not loopback, not link-local. */

import { networkInterfaces } from "node:os";

/** IPv4 and IPv6, of all interfaces. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
}
