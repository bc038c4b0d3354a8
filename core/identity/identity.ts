/** One device of one account: what a running node needs. The keys of the account and of its authority are only in the archive (account.md 14). */

import type { Bytes } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import type { Archive } from "./archive.ts";
import { type Certificate, chainToPem } from "./certificate.ts";
import { checkChain } from "./chain.ts";
import type { AccountId, DeviceId, ShortId } from "./ids.ts";
import { issueCertificate } from "./issue.ts";
import { PrivateKey } from "./keys.ts";
import { checkReceipt, makeAnnouncement, receiptText, signReceipt } from "./receipt.ts";
import type { RevocationList } from "./revocation.ts";

/** One device of one account. */
export interface Identity {
  account: AccountId;
  device: DeviceId;
  /** The device's older name, used on the DHT. */
  shortId: ShortId;
  /** The device's key. */
  key: PrivateKey;
  /** Leaf first. */
  chain: Certificate[];
  chainPem: string;
  /** The exact text that the account signed. */
  receipt: string;
  receiptSignature: Bytes;
  /** The packed DHT value that announces the device, with id 0. */
  announcement: Bytes;
}

/** An identity whose parts do not belong together, or do not hold any longer. */
export class IdentityError extends KituoError {}

/** What is stored of an identity; all the rest follows from it. */
export interface IdentityParts {
  key: PrivateKey;
  chain: Certificate[];
  receipt: string;
  receiptSignature: Bytes;
}

/** What an identity is checked against. */
export interface IdentityChecks {
  /** ms since 1970 */
  now: number;
  /** Lists of the own account: a revoked device must not start. */
  revocations?: Iterable<RevocationList>;
}

/**
 * The identity of its stored parts, after all checks of account.md 3.
 * @throws {IdentityError} with what is wrong; its cause is the CertificateError or ReceiptError
 */
export async function assembleIdentity(parts: IdentityParts, options: IdentityChecks): Promise<Identity> {
  const { key, chain, receipt, receiptSignature } = parts;
  try {
    const { account, device, shortId } = checkChain(chain, { ...options, device: key.publicKey.longId });
    const announcement = await checkReceipt(receipt, receiptSignature, chain[1].publicKey, key.publicKey);
    return {
      account,
      device,
      shortId,
      key,
      chain,
      chainPem: chainToPem(chain),
      receipt,
      receiptSignature,
      announcement,
    };
  } catch (error) {
    throw new IdentityError(messageOf(error), { cause: error });
  }
}

/**
 * Checks an identity as at each start, and again whenever a revocation list of the account comes (account.md 3).
 * @throws {IdentityError} with what is wrong
 */
export async function checkIdentity(identity: Identity, options: IdentityChecks): Promise<void> {
  const checked = await assembleIdentity(identity, options);
  for (const name of ["account", "device", "shortId", "chainPem"] as const) {
    if (checked[name] !== identity[name]) throw new IdentityError(`${name} is not what the keys say`);
  }
}

/**
 * A new account with its first device: three RSA-4096 keys, made at the same time off the main loop (some seconds).
 * @returns the device, and the archive with everything else
 */
export async function createIdentity(options: { now: number }): Promise<{ identity: Identity; archive: Archive }> {
  const { now } = options;
  const [caKey, accountKey, deviceKey] = await Promise.all([
    PrivateKey.generate(),
    PrivateKey.generate(),
    PrivateKey.generate(),
  ]);
  const ca = await issueCertificate({ kind: "ca", subject: caKey.publicKey, issuer: null, signer: caKey, now });
  const account = await issueCertificate({
    kind: "account",
    subject: accountKey.publicKey,
    issuer: ca,
    signer: caKey,
    now,
  });
  const archive: Archive = {
    accountKey,
    accountChain: [account, ca],
    caKey,
    ethereumKey: (await import("./ethereum.ts")).newEthereumKey(),
    revocations: null,
    contacts: {},
    conversations: {},
    conversationRequests: {},
    settings: {},
  };
  return { identity: await enrol(archive, deviceKey, now), archive };
}

/**
 * A new device of the account in an archive: its key, certificate, announcement and receipt (account.md 2.3). The account's certificate must be good:
 * see `renewArchive`.
 * @throws {IdentityError} when the account's certificates do not hold
 */
export async function newDevice(archive: Archive, now: number): Promise<Identity> {
  return await enrol(archive, await PrivateKey.generate(), now);
}

async function enrol(archive: Archive, key: PrivateKey, now: number): Promise<Identity> {
  const { accountKey, accountChain, ethereumKey } = archive;
  const device = await issueCertificate({
    kind: "device",
    subject: key.publicKey,
    issuer: accountChain[0],
    signer: accountKey,
    now,
  });
  const receipt = receiptText({
    account: accountKey.publicKey.id,
    device: key.publicKey.id,
    ethereum: ethereumKey ? (await import("./ethereum.ts")).ethereumAddress(ethereumKey) : "",
    announcement: await makeAnnouncement(accountKey, key.publicKey),
  });
  const receiptSignature = await signReceipt(accountKey, receipt);
  const revocations = archive.revocations ? [archive.revocations] : [];
  return await assembleIdentity({ key, chain: [device, ...accountChain], receipt, receiptSignature }, {
    now,
    revocations,
  });
}

/**
 * The archive with new certificates, where those of the account or its authority are no longer (or not yet) good; the same archive when all are good.
 * The keys and therefore the ids stay (account.md 2.3).
 * @throws {IdentityError} when they are not good and the authority's key is not there to make new ones
 */
export async function renewArchive(archive: Archive, now: number): Promise<Archive> {
  const { accountKey, accountChain, caKey } = archive;
  const good = (certificate: Certificate | undefined) =>
    certificate !== undefined && certificate.isCa && certificate.mayCertify && certificate.notBefore <= now &&
    now <= certificate.notAfter;
  if (accountChain.every(good)) return archive;
  if (!caKey) throw new IdentityError("the account's certificate must be renewed and the authority's key is missing");
  const oldCa = accountChain.at(-1);
  const ca = oldCa && accountChain.length === 2 && good(oldCa) && oldCa.publicKey.equals(caKey.publicKey)
    ? oldCa
    : await issueCertificate({ kind: "ca", subject: caKey.publicKey, issuer: null, signer: caKey, now });
  const account = await issueCertificate({
    kind: "account",
    subject: accountKey.publicKey,
    issuer: ca,
    signer: caKey,
    now,
  });
  return { ...archive, accountChain: [account, ca] };
}
