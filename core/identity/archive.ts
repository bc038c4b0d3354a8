/** The account archive: everything needed to make new devices of an account (account.md 2). */

import { promisify } from "node:util";
import { deflate, gunzip, gzip, inflate } from "node:zlib";
import { base64, type Bytes, concat, fromBase64, strictText, text, utf8 } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Certificate, chainToPem } from "./certificate.ts";
import { MAX_ARCHIVE, MAX_ARCHIVE_JSON, MAX_CONTACTS } from "./constants.ts";
import { isAccountId } from "./ids.ts";
import { PrivateKey } from "./keys.ts";
import { RevocationList } from "./revocation.ts";
import { SALT, seal, stretch, unseal } from "./stretch.ts";

/** Why an archive cannot be read. */
export type ArchiveFault = "malformed" | "too large" | "wrong password" | "password needed";

/** An archive that cannot be read. */
export class ArchiveError extends KituoError {
  constructor(readonly reason: ArchiveFault, detail?: string, options?: ErrorOptions) {
    super(detail ? `${reason}: ${detail}` : reason, options);
  }
}

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Records by id, each as JSON holds it (account.md 6.4, 8.2): kept whole, known or not, so that nothing is lost between readers. */
export type Records = Record<string, { [key: string]: Json }>;

/** The content of an archive. */
export interface Archive {
  accountKey: PrivateKey;
  /** The account's certificate, then its authorities. */
  accountChain: Certificate[];
  /** The authority's key: needed to renew certificates. */
  caKey: PrivateKey | null;
  /** secp256k1 secret key, 32 bytes. */
  ethereumKey: Bytes | null;
  /** All devices revoked so far. */
  revocations: RevocationList | null;
  /** By account id. */
  contacts: Records;
  /** By conversation id. */
  conversations: Records;
  /** By conversation id. */
  conversationRequests: Records;
  /** Account settings by the names of account.md 12. */
  settings: Record<string, string>;
}

const GZIP_MAGIC = [0x1f, 0x8b, 0x08];

/** Settings that belong to one device, or leak its key: neither read nor written (account.md 2.2). */
const LOCAL_SETTINGS = new Set([
  "TLS.certificateFile",
  "TLS.privateKeyFile",
  "TLS.certificateListFile",
  "Account.dhtProxyListUrl",
  "Account.autoAnswer",
  "Account.proxyEnabled",
  "Account.proxyServer",
  "Account.proxyPushToken",
  "Account.ringtonePath",
  "Account.archivePath",
  "Account.deviceID",
  "Account.deviceName",
  "DHT.port",
]);

/**
 * Reads an archive file.
 * @param password the one it was written with; absent or "" when it has none
 * @throws {ArchiveError} "wrong password", "password needed", "too large" or "malformed"
 */
export async function readArchive(file: Uint8Array, password = ""): Promise<Archive> {
  return parseArchive(await openContainer(file, password));
}

/**
 * The JSON text in an archive file.
 * @throws {ArchiveError}
 */
export async function openContainer(file: Uint8Array, password = ""): Promise<string> {
  if (file.length > MAX_ARCHIVE) throw new ArchiveError("too large");
  // Some web servers compress once more what they hand out.
  const outer = isGzip(file) ? await decompress(file) : file;
  if (password === "") {
    const json = isGzip(outer) ? await decompress(outer) : outer;
    const found = strictText(json);
    if (found === null || !found.trimStart().startsWith("{")) throw new ArchiveError("password needed");
    return found;
  }
  if (outer.length <= SALT) throw new ArchiveError("malformed", "too short");
  const plain = await unseal(await stretch(password, outer.subarray(0, SALT)), outer.subarray(SALT));
  if (!plain) throw new ArchiveError("wrong password");
  return text(await decompress(plain));
}

/** An archive file: gzip without a password, else salt, nonce and the sealed zlib text (account.md 2.1). */
export async function writeArchive(archive: Archive, password = ""): Promise<Bytes> {
  const json = utf8(formatArchive(archive));
  if (password === "") return new Uint8Array(await promisify(gzip)(json));
  const salt = crypto.getRandomValues(new Uint8Array(SALT));
  // A file that happened to begin like gzip could never be read again.
  while (isGzip(salt)) crypto.getRandomValues(salt);
  const key = await stretch(password, salt);
  return concat(salt, await seal(key, await promisify<Uint8Array, Uint8Array>(deflate)(json)));
}

