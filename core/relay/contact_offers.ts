/** Asking the members of a group to become contacts: today's daemons answer to nobody else (connection.md 8.4). */

import { getLogger } from "@logtape/logtape";
import type { Contacts } from "../account/contacts.ts";
import { messageOf } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import { Ending } from "../base/under_way.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";

const log = getLogger(["kituo", "relay"]);

export interface ContactOffersOptions {
  store: Store;
  /** The node's own account. */
  self: AccountId;
  contacts: Pick<Contacts, "add" | "isBanned">;
  /** Is an invitation of ours into the conversation still on its way to the account? */
  owes(conversation: Conversation, account: AccountId): boolean;
}

export class ContactOffers {
  readonly #waiting = new Set<AccountId>();
  /** One at a time: each is a conversation to be made and signed, and a node that stops waits for what it has begun. */
  readonly #turns = new Semaphore("asking for contacts", 1);

  constructor(private readonly options: ContactOffersOptions) {}

  /** Asks every member, and whom we have invited, once. */
  offer(conversation: Conversation): void {
    if (conversation.facts.mode === Mode.oneToOne || !conversation.joined) return;
    for (const [account, role] of conversation.members.roles) {
      const isIn = role === "admin" || role === "member" || this.options.owes(conversation, account);
      if (account === this.options.self || !isIn || !this.#isNew(account) || this.#waiting.has(account)) continue;
      this.#waiting.add(account);
      void this.#turns.run(() => this.#ask(account));
    }
  }

  async #ask(account: AccountId): Promise<void> {
    this.#waiting.delete(account);
    if (!this.#isNew(account)) return;
    try {
      await this.options.contacts.add(account);
    } catch (error) {
      if (error instanceof Ending) return; // a later start asks
      log.warn("no contact request to {account}: {error}", { account, error: messageOf(error) });
    }
  }

  #isNew(account: AccountId): boolean {
    return !this.options.store.contacts.get(account) && !this.options.contacts.isBanned(account);
  }
}
