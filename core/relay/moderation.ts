/**
 * What the modes of groups promise and daemons do not keep (swarm-repository.md 3): as admin of a group this node undoes invitations by others than admins where
 * only admins may invite, and invites whoever asks it in a public group.
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
import { PUBLIC_GROUPS_RATED, PUBLIC_JOIN_BURST, PUBLIC_JOIN_RATE } from "./constants.ts";
import { type Groups, memberSteps } from "./groups.ts";

const log = getLogger(["kituo", "relay"]);

export interface ModerationOptions {
  store: Store;
  clock: Clock;
  self: AccountId;
  groups: Pick<Groups, "ban" | "invite">;
}

export class Moderation {
  #checking = new KeyedMutex<Oid>();
  #joins = new LruMap<Oid, TokenBucket>(PUBLIC_GROUPS_RATED);

  constructor(private readonly options: ModerationOptions) {}

  /** Members changed: in a group where only admins invite, bans those whom no admin has invited. Never rejects. */
  async onMembers(conversation: Conversation): Promise<void> {
    if (conversation.facts.mode !== Mode.adminInvitesOnly || !this.#isAdmin(conversation)) return;
    await this.#checking.run(conversation.id, async () => {
      for (const account of this.#intruders(conversation)) {
        await this.options.groups.ban(conversation, account, "invited by somebody who is no admin");
      }
    }).catch((error) =>
      log.error("{id} is not kept as its mode says: {error}", { id: conversation.id, error: messageOf(error) })
    );
  }

  /** Somebody who is not in it asks for an invitation: in a public group it gets one. Never rejects. */
  async onRequest(conversation: Conversation, account: AccountId): Promise<void> {
    const { facts: { mode }, members, id } = conversation;
    if (mode !== Mode.public || !this.#isAdmin(conversation) || members.roles.has(account)) return;
    const joins = this.#joins.get(id) ?? new TokenBucket(this.options.clock, PUBLIC_JOIN_RATE, PUBLIC_JOIN_BURST);
    this.#joins.set(id, joins);
    if (!joins.take()) return log.warn("too many want to join {id}", { id });
    try {
      await this.options.groups.invite(conversation, account);
    } catch (error) {
      log.warn("{account} could not be invited into {id}: {error}", { account, id, error: messageOf(error) });
    }
  }

  #isAdmin({ members }: Conversation): boolean {
    return members.roles.get(this.options.self) === "admin";
  }

  /** Invited ones and members whom no admin has invited (or un-banned) since they were last outside. */
  #intruders({ id, members: { roles, bannedAccounts } }: Conversation): AccountId[] {
    const approved = new Set<string>();
    for (const { author, action, uri } of memberSteps(this.options.store, id)) {
      if (action === "ban" || action === "remove") approved.delete(uri);
      // nothing makes a second admin, so who is one now was one then
      else if ((action === "add" || action === "unban") && roles.get(author) === "admin") approved.add(uri);
    }
    const inside = [...roles].filter(([account, role]) =>
      (role === "invited" || role === "member") && !approved.has(account) && !bannedAccounts.has(account)
    );
    return inside.map(([account]) => account);
  }
}
