/** Whole identities for tests, with keys of 2048 bits; and waiting for what happens off the main loop. */

import { fromHex } from "../../core/base/bytes.ts";
import { encode } from "../../core/base/msgpack.ts";
import { signValue } from "../../core/dht/value_crypto.ts";
import { packValue, unpackValue, type Value } from "../../core/dht/value.ts";
import { chainToPem } from "../../core/identity/certificate.ts";
import type { Peer } from "../../core/identity/chain.ts";
import type { Identity } from "../../core/identity/identity.ts";
import type { PrivateKey, PublicKey } from "../../core/identity/keys.ts";
import { receiptText, signReceipt } from "../../core/identity/receipt.ts";
import { deviceOf, type Person, person } from "../unit/swarm_rules/support.ts";

/** A device of an account, with the account's key. */
export interface TestIdentity extends Identity {
  accountKey: PrivateKey;
  chain: Person["chain"];
}

/** Makes an account with one device. */
export async function testIdentity(now: number): Promise<TestIdentity> {
  return await complete(await person(now));
}

/** Makes one more device of an account. */
export async function secondDevice(of: TestIdentity, now: number): Promise<TestIdentity> {
  return await complete(await deviceOf(of, undefined, now));
}

async function complete({ account, device, key, accountKey, chain }: Person): Promise<TestIdentity> {
  const shortId = key.publicKey.id;
  const announcement = packValue(await announcementOf(key.publicKey, accountKey));
  const receipt = receiptText({ account, device: shortId, ethereum: "", announcement });
  return {
    account,
    device,
    shortId,
    key,
    accountKey,
    chain,
    chainPem: chainToPem(chain),
    receipt,
    receiptSignature: await signReceipt(accountKey, receipt),
    announcement,
  };
}

/** The value, with id 0, by which `signer` announces a device; `pk` is left out as very old peers do. */
export function announcementOf(device: PublicKey, signer: PrivateKey, { pk = true } = {}): Promise<Value> {
  const data = encode({ dev: fromHex(device.id), pk: pk ? device.spki : undefined });
  return signValue({ id: 0n, type: 0, data }, signer);
}

/** The announcement of a device, under an id. */
export function announced(identity: Identity, id: bigint): Value {
  return { ...unpackValue(identity.announcement), id };
}

/** Who a device is to others. */
export function peerOf({ account, device, shortId, chain }: Identity): Peer {
  return { account, device, shortId, chain };
}

/**
 * Resolves when `test` holds: for what signing and decrypting threads bring about, of which nobody tells.
 * @throws after 10 s
 */
export async function until(what: string, test: () => boolean, patience = 10_000): Promise<void> {
  for (const end = Date.now() + patience; !test();) {
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
