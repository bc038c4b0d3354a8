/** Network addresses as texts. */

/** The network of an address, to count by: of IPv6 the first 64 bits, for one machine has all addresses below. */
export function networkOf(address: string): string {
  const [, v4] = /^::ffff:([0-9.]+)$/i.exec(address) ?? []; // how an IPv6 socket tells of IPv4
  if (v4 !== undefined || !address.includes(":")) return v4 ?? address;
  const [head, tail] = address.split("%")[0].toLowerCase().split("::");
  const first = head.split(":").filter((part) => part !== "");
  const last = (tail ?? "").split(":").filter((part) => part !== "");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  return [...first, ...Array(zeros).fill("0"), ...last].slice(0, 4).join(":");
}
