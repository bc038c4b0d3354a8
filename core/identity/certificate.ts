/**
 * One X.509 certificate (RFC 5280, account.md 1.1). Read with a small DER walk of our own: half of the field's serial numbers are negative, names are
 * compared byte for byte, and certificates come from strangers.
 */

import { type Bytes, equal, hex, text } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { MAX_CERTIFICATE, MAX_CHAIN, MAX_CHAIN_PEM, MAX_SERIAL } from "./constants.ts";
import {
  bitStringBytes,
  booleanValue,
  copied,
  DerReader,
  integerContent,
  oidText,
  readDer,
  Tag,
  timeValue,
  unsignedInteger,
} from "./der.ts";
import { type Digest, KeyError, pem, PublicKey } from "./keys.ts";

/** Why a certificate or a chain is refused. */
export type CertificateFault =
  | "malformed"
  | "too large"
  | "unsupported"
  | "weak"
  | "incomplete chain"
  | "self-signed leaf"
  | "name mismatch"
  | "bad signature"
  | "not yet valid"
  | "expired"
  | "not a CA"
  | "revoked"
  | "wrong device"
  | "wrong account";

/** A certificate, a chain or a revocation list that is refused. */
export class CertificateError extends KituoError {
  constructor(readonly reason: CertificateFault, detail?: string, options?: ErrorOptions) {
    super(detail ? `${reason}: ${detail}` : reason, options);
  }
}

const UID = "0.9.2342.19200300.100.1.1";
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";

/** Critical extensions that we either honour or that do not matter to this network (names of hosts, purposes). */
const KNOWN_CRITICAL = new Set([BASIC_CONSTRAINTS, KEY_USAGE, "2.5.29.17", "2.5.29.37"]);

/** sha*WithRSAEncryption with NULL parameters, and ecdsa-with-SHA* without any. */
const DIGESTS = new Map<string, Digest>([
  ["300a06082a8648ce3d040302", "SHA-256"],
  ["300a06082a8648ce3d040303", "SHA-384"],
  ["300a06082a8648ce3d040304", "SHA-512"],
  ["300d06092a864886f70d01010b0500", "SHA-256"],
  ["300d06092a864886f70d01010c0500", "SHA-384"],
  ["300d06092a864886f70d01010d0500", "SHA-512"],
]);

/** md2, md4, md5 and sha1 with RSA. */
const WEAK_SIGNATURES = new Set([2, 3, 4, 5].map((n) => `1.2.840.113549.1.1.${n}`));

/** The parts of a certificate, as read. */
interface Fields {
  tbs: Uint8Array;
  signature: Uint8Array;
  digest: Digest;
  serial: string;
  issuer: Uint8Array;
  subject: Uint8Array;
  notBefore: number;
  notAfter: number;
  publicKey: PublicKey;
  extensions: Extensions;
}

interface Extensions {
  isCa: boolean;
  pathLength: number | null;
  mayCertify: boolean;
  mayRevoke: boolean;
}

/** An X.509 certificate whose form was checked; whether it can be trusted, `checkChain` says. */
export class Certificate {
  readonly der: Bytes;
  readonly publicKey: PublicKey;
  /** The serial number: hex of the raw INTEGER content, two's complement. */
  readonly serial: string;
  /** The Name of the subject, DER. */
  readonly subject: Bytes;
  /** The Name of the issuer, DER. */
  readonly issuer: Bytes;
  /** The UID in the subject's name, "" if there is none. Anyone may write anything here. */
  readonly subjectUid: string;
  /** The UID in the issuer's name, "" if there is none. */
  readonly issuerUid: string;
  /** Start of validity, ms since 1970. */
  readonly notBefore: number;
  /** End of validity, ms since 1970. */
  readonly notAfter: number;
  /** basicConstraints says CA:TRUE. */
  readonly isCa: boolean;
  /** How many CA certificates may stand between this one and a leaf; `null`: any number. */
  readonly pathLength: number | null;
  /** keyUsage has keyCertSign, or there is no keyUsage (RFC 5280 6.1.4 n). */
  readonly mayCertify: boolean;
  /** keyUsage has cRLSign, or there is no keyUsage. */
  readonly mayRevoke: boolean;
  readonly #tbs: Uint8Array;
  readonly #signature: Uint8Array;
  readonly #digest: Digest;
  /** `longId` of the last key that proved to be the signer: the same pair is checked again and again. */
  #signer = "";