/**
 * What gzip or zlib bytes hold.
 * @throws {ArchiveError} "too large" when it would grow beyond the limit, else "malformed"
 */
export async function decompress(bytes: Uint8Array): Promise<Bytes> {
  const options = { maxOutputLength: MAX_ARCHIVE_JSON };
  try {
    const run = isGzip(bytes) ? gunzip : inflate;
    return new Uint8Array(await promisify<Uint8Array, typeof options, Uint8Array>(run)(bytes, options));
  } catch (error) {
    const large = error instanceof RangeError || (error instanceof Error && /larger than/.test(error.message));
    throw new ArchiveError(large ? "too large" : "malformed", messageOf(error));
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return GZIP_MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * The archive of its JSON text (account.md 2.2).
 * @throws {ArchiveError} "malformed"
 */
export function parseArchive(json: string): Archive {
  try {
    const fields = asObject(parseJson(json), "archive");
    const bytes = (name: string) => typeof fields[name] === "string" ? fromBase64(fields[name]) : null;
    const pemText = (name: string) => text(bytes(name) ?? new Uint8Array(0));
    const accountKey = PrivateKey.fromPem(pemText("ringAccountKey"));
    const accountChain = Certificate.listFromPem(pemText("ringAccountCert"));
    if (!accountChain[0].publicKey.equals(accountKey.publicKey)) throw new Error("key and certificate do not match");
    const ethereumKey = bytes("ethKey");
    const crl = bytes("ringAccountCRL");
    const contacts = asRecords(fields.ringAccountContacts);
    if (!Object.keys(contacts).every(isAccountId)) throw new Error("a contact without account id");
    return {
      accountKey,
      accountChain,
      caKey: fields.ringCaKey ? PrivateKey.fromPem(pemText("ringCaKey")) : null,
      ethereumKey: ethereumKey && ethereumKey.length > 0 ? ethereumKey : null,
      revocations: crl ? RevocationList.fromDer(crl) : null,
      contacts,
      conversations: asRecords(fields.conversations),
      conversationRequests: asRecords(fields.conversationsRequests),
      settings: settingsOf(fields),
    };
  } catch (error) {
    throw new ArchiveError("malformed", messageOf(error), { cause: error });
  }
}

/** As JSON.parse, whose own message would quote the text: keys do not belong in messages. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error("not JSON");
  }
}

/** The JSON text of an archive. */
export function formatArchive(archive: Archive): string {
  const { accountKey, accountChain, caKey, ethereumKey, revocations } = archive;
  const ifAny = (records: Records) => Object.keys(records).length > 0 ? records : undefined;
  return JSON.stringify({
    ...settingsOf(archive.settings),
    ringAccountKey: base64(utf8(accountKey.toPem())),
    ringAccountCert: base64(utf8(chainToPem(accountChain))),
    ringCaKey: caKey ? base64(utf8(caKey.toPem())) : undefined,
    ethKey: ethereumKey ? base64(ethereumKey) : undefined,
    ringAccountCRL: revocations ? base64(revocations.der) : undefined,
    ringAccountContacts: ifAny(archive.contacts),
    conversations: ifAny(archive.conversations),
    conversationsRequests: ifAny(archive.conversationRequests),
  });
}

const NOT_SETTINGS = new Set(["ringAccountKey", "ringAccountCert", "ringCaKey", "ethKey", "ringAccountCRL"]);

function settingsOf(fields: Record<string, unknown>): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== "string" || NOT_SETTINGS.has(name) || LOCAL_SETTINGS.has(name)) continue;
    if (name !== "__proto__") settings[name] = value;
  }
  return settings;
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return { ...value };
}

/** Records as JSON holds them. @throws when they are something else, or too many */
export function asRecords(value: unknown): Records {
  const records: Records = {};
  const entries = value === undefined ? [] : Object.entries(asObject(value, "records"));
  if (entries.length > MAX_CONTACTS) throw new Error("too many records");
  for (const [id, record] of entries) {
    if (id === "__proto__") throw new Error("not an id");
    records[id] = asObject(record, "a record") as Records[string]; // reason: it comes from JSON.parse, which makes nothing else
  }
  return records;
}
