/**
 * What the modes of groups promise and daemons do not keep (swarm-repository.md 3): as admin of a group this node undoes invitations by others than admins where
 * only admins may invite, and invites whoever asks it into a public group that it is in.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { KeyedMutex, LruMap, TokenBucket } from "../base/limits.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import type { Oid } from "../swarm/object.ts";
import { MAX_PENDING_INVITED, PUBLIC_GROUPS_RATED, PUBLIC_JOIN_BURST, PUBLIC_JOIN_RATE } from "./constants.ts";
import { type Groups, memberSteps } from "./groups.ts";

const log = getLogger(["kituo", "relay"]);

export interface ModerationOptions {
  store: Store;
  clock: Clock;
  self: AccountId;
  groups: Pick<Groups, "ban" | "admit">;
  /** Is anything done here at all? Else groups are left as daemons leave them. */
  enforceModes: boolean;
}

/** Somebody who is in a group against its mode. */
interface Intruder {
  account: AccountId;
  /** Who invited it last; "" = the history does not tell. */
  by: AccountId | "";
}

export class Moderation {
  #checking = new KeyedMutex<Oid>();
  #joins = new LruMap<Oid, TokenBucket>(PUBLIC_GROUPS_RATED);

  constructor(private readonly options: ModerationOptions) {}

  /** Members changed: in a group where only admins invite, bans those whom no admin has invited. Never rejects. */
  async onMembers(conversation: Conversation): Promise<void> {
    const { enforceModes, self } = this.options;
    const { id, members, facts: { mode } } = conversation;
    if (!enforceModes || mode !== Mode.adminInvitesOnly || members.roles.get(self) !== "admin") return;
    await this.#checking.run(id, async () => {
      for (const intruder of this.#intruders(conversation)) await this.#ban(conversation, intruder);
    }).catch((error) => log.error("{id} is not kept as its mode says: {error}", { id, error: messageOf(error) }));
  }

  /** Somebody who is not in it asks for an invitation: in a public group it gets one. Never rejects. */
  async onRequest(conversation: Conversation, account: AccountId): Promise<void> {
    const { facts: { mode }, members, id, joined } = conversation;
    const { enforceModes, clock, groups, store } = this.options;
    if (!enforceModes || mode !== Mode.public || !joined || members.roles.has(account)) return;
    const joins = this.#joins.get(id) ?? new TokenBucket(clock, PUBLIC_JOIN_RATE, PUBLIC_JOIN_BURST);
    this.#joins.set(id, joins);
    if (!joins.take() || pendingInvited(conversation) >= MAX_PENDING_INVITED) {
      return log.warn("too many want to join {id}", { id });
    }
    try {
      await groups.admit(conversation, account);
      const detail = `into the public group ${id}: it asked`;
      store.audit.append(
        { actor: "system", address: "", action: "member.invite", target: account, detail },
        clock.now(),
      );
    } catch (error) {
      log.warn("{account} could not be invited into {id}: {error}", { account, id, error: messageOf(error) });
    }
  }

  /**
   * Is a contact request about a conversation that is known here, and not one with this account? Then it is a wish to be let in, and never becomes the
   * conversation of a contact: it would be left with that contact.
   * @param conversation the one with this id, if it is open
   */
  asksForGroup(account: AccountId, id: Oid, conversation?: Conversation): boolean {
    if (!conversation) return (this.options.store.conversations.get(id)?.mode ?? Mode.oneToOne) !== Mode.oneToOne;
    const { mode, initialMembers } = conversation.facts;
    if (mode === Mode.oneToOne) return !initialMembers.includes(account);
    this.onRequest(conversation, account);
    return true;
  }

  async #ban(conversation: Conversation, { account, by }: Intruder): Promise<void> {
    const { groups, store, clock } = this.options;
    const reason = `invited by ${by || "somebody"}, who is no admin; only admins invite in this group`;
    await groups.ban(conversation, account, reason);
    // the ban is this node's own: with its reason, as those of moderators
    const terms = { reason, by: "system", expires: null };
    store.conversationBans.put({
      conversation: conversation.id,
      target: account,
      held: false,
      ...terms,
      at: clock.now(),
    });
    store.audit.append({
      actor: "system",
      address: "",
      action: "member.ban",
      target: account,
      detail: `from the group ${conversation.id}: ${reason}`,
    }, clock.now());
  }

  /** Invited ones and members whom no admin has invited (or un-banned, or approved of) since they were last outside. */
  #intruders({ id, members: { roles, bannedAccounts } }: Conversation): Intruder[] {
    const { store } = this.options;
    const approvals = store.approvals.forConversation(id);
    const invitedBy = new Map<string, AccountId>();
    const isIn = new Set<string>();
    for (const { seq, author, action, uri } of memberSteps(store, id)) {
      if (action === "ban" || action === "remove") {
        isIn.delete(uri);
        if ((approvals.get(uri) ?? 0) < seq) approvals.delete(uri);
      } else if (action === "add" || action === "unban") {
        invitedBy.set(uri, author);
        // nothing makes a second admin, so who is one now was one then
        if (roles.get(author) === "admin") isIn.add(uri);
      }
    }
    return [...roles]
      .filter(([account, role]) => (role === "invited" || role === "member") && !bannedAccounts.has(account))
      .filter(([account]) => !isIn.has(account) && !approvals.has(account))
      .map(([account]) => ({ account, by: invitedBy.get(account) ?? "" }));
  }
}

/** How many are invited into a conversation and have not joined. */
export function pendingInvited({ members: { roles } }: Conversation): number {
  return [...roles.values()].filter((role) => role === "invited").length;
}
