/**
 * What another device of the own account says, merged into the database (account.md 6.4, 8.1; swarm-sync.md 4). It is idempotent and does not depend on the
 * order: of two states of a thing the later one wins. The caller has checked that a device of the account says it.
 */

import type { AccountId } from "../identity/ids.ts";
import { PublicKey } from "../identity/keys.ts";
import type { ConversationId } from "../messaging/channel_name.ts";
import { MAX_PREFERENCES, MAX_PREFERENCES_TEXT, SYNC_MAX_TEXT } from "../messaging/constants.ts";
import type {
  Contact,
  ConversationInfo,
  ConversationRequest,
  MessageStatus,
  SyncMessage,
  TrustRequest,
} from "../messaging/sync_message.ts";
import type { Store } from "../store/store.ts";
import {
  DECLINED_REPEAT_MS,
  MAX_REQUEST_PAYLOAD,
  MAX_SYNC_SKEW_MS,
  MAX_SYNCED_CLONES,
  MAX_SYNCED_CONTACTS,
} from "./constants.ts";

/** What has changed by a message: what others are to be told, and what is to be done. */
export interface SyncChanges {
  contacts: AccountId[];
  /** New requests of accounts to become contacts. */
  trustRequests: AccountId[];
  /** New invitations into groups. */
  invitations: ConversationId[];
  /** Requests and invitations that wait no more. */
  answered: string[];
  /** To be cloned. */
  wanted: ConversationId[];
  /** The account is in these no more. */
  left: ConversationId[];
  /** The data of these is to be deleted. */
  erased: ConversationId[];
  preferences: ConversationId[];
  statuses: ConversationId[];
}

/** Where a message is merged into. */
export interface SyncInto {
  store: Store;
  /** The own account. */
  self: AccountId;
  /** ms */
  now: number;
  /** Is `commit` in the conversation's history before `later`? `null` when that is not known here. */
  isBefore(conversation: ConversationId, commit: string, later: string): boolean | null;
}

/** Merges a message, all or nothing. */
export function mergeSync(message: SyncMessage, into: SyncInto): SyncChanges {
  return into.store.transaction(() => new Merge(into).run(message));
}

