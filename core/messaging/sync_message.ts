/** What the devices of one account tell each other over `sync://` (swarm-sync.md 4, account.md 8.1). */

import { type Bytes, fromHex } from "../base/bytes.ts";
import { LimitError, ProtocolError } from "../base/errors.ts";
import { asText, asUint, asUint64, decode, type Decoded, type Encodable, encode } from "../base/msgpack.ts";
import { type AccountId, type DeviceId, isAccountId, type ShortId } from "../identity/ids.ts";
import type { ConversationId } from "./channel_name.ts";
import { SYNC_MAX_IN, SYNC_MAX_OUT } from "./constants.ts";
import { entriesOf, Fields, hexId, withBinaryKeys } from "./msgpack_map.ts";

/** All times are milliseconds since 1970; peers of 2023 send and read whole seconds. 0 = never. */
export interface SyncMessage {
  deviceSync: DeviceSync;
  conversations: ReadonlyMap<ConversationId, ConversationInfo>;
  requests: ReadonlyMap<ConversationId, ConversationRequest>;
  preferences: ReadonlyMap<ConversationId, ReadonlyMap<string, string>>;
  /** What each member has fetched and read. Today's peers only. */
  messageStatus: ReadonlyMap<ConversationId, ReadonlyMap<AccountId, MessageStatus>>;
}

export interface DeviceSync {
  /** In the writer's clock ticks, nanoseconds since 1970; 0 when it does not matter. */
  date: bigint;
  deviceName: string;
  devices: ReadonlyMap<DeviceId, { name: string; shortId?: ShortId }>;
  peers: ReadonlyMap<AccountId, Contact>;
  trustRequests: ReadonlyMap<AccountId, TrustRequest>;
}

export interface Contact {
  added: number;
  removed: number;
  confirmed: boolean;
  banned: boolean;
  /** Empty when there is none. */
  conversation: ConversationId;
}

export interface TrustRequest {
  /** SubjectPublicKeyInfo of the sender's device. */
  device: Bytes | null;
  conversation: ConversationId;
  received: number;
  /** Today's peers only. */
  invited: number;
  payload: Bytes;
}

export interface ConversationInfo {
  created: number;
  removed: number;
  erased: number;
  members: readonly AccountId[];
  /** Commit id; empty when there is none. */
  lastDisplayed: string;
  /** Today's peers only: mode, and when each member was invited. */
  today: { mode: number; invited: ReadonlyMap<AccountId, number> } | null;
}

export interface ConversationRequest {
  from: AccountId;
  metadatas: ReadonlyMap<string, string>;
  received: number;
  declined: number;
}

/** Commit ids, empty when unknown; times as texts of seconds, left out when unknown. */
export interface MessageStatus {
  fetched: string;
  fetchedAt?: string;
  read: string;
  readAt?: string;
}

/** How many elements the array has: 4 in 2023, 6 today. */
export type SyncForm = 4 | 6;

/** A message that says nothing: to be filled in. */
export const EMPTY_SYNC: SyncMessage = {
  deviceSync: { date: 0n, deviceName: "", devices: new Map(), peers: new Map(), trustRequests: new Map() },
  conversations: new Map(),
  requests: new Map(),
  preferences: new Map(),
  messageStatus: new Map(),
};

/**
 * The bytes of a message in the form of 2023 or of today.
 * @throws {LimitError} longer than one frame: a 2023 peer could not read it
 */
export function encodeSync(message: SyncMessage, form: SyncForm): Bytes {
  const today = form === 6;
  const parts: Encodable[] = [
    writeDeviceSync(message.deviceSync, today),
    mapped(message.conversations, (info, id) => writeConversation(id, info, today)),
    mapped(message.requests, (request, id) => writeRequest(id, request, today)),
    mapped(message.preferences, (preferences) => mapped(preferences, (value) => value)),
  ];
  if (today) parts.push({}, mapped(message.messageStatus, (members) => mapped(members, writeStatus)));
  const bytes = encode(parts);
  if (bytes.length > SYNC_MAX_OUT) throw new LimitError("SyncMsg", `${bytes.length} bytes`);
  return bytes;
}

function mapped<T>(
  map: ReadonlyMap<string, T>,
  write: (value: T, key: string) => Encodable,
): Map<Encodable, Encodable> {
  return new Map([...map].map(([key, value]) => [key, write(value, key)]));
}

