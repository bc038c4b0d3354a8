/** What the HTTP face asks of a node about moderation: protections, bans, lists of bans, what is held, reports. Times are seconds since 1970. */

import type { Consequence, ProtectionMode } from "./store/protections.ts";
import type { Doer } from "./node_api.ts";

export type { Consequence, ProtectionMode } from "./store/protections.ts";

/** A protection and how it is set. */
export interface ProtectionInfo {
  /** "flood", "join-wave", "first-message", "words", "files" */
  name: string;
  /** "dry": it only notes what it would do */
  mode: ProtectionMode;
  /** what follows from a finding: a report, a ban until somebody looks (or the file is not served), a ban */
  consequence: Consequence;
  /** hours that its bans last; 0 = until somebody ends them */
  banHours: number;
  /** ids of the only groups it looks at; empty = all */
  conversations: string[];
  settings: Record<string, unknown>;
  /** JSON Schema of `settings`, with defaults, bounds and descriptions */
  schema: Record<string, unknown>;
  /** findings of the last 24 hours */
  lastDay: { dry: number; real: number };
}

/** What is changed; of `settings`, too, what is not there stays. */
export type ProtectionChanges = Partial<
  Pick<ProtectionInfo, "mode" | "consequence" | "banHours" | "conversations" | "settings">
>;

/** What a protection did, or would have done. */
export interface ActionInfo {
  /** a number that grows */
  id: number;
  at: number;
  protection: string;
  conversationId: string;
  /** whom it found */
  jamiId: string;
  name: string;
  deviceId: string;
  /** what it found; "" = nothing that is a commit */
  commit: string;
  consequence: Consequence;
  dry: boolean;
  /** without a word of what was said */
  reason: string;
  /** "noted": nothing was done but this; "done": it stands; "failed": `detail` says why; "undone", "confirmed": by a moderator */
  outcome: "noted" | "done" | "failed" | "undone" | "confirmed";
  detail: string;
}

/** Why, by whom and until when somebody is kept out. */
export interface BanInfo {
  /** "" = not known here: another admin's app banned */
  reason: string;
  by: string;
  at: number;
  /** null = until somebody ends it */
  expires: number | null;
  /** only until a moderator has looked */
  held: boolean;
}

/** A ban for the whole node. */
export interface NodeBanInfo extends Omit<BanInfo, "held"> {
  /** Jami ID, or device id */
  target: string;
  kind: "account" | "device";
  /** of an account */
  name: string;
  /** names of the lists that have it as well */
  lists: string[];
}

/** A ban in a group. */
export interface GroupBanInfo extends BanInfo {
  conversationId: string;
  title: string;
  /** Jami ID, or device id */
  target: string;
  kind: "account" | "device";
  name: string;
}

/** What to make a ban of. */
export interface BanWish {
  reason?: string;
  /** seconds; not there = until somebody ends it */
  expiresIn?: number;
}

/** A list of bans. */
export interface BanListInfo {
  /** 16 hex digits */
  id: string;
  name: string;
  /** null = put in by hand */
  url: string | null;
  /** may it come from an address of a private network? */
  allowPrivate: boolean;
  /** seconds between fetches */
  interval: number;
  entries: number;
  /** the last time it was taken in; null = never */
  fetched: number | null;
  /** when it is fetched next; null = never */
  next: number | null;
  /** why the last fetch failed; "" = it did not */
  error: string;
  added: number;
  addedBy: string;
}

/** A list as it is given away and put in: an entry has `jamiId` or `deviceId`. */
export interface BanListFile {
  name: string;
  entries: { jamiId?: string; deviceId?: string; reason: string; expires?: number }[];
}

/** A list to subscribe to. */
export interface NewSubscription {
  url: string;
  allowPrivate: boolean;
  interval: number;
}

/** Something that waits until a moderator has looked. */
export interface HeldInfo {
  kind: "member" | "device" | "file";
  conversationId: string;
  title: string;
  /** Jami ID, device id, or the commit that announces the file */
  target: string;
  /** whose it is */
  jamiId: string;
  name: string;
  reason: string;
  by: string;
  at: number;
}

