/** Which addresses are those of machines beside this one: whoever comes from there shows nothing about the rest of the world. */

import { BlockList, isIPv6 } from "node:net";

/** What is used of an interface of the machine. */
export interface Interface {
  address: string;
  /** `address/bits`; null = unknown */
  cidr: string | null;
}

/**
 * Tells whether an IP address is in a network of one of these interfaces, on this machine, or one of `own`: behind one router all have the
 * same public address.
 */
export function nearness(interfaces: readonly Interface[], own: readonly string[]): (address: string) => boolean {
  const near = new BlockList();
  near.addSubnet("127.0.0.0", 8, "ipv4");
  near.addAddress("::1", "ipv6");
  near.addSubnet("fe80::", 10, "ipv6");
  for (const { address, cidr } of interfaces) {
    const bits = Number(cidr?.split("/")[1] ?? NaN);
    if (Number.isInteger(bits)) near.addSubnet(address, bits, familyOf(address));
  }
  for (const address of own) near.addAddress(address, familyOf(address));
  return (address) => near.check(address, familyOf(address));
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