/** Names and values of times: seconds for all, milliseconds too for today's peers. */
function secondsOf(times: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([key, ms]) => [key, Math.floor(ms / 1000)]));
}

function msOf(times: Record<string, number>, today: boolean): Record<string, number> {
  return today ? Object.fromEntries(Object.entries(times).map(([key, ms]) => [`${key}Ms`, ms])) : {};
}

function writeDeviceSync(sync: DeviceSync, today: boolean): Encodable {
  return {
    date: sync.date,
    device_name: sync.deviceName,
    ...(today ? {} : { devices_known: {} }),
    devices: withBinaryKeys(sync.devices, ({ name, shortId }) => ({
      name,
      ...(today || shortId === undefined ? {} : { sha1: fromHex(shortId) }),
    })),
    peers: withBinaryKeys(sync.peers, (contact) => ({
      ...secondsOf({ added: contact.added, removed: contact.removed }),
      confirmed: contact.confirmed,
      banned: contact.banned,
      conversationId: contact.conversation,
      ...msOf({ added: contact.added, removed: contact.removed }, today),
    })),
    trust_requests: withBinaryKeys(sync.trustRequests, (request) => ({
      device: request.device,
      conversationId: request.conversation,
      ...secondsOf({ received: request.received }),
      payload: request.payload,
      ...msOf({ received: request.received, invited: request.invited }, today),
    })),
  };
}

function writeConversation(id: ConversationId, info: ConversationInfo, today: boolean): Encodable {
  const times = { created: info.created, removed: info.removed, erased: info.erased };
  const own = info.today ?? { mode: 0, invited: new Map<AccountId, number>() };
  return {
    id,
    ...secondsOf(times),
    members: info.members,
    lastDisplayed: info.lastDisplayed,
    ...(today ? { mode: own.mode } : {}),
    ...msOf(times, today),
    ...(today ? { invited: mapped(own.invited, (ms) => ms) } : {}),
  };
}

function writeRequest(id: ConversationId, request: ConversationRequest, today: boolean): Encodable {
  const times = { received: request.received, declined: request.declined };
  return {
    from: request.from,
    conversationId: id,
    metadatas: mapped(request.metadatas, (value) => value),
    ...secondsOf(times),
    ...msOf(times, today),
  };
}

function writeStatus(status: MessageStatus): Encodable {
  return { fetched: status.fetched, fetched_ts: status.fetchedAt, read: status.read, read_ts: status.readAt };
}

/**
 * The message that `bytes` hold.
 * @throws {ProtocolError} when it is not one
 */
export function decodeSync(bytes: Uint8Array): SyncMessage {
  if (bytes.length > SYNC_MAX_IN) throw new ProtocolError("sync", "too long");
  return readSync(decode(bytes));
}

/**
 * The message in a msgpack value: an array of any length, missing parts are empty. Entries under a key that is no id are left out.
 * @throws {ProtocolError} when it is not an array, or a part has the wrong type
 */
export function readSync(value: Decoded): SyncMessage {
  if (!Array.isArray(value)) throw new ProtocolError("sync", "not an array");
  return {
    deviceSync: readDeviceSync(value[0]),
    conversations: byId(entriesOf(value[1], "c"), readConversation),
    requests: byId(entriesOf(value[2], "cr"), readRequest),
    preferences: byId(entriesOf(value[3], "p"), readTexts),
    messageStatus: byId(entriesOf(value[5], "ms"), (members) => byId(entriesOf(members, "ms"), readStatus)),
  };
}

/** The entries whose key is an id of 40 hex digits: a conversation's or an account's. */
function byId<T>(entries: [Decoded, Decoded][], read: (value: Decoded) => T): Map<string, T> {
  const out = new Map<string, T>();
  for (const [key, value] of entries) if (isAccountId(key)) out.set(key, read(value));
  return out;
}

function byBinaryId<T>(entries: [Decoded, Decoded][], length: number, read: (value: Decoded) => T): Map<string, T> {
  return new Map(entries.map(([key, value]) => [hexId(key, length, "id"), read(value)]));
}

