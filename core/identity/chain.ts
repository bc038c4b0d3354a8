/** Who a chain of certificates speaks for: the checks of account.md 1.2, for chains of any length. */

import { equal } from "../base/bytes.ts";
import { type Certificate, CertificateError } from "./certificate.ts";
import { MAX_CHAIN } from "./constants.ts";
import type { AccountId, DeviceId, ShortId } from "./ids.ts";
import type { RevocationList } from "./revocation.ts";

/** A device whose chain was checked, and the account it belongs to. */
export interface Peer {
  /** The id of the key of the leaf's direct issuer; never taken from a name. */
  account: AccountId;
  device: DeviceId;
  shortId: ShortId;
  /** Leaf first. */
  chain: Certificate[];
}

/** What a chain is checked against. */
export interface ChainChecks {
  /** ms since 1970 */
  now: number;
  /** Known lists; those that an issuer in the chain did not sign are ignored. */
  revocations?: Iterable<RevocationList>;
  /** The account it must be. */
  account?: AccountId;
  /** The device it must be. */
  device?: DeviceId;
}

/**
 * Checks a chain with its own top as the only trust anchor: identity in this network is the account key's hash, so anyone may be the authority of an
 * account of their own, and nobody can make a device for someone else's.
 * @param chain leaf first, each certificate followed by its issuer
 * @throws {CertificateError} with the reason of the refusal
 */
export function checkChain(chain: readonly Certificate[], options: ChainChecks): Peer {
  const [leaf, account] = chain;
  if (chain.length > MAX_CHAIN) throw new CertificateError("too large", `${chain.length} certificates`);
  if (!leaf) throw new CertificateError("incomplete chain");
  if (!account) throw new CertificateError(leaf.isSelfIssued ? "self-signed leaf" : "incomplete chain");
  if (leaf.publicKey.kind !== "rsa" || account.publicKey.kind !== "rsa") {
    throw new CertificateError("unsupported", "key");
  }
  if (leaf.publicKey.equals(account.publicKey)) throw new CertificateError("self-signed leaf");
  for (const certificate of chain) checkDates(certificate, options.now);
  for (let i = 1; i < chain.length; i++) checkIssued(chain[i - 1], chain[i], i - 1);
  checkTop(chain[chain.length - 1]);
  checkRevocations(chain, options.revocations ?? []);
  const peer = {
    account: account.publicKey.id,
    device: leaf.publicKey.longId,
    shortId: leaf.publicKey.id,
    chain: [...chain],
  };
  if (options.account !== undefined && options.account !== peer.account) throw new CertificateError("wrong account");
  if (options.device !== undefined && options.device !== peer.device) throw new CertificateError("wrong device");
  return peer;
}

/** @throws {CertificateError} "not yet valid" or "expired" */
function checkDates(certificate: Certificate, now: number): void {
  if (now < certificate.notBefore) throw new CertificateError("not yet valid");
  if (now > certificate.notAfter) throw new CertificateError("expired");
}

/** @param below how many certificates of authorities stand between the issuer and the leaf */
function checkIssued(certificate: Certificate, issuer: Certificate, below: number): void {
  if (!equal(certificate.issuer, issuer.subject)) throw new CertificateError("name mismatch");
  if (!issuer.isCa) throw new CertificateError("not a CA");
  if (!issuer.mayCertify) throw new CertificateError("not a CA", "keyUsage without keyCertSign");
  if (issuer.pathLength !== null && below > issuer.pathLength) throw new CertificateError("not a CA", "path too long");
  if (!certificate.isSignedBy(issuer)) throw new CertificateError("bad signature");
}

/** The top is trusted as it stands, but one that claims to have signed itself must have. */
function checkTop(top: Certificate): void {
  if (top.isSelfIssued && !top.isSignedBy(top)) throw new CertificateError("bad signature", "of the top");
}

function checkRevocations(chain: readonly Certificate[], lists: Iterable<RevocationList>): void {
  for (const list of lists) {
    for (let i = 1; i < chain.length; i++) {
      if (list.revokes(chain[i - 1]) && list.isSignedBy(chain[i])) throw new CertificateError("revoked");
    }
  }
}
