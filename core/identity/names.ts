/** Registered names, as name servers hand them out and take them (account.md 10.1). No network here. */

import { base64, fromBase64, text, utf8 } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { ethereumAddress } from "./ethereum.ts";
import { type AccountId, isAccountId } from "./ids.ts";
import { type PrivateKey, PublicKey } from "./keys.ts";

/** What a name server says, or is told, that does not hold. */
export class NameError extends KituoError {}

/** The body of a registration, keys in this order. */
export interface RegisterRequest {
  addr: AccountId;
  /** Ethereum address, 40 hex digits. */
  owner: string;
  /** base64 of the account's signature of the lower-case name. */
  signature: string;
  /** base64 of the account's key in PEM. */
  publickey: string;
}

/** The answer to a look-up. */
export interface NameRecord {
  addr: string;
  publickey?: string | undefined;
  signature?: string | undefined;
}

/** A registration that holds. */
export interface Registration {
  /** in lower case */
  name: string;
  account: AccountId;
  owner: string;
  key: PublicKey;
  /** base64 */
  signature: string;
}

/** May the text be registered as a name? The server has the last word. */
export function isName(name: string): boolean {
  return /^[a-zA-Z0-9_-]{3,32}$/.test(name);
}

/**
 * May the text be looked up as a name? Servers of organisations give out others than {@link isName} allows; but it must fit into a path, and be neither
 * a Jami ID nor dots only, which a URL would lose.
 */
export function isNameToLookUp(name: string): boolean {
  return /^[^\p{C}\p{Z}/\\?#@:]{1,64}$/u.test(name) && /[\p{L}\p{N}]/u.test(name) && !isAccountId(name.toLowerCase());
}

/**
 * The body of `POST /name/<name>`.
 * @throws {NameError} when the name cannot be one
 */
export async function registerRequest(
  name: string,
  account: PrivateKey,
  ethereumKey: Uint8Array,
): Promise<RegisterRequest> {
  if (!isName(name)) throw new NameError("3 to 32 letters, digits, - or _");
  return {
    addr: account.publicKey.id,
    owner: ethereumAddress(ethereumKey),
    signature: base64(await account.sign(utf8(name.toLowerCase()))),
    publickey: base64(utf8(account.publicKey.toPem())),
  };
}

/**
 * A registration that somebody asks for, from the parsed JSON of its body; `null` when it lacks something.
 * @param name one that {@link isName} allows
 * @throws {NameError} when it is not signed by the account
 */
export async function checkRegistration(name: string, body: unknown): Promise<Registration | null> {
  if (typeof body !== "object" || body === null) return null;
  const { addr, owner, signature, publickey } = { addr: "", owner: "", signature: "", publickey: "", ...body };
  const account = hexAddress(addr), ethereum = hexAddress(owner);
  if (!account || !ethereum || typeof signature !== "string" || typeof publickey !== "string") return null;
  if (!signature || !publickey) return null;
  const signed = await checkSignature(name, account, publickey, signature);
  return { name: name.toLowerCase(), account, owner: ethereum, key: signed.key, signature: base64(signed.signature) };
}

/**
 * The account that a record names. A record without key and signature is taken on the server's word; one with only one of them is not signed.
 * @throws {NameError} when the record does not hold
 */
export async function checkNameRecord(name: string, record: NameRecord): Promise<AccountId> {
  const account = hexAddress(record.addr);
  if (!account) throw new NameError("not an account id");
  if (record.publickey && record.signature) await checkSignature(name, account, record.publickey, record.signature);
  return account;
}

/** 40 hex digits, with or without "0x"; "" when it is not that. */
function hexAddress(address: unknown): AccountId {
  const digits = typeof address === "string" ? address.replace(/^0x/, "").toLowerCase() : "";
  return isAccountId(digits) ? digits : "";
}

async function checkSignature(name: string, account: AccountId, publicKey: string, signature: string) {
  const signed = readSignature(publicKey, signature);
  if (signed.key.id !== account) throw new NameError("the key is not the account's");
  if (!await signed.key.verify(utf8(name.toLowerCase()), signed.signature)) throw new NameError("bad signature");
  return signed;
}

function readSignature(publicKey: string, signature: string) {
  try {
    const bytes = fromBase64(publicKey);
    // PEM, with a NUL at its end from the daemons of 2023, or DER
    const key = bytes[0] === 0x30 ? PublicKey.fromSpki(bytes) : PublicKey.fromPem(text(bytes));
    return { key, signature: fromBase64(signature) };
  } catch (error) {
    throw new NameError(messageOf(error), { cause: error });
  }
}
