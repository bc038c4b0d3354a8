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

/** May the text be registered as a name? The server has the last word. */
export function isName(name: string): boolean {
  return /^[a-zA-Z0-9_-]{3,32}$/.test(name);
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
 * The account that a record names. A record without key and signature is taken on the server's word; one with only one of them is not signed.
 * @throws {NameError} when the record does not hold
 */
export async function checkNameRecord(name: string, record: NameRecord): Promise<AccountId> {
  const account = record.addr.replace(/^0x/, "").toLowerCase();
  if (!isAccountId(account)) throw new NameError("not an account id");
  if (!record.publickey || !record.signature) return account;
  const { key, signature } = readSignature(record.publickey, record.signature);
  if (key.id !== account) throw new NameError("the key is not the account's");
  if (!await key.verify(utf8(name.toLowerCase()), signature)) throw new NameError("bad signature");
  return account;
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
