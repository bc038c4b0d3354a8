/**
 * The outside of a back-up file: a head, then chunks that are sealed one by one (docs/operating.md, "The file"), so that
 * gigabytes pass through little memory.
 *
 * Each chunk is sealed with AES-256-GCM under a nonce of its number and of whether it is the last one, and with the head as
 * additional data: changed, swapped, missing or cut-off parts all fail to open (the STREAM construction of Hoang,
 * Reyhanitabar, Rogaway and Vizár). The salt makes a key of its own for each file, so that no nonce is ever used twice.
 */

import { type Bytes, equal, utf8 } from "../base/bytes.ts";
import type { Random } from "../base/random.ts";
import { CHUNK, KDF_MEMORY, KDF_PASSES, MAX_CHUNK, MAX_KDF_MEMORY, MAX_KDF_PASSES } from "./constants.ts";
import { BackupError } from "./errors.ts";
import { CHECK_BYTES, deriveKey, type KdfCost } from "./passphrase.ts";
import { Reader } from "./reader.ts";

const MAGIC = utf8("KITUOBAK");
const VERSION = 1;
/** Argon2id, version 0x13, one lane. */
const KDF_ARGON2ID = 1;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** Where the fields stand. */
const AT = { version: 8, kdf: 9, passes: 10, memory: 12, chunk: 16, salt: 20, check: 36 } as const;
export const HEAD_BYTES = AT.check + CHECK_BYTES;

const FULL_COST: KdfCost = { memory: KDF_MEMORY, passes: KDF_PASSES };

/** A key with the head that goes in front of what it seals. Good for one file. */
export interface Seal {
  head: Bytes;
  key: CryptoKey;
  chunk: number;
}

/** The beginning of a new file. @param cost for tests, which have no time */
export async function newSeal(
  passphrase: string,
  random: Random,
  { cost = FULL_COST, chunk = CHUNK }: { cost?: KdfCost; chunk?: number } = {},
): Promise<Seal> {
  const head = new Uint8Array(HEAD_BYTES), view = new DataView(head.buffer);
  const salt = random.bytes(SALT_BYTES);
  const { key, check } = await deriveKey(passphrase, salt, cost);
  head.set(MAGIC);
  head[AT.version] = VERSION;
  head[AT.kdf] = KDF_ARGON2ID;
  view.setUint16(AT.passes, cost.passes);
  view.setUint32(AT.memory, cost.memory);
  view.setUint32(AT.chunk, chunk);
  head.set(salt, AT.salt);
  head.set(check, AT.check);
  return { head, key, chunk };
}

/** The file: the head, and `plain` sealed. */
export async function* seal({ head, key, chunk }: Seal, plain: AsyncIterable<Uint8Array>): AsyncGenerator<Bytes> {
  yield head;
  let number = 0;
  const waiting = new Uint8Array(chunk);
  let filled = 0;
  for await (const part of plain) {
    for (let at = 0; at < part.length;) {
      if (filled === chunk) { // only now, for the last chunk is marked
        yield await encrypt(key, head, number++, false, waiting);
        filled = 0;
      }
      const n = Math.min(chunk - filled, part.length - at);
      waiting.set(part.subarray(at, at + n), filled);
      filled += n;
      at += n;
    }
  }
  yield await encrypt(key, head, number, true, waiting.subarray(0, filled));
}

/**
 * What was sealed. What comes out is sound as far as it goes, and whole once the iteration ends without an error.
 * @throws {BackupError} "not a back-up", "passphrase" or "damaged"
 */
export async function* unseal(file: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Bytes> {
  const source = new Reader(file);
  const head = await source.take(HEAD_BYTES);
  const { cost, chunk } = readHead(head);
  const { key, check } = await deriveKey(passphrase, head.slice(AT.salt, AT.check), cost);
  if (!equal(check, head.subarray(AT.check))) throw new BackupError("passphrase", "The passphrase is wrong.");
  for (let number = 0;; number++) {
    const sealed = await source.take(chunk + TAG_BYTES);
    const last = await source.atEnd();
    const plain = await decrypt(key, head, number, last, sealed);
    if (plain === null) throw await damage(key, head, number, last, sealed);
    yield plain;
    if (last) return;
  }
}

/** @throws {BackupError} "not a back-up" */
function readHead(head: Bytes): { cost: KdfCost; chunk: number } {
  if (head.length < HEAD_BYTES || !equal(head.subarray(0, MAGIC.length), MAGIC)) {
    throw new BackupError("not a back-up", "The file is not a back-up of Kituo.");
  }
  const view = new DataView(head.buffer, head.byteOffset);
  const cost = { passes: view.getUint16(AT.passes), memory: view.getUint32(AT.memory) };
  const chunk = view.getUint32(AT.chunk);
  if (head[AT.version] !== VERSION || head[AT.kdf] !== KDF_ARGON2ID) {
    throw new BackupError("not a back-up", "The back-up was made by a newer Kituo: restore it with that one.");
  }
  const isSane = cost.passes >= 1 && cost.passes <= MAX_KDF_PASSES && cost.memory >= 8 &&
    cost.memory <= MAX_KDF_MEMORY && chunk >= 1 && chunk <= MAX_CHUNK;
  if (!isSane) throw new BackupError("damaged", "The head of the back-up is damaged.");
  return { cost, chunk };
}

/** Says what is wrong with a chunk that does not open. */
async function damage(key: CryptoKey, head: Bytes, number: number, last: boolean, sealed: Bytes): Promise<BackupError> {
  const isCut = last && (sealed.length < TAG_BYTES || await decrypt(key, head, number, false, sealed) !== null);
  if (isCut) return new BackupError("damaged", "The back-up is cut off: its end is missing.");
  return new BackupError("damaged", `The back-up is damaged, or cut off, in part ${number + 1}.`);
}

/** The number, then whether it is the last (0 or 1). */
function nonceOf(number: number, last: boolean): Bytes {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(number));
  nonce[NONCE_BYTES - 1] = last ? 1 : 0;
  return nonce;
}

async function encrypt(key: CryptoKey, head: Bytes, number: number, last: boolean, plain: Bytes): Promise<Bytes> {
  const parameters = { name: "AES-GCM", iv: nonceOf(number, last), additionalData: head };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, key, plain));
}

/** @returns null when it was not sealed so */
async function decrypt(
  key: CryptoKey,
  head: Bytes,
  number: number,
  last: boolean,
  sealed: Bytes,
): Promise<Bytes | null> {
  const parameters = { name: "AES-GCM", iv: nonceOf(number, last), additionalData: head };
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, sealed));
  } catch {
    return null; // reason: WebCrypto says no more than that
  }
}
