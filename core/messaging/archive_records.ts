/** The records of an account's archive (account.md 2.2, 6.4, 8.2) as what own devices tell each other, and back. */

import type { Inheritance } from "../identity/inheritance.ts";
import type { Json, Records } from "../identity/archive.ts";
import { type AccountId, isAccountId } from "../identity/ids.ts";
import type { ConversationId } from "./channel_name.ts";
import {
  type Contact,
  type ConversationInfo,
  type ConversationRequest,
  EMPTY_SYNC,
  type SyncMessage,
} from "./sync_message.ts";

type JsonRecord = Records[string];

/** What an archive tells. A record of another form than the peers write is left out: the others are of use without it. */
export function syncOfArchive(
  { contacts, conversations, conversationRequests }: Omit<Inheritance, "revocations">,
): SyncMessage {
  return {
    ...EMPTY_SYNC,
    deviceSync: { ...EMPTY_SYNC.deviceSync, peers: mapped(contacts, contactOf) },
    conversations: mapped(conversations, conversationOf),
    requests: mapped(conversationRequests, requestOf),
  };
}

/** The records for an archive of what own devices would be told. */
export function archiveOfSync({ deviceSync, conversations, requests }: SyncMessage): Omit<Inheritance, "revocations"> {
  return {
    contacts: recordsOf(deviceSync.peers, writeContact),
    conversations: recordsOf(conversations, writeConversation),
    conversationRequests: recordsOf(requests, writeRequest),
  };
}

function mapped<T>(records: Records, read: (record: JsonRecord) => T | null): Map<string, T> {
  const out = new Map<string, T>();
  for (const [id, record] of Object.entries(records)) {
    const value = isAccountId(id) ? read(record) : null;
    if (value !== null) out.set(id, value);
  }
  return out;
}

function recordsOf<T>(map: ReadonlyMap<string, T>, write: (value: T, id: string) => JsonRecord): Records {
  return Object.fromEntries([...map].map(([id, value]) => [id, write(value, id)]));
}

function contactOf(record: JsonRecord): Contact {
  return {
    added: timeOf(record, "added"),
    removed: timeOf(record, "removed"),
    confirmed: record.confirmed === true,
    banned: record.banned === true,
    conversation: idOf(record.conversationId),
  };
}

function writeContact({ added, removed, confirmed, banned, conversation }: Contact): JsonRecord {
  return {
    ...times({ added, removed }),
    ...confirmed && { confirmed },
    ...banned && { banned },
    conversationId: conversation,
  };
}

function conversationOf(record: JsonRecord): ConversationInfo {
  const listed = Array.isArray(record.members) ? record.members : [];
  const members = listed.map((member) => isRecord(member) ? member.uri : member);
  return {
    created: timeOf(record, "created"),
    removed: timeOf(record, "removed"),
    erased: timeOf(record, "erased"),
    members: members.filter((member): member is AccountId => typeof member === "string" && isAccountId(member)),
    lastDisplayed: idOf(record.lastDisplayed),
    today: typeof record.mode === "number" ? { mode: record.mode, invited: new Map() } : null,
  };
}

function writeConversation(info: ConversationInfo, id: ConversationId): JsonRecord {
  return {
    id,
    ...times({ created: info.created, removed: info.removed, erased: info.erased }),
    members: info.members.map((uri) => ({ uri })),
    lastDisplayed: info.lastDisplayed,
    ...info.today && { mode: info.today.mode },
  };
}

function requestOf(record: JsonRecord): ConversationRequest | null {
  const { from, metadatas } = record;
  if (typeof from !== "string" || !isAccountId(from)) return null;
  const texts = isRecord(metadatas) ? Object.entries(metadatas) : [];
  return {
    from,
    metadatas: new Map(texts.filter((text): text is [string, string] => typeof text[1] === "string")),
    received: timeOf(record, "received"),
    declined: timeOf(record, "declined"),
  };
}

function writeRequest(request: ConversationRequest, id: ConversationId): JsonRecord {
  return {
    conversationId: id,
    from: request.from,
    metadatas: Object.fromEntries(request.metadatas),
    ...times({ received: request.received, declined: request.declined }),
  };
}

/** Milliseconds are preferred to seconds. */
function timeOf(record: JsonRecord, key: string): number {
  const isTime = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
  const ms = record[`${key}Ms`];
  if (isTime(ms)) return ms;
  const seconds = record[key];
  return isTime(seconds) && seconds <= Number.MAX_SAFE_INTEGER / 1000 ? seconds * 1000 : 0;
}

/** Seconds for all, milliseconds for today's; those that never were are left out. */
function times(all: Record<string, number>): JsonRecord {
  const known = Object.entries(all).filter(([, ms]) => ms > 0);
  return Object.fromEntries(known.flatMap(([key, ms]) => [[key, Math.floor(ms / 1000)], [`${key}Ms`, ms]]));
}

function idOf(value: Json | undefined): string {
  return typeof value === "string" && isAccountId(value) ? value : "";
}

function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
