/** What the room that moderates keeps, in the words of the HTTP API. */

import { isDeviceId } from "./identity/ids.ts";
import type {
  ActionInfo,
  BanInfo,
  BanListInfo,
  GroupBanInfo,
  HeldInfo,
  NodeBanInfo,
  NumberedPage,
  ReportInfo,
} from "./node_api.ts";
import type { Calling } from "./node_names.ts";
import type { Relay } from "./relay/relay.ts";
import type { BanList, BanTerms, ConversationBan, NodeBan } from "./store/bans.ts";
import type { ActionRow, HeldFile } from "./store/protections.ts";
import type { Report } from "./store/reports.ts";
import type { Store } from "./store/store.ts";

export function actionInfo(row: ActionRow, called: Calling): ActionInfo {
  const { id, at, protection, conversation, account, device, commit, consequence, dry, reason, outcome, detail } = row;
  return {
    id,
    at: inSeconds(at),
    protection,
    conversationId: conversation,
    jamiId: account,
    name: called(account).name,
    deviceId: device,
    commit,
    consequence,
    dry,
    reason,
    outcome,
    detail,
  };
}

function terms({ reason, by, at, expires }: BanTerms) {
  return { reason, by, at: inSeconds(at), expires: expires === null ? null : inSeconds(expires) };
}

/** What is known of a ban in a group. */
export function banInfo(ban: ConversationBan | undefined): BanInfo | null {
  return ban ? { ...terms(ban), held: ban.held } : null;
}

export function nodeBanInfo(ban: NodeBan, store: Store, called: Calling, now: number): NodeBanInfo {
  const { target } = ban;
  const lists = store.banLists.naming(target, now).map((id) => store.banLists.get(id)?.name || id);
  return { target, ...whose(target, called), ...terms(ban), lists };
}

export function groupBanInfo(ban: ConversationBan, store: Store, called: Calling): GroupBanInfo {
  const { conversation, target, held } = ban;
  return {
    conversationId: conversation,
    title: titleOf(store, conversation),
    target,
    ...whose(target, called),
    ...terms(ban),
    held,
  };
}

export function banListInfo(list: BanList, store: Store): BanListInfo {
  const { id, name, url, allowPrivate, interval, fetched, next, error, added, addedBy } = list;
  return {
    id,
    name,
    url,
    allowPrivate,
    interval,
    entries: store.banLists.count(id),
    fetched: fetched === 0 ? null : inSeconds(fetched),
    next: url === null || next === 0 ? null : inSeconds(next),
    error,
    added: inSeconds(added),
    addedBy,
  };
}

export function heldBanInfo(ban: ConversationBan, store: Store, called: Calling): HeldInfo {
  const { conversation, target, reason, by, at } = ban;
  const isDevice = isDeviceId(target);
  const jamiId = isDevice ? store.certificates.byDevice(target)?.account ?? "" : target;
  return {
    kind: isDevice ? "device" : "member",
    conversationId: conversation,
    title: titleOf(store, conversation),
    target,
    jamiId,
    name: jamiId && called(jamiId).name,
    reason,
    by,
    at: inSeconds(at),
  };
}

export function heldFileInfo(held: HeldFile, store: Store, called: Calling): HeldInfo {
  const { conversation, file, account, reason, at } = held;
  return {
    kind: "file",
    conversationId: conversation,
    title: titleOf(store, conversation),
    target: file,
    jamiId: account,
    name: called(account).name,
    reason,
    by: "system",
    at: inSeconds(at),
  };
}

export function reportInfo(report: Report, relay: Relay, store: Store, called: Calling): ReportInfo {
  const { id, at, kind, account, conversation, commit, text, resolved, resolvedBy, note } = report;
  const groups = relay.conversations.of(account).filter(({ facts: { mode } }) => mode !== 0);
  return {
    id,
    at: inSeconds(at),
    kind,
    jamiId: account,
    name: called(account).name,
    conversationId: conversation,
    title: titleOf(store, conversation),
    commit,
    text,
    common: groups.map(({ id }) => ({ id, title: titleOf(store, id) })),
    resolved: resolved === null ? null : { at: inSeconds(resolved), by: resolvedBy, note },
  };
}

/** The first `limit` of a page that was asked for with one more. */
export function numbered<Item extends { id: number }>(items: Item[], limit: number): NumberedPage<Item> {
  const page = items.slice(0, limit);
  return { items: page, next: items.length > limit ? page[page.length - 1].id : null };
}

export function inSeconds(ms: number): number {
  return Math.floor(ms / 1_000);
}

function whose(target: string, called: Calling) {
  return isDeviceId(target)
    ? { kind: "device" as const, name: "" }
    : { kind: "account" as const, name: called(target).name };
}

function titleOf(store: Store, conversation: string): string {
  return store.conversations.get(conversation)?.title ?? "";
}
