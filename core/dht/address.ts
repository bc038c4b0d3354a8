/** UDP addresses: bytes and text, and which of them must be refused (opendht.md 2.2, 2.9). */

import { type Bytes, owned } from "../base/bytes.ts";
import { isIPv4, isIPv6 } from "node:net";

/** IPv4 or IPv6: two overlays that know nothing of each other (opendht.md 1). */
export type Family = 4 | 6;

/** Where a node is reached. `ip` is in canonical form: equal addresses are equal texts. */
export interface Address {
  readonly family: Family;
  readonly ip: string;
  readonly port: number;
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * The address of an IP text as the system writes it; IPv4-mapped becomes IPv4. `null` when the text is no IP address.
 */
export function parseAddress(ip: string, port: number): Address | null {
  const plain = ip.replace(/%.*$/, "");
  const bytes = isIPv4(plain) ? ipv4Bytes(plain) : isIPv6(plain) ? ipv6Bytes(plain) : null;
  return bytes && addressOf(bytes, port);
}

/** The address of 4 or 16 bytes in network order; IPv4-mapped becomes IPv4. `null` for any other length. */
export function addressOf(ip: Uint8Array, port: number): Address | null {
  if (ip.length === 16 && MAPPED_PREFIX.every((b, i) => ip[i] === b)) return addressOf(ip.subarray(12), port);
  if (ip.length === 4) return { family: 4, ip: ip.join("."), port };
  if (ip.length === 16) return { family: 6, ip: ipv6Text(ip), port };
  return null;
}

/** The 4 or 16 bytes of the address's IP, in network order. */
export function ipBytes(address: Address): Bytes {
  return address.family === 4 ? ipv4Bytes(address.ip) : ipv6Bytes(address.ip);
}

/** `ip:port`, `[ip]:port`: equal for equal addresses. */
export function addressText(address: Address): string {
  return address.family === 4 ? `${address.ip}:${address.port}` : `[${address.ip}]:${address.port}`;
}

/** May no node have this address? Port 0, "this network", multicast and beyond, unspecified, link-local (2.9). */
export function isMartian(address: Address): boolean {
  if (address.port <= 0 || address.port > 65535) return true;
  const bytes = ipBytes(address);
  if (address.family === 4) return bytes[0] === 0 || bytes[0] >= 224;
  const linkLocal = bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
  return bytes[0] === 0xff || linkLocal || bytes.every((b) => b === 0);
}

/** Does the address lead to the machine itself? */
export function isLoopback(address: Address): boolean {
  return address.family === 4 ? address.ip.startsWith("127.") : address.ip === "::1";
}

/** What quotas and rates are counted by: the IPv4 address, or the /64 of an IPv6 one (2.9, 6.8). */
export function sourceOf(address: Address): string {
  return address.family === 4 ? address.ip : ipBytes(address).subarray(0, 8).toHex();
}

function ipv4Bytes(ip: string): Bytes {
  return Uint8Array.from(ip.split("."), Number);
}

function ipv6Bytes(ip: string): Bytes {
  const out = new Uint8Array(16);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip);
  const tail = dotted ? ipv4Bytes(dotted[2]) : null;
  const text = tail ? `${dotted?.[1]}${word(tail, 0)}:${word(tail, 2)}` : ip;
  const [left, right] = text.split("::");
  const head = groups(left);
  const end = groups(right ?? "");
  head.forEach((group, i) => put(out, i, group));
  end.forEach((group, i) => put(out, 8 - end.length + i, group));
  return owned(out);
}

function word(bytes: Uint8Array, at: number): string {
  return (bytes[at] << 8 | bytes[at + 1]).toString(16);
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

function put(out: Uint8Array, index: number, group: number): void {
  out[index * 2] = group >> 8;
  out[index * 2 + 1] = group & 0xff;
}

function ipv6Text(ip: Uint8Array): string {
  const full = Array.from({ length: 8 }, (_, i) => word(ip, i * 2)).join(":");
  return new URL(`http://[${full}]`).hostname.slice(1, -1);
}
