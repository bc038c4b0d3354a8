/** Device announcements: the signed values at an account's DHT key that say which devices it has (account.md 3 and 4). */

import { hex } from "../base/bytes.ts";
import { asBytes, asMap, decode } from "../base/msgpack.ts";
import type { Value } from "../dht/value.ts";
import { verifyValue } from "../dht/value_crypto.ts";
import type { AccountId, ShortId } from "../identity/ids.ts";
import { PublicKey } from "../identity/keys.ts";

/** One device of an account. `key` is missing in the announcements of very old peers. */
export interface Announcement {
  account: AccountId;
  shortId: ShortId;
  key: PublicKey | null;
}

/**
 * The announcement in a value found at `account`'s key, or `null` for any other value there. Checks the signature and that the account itself made
 * it: the daemons forget the second (account.md 7).
 */
export async function readAnnouncement(account: AccountId, value: Value): Promise<Announcement | null> {
  if (value.type !== 0 || value.cypher || value.owner?.id !== account) return null;
  const announcement = parse(account, value);
  return announcement && await verifyValue(value) ? announcement : null;
}

function parse(account: AccountId, value: Value): Announcement | null {
  try {
    const map = asMap(decode(value.data), "announcement");
    const shortId = hex(asBytes(map.get("dev"), "dev"));
    const key = map.has("pk") ? PublicKey.fromSpki(asBytes(map.get("pk"), "pk")) : null;
    if (shortId.length !== 40 || (key && key.id !== shortId)) return null;
    return { account, shortId, key };
  } catch {
    return null; // any other value may lie here; what is not an announcement does not concern us
  }
}
