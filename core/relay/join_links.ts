/**
 * Join links: whoever has the secret of a group's link may have itself invited into it, so many times and until its end. In a public group that is how people
 * get in who are in no common conversation with this node; elsewhere the link is the invitation of the admin who made it.
 */

import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { KituoError } from "../base/errors.ts";
import { KeyedMutex, LruMap, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { AccountId } from "../identity/ids.ts";
import type { JoinLink } from "../store/join_links.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import {
  LINK_BURST,
  LINK_RATE,
  LINK_SECRET_BYTES,
  LINKS_RATED,
  MAX_PENDING_INVITED,
  RENEWAL_BURST,
  RENEWAL_RATE,
  RENEWALS_RATED,
} from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import type { Groups } from "./groups.ts";
import { pendingInvited } from "./moderation.ts";

/** Why a link did not get somebody invited. */
export type LinkFault =
  /** it never was one, was revoked, has expired or is used up, or the group is no more */
  | "no link"
  /** too many try at the moment, or were invited and have not come */
  | "busy"
  /** the account is banned from the group */
  | "banned"
  /** it is this node's own account */
  | "own account";

/** A join link that was not obeyed. */
export class LinkRefused extends KituoError {
  constructor(readonly fault: LinkFault, message: string) {
    super(message);
  }
}

export interface JoinLinksOptions {
  store: Store;
  clock: Clock;
  random: Random;
  self: AccountId;
  conversations: Pick<Conversations, "get">;
  groups: Pick<Groups, "admit" | "mayInvite">;
}

export class JoinLinks {
  #attempts = new LruMap<Oid, TokenBucket>(LINKS_RATED);
  #renewals = new LruMap<AccountId, TokenBucket>(RENEWALS_RATED);
  #joining = new KeyedMutex<Oid>();

  constructor(private readonly options: JoinLinksOptions) {}

  /**
   * Makes the link of a group; an earlier one ends.
   * @param expires ms since 1970
   * @returns the secret, which is kept nowhere
   * @throws {NoGroup} {WriteRefused} when this node could not invite
   */
  create(conversation: Conversation, { expires, maxUses }: Pick<JoinLink, "expires" | "maxUses">): string {
    const { store, clock, random, groups } = this.options;
    groups.mayInvite(conversation);
    const secret = random.bytes(LINK_SECRET_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
    const link = {
      conversation: conversation.id,
      hash: hashOf(secret),
      created: clock.now(),
      expires,
      maxUses,
      uses: 0,
    };
    store.joinLinks.put(link);
    return secret;
  }

  /** Where the link with this secret leads. @throws {LinkRefused} "no link" */
  target(secret: string): Conversation {
    return this.#find(secret).conversation;
  }

  /**
   * Invites the account, as the holder of the link wishes; who is invited is sent the invitation anew.
   * @param address where the wish came from, for the audit trail
   * @returns is it a member already?
   * @throws {LinkRefused} @throws what {@link Groups.admit} throws
   */
  async join(secret: string, account: AccountId, address: string): Promise<"invited" | "member"> {
    const { conversation } = this.#find(secret);
    if (account === this.options.self) throw new LinkRefused("own account", "this is the node's own Jami ID");
    if (!this.#attempt(conversation.id)) throw new LinkRefused("busy", "too many try this link at the moment");
    return await this.#joining.run(conversation.id, async () => {
      const { roles, bannedAccounts } = conversation.members;
      const { contacts, nodeBans } = this.options.store;
      if (contacts.isBanned(account) || nodeBans.isBanned(account, this.options.clock.now())) {
        throw new LinkRefused("banned", "the account is banned from this node");
      }
      if (bannedAccounts.has(account)) throw new LinkRefused("banned", "the account is banned from this group");
      const role = roles.get(account);
      if (role === "admin" || role === "member") return "member";
      if (role !== "invited") await this.#invite(secret, account, address);
      else if (this.#renewal(account)) await this.options.groups.admit(conversation, account);
      return "invited";
    });
  }

  async #invite(secret: string, account: AccountId, address: string): Promise<void> {
    const { store, clock, groups } = this.options;
    const { conversation, link: { hash } } = this.#find(secret);
    if (pendingInvited(conversation) >= MAX_PENDING_INVITED) {
      throw new LinkRefused("busy", "too many are invited and have not come yet");
    }
    if (!store.joinLinks.take(hash, clock.now())) throw noLink();
    try {
      await groups.admit(conversation, account);
    } catch (error) {
      store.joinLinks.giveBack(hash);
      throw error;
    }
    const detail = `into the group ${conversation.id}, by its join link`;
    store.audit.append({ actor: "system", address, action: "member.invite", target: account, detail }, clock.now());
  }

  /** @throws {LinkRefused} "no link" */
  #find(secret: string): { conversation: Conversation; link: JoinLink } {
    const { store, clock, conversations } = this.options;
    const link = store.joinLinks.byHash(hashOf(secret));
    const conversation = link && conversations.get(link.conversation);
    if (!link || !conversation?.joined || link.expires <= clock.now()) throw noLink();
    return { conversation, link };
  }

  #attempt(id: Oid): boolean {
    const attempts = this.#attempts.get(id) ?? new TokenBucket(this.options.clock, LINK_RATE, LINK_BURST);
    this.#attempts.set(id, attempts);
    return attempts.take();
  }

  /** An account that is invited already gets a new invitation now and then: whoever has the link can name anybody. */
  #renewal(account: AccountId): boolean {
    const renewals = this.#renewals.get(account) ?? new TokenBucket(this.options.clock, RENEWAL_RATE, RENEWAL_BURST);
    this.#renewals.set(account, renewals);
    return renewals.take();
  }
}

function noLink(): LinkRefused {
  return new LinkRefused("no link", "this link does not work, or not any more");
}

/** The secret has as many random bits as the hash: no salt, and no comparison in constant time, is needed. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
