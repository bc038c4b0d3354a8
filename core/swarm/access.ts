/** Who may read a conversation from us (swarm-sync.md 1.6, swarm-repository.md 5.6). */

import type { AccountId, DeviceId } from "../identity/ids.ts";
import { type Members, membersAt } from "./members.ts";
import type { ObjectReader, Oid } from "./object.ts";

/** The one who asks, as the TLS certificate says; a `Peer` of core/identity fits. */
export interface Asker {
  readonly account: AccountId;
  readonly device: DeviceId;
}

/**
 * Does the account take part: admin, member or invited, and not banned?
 * @param initialMembers of a one-to-one conversation: they count until they are banned, even when in no list
 */
export function isMember(members: Members, account: AccountId, initialMembers: readonly AccountId[] = []): boolean {
  if (members.bannedAccounts.has(account)) return false;
  return members.roles.has(account) || initialMembers.includes(account);
}

/**
 * May the peer fetch or clone from us, at this tree of our head? Asked at every request, not once per channel.
 * Who left a group is in no list and is refused.
 * @param initialMembers see {@link isMember}; empty in all modes but 0 (`ConversationFacts` has them)
 * @throws {MissingObject} @throws {ProtocolError} when the tree cannot be read
 */
export async function mayFetch(
  reader: ObjectReader,
  tree: Oid,
  peer: Asker,
  initialMembers: readonly AccountId[] = [],
): Promise<boolean> {
  const members = await membersAt(reader, tree);
  return isMember(members, peer.account, initialMembers) && !members.bannedDevices.has(peer.device);
}
