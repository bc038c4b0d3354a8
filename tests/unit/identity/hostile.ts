/** Chains as a stranger might make them. Keys are 2048 bits, made once for a test file. */

import { Certificate } from "../../../core/identity/certificate.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import { x509 } from "../../../core/identity/x509.ts";

/** The time at which all chains made here are good. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

/** A quick key for tests. */
export async function quickKey(): Promise<PrivateKey> {
  const pair = await crypto.subtle.generateKey(
    { ...RSA, modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) },
    true,
    ["sign", "verify"],
  );
  return PrivateKey.fromPem(
    x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", pair.privateKey), "PRIVATE KEY"),
  );
}

/** Device, account, then authorities; the one at 3 is also the stranger. */
export const KEYS = await Promise.all(Array.from({ length: 5 }, quickKey));

/** How a certificate departs from a good one. Without `ca` it has no basicConstraints. */
export interface Oddities {
  ca?: boolean;
  usage?: number;
  pathLength?: number;
  issuerName?: string;
  utf8Issuer?: boolean;
  signer?: number;
  notBefore?: number;
  notAfter?: number;
  critical?: string;
}

function name(index: number, commonName: string, stringType: "printableString" | "utf8String" = "printableString") {
  return new x509.Name([
    { "2.5.4.3": [{ [stringType]: commonName }] },
    { "0.9.2342.19200300.100.1.1": [{ [stringType]: KEYS[index].publicKey.id }] },
  ]);
}

/** A certificate for key `subject` by key `issuer`, with oddities. */
export async function hostile(subject: number, issuer: number, odd: Oddities): Promise<Certificate> {
  const extensions: x509.Extension[] = [];
  if (odd.ca !== undefined) {
    extensions.push(new x509.BasicConstraintsExtension(odd.ca, odd.pathLength, true));
    extensions.push(
      new x509.KeyUsagesExtension(odd.usage ?? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign),
    );
  }
  if (odd.critical) extensions.push(new x509.Extension(odd.critical, true, Uint8Array.of(5, 0)));
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: `4${subject}${issuer}7`,
    subject: name(subject, "Jami"),
    issuer: name(issuer, odd.issuerName ?? "Jami", odd.utf8Issuer ? "utf8String" : "printableString"),
    notBefore: new Date(odd.notBefore ?? NOW - 60_000),
    notAfter: new Date(odd.notAfter ?? NOW + 86_400_000),
    publicKey: new x509.PublicKey(KEYS[subject].publicKey.spki),
    signingKey: await KEYS[odd.signer ?? issuer].signer("SHA-256"),
    signingAlgorithm: RSA,
    extensions,
  });
  return Certificate.fromDer(new Uint8Array(made.rawData));
}

/** A good chain: key 0 is the device, 1 the account, the last signed itself. */
export function chainOf(length: number): Promise<Certificate[]> {
  return Promise.all(
    Array.from({ length }, (_, i) => hostile(i, Math.min(i + 1, length - 1), i === 0 ? {} : { ca: true })),
  );
}

/** A revocation list in the name of `issuer`, signed with key `signer`. */
export async function issueList(issuer: Certificate, signer: number, serials: string[]): Promise<RevocationList> {
  const made = await x509.X509CrlGenerator.create({
    issuer: new x509.Name(issuer.subject),
    thisUpdate: new Date(NOW),
    nextUpdate: new Date(NOW + 86_400_000),
    signingKey: await KEYS[signer].signer("SHA-256"),
    signingAlgorithm: RSA,
    entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(NOW) })),
  });
  return RevocationList.fromDer(new Uint8Array(made.rawData));
}
