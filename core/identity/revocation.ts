/** Certificate revocation lists of accounts (account.md 5). */

import { type Bytes, equal, hex } from "../base/bytes.ts";
import { type Certificate, CertificateError, extensionList, readSigned, refusing } from "./certificate.ts";
import { MAX_CRL, MAX_SERIAL } from "./constants.ts";
import { copied, DerReader, integerContent, readDer, Tag, timeValue, unsignedInteger } from "./der.ts";
import { type Digest, pem } from "./keys.ts";

const CRL_NUMBER = "2.5.29.20";

/** An X.509 CRL whose form was checked. It says nothing until `isSignedBy` the account. */
export class RevocationList {
  readonly der: Bytes;
  /** The CRL Number: one more with each new list of an account. `null` when the list has none. A negative one is read as unsigned. */
  readonly number: bigint | null;
  /** When it was made, ms since 1970. */
  readonly thisUpdate: number;
  readonly #issuer: Uint8Array;
  readonly #serials: ReadonlyMap<string, number>;
  readonly #tbs: Uint8Array;
  readonly #signature: Uint8Array;
  readonly #digest: Digest;
  #signer = "";

  private constructor(der: Bytes) {
    const { tbs, algorithm, signature, digest } = readSigned(der);
    const fields = readDer(tbs, Tag.sequence);
    const version = fields.optional(Tag.integer);
    if (version && unsignedInteger(version) !== 1n) throw new CertificateError("unsupported", "CRL version");
    if (!equal(fields.next(Tag.sequence).raw, algorithm)) throw new CertificateError("malformed", "two algorithms");
    this.der = der;
    this.#issuer = fields.next(Tag.sequence).raw;
    this.thisUpdate = timeValue(fields.next());
    // nextUpdate is read over: what was revoked stays so, whether or not a newer list could be had.
    if (fields.peek === Tag.utcTime || fields.peek === Tag.generalizedTime) timeValue(fields.next());
    this.#serials = readEntries(fields.optional(Tag.sequence)?.raw);
    this.number = readNumber(fields.optional(0xa0)?.content);
    fields.end();
    this.#tbs = tbs;
    this.#signature = signature;
    this.#digest = digest;
  }

  /**
   * The list of DER bytes.
   * @throws {CertificateError} "malformed", "too large", "weak" or "unsupported"
   */
  static fromDer(der: Uint8Array): RevocationList {
    if (der.length > MAX_CRL) throw new CertificateError("too large");
    return refusing(() => new RevocationList(copied(der)));
  }

  /** The revoked serials: hex of the raw INTEGER content, with the times of revocation in ms since 1970. */
  get entries(): ReadonlyMap<string, number> {
    return this.#serials;
  }

  /** Did this account (or other CA) make the list? Its name and signature must be right and it must be allowed to. */
  isSignedBy(account: Certificate): boolean {
    if (!account.isCa || !account.mayRevoke || !equal(this.#issuer, account.subject)) return false;
    if (this.#signer === account.publicKey.longId) return true;
    if (!account.publicKey.verifyNow(this.#digest, this.#tbs, this.#signature)) return false;
    this.#signer = account.publicKey.longId;
    return true;
  }

  /** Does the list name this certificate: same issuer name, same serial bytes? Does not look at the signature. */
  revokes(certificate: Certificate): boolean {
    return this.#serials.has(certificate.serial) && equal(this.#issuer, certificate.issuer);
  }

  toPem(): string {
    return pem("X509 CRL", this.der);
  }
}

function readEntries(raw: Uint8Array | undefined): Map<string, number> {
  const serials = new Map<string, number>();
  if (!raw) return serials;
  const entries = readDer(raw, Tag.sequence);
  while (!entries.done) {
    const entry = entries.inside(Tag.sequence);
    const serial = hex(integerContent(entry.next(Tag.integer)));
    serials.set(serial, timeValue(entry.next()));
    entry.optional(Tag.sequence);
    entry.end();
  }
  return serials;
}

function readNumber(content: Uint8Array | undefined): bigint | null {
  let number: bigint | null = null;
  for (const { oid, critical, value } of content ? extensionList(content) : []) {
    if (oid === CRL_NUMBER) {
      const content = integerContent(new DerReader(value).next(Tag.integer));
      if (content.length > MAX_SERIAL) throw new CertificateError("malformed", "CRL number");
      number = BigInt(`0x${hex(content)}`);
    } else if (critical) throw new CertificateError("unsupported", `critical CRL extension ${oid}`);
  }
  return number;
}