class Merge {
  readonly #changes: SyncChanges = {
    contacts: [],
    trustRequests: [],
    invitations: [],
    answered: [],
    wanted: [],
    left: [],
    erased: [],
    preferences: [],
    statuses: [],
  };
  /** How many more conversations may be cloned. */
  #room: number;
  /** How many more contacts may be taken over. */
  #contactRoom: number;

  constructor(private readonly into: SyncInto) {
    const cloning = into.store.conversations.all().filter(({ state }) => state === "cloning").length;
    this.#room = MAX_SYNCED_CLONES - cloning;
    this.#contactRoom = MAX_SYNCED_CONTACTS - into.store.contacts.count();
  }

  run({ deviceSync, conversations, requests, preferences, messageStatus }: SyncMessage): SyncChanges {
    for (const [account, contact] of deviceSync.peers) this.#contact(account, contact);
    for (const [account, request] of deviceSync.trustRequests) this.#trustRequest(account, request);
    for (const [id, info] of conversations) this.#conversation(id, info);
    for (const [id, request] of requests) this.#request(id, request);
    for (const [id, texts] of preferences) this.#preferences(id, texts);
    for (const [id, members] of messageStatus) for (const member of members) this.#status(id, ...member);
    return this.#changes;
  }

  /** A time that lies ahead would win for ever. */
  #isAhead(time: number): boolean {
    return time > this.into.now + MAX_SYNC_SKEW_MS;
  }

  #contact(account: AccountId, theirs: Contact): void {
    const { store, self } = this.into;
    const at = Math.max(theirs.added, theirs.removed);
    if (account === self || at === 0 || this.#isAhead(at)) return;
    const mine = store.contacts.get(account);
    const merged = mine ? mergeContact(mine, theirs) : theirs;
    if (!merged || !mine && this.#contactRoom-- <= 0) return;
    store.contacts.put({ ...merged, account, ...mine?.addedBy !== undefined && { addedBy: mine.addedBy } });
    if (store.trustRequests.delete(account)) this.#changes.answered.push(account);
    this.#changes.contacts.push(account);
  }

  #trustRequest(account: AccountId, { device, conversation, received, payload }: TrustRequest): void {
    const { store, self } = this.into;
    if (account === self || conversation === "" || received === 0 || this.#isAhead(received)) return;
    if (store.contacts.isActive(account) || store.contacts.isBanned(account)) return;
    if ((store.trustRequests.get(account)?.received ?? 0) >= secondOf(received)) return;
    const declined = store.conversationRequests.get(conversation)?.declined ?? 0;
    if (declined > 0 && received - declined < DECLINED_REPEAT_MS) return;
    if (isKnown(store, conversation)) return;
    store.trustRequests.put({
      account,
      device: device ? deviceOf(device) : "",
      conversation,
      payload: payload.length < MAX_REQUEST_PAYLOAD ? payload : new Uint8Array(),
      received,
    });
    this.#changes.trustRequests.push(account);
  }

  #conversation(id: ConversationId, info: ConversationInfo): void {
    const { store } = this.into;
    const mine = store.conversations.get(id);
    const at = Math.max(info.created, info.removed);
    if (this.#isAhead(Math.max(at, info.erased))) return;
    const isRemoved = info.removed !== 0 && info.removed >= info.created;
    if (!isRemoved) {
      if (!mine || mine.state === "left" && info.created > mine.removed) this.#want(id, info);
      return;
    }
    if (!mine || secondOf(at) < secondOf(Math.max(mine.created, mine.removed))) return;
    if (mine.state !== "left") {
      store.conversations.put({ ...mine, state: "left", removed: info.removed });
      this.#changes.left.push(id);
    }
    if (info.erased !== 0 && mine.erased === 0) this.#changes.erased.push(id);
  }

  #want(id: ConversationId, { created, members, today }: ConversationInfo): void {
    const { store, self, now } = this.into;
    if (this.#room <= 0) return;
    this.#room--;
    const request = store.conversationRequests.get(id);
    store.conversations.put({
      id,
      mode: today?.mode ?? 0,
      created: created || now,
      removed: 0,
      erased: 0,
      state: "cloning",
      title: request?.metadatas.title ?? "",
      head: "",
      invitedBy: self,
    });
    store.cloneSources.put(id, members.filter((account) => account !== self));
    if (store.conversationRequests.delete(id)) this.#changes.answered.push(id);
    this.#changes.wanted.push(id);
  }

  #request(id: ConversationId, { from, metadatas, received, declined }: ConversationRequest): void {
    const { store, self } = this.into;
    if (from === self || isKnown(store, id) || this.#isAhead(Math.max(received, declined))) return;
    const mine = store.conversationRequests.get(id);
    if (declined > 0) return this.#decline(id, from, received, declined);
    // one that says no mode is a contact's, and comes as a trust request too
    const mode = metadatas.get("mode");
    if (mode === undefined || mine && (mine.declined === 0 || received <= mine.declined)) return;
    const text = (key: string) => metadatas.get(key)?.slice(0, SYNC_MAX_TEXT) ?? "";
    const texts = { mode, title: text("title"), description: text("description") };
    store.conversationRequests.put({ conversation: id, from, metadatas: texts, received, declined: 0 });
    this.#changes.invitations.push(id);
  }

  #decline(id: ConversationId, from: AccountId, received: number, declined: number): void {
    const { store } = this.into;
    const mine = store.conversationRequests.get(id);
    const asked = store.trustRequests.get(from);
    if (asked?.conversation === id && secondOf(asked.received) <= declined) {
      store.trustRequests.delete(from);
      this.#changes.answered.push(from);
    } else if (mine && (mine.declined >= declined || secondOf(mine.received) > declined)) return;
    const metadatas = mine?.metadatas ?? {};
    store.conversationRequests.put({ conversation: id, from, metadatas, received, declined });
    if (mine) this.#changes.answered.push(id);
  }

  /** The peers compare the numbers as they stand, whatever clock they are of (swarm-sync.md 4). */
  #preferences(id: ConversationId, theirs: ReadonlyMap<string, string>): void {
    const { store } = this.into;
    const size = [...theirs].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (!isKnown(store, id) || theirs.size > MAX_PREFERENCES || size > MAX_PREFERENCES_TEXT) return;
    if (modified(theirs) <= modified(store.preferences.get(id) ?? new Map())) return;
    store.preferences.put(id, theirs);
    this.#changes.preferences.push(id);
  }

  #status(id: ConversationId, account: AccountId, theirs: MessageStatus): void {
    const { store } = this.into;
    if (!isKnown(store, id)) return;
    const { fetched = "", fetchedAt = "", read = "", readAt = "" } = store.messageStatuses.get(id, account) ?? {};
    const isFetched = this.#isForward(id, [fetched, fetchedAt], [theirs.fetched, theirs.fetchedAt ?? ""]);
    const isRead = this.#isForward(id, [read, readAt], [theirs.read, theirs.readAt ?? ""]);
    if (!isFetched && !isRead) return;
    const status = {
      conversation: id,
      account,
      ...isFetched ? { fetched: theirs.fetched, fetchedAt: theirs.fetchedAt ?? "" } : { fetched, fetchedAt },
      ...isRead ? { read: theirs.read, readAt: theirs.readAt ?? "" } : { read, readAt },
    };
    if (store.messageStatuses.put(status) && this.#changes.statuses.at(-1) !== id) this.#changes.statuses.push(id);
  }

  /** Only forward in the history; where that is not here yet, by the times. */
  #isForward(id: ConversationId, [mine, at]: [string, string], [theirs, when]: [string, string]): boolean {
    if (theirs === "" || theirs === mine || !/^\d{0,15}$/.test(when) || this.#isAhead(Number(when) * 1000)) {
      return false;
    }
    if (mine === "") return true;
    return this.into.isBefore(id, mine, theirs) ?? Number(when) > Number(at);
  }
}

/** The later state, whole (account.md 6.4, today); `null` when that is ours. */
function mergeContact(mine: Contact, theirs: Contact): Contact | null {
  const [at, when] = [mine, theirs].map(({ added, removed }) => Math.max(added, removed));
  const conversation = theirs.conversation || mine.conversation;
  const isSame = at === when || when % 1000 === 0 && secondOf(at) === when; // 2023's peers know whole seconds only
  if (!isSame) return when > at ? { ...theirs, conversation } : null;
  const [active, isActive] = [mine, theirs].map(({ added, removed }) => added > removed);
  if (active !== isActive) return null;
  if (active && theirs.confirmed && !mine.confirmed) return { ...mine, confirmed: true };
  return !active && theirs.banned && !mine.banned ? { ...mine, banned: true } : null;
}

/** Are we in the conversation, or about to be? */
function isKnown(store: Store, id: ConversationId): boolean {
  const state = store.conversations.get(id)?.state;
  return state !== undefined && state !== "left";
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function modified(preferences: ReadonlyMap<string, string>): bigint {
  const text = preferences.get("lastModified") ?? "";
  return /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
}

function deviceOf(spki: Uint8Array): string {
  try {
    return PublicKey.fromSpki(spki).longId;
  } catch {
    return ""; // it is only shown
  }
}
