/** Accounts exported with a PIN over the DHT, as the generation of 2023 does (account.md 9.1). */

import { createHash } from "node:crypto";
import { type Bytes, text, utf8 } from "../base/bytes.ts";
import { type Archive, ArchiveError, decompress, parseArchive } from "./archive.ts";
import { MAX_PIN_EXPORT, PIN_PERIOD } from "./constants.ts";
import { stretch, unseal } from "./stretch.ts";

/** Where an export lies on the DHT, and the key that opens it. */
export interface PinKey {
  /** The salt's text: the PIN and the period. */
  salt: string;
  key: Bytes;
  /** DHT key, 40 hex digits. */
  dhtKey: string;
}

/** Is the text a PIN (either case)? */
export function isPin(pin: string): boolean {
  return /^[0-9A-Za-z]{8}$/.test(pin);
}

/**
 * The keys of a PIN: for the period now, and for the one before.
 * @param now ms since 1970
 * @throws {ArchiveError} "malformed" when the text is not a PIN
 */
export async function pinKeys(pin: string, password: string, now: number): Promise<PinKey[]> {
  if (!isPin(pin)) throw new ArchiveError("malformed", "not a PIN");
  const period = Math.floor(now / PIN_PERIOD);
  return await Promise.all([period, period - 1].map(async (T) => {
    const salt = pin.toUpperCase() + T.toString(16);
    const key = await stretch(password, utf8(salt));
    return { salt, key, dhtKey: createHash("sha1").update(key).digest("hex") };
  }));
}

/**
 * The archive in the data of an export value, or `null` when this key does not open it (anyone may put values there).
 * @throws {ArchiveError} when it opens but is not an archive
 */
export async function openPinExport(data: Uint8Array, key: Bytes): Promise<Archive | null> {
  if (data.length > MAX_PIN_EXPORT) return null;
  const plain = await unseal(key, data);
  return plain && parseArchive(text(await decompress(plain)));
}
