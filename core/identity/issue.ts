/** Making certificates after the table of account.md 1.1. */

import { KituoError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { equal, hex } from "../base/bytes.ts";
import { Certificate } from "./certificate.ts";
import { CERTIFICATE_LIFETIME, CLOCK_LEEWAY, SERIAL_BYTES } from "./constants.ts";
import type { PrivateKey, PublicKey } from "./keys.ts";
import type { x509 as X509 } from "./x509.ts";

const UID = "0.9.2342.19200300.100.1.1";
const COMMON_NAME = "2.5.4.3";

/** Our own certificate could not be made as it must be. */
export class IssueError extends KituoError {}

/** The three kinds of certificate and their common names. */
const COMMON_NAMES = { ca: "Jami CA", account: "Jami", device: "Jami device" } as const;

/** What a certificate shall say. */
export interface CertificateRequest {
  kind: keyof typeof COMMON_NAMES;
  /** The key it is for. */
  subject: PublicKey;
  /** Who signs; `null` when the subject signs for itself. */
  issuer: Certificate | null;
  /** The signer's key. */
  signer: PrivateKey;
  /** ms since 1970; validity begins a little earlier. */
  now: number;
}

/**
 * A new certificate.
 * @throws {IssueError} when it does not come out with the issuer's name byte for byte
 */
export async function issueCertificate(request: CertificateRequest): Promise<Certificate> {
  const { kind, subject, issuer, signer, now } = request;
  // Only when it is needed, once in a node's life: the library takes some 20 MiB.
  const { x509 } = await import("./x509.ts");
  const subjectName = nameOf(x509, COMMON_NAMES[kind], subject.id);
  const notBefore = Math.floor((now - CLOCK_LEEWAY) / 1000) * 1000;
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: hex(positiveSerial()),
    subject: subjectName,
    issuer: issuer ? new x509.Name(issuer.subject) : subjectName,
    notBefore: new Date(notBefore),
    notAfter: new Date(notBefore + CERTIFICATE_LIFETIME),
    publicKey: new x509.PublicKey(subject.spki),
    signingKey: await signer.signer("SHA-384"),
    signingAlgorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
    extensions: kind === "device" ? [] : authorityExtensions(x509, subject),
  });
  const certificate = Certificate.fromDer(new Uint8Array(made.rawData));
  if (issuer && !equal(certificate.issuer, issuer.subject)) throw new IssueError("the issuer's name was changed");
  return certificate;
}

/** One PrintableString attribute in each of two RDNs, in the order that all of the field's certificates have. */
function nameOf(x509: typeof X509, commonName: string, uid: string) {
  return new x509.Name([
    { [COMMON_NAME]: [{ printableString: commonName }] },
    { [UID]: [{ printableString: uid }] },
  ]);
}

function authorityExtensions(x509: typeof X509, subject: PublicKey) {
  return [
    new x509.SubjectKeyIdentifierExtension(subject.id),
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
}

/** Random, above zero, and with a first byte that is neither zero nor a sign. */
function positiveSerial() {
  const serial = systemRandom.bytes(SERIAL_BYTES);
  serial[0] = (serial[0] & 0x3f) | 0x40;
  return serial;
}
