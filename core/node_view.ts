/** A relay's state in the words of the HTTP API. */

import type { Contact } from "./store/contacts.ts";
import type { CommitRow } from "./store/commits.ts";
import type { Conversation as ConversationRecord } from "./store/conversations.ts";
import type { ConversationRequest, TrustRequest } from "./store/requests.ts";
import type {
  ContactInfo,
  ConversationDetail,
  ConversationSummary,
  FileInfo,
  GroupChanges,
  ListPage,
  ListQuery,
  MessageInfo,
  PendingRequest,
  RefusedInfo,
  StorageInfo,
  WaitingInfo,
} from "./node_api.ts";
import { type AccountId, type DeviceId, isAccountId } from "./identity/ids.ts";
import type { Calling } from "./node_names.ts";
import { vcardName } from "./messaging/vcard.ts";
import type { Relay } from "./relay/relay.ts";
import type { FileRecord } from "./store/files.ts";
import type { RefusedHistory } from "./store/refused.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";
import { entryOf } from "./swarm/entry.ts";
import type { Profile } from "./swarm/profile.ts";
import { refusedBy } from "./swarm/rules/refused_by.ts";

/** A page of a list, ordered by id. */
export function paged<Item>(items: Item[], { limit, after }: ListQuery, idOf: (item: Item) => string): ListPage<Item> {
  const sorted = items.filter((item) => after === undefined || idOf(item) > after).sort((a, b) =>
    idOf(a) < idOf(b) ? -1 : 1
  );
  const page = sorted.slice(0, limit);
  return { items: page, next: sorted.length > page.length ? idOf(page[page.length - 1]) : null };
}

export function contactRequest(request: TrustRequest, store: Store, called: Calling): PendingRequest {
  const { account, conversation, payload, received } = request;
  return {
    id: account,
    kind: "contact",
    jamiId: account,
    ...called(account),
    conversationId: conversation,
    title: vcardName(payload) || store.profiles.name(account),
    received: inSeconds(received),
  };
}

export function groupRequest(request: ConversationRequest, called: Calling): PendingRequest {
  const { conversation, from, metadatas, received } = request;
  return {
    id: conversation,
    kind: "conversation",
    jamiId: from,
    ...called(from),
    conversationId: conversation,
    title: metadatas.title ?? "",
    received: inSeconds(received),
  };
}

/** Present and banned contacts, and accounts that the node itself bans. */
export function shownContacts(store: Store): Contact[] {
  const known = store.contacts.all();
  const banned = new Set(store.nodeBans.all().map(({ target }) => target).filter(isAccountId));
  const shown = known.filter(({ account, added, removed, banned: blocked }) =>
    added > removed || blocked || banned.has(account)
  );
  for (const { account } of known) banned.delete(account);
  const strangers = [...banned].map((account) => {
    return { account, added: 0, removed: 0, confirmed: false, banned: true, conversation: "" };
  });
  return [...shown, ...strangers];
}

export function contactInfo(contact: Contact, relay: Relay, called: Calling): ContactInfo {
  const { account, added, confirmed, conversation } = contact;
  return {
    jamiId: account,
    ...called(account),
    added: inSeconds(added),
    confirmed,
    banned: contact.banned || relay.account.contacts.isBanned(account),
    online: isOnline(relay, account),
    conversationId: conversation || null,
  };
}

/** What devices still lack of a conversation. */
export type WaitingIn = (conversation: string) => WaitingInfo;

export function conversationSummary(
  record: ConversationRecord,
  relay: Relay,
  store: Store,
  waitingIn: WaitingIn,
): ConversationSummary {
  const conversation = relay.conversations.get(record.id);
  return {
    id: record.id,
    mode: record.mode,
    state: shownState(record, relay.conversations),
    title: record.title || (conversation ? partnerName(conversation, relay, store) : ""),
    members: conversation?.participants().length ?? 0,
    commits: store.commits.count(record.id),
    lastActivity: newest(record, conversation, store)?.timestamp ?? null,
    waiting: waitingIn(record.id),
  };
}

/** The newest commit; of one that was left, what is here of it. */
function newest({ id }: ConversationRecord, conversation: Conversation | undefined, store: Store) {
  return conversation ? store.commits.get(id, conversation.head) : store.commits.page(id, { limit: 1 })[0];
}