  private constructor(der: Bytes) {
    const fields = readCertificate(der);
    this.der = der;
    this.publicKey = fields.publicKey;
    this.serial = fields.serial;
    this.subject = copied(fields.subject);
    this.issuer = copied(fields.issuer);
    this.subjectUid = uidOf(fields.subject);
    this.issuerUid = uidOf(fields.issuer);
    this.notBefore = fields.notBefore;
    this.notAfter = fields.notAfter;
    this.isCa = fields.extensions.isCa;
    this.pathLength = fields.extensions.pathLength;
    this.mayCertify = fields.extensions.mayCertify;
    this.mayRevoke = fields.extensions.mayRevoke;
    this.#tbs = fields.tbs;
    this.#signature = fields.signature;
    this.#digest = fields.digest;
  }

  /**
   * The certificate of DER bytes.
   * @throws {CertificateError} "malformed", "too large", "unsupported" (critical extensions) or "weak" (key or signature algorithm)
   */
  static fromDer(der: Uint8Array): Certificate {
    if (der.length > MAX_CERTIFICATE) throw new CertificateError("too large");
    return refusing(() => new Certificate(copied(der)));
  }

  /**
   * All certificates of a PEM text in their order (leaf first in every file and value). Other bytes around them are skipped: on the DHT a msgpack
   * header comes first (account.md 1.3).
   * @throws {CertificateError} when there is none, one is refused, or there are too many
   */
  static listFromPem(pemText: string): Certificate[] {
    if (pemText.length > MAX_CHAIN_PEM) throw new CertificateError("too large");
    const blocks = pemText.split("-----BEGIN CERTIFICATE-----").slice(1);
    if (blocks.length === 0) throw new CertificateError("malformed", "no certificate");
    if (blocks.length > MAX_CHAIN) throw new CertificateError("too large", "too many certificates");
    return blocks.map((block) => {
      const end = block.indexOf("-----END CERTIFICATE-----");
      if (end < 0) throw new CertificateError("malformed", "PEM without end");
      return Certificate.fromDer(refusing(() => Uint8Array.fromBase64(block.slice(0, end))));
    });
  }

  toPem(): string {
    return pem("CERTIFICATE", this.der);
  }

  /** Is the issuer its own subject? */
  get isSelfIssued(): boolean {
    return equal(this.subject, this.issuer);
  }

