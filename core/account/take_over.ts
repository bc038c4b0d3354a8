/** What a new device takes over from the archive that it was made from (account.md 2.3), before it starts for the first time. */

import type { Identity } from "../identity/identity.ts";
import { dropInheritance, loadInheritance } from "../identity/storage.ts";
import { syncOfArchive } from "../messaging/archive_records.ts";
import type { Store } from "../store/store.ts";
import { mergeSync } from "./sync_merge.ts";

/**
 * Takes over contacts, requests and revoked devices; conversations are noted as to be cloned. It is done once: after a crash in the middle, again.
 * @param dir the identity folder
 * @throws {StorageError} "damaged"
 */
export async function takeOver(dir: string, identity: Identity, store: Store, now: number): Promise<void> {
  const inherited = await loadInheritance(dir);
  if (!inherited) return;
  const { account, chain } = identity;
  mergeSync(syncOfArchive(inherited), { store, self: account, now, isBefore: () => null });
  const list = inherited.revocations;
  if (list?.isSignedBy(chain[1])) store.revocations.put({ account, number: list.number ?? 0n, der: list.der });
  await dropInheritance(dir);
}
