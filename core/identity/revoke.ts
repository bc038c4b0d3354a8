/** Revoking devices of an account: the list that the account's key signs (account.md 5), written with a small DER of our own, for serials are kept byte for byte. */

import { type Bytes, concat, fromHex, utf8 } from "../base/bytes.ts";
import { systemRandom } from "../base/random.ts";
import type { Archive } from "./archive.ts";
import type { Certificate } from "./certificate.ts";
import { Tag } from "./der.ts";
import { RevocationList } from "./revocation.ts";

/** sha512WithRSAEncryption with NULL parameters. */
const SHA512_RSA = fromHex("300d06092a864886f70d01010d0500");
/** The OID 2.5.29.20, CRL Number. */
const CRL_NUMBER = fromHex("0603551d14");
const VERSION_2 = fromHex("020101");
/** From this year on times are no UTCTime (RFC 5280 5.1.2.4). */
const UTC_TIME_ENDS = 2050;

/** What a new list says. */
export interface NewRevocations {
  number: bigint;
  /** ms since 1970 */
  now: number;
  /** The revoked serials, as {@link RevocationList.entries} has them. */
  entries: ReadonlyMap<string, number>;
}

/**
 * The list with one more device: everything that any of `before` revokes stays revoked.
 * @param before what the archive and the database know
 */
export async function revoke(
  { accountKey, accountChain }: Pick<Archive, "accountKey" | "accountChain">,
  device: Certificate,
  before: readonly RevocationList[],
  now: number,
): Promise<RevocationList> {
  const lists = before.filter((list) => list.isSignedBy(accountChain[0]));
  const entries = new Map(lists.flatMap((list) => [...list.entries]));
  if (!entries.has(device.serial)) entries.set(device.serial, now);
  const latest = lists.map(({ number }) => number ?? 0n).reduce((a, b) => a > b ? a : b, 0n);
  const number = latest > 0n ? latest + 1n : systemRandom.id() >> 2n | 1n;
  return await signRevocations({ accountKey, accountChain }, { number, now, entries });
}

/** Signs a list. */
export async function signRevocations(
  { accountKey, accountChain: [account] }: Pick<Archive, "accountKey" | "accountChain">,
  { number, now, entries }: NewRevocations,
): Promise<RevocationList> {
  const revoked = [...entries].map(([serial, at]) => sequence(element(Tag.integer, fromHex(serial)), time(at)));
  const extension = sequence(CRL_NUMBER, element(Tag.octetString, element(Tag.integer, positive(number))));
  const tbs = sequence(
    VERSION_2,
    SHA512_RSA,
    account.subject,
    time(now),
    time(account.notAfter),
    ...revoked.length > 0 ? [sequence(...revoked)] : [],
    element(0xa0, sequence(extension)),
  );
  const signature = await accountKey.sign(tbs);
  return RevocationList.fromDer(sequence(tbs, SHA512_RSA, element(Tag.bitString, concat(Uint8Array.of(0), signature))));
}

function sequence(...parts: Uint8Array[]): Bytes {
  return element(Tag.sequence, concat(...parts));
}

function element(tag: number, content: Uint8Array): Bytes {
  return concat(Uint8Array.of(tag, ...lengthOf(content.length)), content);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** An unsigned number as INTEGER content. */
function positive(number: bigint): Bytes {
  const digits = number.toString(16);
  const bytes = fromHex(digits.length % 2 ? `0${digits}` : digits);
  return bytes[0] & 0x80 ? concat(Uint8Array.of(0), bytes) : bytes;
}

function time(ms: number): Bytes {
  const digits = new Date(ms).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  const isOld = Number(digits.slice(0, 4)) < UTC_TIME_ENDS;
  return isOld ? element(Tag.utcTime, utf8(digits.slice(2))) : element(Tag.generalizedTime, utf8(digits));
}
