/** What this node tells the other devices of its account (swarm-sync.md 4): the whole state, or what has changed. */

import type { CertificateBook } from "../account/certificates.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { ConversationId } from "../messaging/channel_name.ts";
import { SYNC_MAX_MEMBERS, SYNC_MAX_OUT, SYNC_MAX_TEXT, SYNC_MAX_TRUST_REQUESTS } from "../messaging/constants.ts";
import {
  type ConversationInfo,
  type ConversationRequest,
  EMPTY_SYNC,
  encodeSync,
  type MessageStatus,
  type SyncForm,
  type SyncMessage,
  type TrustRequest,
} from "../messaging/sync_message.ts";
import type { Conversation as ConversationRecord } from "../store/conversations.ts";
import type { ConversationRequest as StoredRequest } from "../store/requests.ts";
import type { Store } from "../store/store.ts";
import type { Conversations } from "./conversations.ts";

/** What is to be told: everything, or these. */
export interface ToTell {
  contacts: Set<AccountId>;
  /** Also requests about them. */
  conversations: Set<ConversationId>;
  trustRequests: boolean;
}

export interface OwnStateOptions {
  store: Store;
  conversations: Pick<Conversations, "get">;
  certificates: Pick<CertificateBook, "known">;
  self: AccountId;
  device: { id: DeviceId; shortId: string };
  /** How this device is called. */
  name(): string;
  now(): number;
}

export class OwnState {
  constructor(private readonly options: OwnStateOptions) {}

