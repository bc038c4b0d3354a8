/** The address by which a new device is linked: `jami-auth://<64 hex device id>/<6 digits>` (account.md 9.2). */

import type { DeviceId } from "./ids.ts";

const CODES = 900_000;

/** Whom a device of the account is to connect to, and with what code. */
export interface LinkUri {
  device: DeviceId;
  code: string;
}

/** The text that a person copies or scans. */
export function formatLinkUri({ device, code }: LinkUri): string {
  return `jami-auth://${device}/${code}`;
}

/** What a text says; `null` when it is no such address. */
export function parseLinkUri(text: string): LinkUri | null {
  const [, device, code] = /^jami-auth:\/\/([0-9a-f]{64})\/([1-9][0-9]{5})$/i.exec(text.trim()) ?? [];
  return device === undefined ? null : { device: device.toLowerCase(), code };
}

/** A code from 100000 to 999999. @param random uniform, from 0 to below 1 */
export function linkCode(random: number): string {
  return `${100_000 + Math.floor(random * CODES)}`;
}
