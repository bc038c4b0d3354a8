/**
 * Bans with a reason and an end. In a group the protocol knows neither: the ban is a commit, the rest stands in our store, and the end is another commit, by
 * us. For the node, who is banned is not connected with, and nothing of it is taken: see docs/moderation.md for what that cannot do.
 */

import { getLogger } from "@logtape/logtape";
import type { Contacts } from "../account/contacts.ts";
import { type Clock, every } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap } from "../base/limits.ts";
import { type AccountId, type DeviceId, isDeviceId } from "../identity/ids.ts";
import type { Conversations } from "../relay/conversations.ts";
import type { Groups } from "../relay/groups.ts";
import type { BanTerms } from "../store/bans.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import { WriteConflict } from "../swarm/write.ts";
import { EXPIRIES_RETRIED, EXPIRY_EVERY_MS, EXPIRY_RETRY_MS } from "./constants.ts";

const log = getLogger(["kituo", "moderation"]);

/** There is no such ban, or nothing that is held. */
export class NoBan extends KituoError {}

/** The target is the node itself. */
export class OwnTarget extends KituoError {}

/** Why, by whom, until when (ms; null = until somebody ends it). */
export type Terms = Pick<BanTerms, "reason" | "by" | "expires">;

export type BansEvents = {
  /** A ban of the node began or ended. */
  node: { target: string };
  /** A ban in a group began or ended, or is no longer only held. */
  group: { conversation: Oid; target: string };
};

export interface BansOptions {
  store: Store;
  clock: Clock;
  self: { account: AccountId; device: DeviceId };
  conversations: Pick<Conversations, "get" | "all" | "of" | "on">;
  groups: Pick<Groups, "ban" | "unban">;
  contacts: Pick<Contacts, "keepOut" | "readmit">;
  /** Those who are kept out changed. */
  enforce(): void;
}

export class Bans extends Emitter<BansEvents> {
  #off: (() => void)[] = [];
  /** Bans that are being written: their rows stand already. */
  #writing = new Set<string>();
  /** Ends that failed, and when they are tried again. */
  #later = new LruMap<string, number>(EXPIRIES_RETRIED);
  #sweeping = Promise.resolve();

  constructor(private readonly options: BansOptions) {
    super();
  }

  start(): void {
    const { conversations, clock, store } = this.options;
    this.#off = [
      conversations.on("moved", ({ conversation, added }) => {
        if (added.some(({ type }) => type === "member" || type === "merge")) this.#settle(conversation);
      }),
      conversations.on("closed", ({ id }) => store.conversationBans.drop(id)),
      every(clock, EXPIRY_EVERY_MS, () => this.#sweep()),
    ];
    for (const conversation of conversations.all()) this.#settle(conversation);
    this.#sweep();
  }

  async stop(): Promise<void> {
    this.#off.forEach((off) => off());
    await this.#sweeping;
  }

  /**
   * Bans a member or a device from a group; where there are several admins, it is a vote. `held`: until a moderator has looked.
   * @throws what {@link Groups.ban} throws
   */
  async ban(conversation: Conversation, target: string, terms: Terms, held = false): Promise<void> {
    const { store, clock, groups } = this.options;
    const { id } = conversation;
    const before = store.conversationBans.get(id, target);
    const key = `${id}/${target}`;
    this.#writing.add(key);
    // first the row: a ban that a crash left without its end would last for ever
    store.conversationBans.put({ conversation: id, target, held, ...terms, at: clock.now() });
    try {
      await groups.ban(conversation, target, terms.reason);
    } catch (error) {
      if (before) store.conversationBans.put(before);
      else store.conversationBans.delete(id, target);
      throw error;
    } finally {
      this.#writing.delete(key);
    }
    this.emit("group", { conversation: id, target });
  }

  /** Ends a ban in a group. @throws what {@link Groups.unban} throws */
  async unban(conversation: Conversation, target: string): Promise<void> {
    await this.options.groups.unban(conversation, target);
    await this.#settle(conversation);
  }

  /** A moderator has looked: the ban is one now, with these terms. @throws {NoBan} */
  confirm(conversation: Oid, target: string, terms: Terms): void {
    const { store, clock } = this.options;
    if (!store.conversationBans.get(conversation, target)?.held) throw new NoBan("nobody is held here by this id");
    store.conversationBans.put({ conversation, target, held: false, ...terms, at: clock.now() });
    this.emit("group", { conversation, target });
  }

