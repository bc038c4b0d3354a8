/** Running groups from this node: making, naming, inviting, banning, leaving (swarm-repository.md 3, 4). */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { type AccountId, type DeviceId, isDeviceId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import { type CommitBody, field } from "../swarm/commit.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import type { Oid } from "../swarm/object.ts";
import type { Profile } from "../swarm/profile.ts";
import { ban, invite, leave, unban, updateProfile } from "../swarm/write_members.ts";
import { type WriteContext, WriteRefused, type Written } from "../swarm/write.ts";
import { LEAVING_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import type { Delivery } from "./delivery.ts";
import type { OwedInvitations } from "./owed_invitations.ts";

const log = getLogger(["kituo", "relay"]);

/** A one-to-one conversation is run by the list of contacts, not as a group. */
export class NoGroup extends KituoError {}

/** The node itself keeps the account out: that must end first. */
export class BannedHere extends KituoError {}

/** The modes of groups (swarm-repository.md 3). */
export type GroupMode = typeof Mode.adminInvitesOnly | typeof Mode.invitesOnly | typeof Mode.public;

export interface GroupsOptions {
  store: Store;
  clock: Clock;
  self: AccountId;
  conversations: Conversations;
  delivery: Pick<Delivery, "on">;
  invitations: OwedInvitations;
  /** Leaving a conversation has come to its end. */
  onLeft(id: Oid): void;
}

/** Every method throws {WriteRefused} when the rules do not allow it, {WriteConflict} when it is so already. */
export class Groups {
  /** Conversations that end soon; the values call that off. */
  #ending = new Map<Oid, () => void>();
  /** Those that are being left at this moment: who asks for the same at the same time gets the same answer. */
  #leaving = new Map<Oid, Promise<void>>();

  constructor(private readonly options: GroupsOptions) {
    options.delivery.on("held", ({ conversation }) => this.#endIfKnown(conversation));
    options.conversations.on("closed", ({ id }) => this.#callOff(id));
  }

  /** Takes up what was under way when the node stopped. */
  start(): void {
    for (const conversation of this.options.conversations.all()) this.#endIfKnown(conversation);
  }

  stop(): void {
    this.#ending.forEach((cancel) => cancel());
    this.#ending.clear();
  }

  /** A new group, with this node as its only admin. */
  async create(mode: GroupMode, profile: Partial<Profile> = {}): Promise<Conversation> {
    const conversation = await this.options.conversations.create({ mode });
    await this.update(conversation, profile);
    return conversation;
  }

  /** Changes the given parts of the profile. */
  async update(conversation: Conversation, changes: Partial<Profile>): Promise<void> {
    group(conversation);
    const now = await conversation.profile();
    const next = { ...now, ...changes };
    // reason: the keys of a profile are those of the interface
    const isNews = (Object.keys(next) as (keyof Profile)[]).some((key) => next[key] !== now[key]);
    if (isNews) await conversation.write((context) => updateProfile(context, changes));
  }

  /**
   * Invites an account, as an admin of this node wishes; who is invited already is sent the invitation anew. Where the account is banned that ends, as with
   * daemons (swarm-repository.md 4).
   */
  async invite(conversation: Conversation, account: AccountId): Promise<void> {
    this.mayInvite(conversation);
    this.#refuseBanned(account);
    const { store } = this.options;
    if (conversation.members.bannedAccounts.has(account)) return await this.unban(conversation, account);
    // first, for the invitation may be somebody else's, about to be undone
    store.approvals.put(conversation.id, account, memberSteps(store, conversation.id).at(-1)?.seq ?? 0);
    await this.admit(conversation, account);
  }

  /** Invites an account that asked for it: never one that is banned. */
  async admit(conversation: Conversation, account: AccountId): Promise<void> {
    this.mayInvite(conversation);
    this.#refuseBanned(account);
    const isInvited = () => conversation.joined && standing(conversation, account) === "invited";
    // asked again when it is our turn to write: somebody else may have asked for the same at the same time
    const commit = () =>
      conversation.write(async (context) => isInvited() ? nothing(context) : await invite(context, account));
    await this.options.invitations.owe(conversation, account, isInvited() ? undefined : commit);
  }

  /** @throws {NoGroup} in a one-to-one conversation; {WriteRefused} where only admins invite, and this node is none */
  mayInvite(conversation: Conversation): void {
    group(conversation);
    const { members: { roles }, facts: { mode } } = conversation;
    if (mode === Mode.adminInvitesOnly && roles.get(this.options.self) !== "admin") {
      throw new WriteRefused("only admins invite into this conversation");
    }
  }

  /**
   * Votes to ban a person or a device, and bans it when that decides the vote. Who is banned already stays so.
   * @param reason for the log: the protocol has no place for it
   */
  async ban(conversation: Conversation, target: AccountId | DeviceId, reason: string): Promise<void> {
    group(conversation);
    const isBanned = () => standing(conversation, target) === "banned";
    await conversation.write(async (context) => isBanned() ? nothing(context) : await ban(context, target));
    log.info("voted to ban {target} from {id}: {reason}", { target, id: conversation.id, reason });
  }

  /**
   * Votes to end a ban, and ends it when that decides the vote: the target is again what it was; who was invited is sent the invitation anew. Where there is no
   * ban any more nothing happens.
   */
  async unban(conversation: Conversation, target: AccountId | DeviceId): Promise<void> {
    group(conversation);
    const isFree = () => ["in", "invited"].includes(standing(conversation, target));
    const commit = () =>
      conversation.write(async (context) => isFree() ? nothing(context) : await unban(context, target));
    if (isDeviceId(target)) await commit();
    else await this.options.invitations.owe(conversation, target, commit);
    log.info("voted to end the ban of {target} in {id}", { target, id: conversation.id });
  }

  /**
   * Votes came in: carries out what we voted for and what is decided now. An admin's daemon does that with the vote that decides, but votes
   * may also meet in a merge. Never rejects.
   */
  async carryOut(conversation: Conversation): Promise<void> {
    const { self, store } = this.options;
    try {
      if (conversation.members.roles.get(self) !== "admin") return;
      for (const { action, target, voters, needed } of await conversation.votes()) {
        if (!voters.includes(self) || voters.length < needed) continue;
        if (action === "ban") await this.ban(conversation, target, "decided by the admins' votes");
        else await this.unban(conversation, target);
        const detail = `decided by the votes of ${voters.join(" ")}`;
        store.audit.append({
          actor: "system",
          address: "",
          action: `member.${action}`,
          target: `${conversation.id}/${target}`,
          detail,
        });
      }
    } catch (error) {
      log.warn("a decision in {id} is not carried out: {error}", { id: conversation.id, error: messageOf(error) });
    }
  }

  /**
   * Leaves. The conversation is served until some other member knows of it. It ends at once when there is none, when we were no member,
   * and when we are asked a second time.
   * @throws {NoGroup} in a one-to-one conversation
   */
  leave(id: Oid): Promise<void> {
    const work = this.#leaving.get(id) ?? this.#leave(id).finally(() => this.#leaving.delete(id));
    this.#leaving.set(id, work);
    return work;
  }

  async #leave(id: Oid): Promise<void> {
    const { conversations, store } = this.options;
    const conversation = conversations.get(id);
    if (store.conversations.get(id)?.mode === Mode.oneToOne) {
      throw new NoGroup("a one-to-one conversation ends with the contact");
    }
    if (!conversation?.joined) return this.#end(id);
    await conversation.write(leave);
    if (this.#others(conversation).length === 0) return this.#end(id);
    conversations.leaving(id);
    this.#endIfKnown(conversation);
  }

  /** @throws {BannedHere} */
  #refuseBanned(account: AccountId): void {
    const { store, clock } = this.options;
    if (!store.contacts.isBanned(account) && !store.nodeBans.isBanned(account, clock.now())) return;
    throw new BannedHere("the account is banned from this node: end that ban first");
  }

  /** Those who must hear that we left. */
  #others({ members }: Conversation): AccountId[] {
    const others = [...members.roles].filter(([account]) => account !== this.options.self);
    return others.filter(([, role]) => role === "admin" || role === "member").map(([account]) => account);
  }

  #endIfKnown(conversation: Conversation): void {
    const { conversations, store, self, clock } = this.options;
    if (conversations.get(conversation.id) !== conversation || conversation.record.state !== "leaving") return;
    const removal = this.#removal(conversation.id);
    const isKnown = removal !== undefined &&
      store.ledger.forConversation(conversation.id).some(({ account, heads }) =>
        account !== self && heads.some((head) => conversation.has(head) && conversation.holds(head, removal))
      );
    if (!isKnown || this.#ending.has(conversation.id)) return;
    this.#ending.set(conversation.id, clock.after(LEAVING_MS, () => this.#end(conversation.id)));
  }

  #end(id: Oid): void {
    this.options.conversations.leave(id);
    this.options.onLeft(id);
  }

  #callOff(id: Oid): void {
    this.#ending.get(id)?.();
    this.#ending.delete(id);
  }

  /** The commit by which we left. */
  #removal(id: Oid): Oid | undefined {
    const { store, self } = this.options;
    return memberSteps(store, id).findLast(({ action, uri }) => action === "remove" && uri === self)?.commit;
  }
}

