/**
 * Invitations that we owe to others: sent to every device of the invited that is connected, now and whenever one comes, until the account has joined or is
 * invited no more (swarm-sync.md 2.3 and 8.2 item 9, account.md 6.5). They survive restarts; a repetition is no new invitation.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Invite } from "../messaging/payload.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Connection } from "../transport/channel.ts";
import type { Conversations } from "./conversations.ts";

const log = getLogger(["kituo", "relay"]);

export interface OwedInvitationsOptions {
  store: Store;
  clock: Clock;
  conversations: Pick<Conversations, "get">;
  /** Live connections with an account. */
  connected(account: AccountId): Connection[];
  /** An account is owed something that it was not before: it is to be reached. */
  onOwed(conversation: Conversation, account: AccountId): void;
  send(connection: Connection, invitation: Invite): Promise<void>;
  /** The device has its invitation. */
  onSent(conversation: Conversation, connection: Connection): void;
}

export class OwedInvitations {
  /** Conversations whose invitation went out on a connection. */
  #sent = new WeakMap<Connection, Set<Oid>>();

  constructor(private readonly options: OwedInvitationsOptions) {}

  /**
   * A new invitation of an account that is invited already, or that `commit` makes so. It is owed before others can hear of the commit: the invited
   * must not.
   * @throws what `commit` throws
   */
  async owe(conversation: Conversation, account: AccountId, commit?: () => Promise<unknown>): Promise<void> {
    const { store, clock, connected, onOwed } = this.options;
    const { id } = conversation;
    store.invites.put({ conversation: id, account, made: clock.now() });
    try {
      await commit?.();
    } finally {
      this.settle(conversation);
    }
    if (!this.owes(id, account)) return;
    for (const connection of connected(account)) this.#send(id, connection);
    onOwed(conversation, account);
  }

  /** Do we owe an invitation to this account? */
  owes(id: Oid, account: AccountId): boolean {
    return this.#made(id, account) !== undefined;
  }

  /**
   * Is the device still to get an invitation on this connection? Until then it is told of no commits: 2023's daemon asks for an invitation to what it does not
   * know, and a second one that comes while its user accepts the first stays with it for ever.
   */
  awaits(id: Oid, connection: Connection): boolean {
    return this.owes(id, connection.peer.account) && !this.#sent.get(connection)?.has(id);
  }

  /** A device is ready for messages: it gets what its account is owed. */
  onConnection(connection: Connection): void {
    const owed = this.options.store.invites.forAccount(connection.peer.account);
    for (const { conversation } of owed) this.#send(conversation, connection);
  }

  /** Forgets those who have joined, or are not invited any more. */
  settle({ id, members }: Conversation): void {
    const { invites } = this.options.store;
    for (const { account } of invites.forConversation(id)) {
      if (members.roles.get(account) !== "invited" || members.bannedAccounts.has(account)) invites.delete(id, account);
    }
  }

  /** The conversation ended for us. */
  drop(id: Oid): void {
    this.options.store.invites.drop(id);
  }

  /** A member or invited one asks to be invited again. */
  answer({ id }: Conversation, connection: Connection): void {
    this.#send(id, connection);
  }

  #made(id: Oid, account: AccountId): number | undefined {
    return this.options.store.invites.forAccount(account).find(({ conversation }) => conversation === id)?.made;
  }

  async #send(id: Oid, connection: Connection): Promise<void> {
    const conversation = this.options.conversations.get(id);
    const { account, device } = connection.peer;
    if (!conversation?.mayFetch(connection.peer)) return;
    try {
      await this.options.send(connection, await invitationInto(conversation, this.#made(id, account)));
      this.#sent.set(connection, (this.#sent.get(connection) ?? new Set()).add(id));
      this.options.onSent(conversation, connection);
      log.debug("invited {device} into {id}", { device, id });
    } catch (error) {
      log.info("{device} did not get its invitation: {error}", { device, error: messageOf(error) });
    }
  }
}

/** What the invitation into a conversation says (swarm-repository.md 4.1). */
async function invitationInto(conversation: Conversation, received: number | undefined): Promise<Invite> {
  const mode = ["mode", `${conversation.facts.mode}`] as const;
  const profile = Object.entries(await conversation.profile()).filter(([, value]) => value !== "");
  return {
    kind: "invite",
    conversation: conversation.id,
    metadatas: new Map([mode, ...profile]),
    ...received !== undefined && { received },
  };
}
