/** Moderation as the API has it: the room that moderates, built over a relay. */

import { z } from "zod";
import type { Clock } from "./base/clock.ts";
import { Emitter } from "./base/events.ts";
import type { Random } from "./base/random.ts";
import { BanLists } from "./moderation/ban_lists.ts";
import { readList, writeList } from "./moderation/ban_list_format.ts";
import { Bans, NoBan, type Terms } from "./moderation/bans.ts";
import { Consequences } from "./moderation/consequences.ts";
import { Engine } from "./moderation/engine.ts";
import { Reports } from "./moderation/reports.ts";
import { ProtectionSettings } from "./moderation/settings.ts";
import {
  type ActionInfo,
  type BanListFile,
  type BanListInfo,
  type BanWish,
  type Doer,
  type GroupBanInfo,
  type HeldInfo,
  type ModerationApi,
  type ModerationWaiting,
  type NewSubscription,
  type NodeBanInfo,
  NodeError,
  type NumberedPage,
  type NumberedQuery,
  type ProtectionChanges,
  type ProtectionInfo,
  type ReportInfo,
} from "./node_api.ts";
import * as view from "./node_moderation_view.ts";
import type { Calling } from "./node_names.ts";
import { refusing, refusingNow } from "./node_refusals.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";

const DAY_MS = 24 * 3_600_000;

/** Things held that are shown: a moderator works through them from the newest. */
const MAX_HELD = 500;

/** Seconds of the longest ban that ends: what is longer is for good. */
const MAX_EXPIRY_S = 100 * 365 * 86_400;

export interface NodeModerationOptions {
  relay: Relay;
  store: Store;
  clock: Clock;
  random: Random;
  called: Calling;
  /** @throws {NodeError} */
  open(conversation: string): Conversation;
}

export type ModerationEvents = {
  /** Something of this changed. */
  changed: { about: "reports" | "held" | "actions" | "bans" | "lists" | "protections" };
};

export class NodeModeration extends Emitter<ModerationEvents> implements ModerationApi {
  readonly #settings: ProtectionSettings;
  readonly #bans: Bans;
  readonly #lists: BanLists;
  readonly #reports: Reports;
  readonly #engine: Engine;