  /** Did the key of `issuer` sign this certificate? Looks at nothing else. */
  isSignedBy(issuer: Certificate): boolean {
    if (this.#signer === issuer.publicKey.longId) return true;
    if (!issuer.publicKey.verifyNow(this.#digest, this.#tbs, this.#signature)) return false;
    this.#signer = issuer.publicKey.longId;
    return true;
  }
}

/** The PEM text of a chain, leaf first. */
export function chainToPem(chain: Certificate[]): string {
  return chain.map((certificate) => certificate.toPem()).join("");
}

/** Runs a reader; whatever it throws becomes a CertificateError. */
export function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(error instanceof KeyError ? "weak" : "malformed", messageOf(error), { cause: error });
  }
}

function readCertificate(der: Bytes): Fields {
  const { tbs, algorithm, signature, digest } = readSigned(der);
  const fields = readDer(tbs, Tag.sequence);
  const version = fields.optional(0xa0);
  if (version && unsignedInteger(readOne(version.content)) !== 2n) throw new CertificateError("unsupported", "version");
  const serial = integerContent(fields.next(Tag.integer));
  if (serial.length > MAX_SERIAL) throw new CertificateError("malformed", "serial number");
  if (!equal(fields.next(Tag.sequence).raw, algorithm)) throw new CertificateError("malformed", "two algorithms");
  const issuer = fields.next(Tag.sequence).raw;
  const validity = fields.inside(Tag.sequence);
  const [notBefore, notAfter] = [timeValue(validity.next()), timeValue(validity.next())];
  validity.end();
  const subject = fields.next(Tag.sequence).raw;
  const publicKey = PublicKey.inCertificate(fields.next(Tag.sequence).raw);
  fields.optional(0x81);
  fields.optional(0x82);
  const extensions = readExtensions(fields.optional(0xa3)?.content);
  fields.end();
  return { tbs, signature, digest, serial: hex(serial), issuer, subject, notBefore, notAfter, publicKey, extensions };
}

/**
 * The parts of any signed structure: certificates and revocation lists.
 * @throws {CertificateError} "weak" or "unsupported" when the signature algorithm is not RSA or ECDSA with SHA-2
 * @throws {ProtocolError} when the form is broken
 */
export function readSigned(
  der: Bytes,
): { tbs: Uint8Array; algorithm: Uint8Array; signature: Uint8Array; digest: Digest } {
  const outer = readDer(der, Tag.sequence);
  const tbs = outer.next(Tag.sequence).raw;
  const algorithm = outer.next(Tag.sequence).raw;
  const signature = bitStringBytes(outer.next(Tag.bitString));
  outer.end();
  const digest = DIGESTS.get(hex(algorithm));
  if (digest === undefined) {
    const oid = oidText(readDer(algorithm, Tag.sequence).next(Tag.oid));
    throw new CertificateError(WEAK_SIGNATURES.has(oid) ? "weak" : "unsupported", `signature algorithm ${oid}`);
  }
  return { tbs, algorithm, signature, digest };
}

function readOne(content: Uint8Array) {
  const reader = new DerReader(content);
  const element = reader.next();
  reader.end();
  return element;
}

/** One extension of a certificate, a revocation list or one of its entries. */
export interface Extension {
  oid: string;
  critical: boolean;
  value: Uint8Array;
}

/** The extensions in the content of their explicit tag. @throws {CertificateError} on two of a kind @throws {ProtocolError} */
export function extensionList(content: Uint8Array): Extension[] {
  const list = readDer(content, Tag.sequence);
  const found = new Map<string, Extension>();
  while (!list.done) {
    const extension = list.inside(Tag.sequence);
    const oid = oidText(extension.next(Tag.oid));
    const flag = extension.optional(Tag.boolean);
    const value = extension.next(Tag.octetString).content;
    extension.end();
    if (found.has(oid)) throw new CertificateError("malformed", `extension ${oid} twice`);
    found.set(oid, { oid, critical: flag !== null && booleanValue(flag), value });
  }
  return [...found.values()];
}

function readExtensions(content: Uint8Array | undefined): Extensions {
  const out: Extensions = { isCa: false, pathLength: null, mayCertify: true, mayRevoke: true };
  for (const { oid, critical, value } of content ? extensionList(content) : []) {
    if (critical && !KNOWN_CRITICAL.has(oid)) throw new CertificateError("unsupported", `critical extension ${oid}`);
    if (oid === BASIC_CONSTRAINTS) {
      const fields = readDer(value, Tag.sequence);
      const flag = fields.optional(Tag.boolean);
      const pathLength = fields.optional(Tag.integer);
      fields.end();
      out.isCa = flag !== null && booleanValue(flag);
      out.pathLength = pathLength && Math.min(Number(unsignedInteger(pathLength)), MAX_CHAIN);
    } else if (oid === KEY_USAGE) {
      const bits = readOne(value);
      if (bits.tag !== Tag.bitString) throw new CertificateError("malformed", "keyUsage");
      const first = bits.content[1] ?? 0;
      out.mayCertify = (first & 0x04) !== 0;
      out.mayRevoke = (first & 0x02) !== 0;
    }
  }
  return out;
}

/** The first UID in a Name. Its characters are taken as UTF-8 whatever their string type: it is only compared with other such texts. */
function uidOf(name: Uint8Array): string {
  const rdns = readDer(name, Tag.sequence);
  let uid = "";
  while (!rdns.done) {
    const rdn = rdns.inside(Tag.set);
    while (!rdn.done) {
      const attribute = rdn.inside(Tag.sequence);
      const isUid = oidText(attribute.next(Tag.oid)) === UID;
      const value = attribute.next();
      attribute.end();
      if (isUid && uid === "") uid = text(value.content);
    }
  }
  return uid;
}