function readDeviceSync(value: Decoded | undefined): DeviceSync {
  const fields = new Fields(value ?? new Map(), "ds");
  return {
    date: asUint64(fields.raw("date") ?? 0, "date"),
    deviceName: fields.text("device_name"),
    devices: byBinaryId(fields.entries("devices"), 32, readDevice),
    peers: byBinaryId(fields.entries("peers"), 20, readContact),
    trustRequests: byBinaryId(fields.entries("trust_requests"), 20, readTrustRequest),
  };
}

function readDevice(value: Decoded): { name: string; shortId?: ShortId } {
  const fields = new Fields(value, "device");
  const name = fields.text("name");
  return fields.has("sha1") ? { name, shortId: hexId(fields.raw("sha1"), 20, "sha1") } : { name };
}

/** Milliseconds are preferred to seconds. The bound keeps seconds times 1000 exact. */
function timeOf(fields: Fields, key: string): number {
  return fields.has(`${key}Ms`) ? fields.uint(`${key}Ms`) : fields.uint(key, Number.MAX_SAFE_INTEGER / 1000) * 1000;
}

function readContact(value: Decoded): Contact {
  const fields = new Fields(value, "contact");
  return {
    added: timeOf(fields, "added"),
    removed: timeOf(fields, "removed"),
    confirmed: fields.flag("confirmed"),
    banned: fields.flag("banned"),
    conversation: idOrEmpty(fields, "conversationId"),
  };
}

function readTrustRequest(value: Decoded): TrustRequest {
  const fields = new Fields(value, "trust request");
  return {
    device: fields.has("device") ? fields.bytes("device") : null,
    conversation: idOrEmpty(fields, "conversationId"),
    received: timeOf(fields, "received"),
    invited: timeOf(fields, "invited"),
    payload: fields.bytes("payload"),
  };
}

function readConversation(value: Decoded): ConversationInfo {
  const fields = new Fields(value, "conversation");
  const isToday = fields.has("mode") || fields.has("invited");
  return {
    created: timeOf(fields, "created"),
    removed: timeOf(fields, "removed"),
    erased: timeOf(fields, "erased"),
    members: fields.list("members", Infinity).filter(isAccountId),
    lastDisplayed: idOrEmpty(fields, "lastDisplayed"),
    today: isToday
      ? { mode: fields.uint("mode"), invited: byId(fields.entries("invited"), (ms) => asUint(ms, "invited")) }
      : null,
  };
}

function readRequest(value: Decoded): ConversationRequest {
  const fields = new Fields(value, "request");
  const from = fields.text("from");
  if (!isAccountId(from)) throw new ProtocolError("sync", "request.from is not an account id");
  return {
    from,
    metadatas: readTexts(fields.raw("metadatas")),
    received: timeOf(fields, "received"),
    declined: timeOf(fields, "declined"),
  };
}

function readTexts(value: Decoded): Map<string, string> {
  return new Map(entriesOf(value, "texts").map(([key, text]) => [asText(key, "key"), asText(text, "value")]));
}

function readStatus(value: Decoded): MessageStatus {
  const fields = new Fields(value, "status");
  const status: MessageStatus = { fetched: idOrEmpty(fields, "fetched"), read: idOrEmpty(fields, "read") };
  if (fields.has("fetched_ts")) status.fetchedAt = fields.text("fetched_ts");
  if (fields.has("read_ts")) status.readAt = fields.text("read_ts");
  return status;
}

function idOrEmpty(fields: Fields, key: string): string {
  const id = fields.text(key);
  if (id !== "" && !isAccountId(id)) throw new ProtocolError("sync", `${key} is not 40 hex digits`);
  return id;
}

/** Seconds from 1970 to 2174, where the clock of today's peers on Linux starts. */
const FILE_CLOCK_EPOCH = 6_437_664_000n;

/**
 * When preferences were changed, seconds since 1970, from their `lastModified`; `null` when it is malformed. To compare two versions
 * as the peers do, compare the numbers in the texts instead.
 */
export function lastModifiedSeconds(lastModified: string): number | null {
  if (!/^\d{1,20}$/.test(lastModified)) return null;
  const raw = BigInt(lastModified);
  if (raw >= 2n ** 64n) return null;
  const seconds = raw > 2n ** 63n ? raw - 2n ** 64n + FILE_CLOCK_EPOCH : raw;
  return seconds >= 0n && seconds <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seconds) : null;
}