/** A change of who takes part, as a commit tells it. */
export interface MemberStep {
  commit: Oid;
  /** Arrival order. */
  seq: number;
  author: AccountId;
  action: string;
  /** Account, or device of a device ban. */
  uri: string;
}

/** Everything that happened to the members of a conversation, in the order of arrival. */
export function memberSteps(store: Store, id: Oid): MemberStep[] {
  return store.commits.ofType(id, "member").map(({ id: commit, seq, author, body }) => {
    const said: CommitBody = JSON.parse(body); // a commit whose type was read from such an object
    return { commit, seq, author, action: field(said, "action"), uri: field(said, "uri") };
  });
}

/** Who invited an account that is invited now; `null`: nobody is known. */
export function inviterOf(store: Store, id: Oid, invited: AccountId): AccountId | null {
  return memberSteps(store, id).findLast(({ action, uri }) => action === "add" && uri === invited)?.author ?? null;
}

/** How an account or a device stands in a group now. */
function standing({ members }: Conversation, target: AccountId | DeviceId): "in" | "invited" | "banned" | "out" {
  if (isDeviceId(target)) {
    if (members.bannedDevices.has(target)) return "banned";
    return members.devices.has(target) ? "in" : "out";
  }
  if (members.bannedAccounts.has(target)) return "banned";
  const role = members.roles.get(target);
  return role === "invited" ? "invited" : role === "admin" || role === "member" ? "in" : "out";
}

/** What is written where all is as it was asked for. */
function nothing({ head }: WriteContext): Written {
  return { objects: [], head, commits: [] };
}

/** @throws {NoGroup} */
function group({ facts: { mode } }: Conversation): void {
  if (mode === Mode.oneToOne) throw new NoGroup("a one-to-one conversation is not run as a group");
}
