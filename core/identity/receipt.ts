/** The receipt of a device and the announcement in it: what the account key signs once, so that it can stay away afterwards (account.md 3). */

import { base64, type Bytes, equal, fromBase64, fromHex, utf8 } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { asBytes, asMap, asUint, decode, encode } from "../base/msgpack.ts";
import { MAX_RECEIPT } from "./constants.ts";
import { type AccountId, isAccountId, type ShortId } from "./ids.ts";
import { type PrivateKey, PublicKey } from "./keys.ts";

/** A receipt or an announcement that does not hold. */
export class ReceiptError extends KituoError {}

/** What a receipt says. */
export interface Receipt {
  account: AccountId;
  device: ShortId;
  /** Ethereum address of the account, 40 hex digits; may be empty. */
  ethereum: string;
  /** The packed DHT value with id 0. */
  announcement: Bytes;
}

/** What an announcement says, its signature checked. */
export interface Announcement {
  /** The key that signed it: the account's. */
  owner: PublicKey;
  /** SHA-1 of the device's key. */
  dev: ShortId;
  /** The device's key; old peers leave it out. */
  pk: PublicKey | null;
}

/** The packed announcement of a device, with value id 0. */
export async function makeAnnouncement(account: PrivateKey, device: PublicKey): Promise<Bytes> {
  const body = {
    seq: 0,
    owner: account.publicKey.spki,
    type: 0,
    data: encode({ dev: fromHex(device.id), pk: device.spki }),
  };
  return encode({ id: 0, dat: { body, sig: await account.sign(encode(body)) } });
}

/**
 * What a packed announcement says.
 * @throws {ReceiptError} when its form or its signature is wrong
 */
export async function readAnnouncement(packed: Uint8Array): Promise<Announcement> {
  const { body, signature, ...announcement } = readingReceipt(() => parseAnnouncement(packed));
  if (!await announcement.owner.verify(body, signature)) throw new ReceiptError("announcement: bad signature");
  return announcement;
}

function parseAnnouncement(packed: Uint8Array): Announcement & { body: Bytes; signature: Bytes } {
  const dat = asMap(asMap(decode(packed), "value").get("dat"), "dat");
  const body = asMap(dat.get("body"), "body");
  if (asUint(body.get("type"), "type") !== 0) throw new ReceiptError("announcement: another type of value");
  const data = asMap(decode(asBytes(body.get("data"), "data")), "data");
  const pk = data.get("pk");
  return {
    body: encode(body),
    signature: asBytes(dat.get("sig"), "sig"),
    owner: PublicKey.fromSpki(asBytes(body.get("owner"), "owner")),
    dev: asBytes(data.get("dev"), "dev").toHex(),
    pk: pk === undefined ? null : PublicKey.fromSpki(asBytes(pk, "pk")),
  };
}

/** The text of a receipt: this exact form, for its bytes are signed. */
export function receiptText(receipt: Receipt): string {
  const { account, device, ethereum, announcement } = receipt;
  return `{"id":"${account}","dev":"${device}","eth":"${ethereum}","announce":"${base64(announcement)}"}`;
}

/**
 * What a receipt says; its signature is not looked at.
 * @throws {ReceiptError} when its form is wrong
 */
export function parseReceipt(receipt: string): Receipt {
  if (receipt.length > MAX_RECEIPT) throw new ReceiptError("too large");
  const fields = readingReceipt<unknown>(() => JSON.parse(receipt));
  const field = (name: string): string => {
    const value = isObject(fields) ? fields[name] : undefined;
    if (typeof value !== "string") throw new ReceiptError(`no ${name}`);
    return value;
  };
  const [account, device] = [field("id"), field("dev")];
  if (!isAccountId(account) || !isAccountId(device)) throw new ReceiptError("not an id");
  return { account, device, ethereum: field("eth"), announcement: readingReceipt(() => fromBase64(field("announce"))) };
}

/** Signs the text of a receipt with the account's key. */
export function signReceipt(account: PrivateKey, receipt: string): Promise<Bytes> {
  return account.sign(utf8(receipt));
}

/**
 * Checks a receipt and its announcement against the account and the device they must be for (account.md 3, "at each start").
 * @returns the announcement
 * @throws {ReceiptError} with what is wrong
 */
export async function checkReceipt(
  receipt: string,
  signature: Uint8Array,
  account: PublicKey,
  device: PublicKey,
): Promise<Bytes> {
  if (!await account.verify(utf8(receipt), signature)) throw new ReceiptError("bad signature");
  const said = parseReceipt(receipt);
  if (said.account !== account.id) throw new ReceiptError("for another account");
  if (said.device !== device.id) throw new ReceiptError("for another device");
  const announcement = await readAnnouncement(said.announcement);
  if (!equal(announcement.owner.spki, account.spki)) throw new ReceiptError("announcement: of another account");
  if (announcement.dev !== device.id) throw new ReceiptError("announcement: of another device");
  if (announcement.pk && !announcement.pk.equals(device)) throw new ReceiptError("announcement: another device key");
  return said.announcement;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readingReceipt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ReceiptError ? error : new ReceiptError(messageOf(error), { cause: error });
  }
}
