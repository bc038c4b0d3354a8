/**
 * The certificates that lie in a conversation's tree (swarm-repository.md 1.1): `devices/*.crt` hold one block, the
 * device's; `admins|members/*.crt` the account's and its issuer's. Parsed once per content, whatever the conversation.
 */

import { text } from "../base/bytes.ts";
import { LruMap } from "../base/limits.ts";
import { Certificate, CertificateError } from "../identity/certificate.ts";
import { CACHED_CERTIFICATES, MAX_CERTIFICATE_FILE_BYTES } from "./history_limits.ts";
import type { Oid } from "./object.ts";
import type { TreeReader } from "./tree_view.ts";

/** Content-addressed, so what was once computed of a file's id is true for ever. `null`: not a certificate. */
const parsed = new LruMap<Oid, Certificate | null>(CACHED_CERTIFICATES);
const issued = new LruMap<string, boolean>(CACHED_CERTIFICATES);

/**
 * The first certificate of a file, or `null` when the file does not start with one.
 * @throws {MissingObject} @throws {ProtocolError} when the file is far larger than certificates are
 */
export async function certificateIn(trees: TreeReader, file: Oid): Promise<Certificate | null> {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const certificate = firstCertificate(text(await trees.content(file, MAX_CERTIFICATE_FILE_BYTES)));
  parsed.set(file, certificate);
  return certificate;
}

function firstCertificate(pem: string): Certificate | null {
  try {
    return Certificate.listFromPem(pem)[0] ?? null;
  } catch (error) {
    if (error instanceof CertificateError) return null;
    throw error;
  }
}

/** Did the account whose certificate is in one file really sign the device certificate in the other? (5.3) */
export async function accountSignedDevice(trees: TreeReader, accountFile: Oid, deviceFile: Oid): Promise<boolean> {
  const key = `${accountFile} ${deviceFile}`;
  const known = issued.get(key);
  if (known !== undefined) return known;
  const [account, device] = await Promise.all([certificateIn(trees, accountFile), certificateIn(trees, deviceFile)]);
  const answer = account !== null && device !== null && device.isSignedBy(account);
  issued.set(key, answer);
  return answer;
}
