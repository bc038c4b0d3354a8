/** Moderation of the small node: a few lists in memory. */

import {
  type ActionInfo,
  type BanListInfo,
  type BanWish,
  type Doer,
  type HeldInfo,
  type ModerationApi,
  type NewSubscription,
  type NodeBanInfo,
  NodeError,
  type NumberedPage,
  type NumberedQuery,
  type ProtectionChanges,
  type ProtectionInfo,
  type ReportInfo,
} from "../../../core/node_api.ts";
import { CONVERSATION, id } from "./fake_node.ts";

const AT = 1_790_000_000;

/** Moderation in memory. */
export class FakeModeration implements ModerationApi {
  readonly set: ProtectionInfo = {
    name: "flood",
    mode: "off",
    consequence: "ban",
    banHours: 0,
    conversations: [],
    settings: { messages: 10 },
    schema: { type: "object", properties: { messages: { type: "integer", minimum: 2, maximum: 500, default: 10 } } },
    lastDay: { dry: 0, real: 0 },
  };
  allowed: string[] = [];
  readonly done: ActionInfo[] = [];
  readonly banned = new Map<string, NodeBanInfo>();
  readonly lists = new Map<string, BanListInfo>();
  readonly waitingFor: HeldInfo[] = [];
  readonly told: ReportInfo[] = [];

  /** @param deeds what was done to groups, in words */
  constructor(private readonly deeds: string[], private readonly find: (conversation: string) => Promise<void>) {}

  waiting() {
    return { reports: this.told.filter(({ resolved }) => !resolved).length, held: this.waitingFor.length };
  }

  protections(): ProtectionInfo[] {
    return [this.set];
  }

  setProtection(name: string, { settings, ...changes }: ProtectionChanges): ProtectionInfo {
    if (name !== this.set.name) throw new NodeError("not found", "There is no such protection.");
    if (settings && "wrong" in settings) throw new NodeError("unfit", "wrong: not a setting");
    return Object.assign(this.set, changes, { settings: { ...this.set.settings, ...settings } });
  }

  allowlist(): string[] {
    return this.allowed;
  }

  setAllowlist(jamiIds: string[]): void {
    this.allowed = jamiIds;
  }

  actions({ limit, before }: NumberedQuery): NumberedPage<ActionInfo> {
    return numbered(this.done, limit, before);
  }

  async undoAction(number: number): Promise<ActionInfo> {
    await Promise.resolve();
    const action = this.done.find(({ id }) => id === number);
    if (!action) throw new NodeError("not found", "Nothing was done under this number.");
    return Object.assign(action, { outcome: "undone" });
  }

  async banMember(conversation: string, target: string, { reason = "", expiresIn }: BanWish): Promise<void> {
    await this.find(conversation);
    const ends = expiresIn === undefined ? "" : `for ${expiresIn} s`;
    this.deeds.push(["ban", target, reason, ends].filter((word) => word !== "").join(" "));
  }

  async unbanMember(conversation: string, target: string): Promise<void> {
    await this.find(conversation);
    this.deeds.push(`unban ${target}`);
  }

  bans(): NodeBanInfo[] {
    return [...this.banned.values()];
  }

  groupBans() {
    return [];
  }

  async ban(target: string, { reason = "", expiresIn, inGroups }: BanWish & { inGroups?: boolean }, { actor }: Doer) {
    await Promise.resolve();
    if (target === id(9)) throw new NodeError("bad request", "This is the node itself.");
    const expires = expiresIn === undefined ? null : AT + expiresIn;
    const kind = target.length === 64 ? "device" as const : "account" as const;
    const ban: NodeBanInfo = { target, kind, name: "", reason, by: actor, at: AT, expires, lists: [] };
    this.banned.set(target, ban);
    return { ban, groups: inGroups ? [CONVERSATION] : [] };
  }

  unban(target: string): void {
    if (!this.banned.delete(target)) throw new NodeError("not found", "It is not banned.");
  }

  exportBans() {
    return { name: "K", entries: this.bans().map(({ target, reason }) => ({ jamiId: target, reason })) };
  }

  banLists(): BanListInfo[] {
    return [...this.lists.values()];
  }

  async subscribeBanList({ url, allowPrivate, interval }: NewSubscription, { actor }: Doer): Promise<BanListInfo> {
    await Promise.resolve();
    if (!url.startsWith("https://")) throw new NodeError("unfit", "A list is fetched from an https address.");
    return this.#list(url, allowPrivate, interval, actor);
  }

  putBanList(_list: unknown, { actor }: Doer): BanListInfo {
    return this.#list(null, false, 0, actor);
  }

  async refreshBanList(listId: string): Promise<BanListInfo> {
    await Promise.resolve();
    const list = this.lists.get(listId);
    if (!list) throw new NodeError("not found", "There is no such list.");
    return list;
  }

  removeBanList(listId: string): void {
    if (!this.lists.delete(listId)) throw new NodeError("not found", "There is no such list.");
  }

  banListEntries(listId: string) {
    if (!this.lists.has(listId)) throw new NodeError("not found", "There is no such list.");
    return [];
  }

  held(): HeldInfo[] {
    return this.waitingFor;
  }

  async releaseHeld(conversation: string, target: string): Promise<void> {
    await Promise.resolve();
    this.#settle(conversation, target);
  }

  confirmHeld(conversation: string, target: string): void {
    this.#settle(conversation, target);
  }

  reports(state: "open" | "resolved", { limit, before }: NumberedQuery): NumberedPage<ReportInfo> {
    const wanted = this.told.filter(({ resolved }) => (resolved === null) === (state === "open"));
    return numbered(wanted, limit, before);
  }

  resolveReport(number: number, note: string, { actor }: Doer): void {
    const report = this.told.find(({ id, resolved }) => id === number && !resolved);
    if (!report) throw new NodeError("not found", "There is no such report.");
    report.resolved = { at: AT, by: actor, note };
  }

  #settle(conversation: string, target: string): void {
    const at = this.waitingFor.findIndex((one) => one.conversationId === conversation && one.target === target);
    if (at < 0) throw new NodeError("not found", "Nothing is held by this id.");
    this.waitingFor.splice(at, 1);
  }

  #list(url: string | null, allowPrivate: boolean, interval: number, addedBy: string): BanListInfo {
    const list = {
      id: (this.lists.size + 1).toString(16).padStart(16, "0"),
      name: "a list",
      url,
      allowPrivate,
      interval,
      entries: 0,
      fetched: AT,
      next: url === null ? null : AT + interval,
      error: "",
      added: AT,
      addedBy,
    };
    this.lists.set(list.id, list);
    return list;
  }
}

function numbered<Item extends { id: number }>(items: Item[], limit: number, before = Infinity): NumberedPage<Item> {
  const rest = items.filter(({ id }) => id < before).sort((a, b) => b.id - a.id);
  return { items: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1].id : null };
}
