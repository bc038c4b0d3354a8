/** Which IP addresses are of the whole Internet. */

import { BlockList, isIP } from "node:net";

/** Networks that are not (the registries of special-purpose addresses, RFC 6890, and multicast). */
const SPECIAL: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** The one block of IPv6 that is given out to the Internet (RFC 4291); within it, addresses that lead to IPv4 ones or are for documents. */
const GLOBAL6 = ["2000::", 3] as const;
const SPECIAL6: readonly (readonly [string, number])[] = [["2001::", 23], ["2001:db8::", 32], ["2002::", 16], [
  "3fff::",
  20,
]];

const special = new BlockList();
for (const [net, bits] of SPECIAL) special.addSubnet(net, bits, "ipv4");
const special6 = new BlockList();
for (const [net, bits] of SPECIAL6) special6.addSubnet(net, bits, "ipv6");
const global6 = new BlockList();
global6.addSubnet(...GLOBAL6, "ipv6");

/** Is it an address that anybody on the Internet may have? What is no address is none. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  return family === 6 && global6.check(address, "ipv6") && !special6.check(address, "ipv6");
}