/** A one-to-one conversation goes by the name of the other. */
function partnerName({ facts: { initialMembers } }: Conversation, relay: Relay, store: Store): string {
  const partner = initialMembers.find((account) => account !== relay.self); // groups have none of these
  return partner ? store.profiles.name(partner) : "";
}

/** Where the conversation stands: not "active" when its repository cannot be opened. */
export function shownState(
  { id, state }: ConversationRecord,
  conversations: Pick<Relay["conversations"], "isDamaged">,
): ConversationSummary["state"] {
  return state === "active" && conversations.isDamaged(id) ? "damaged" : state;
}

export async function conversationDetail(
  record: ConversationRecord,
  relay: Relay,
  store: Store,
  waitingIn: WaitingIn,
  members: Pick<ConversationDetail, "members" | "memberCount">,
): Promise<ConversationDetail> {
  const conversation = relay.conversations.get(record.id);
  const profile = await conversation?.profile();
  const { rdvAccount: jamiId = "", rdvDevice: deviceId = "" } = profile ?? {};
  return {
    ...conversationSummary(record, relay, store, waitingIn),
    description: profile?.description || (record.description ?? ""),
    avatar: profile?.avatar ?? "",
    defaultHost: jamiId && deviceId ? { jamiId, deviceId } : null,
    ...members,
    votes: (await conversation?.votes() ?? []).map(({ action, target, voters, needed }) => ({
      kind: action,
      target,
      votes: voters,
      needed,
    })),
  };
}

/** What changes in a profile by what the API says. */
export function profileChanges({ defaultHost, ...texts }: GroupChanges): Partial<Profile> {
  if (defaultHost === undefined) return texts;
  return { ...texts, rdvAccount: defaultHost?.jamiId ?? "", rdvDevice: defaultHost?.deviceId ?? "" };
}

/** Commits that the device is not known to have; `null` when nothing is known of it. */
export function lag(conversation: Conversation, device: DeviceId, relay: Relay): number | null {
  if (device === relay.device) return 0;
  const held = relay.delivery.held(conversation, device);
  return held.length ? conversation.countLacking(held) : null;
}

export function messageInfo(row: CommitRow, store: Store, called: Calling): MessageInfo {
  const { id, type, author, body, timestamp, parents } = row;
  const shown = type === "text/plain" ? plainText(body) : body;
  const authorName = called(author).name;
  return { id, type, author, authorName, body: shown, timestamp, parents, entry: entryOf(row, store.commits) };
}

/** The text of a message of ours or of any peer: the `body` of its JSON (swarm-repository.md 2.2). */
function plainText(message: string): string {
  try {
    const body: unknown = JSON.parse(message)?.body;
    return typeof body === "string" ? body : "";
  } catch {
    return "";
  }
}

export async function fileInfo(file: FileRecord, relay: Relay): Promise<FileInfo> {
  const { id, name, size, sha3, state, author, announced } = file;
  const received = await relay.files.received(file);
  return { id, name, size, sha3, state, received, author, timestamp: inSeconds(announced) };
}

export function storageInfo(relay: Relay, store: Store): StorageInfo {
  const { maxFile, total, perConversation, retentionDays } = relay.files.policy.limits;
  const counts = { waiting: 0, partial: 0, stored: 0, "too large": 0, deleted: 0, evicted: 0 };
  for (const { state, files } of store.files.counts()) counts[state] = files;
  const used = store.files.used();
  const files = { used, quota: total, conversationQuota: perConversation, maxSize: maxFile, retentionDays, counts };
  return { files };
}

export function refusedInfo(history: RefusedHistory): RefusedInfo {
  const { commit, head, account, device, reason, detail, type, author, received, overridable } = history;
  const from = { jamiId: account, deviceId: device };
  return {
    commit,
    head,
    from,
    reason,
    detail,
    type,
    author: author ?? null,
    received: inSeconds(received),
    overridable,
    refusedBy: refusedBy(history),
  };
}

/** Is a device of the account announced or connected? */
export function isOnline(relay: Relay, account: AccountId): boolean {
  return relay.account.presence.isOnline(account) ||
    relay.connections.connections().some(({ peer }) => peer.account === account);
}

function inSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
