/** Asking the members of a group to become contacts: today's daemons answer to nobody else (connection.md 8.4). */

import { getLogger } from "@logtape/logtape";
import type { Contacts } from "../account/contacts.ts";
import { messageOf } from "../base/errors.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";

const log = getLogger(["kituo", "relay"]);

export interface ContactOffers {
  store: Store;
  /** The node's own account. */
  self: AccountId;
  contacts: Pick<Contacts, "add" | "isBanned">;
  /** Is an invitation of ours still on its way to the account? */
  owes(account: AccountId): boolean;
}

/** Asks every member, and whom we have invited, once. */
export function offerContact(conversation: Conversation, { store, self, contacts, owes }: ContactOffers): void {
  if (conversation.facts.mode === Mode.oneToOne || !conversation.joined) return;
  for (const [account, role] of conversation.members.roles) {
    const isIn = role === "admin" || role === "member" || owes(account);
    if (account === self || !isIn || store.contacts.get(account) || contacts.isBanned(account)) continue;
    contacts.add(account).catch((error) =>
      log.warn("no contact request to {account}: {error}", { account, error: messageOf(error) })
    );
  }
}