/** Something that a moderator is to look at. */
export interface ReportInfo {
  /** a number that grows */
  id: number;
  at: number;
  /** of a member, or of a protection */
  kind: "report" | "finding";
  /** who reports; of a finding: whom it is about */
  jamiId: string;
  name: string;
  /** the conversation it came in; of a finding: the group */
  conversationId: string;
  title: string;
  /** "" = none */
  commit: string;
  /** what the member wrote (it may be hidden), or what was found */
  text: string;
  /** groups that the account and the node are both in */
  common: { id: string; title: string }[];
  /** null = it waits */
  resolved: { at: number; by: string; note: string } | null;
}

/** What waits for a moderator. */
export interface ModerationWaiting {
  reports: number;
  held: number;
}

/** A part of a list that is ordered by number, newest first. */
export interface NumberedQuery {
  /** 1 to {@link MAX_NUMBERED} */
  limit: number;
  /** only those with a lower number */
  before?: number;
}

/** A part of such a list. */
export interface NumberedPage<Item> {
  items: Item[];
  /** what to ask with as `before` for the rest; null = this was the end */
  next: number | null;
}

/** Entries that one page of a numbered list may have. */
export const MAX_NUMBERED = 500;

/** Moderation. Every promise may reject with, and every call throw, a NodeError. */
export interface ModerationApi {
  waiting(): ModerationWaiting;

  protections(): ProtectionInfo[];
  /** @throws {NodeError} "not found", "unfit" */
  setProtection(name: string, changes: ProtectionChanges): ProtectionInfo;
  /** Jami IDs that no protection and no list touches. */
  allowlist(): string[];
  /** @throws {NodeError} "unfit" */
  setAllowlist(jamiIds: string[]): void;
  actions(query: NumberedQuery & { protection?: string }): NumberedPage<ActionInfo>;
  /** Takes back what a protection did: by a commit that ends the ban, or by serving the file. @throws {NodeError} "not found", "conflict" */
  undoAction(id: number): Promise<ActionInfo>;

  /** As an admin of the group: votes to ban a member or a device, and bans it when that decides. @throws {NodeError} */
  banMember(conversationId: string, target: string, wish: BanWish, by: Doer): Promise<void>;
  /** As an admin: votes to end a ban, and ends it when that decides: the target is again what it was. @throws {NodeError} */
  unbanMember(conversationId: string, target: string): Promise<void>;

  /** The node's own bans, newest first. Entries of lists are not among them. */
  bans(): NodeBanInfo[];
  /** What is known of bans in groups, newest first. */
  groupBans(): GroupBanInfo[];
  /**
   * Bans an account or a device from the node.
   * @param inGroups also from every group whose admin the node is
   * @returns ids of the groups from which it was banned
   * @throws {NodeError} "bad request" for the node itself
   */
  ban(
    target: string,
    wish: BanWish & { inGroups?: boolean },
    by: Doer,
  ): Promise<{ ban: NodeBanInfo; groups: string[] }>;
  /** Ends a ban for the node. @throws {NodeError} "not found" */
  unban(target: string): void;
  /** The node's own bans as a list for others. */
  exportBans(): BanListFile;

  /** Oldest first. */
  banLists(): BanListInfo[];
  /** @throws {NodeError} "unfit", "conflict" */
  subscribeBanList(subscription: NewSubscription, by: Doer): Promise<BanListInfo>;
  /** Puts in a list by hand. @param list the parsed JSON. @throws {NodeError} "unfit" */
  putBanList(list: unknown, by: Doer): BanListInfo;
  /** Fetches it now; whether that worked stands in the answer. @throws {NodeError} "not found" */
  refreshBanList(id: string): Promise<BanListInfo>;
  /** @throws {NodeError} "not found" */
  removeBanList(id: string): void;
  /** @throws {NodeError} "not found" */
  banListEntries(
    id: string,
    limit: number,
    offset: number,
  ): { target: string; reason: string; expires: number | null }[];

  /** Newest first. */
  held(): HeldInfo[];
  /** Lets the member come back, or serves the file. @throws {NodeError} "not found" */
  releaseHeld(conversationId: string, target: string): Promise<void>;
  /** The hold becomes a ban; a file is given up for good. @throws {NodeError} "not found" */
  confirmHeld(conversationId: string, target: string, wish: BanWish, by: Doer): void;

  /** Newest first. */
  reports(state: "open" | "resolved", query: NumberedQuery): NumberedPage<ReportInfo>;
  /** @throws {NodeError} "not found" */
  resolveReport(id: number, note: string, by: Doer): void;
}