  /**
   * Bans an account or a device from the node.
   * @returns the groups from which it was banned as well, when `inGroups`: those in which this node is an admin
   * @throws {OwnTarget}
   */
  async banFromNode(target: string, terms: Terms, inGroups = false): Promise<Oid[]> {
    const { store, clock, self, contacts, enforce } = this.options;
    if (target === self.account || target === self.device) throw new OwnTarget("this is the node itself");
    store.nodeBans.put({ target, ...terms, at: clock.now() });
    if (!isDeviceId(target)) contacts.keepOut(target);
    enforce();
    this.emit("node", { target });
    return inGroups ? await this.#banInGroups(target, terms) : [];
  }

  /** Ends a ban of the node; lists may still name the target. @throws {NoBan} */
  unbanFromNode(target: string): void {
    const { store, contacts, enforce } = this.options;
    const was = store.nodeBans.delete(target);
    const blocked = !isDeviceId(target) && contacts.readmit(target);
    if (!was && !blocked) throw new NoBan("it is not banned by this node itself");
    enforce();
    this.emit("node", { target });
  }

  async #banInGroups(target: string, terms: Terms): Promise<Oid[]> {
    const { conversations, self } = this.options;
    const isIn = ({ members }: Conversation) =>
      isDeviceId(target)
        ? members.devices.has(target)
        : ["member", "invited"].includes(members.roles.get(target) ?? "");
    const done: Oid[] = [];
    for (const conversation of conversations.all()) {
      const isOurs = conversation.members.roles.get(self.account) === "admin" && conversation.facts.mode !== 0;
      if (!isOurs || !isIn(conversation)) continue;
      try {
        await this.ban(conversation, target, terms);
        done.push(conversation.id);
      } catch (error) {
        log.warn("{target} was not banned from {id}: {error}", {
          target,
          id: conversation.id,
          error: messageOf(error),
        });
      }
    }
    return done;
  }

  /** Forgets what is known of bans that are none any more, by whomever they were ended. Never rejects. */
  async #settle(conversation: Conversation): Promise<void> {
    const { store } = this.options;
    const { id } = conversation;
    try {
      const votes = store.conversationBans.of(id).length > 0 ? await conversation.votes() : [];
      const { bannedAccounts, bannedDevices } = conversation.members;
      for (const { target } of store.conversationBans.of(id)) {
        const stands = bannedAccounts.has(target) || bannedDevices.has(target) ||
          this.#writing.has(`${id}/${target}`) ||
          votes.some((vote) => vote.action === "ban" && vote.target === target);
        if (stands) continue;
        store.conversationBans.delete(id, target);
        this.emit("group", { conversation: id, target });
      }
    } catch (error) {
      log.warn("the bans of {id} were not looked through: {error}", { id, error: messageOf(error) });
    }
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(() => this.#endOver()).catch((error) =>
      log.error("bans that are over: {error}", { error: messageOf(error) })
    );
  }

  /** Ends what is over. */
  async #endOver(): Promise<void> {
    const { store, clock } = this.options;
    const now = clock.now();
    for (const { target } of store.nodeBans.over(now)) {
      this.unbanFromNode(target);
      this.#note("ban.end", target, "the time of the ban was over");
    }
    for (const { conversation: id, target } of store.conversationBans.over(now)) {
      const key = `${id}/${target}`;
      if ((this.#later.get(key) ?? 0) > now) continue;
      this.#later.set(key, now + EXPIRY_RETRY_MS);
      await this.#end(id, target);
    }
  }

  async #end(id: Oid, target: string): Promise<void> {
    const conversation = this.options.conversations.get(id);
    if (!conversation) return;
    try {
      await this.unban(conversation, target);
      this.#note("member.unban", `${id}/${target}`, "the time of the ban was over");
    } catch (error) {
      if (error instanceof WriteConflict) return await this.#settle(conversation);
      log.warn("the ban of {target} in {id} did not end: {error}", { target, id, error: messageOf(error) });
    }
  }

  #note(action: string, target: string, detail: string): void {
    const { store, clock } = this.options;
    store.audit.append({ actor: "system", address: "", action, target, detail }, clock.now());
  }
}