  /** As one message, of any length: for an archive. */
  whole(): SyncMessage {
    const { store } = this.options;
    return {
      ...EMPTY_SYNC,
      deviceSync: {
        ...this.#deviceSync(),
        peers: new Map(store.contacts.all().map((contact) => [contact.account, contact])),
        trustRequests: this.#trustRequests(),
      },
      conversations: new Map(store.conversations.all().map((record) => [record.id, this.#info(record)])),
      requests: new Map(store.conversationRequests.all().flatMap((one) => this.#request(one))),
      preferences: store.preferences.all(),
      messageStatus: this.#statuses(),
    };
  }

  /** Messages that each fit into a frame. @param only absent = everything */
  messages(form: SyncForm, only?: ToTell): SyncMessage[] {
    const { deviceSync, conversations, requests, preferences, messageStatus } = only ? this.#some(only) : this.whole();
    const base = { ...deviceSync, peers: EMPTY_SYNC.deviceSync.peers };
    const parts = [
      packed(deviceSync.peers, form, (peers) => ({ ...EMPTY_SYNC, deviceSync: { ...base, peers } })),
      packed(conversations, form, (conversations) => ({ ...EMPTY_SYNC, conversations })),
      packed(requests, form, (requests) => ({ ...EMPTY_SYNC, requests })),
      packed(preferences, form, (preferences) => ({ ...EMPTY_SYNC, preferences })),
      form === 6 ? packed(messageStatus, form, (messageStatus) => ({ ...EMPTY_SYNC, messageStatus })) : [],
    ];
    const isSaid = parts[0].length > 0; // names and requests go with the contacts
    return [...isSaid || only && !only.trustRequests ? [] : [{ ...EMPTY_SYNC, deviceSync: base }], ...parts.flat()];
  }

  #some({ contacts, conversations }: ToTell): SyncMessage {
    const { store } = this.options;
    const records = [...conversations].flatMap((id) => store.conversations.get(id) ?? []);
    const requests = [...conversations].flatMap((id) => store.conversationRequests.get(id) ?? []);
    const statuses = this.#statuses();
    return {
      deviceSync: {
        ...this.#deviceSync(),
        peers: new Map([...contacts].flatMap((id) => store.contacts.get(id) ?? []).map((one) => [one.account, one])),
        trustRequests: this.#trustRequests(),
      },
      conversations: new Map(records.map((record) => [record.id, this.#info(record)])),
      requests: new Map(requests.flatMap((one) => this.#request(one))),
      preferences: new Map([...store.preferences.all()].filter(([id]) => conversations.has(id))),
      messageStatus: new Map([...statuses].filter(([id]) => conversations.has(id))),
    };
  }

  #deviceSync(): SyncMessage["deviceSync"] {
    const { store, device, name, now } = this.options;
    const others = store.ownDevices.all().filter((other) => other.name !== "" && other.device !== device.id);
    return {
      ...EMPTY_SYNC.deviceSync,
      date: BigInt(now()) * 1_000_000n,
      deviceName: name(),
      devices: new Map([
        [device.id, { name: name(), shortId: device.shortId }],
        ...others.map((other): [DeviceId, { name: string; shortId?: string }] => {
          const shortId = this.options.certificates.known(other.device)?.[0].publicKey.id;
          return [other.device, { name: other.name, ...shortId !== undefined && { shortId } }];
        }),
      ]),
    };
  }

  #trustRequests(): Map<AccountId, TrustRequest> {
    const newest = this.options.store.trustRequests.all().slice(-SYNC_MAX_TRUST_REQUESTS);
    return new Map(newest.map(({ account, device, conversation, received }) => {
      const key = device === "" ? undefined : this.options.certificates.known(device)?.[0].publicKey;
      const payload = new Uint8Array(); // account.md 8.1: always empty here
      return [account, { device: key?.spki ?? null, conversation, received, invited: 0, payload }];
    }));
  }

  #info({ id, created, removed, erased, mode }: ConversationRecord): ConversationInfo {
    const open = this.options.conversations.get(id);
    const members = open ? open.participants() : [this.options.self, ...this.options.store.cloneSources.all(id)];
    return {
      created,
      removed,
      erased,
      members: members.slice(0, SYNC_MAX_MEMBERS),
      lastDisplayed: "", // nobody reads here
      today: { mode, invited: new Map() },
    };
  }

  /** One that was accepted is told as a conversation. */
  #request(
    { conversation, from, metadatas, received, declined, accepted }: StoredRequest,
  ): [string, ConversationRequest][] {
    if (accepted !== undefined) return [];
    const texts = Object.entries(metadatas).map((
      [key, value],
    ): [string, string] => [key, value.slice(0, SYNC_MAX_TEXT)]);
    return [[conversation, { from, metadatas: new Map(texts), received, declined }]];
  }

  #statuses(): Map<ConversationId, Map<AccountId, MessageStatus>> {
    const all = new Map<ConversationId, Map<AccountId, MessageStatus>>();
    for (
      const { conversation, account, fetched, fetchedAt, read, readAt } of this.options.store.messageStatuses.all()
    ) {
      const status: MessageStatus = { fetched, read };
      if (fetchedAt !== "") status.fetchedAt = fetchedAt;
      if (readAt !== "") status.readAt = readAt;
      all.set(conversation, (all.get(conversation) ?? new Map()).set(account, status));
    }
    return all;
  }
}

/** As few messages as hold all entries; what each adds is taken as what it needs alone. An entry that fits into none is left out. */
function packed<T>(
  entries: ReadonlyMap<string, T>,
  form: SyncForm,
  message: (entries: Map<string, T>) => SyncMessage,
): SyncMessage[] {
  const out: Map<string, T>[] = [];
  const empty = encodeSync(message(new Map()), form).length;
  let room = 0;
  for (const [key, value] of entries) {
    const size = sizeOf(message(new Map([[key, value]])), form) - empty;
    if (empty + size > SYNC_MAX_OUT) continue;
    if (size > room) {
      out.push(new Map());
      room = SYNC_MAX_OUT - empty;
    }
    room -= size + 4; // the count of a map may grow by so much
    out[out.length - 1].set(key, value);
  }
  return out.map(message);
}

function sizeOf(message: SyncMessage, form: SyncForm): number {
  try {
    return encodeSync(message, form).length;
  } catch {
    return Infinity; // a LimitError: longer than a frame
  }
}
