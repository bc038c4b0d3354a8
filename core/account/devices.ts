/** Finding the devices of an account that nobody follows yet (account.md 4). */

import type { Dht } from "../dht/dht.ts";
import type { Value } from "../dht/value.ts";
import { checkChain } from "../identity/chain.ts";
import type { Clock } from "../base/clock.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import { readAnnouncement } from "./announcement.ts";
import { type CertificateBook, readRevocationValue } from "./certificates.ts";
import { LOOKUP_TIMEOUT_MS, MAX_ANNOUNCEMENTS, MAX_DEVICES_PER_ACCOUNT } from "./constants.ts";

/** The announced devices of `account` whose certificates belong to it and are not revoked. */
export async function findDevices(
  account: AccountId,
  { dht, certificates, clock }: { dht: Pick<Dht, "get">; certificates: CertificateBook; clock: Clock },
): Promise<PublicKey[]> {
  const values = await dht.get(account, { timeout: LOOKUP_TIMEOUT_MS });
  for (const value of values) {
    const der = readRevocationValue(value);
    if (der) certificates.learnRevocations(account, der);
  }
  const own = values.filter(({ owner }) => owner?.id === account).slice(0, MAX_ANNOUNCEMENTS);
  const found = await Promise.all(own.map((value) => deviceIn(value)));
  const devices = new Map<DeviceId, PublicKey>();
  for (const key of found) if (key && devices.size < MAX_DEVICES_PER_ACCOUNT) devices.set(key.longId, key);
  return [...devices.values()];

  async function deviceIn(value: Value): Promise<PublicKey | null> {
    const announcement = await readAnnouncement(account, value);
    if (!announcement) return null;
    const chain = announcement.key
      ? await certificates.find(announcement.key, account)
      : await certificates.findByShortId(announcement.shortId, account);
    if (!chain) return null;
    try {
      checkChain(chain, { now: clock.now(), account, revocations: certificates.revocations(account) });
      return chain[0].publicKey;
    } catch {
      return null; // an announced device that is not (or no more) the account's does not exist for us
    }
  }
}