  constructor(private readonly options: NodeModerationOptions) {
    super();
    const { relay, store, clock, random } = options;
    const { conversations, groups, files, self } = relay;
    const enforce = () => relay.enforceBans();
    this.#settings = new ProtectionSettings(store);
    const isAllowed = (account: string) => this.#settings.isAllowed(account);
    this.#bans = new Bans({
      store,
      clock,
      self: { account: self, device: relay.device },
      conversations,
      groups,
      contacts: relay.account.contacts,
      enforce,
    });
    this.#lists = new BanLists({
      store,
      clock,
      random,
      spares: (target) => target === self || target === relay.device || isAllowed(target),
      enforce,
    });
    const reports = this.#reports = new Reports({ store, clock });
    const consequences = new Consequences({ store, clock, self, bans: this.#bans, reports, isAllowed });
    this.#engine = new Engine({
      store,
      clock,
      self,
      conversations,
      files,
      settings: this.#settings,
      consequences,
      reports,
    });
    consequences.on("acted", () => this.emit("changed", { about: "actions" }));
    consequences.on("file", () => this.emit("changed", { about: "held" }));
    this.#bans.on("node", () => this.emit("changed", { about: "bans" }));
    this.#bans.on("group", () => this.emit("changed", { about: "held" }));
    this.#lists.on("changed", () => this.emit("changed", { about: "lists" }));
    reports.on("changed", () => this.emit("changed", { about: "reports" }));
  }

  start(): void {
    this.#bans.start();
    this.#lists.start();
    this.#engine.start();
  }

  async stop(): Promise<void> {
    await this.#engine.stop();
    await this.#lists.stop();
    await this.#bans.stop();
  }

  waiting(): ModerationWaiting {
    const { store } = this.options;
    return {
      reports: store.reports.waiting(),
      held: store.conversationBans.held().length + store.heldFiles.all(MAX_HELD).length,
    };
  }

  protections(): ProtectionInfo[] {
    const counts = this.options.store.protectionActions.counts(this.options.clock.now() - DAY_MS);
    return this.#settings.all().map(({ protection, row, settings }) => {
      const count = (dry: boolean) =>
        counts.find((one) => one.protection === protection.name && one.dry === dry)?.count ?? 0;
      const { name, mode, consequence, banHours, conversations } = row;
      return {
        name,
        mode,
        consequence,
        banHours,
        conversations,
        settings: { ...settings },
        schema: { ...z.toJSONSchema(protection.settings, { io: "input" }) },
        lastDay: { dry: count(true), real: count(false) },
      };
    });
  }

  setProtection(name: string, changes: ProtectionChanges): ProtectionInfo {
    refusingNow(() => this.#settings.change(name, changes));
    this.#engine.forget(name);
    this.emit("changed", { about: "protections" });
    const info = this.protections().find((one) => one.name === name);
    if (!info) throw new NodeError("not found", "no such protection");
    return info;
  }

  allowlist(): string[] {
    return this.#settings.allowed();
  }

  setAllowlist(jamiIds: string[]): void {
    refusingNow(() => this.#settings.allow([...new Set(jamiIds)]));
    this.#lists.again();
    this.emit("changed", { about: "protections" });
  }

  actions({ limit, before, protection }: NumberedQuery & { protection?: string }): NumberedPage<ActionInfo> {
    const { store, called } = this.options;
    const page = store.protectionActions.page({ limit: limit + 1, before, protection });
    return view.numbered(page.map((row) => view.actionInfo(row, called)), limit);
  }

  async undoAction(id: number): Promise<ActionInfo> {
    const { store, called } = this.options;
    const action = store.protectionActions.get(id);
    if (!action) throw new NodeError("not found", "nothing was done under this number");
    if (action.outcome !== "done") throw new NodeError("conflict", "there is nothing to undo");
    const { conversation, commit, account, device } = action;
    const target = store.heldFiles.get(conversation, commit)
      ? commit
      : store.conversationBans.get(conversation, device)
      ? device
      : account;
    if (target === commit) this.#releaseFile(conversation, commit);
    else await this.unbanMember(conversation, target);
    store.protectionActions.setOutcome(id, "undone", "");
    this.emit("changed", { about: "actions" });
    return view.actionInfo({ ...action, outcome: "undone", detail: "" }, called);
  }

  async banMember(id: string, target: string, wish: BanWish, by: Doer): Promise<void> {
    await refusing(() => this.#bans.ban(this.options.open(id), target, this.#terms(wish, by)));
  }

  async unbanMember(id: string, target: string): Promise<void> {
    await refusing(() => this.#bans.unban(this.options.open(id), target));
    this.options.store.protectionActions.settle(id, target, "undone");
  }

  bans(): NodeBanInfo[] {
    const { store, clock, called } = this.options;
    const own = store.nodeBans.all();
    const known = new Set(own.map(({ target }) => target));
    // blocked with a request, or by an own app: the record of a contact has no reason
    const blocked = store.contacts.banned().filter((account) => !known.has(account)).map((target) => {
      return { target, reason: "", by: "", at: store.contacts.get(target)?.removed ?? 0, expires: null };
    });
    const now = clock.now();
    return [...own, ...blocked].map((ban) => view.nodeBanInfo(ban, store, called, now));
  }

  groupBans(): GroupBanInfo[] {
    const { store, called } = this.options;
    return store.conversationBans.all().map((ban) => view.groupBanInfo(ban, store, called));
  }

  async ban(target: string, { inGroups = false, ...wish }: BanWish & { inGroups?: boolean }, by: Doer) {
    const { store, called, clock } = this.options;
    const terms = this.#terms(wish, by);
    const groups = await refusing(() => this.#bans.banFromNode(target, terms, inGroups));
    const ban = view.nodeBanInfo({ target, ...terms, at: clock.now() }, store, called, clock.now());
    return { ban, groups };
  }

  unban(target: string): void {
    refusingNow(() => this.#bans.unbanFromNode(target));
  }

  exportBans(): BanListFile {
    const { store, relay } = this.options;
    return writeList(relay.displayName, store.nodeBans.all());
  }

  banLists(): BanListInfo[] {
    const { store } = this.options;
    return store.banLists.all().map((list) => view.banListInfo(list, store));
  }

  async subscribeBanList(subscription: NewSubscription, { actor }: Doer): Promise<BanListInfo> {
    const list = await refusing(() => this.#lists.subscribe(subscription, actor));
    return view.banListInfo(list, this.options.store);
  }

  putBanList(list: unknown, { actor }: Doer): BanListInfo {
    return view.banListInfo(refusingNow(() => this.#lists.put(readList(list), actor)), this.options.store);
  }

  async refreshBanList(id: string): Promise<BanListInfo> {
    return view.banListInfo(await refusing(() => this.#lists.refresh(id)), this.options.store);
  }

  removeBanList(id: string): void {
    refusingNow(() => this.#lists.remove(id));
  }

  banListEntries(id: string, limit: number, offset: number) {
    const { store } = this.options;
    if (!store.banLists.get(id)) throw new NodeError("not found", "there is no such list");
    return store.banLists.entries(id, limit, offset).map(({ target, reason, expires }) => {
      return { target, reason, expires: expires === null ? null : view.inSeconds(expires) };
    });
  }

  held(): HeldInfo[] {
    const { store, called } = this.options;
    const members = store.conversationBans.held().map((ban) => view.heldBanInfo(ban, store, called));
    const files = store.heldFiles.all(MAX_HELD).map((file) => view.heldFileInfo(file, store, called));
    return [...members, ...files].sort((a, b) => b.at - a.at).slice(0, MAX_HELD);
  }

  async releaseHeld(id: string, target: string): Promise<void> {
    const { store } = this.options;
    if (store.heldFiles.get(id, target)) return this.#releaseFile(id, target);
    if (!store.conversationBans.get(id, target)?.held) throw new NodeError("not found", "nothing is held by this id");
    await this.unbanMember(id, target);
  }

  confirmHeld(id: string, target: string, wish: BanWish, by: Doer): void {
    const { store, relay } = this.options;
    if (store.heldFiles.delete(id, target)) {
      relay.files.discard(id, target);
      store.protectionActions.settle(id, target, "confirmed", true);
      return this.emit("changed", { about: "held" });
    }
    const before = store.conversationBans.get(id, target);
    if (!before?.held) throw new NodeError("not found", "nothing is held by this id");
    const terms = this.#terms({ ...wish, reason: wish.reason || before.reason }, by);
    refusingNow(() => this.#bans.confirm(id, target, terms));
    store.protectionActions.settle(id, target, "confirmed");
  }

  reports(state: "open" | "resolved", { limit, before }: NumberedQuery): NumberedPage<ReportInfo> {
    const { store, called, relay } = this.options;
    const page = store.reports.page(state, limit + 1, before);
    return view.numbered(page.map((report) => view.reportInfo(report, relay, store, called)), limit);
  }

  resolveReport(id: number, note: string, { actor }: Doer): void {
    refusingNow(() => this.#reports.resolve(id, actor, note));
  }

  #releaseFile(id: string, commit: string): void {
    const { store } = this.options;
    if (!store.heldFiles.delete(id, commit)) throw new NoBan("no such file is held");
    store.protectionActions.settle(id, commit, "undone", true);
    this.emit("changed", { about: "held" });
  }

  #terms({ reason = "", expiresIn }: BanWish, { actor }: Doer): Terms {
    const ends = expiresIn !== undefined && expiresIn <= MAX_EXPIRY_S;
    return { reason, by: actor, expires: ends ? this.options.clock.now() + expiresIn * 1_000 : null };
  }
}
