/**
 * What the HTTP face asks of a node. All ids are lower-case hex texts, all times seconds since 1970. `core/node.ts`
 * implements it; `routes/` knows nothing else of the node.
 */

import type { Admins } from "./admins/admins.ts";
import { KituoError } from "./base/errors.ts";
import type { DevicesApi, LinkInfo } from "./node_api_devices.ts";
import type { GroupFilesApi } from "./node_api_group_files.ts";
import type { JoinLinksApi } from "./node_api_join_links.ts";
import type { MembersApi } from "./node_api_members.ts";
import type { RefusedApi, RefusedInfo } from "./node_api_refused.ts";
import type { SetupApi } from "./node_api_setup.ts";
import type { RegistrationResult } from "./account/name_server.ts";
import type { Config } from "./config.ts";
import type { Bytes } from "./base/bytes.ts";
import type { BackupApi } from "./node_api_backup.ts";
import type { LogsApi, MetricsApi } from "./node_api_operations.ts";
import type { Entry } from "./swarm/entry.ts";

export * from "./node_api_devices.ts";
export * from "./node_api_group_files.ts";
export * from "./node_api_join_links.ts";
export * from "./node_api_members.ts";
export * from "./node_api_refused.ts";
export * from "./node_api_setup.ts";
export * from "./node_api_backup.ts";
export * from "./node_api_operations.ts";
export * from "./node_api_settings.ts";
export * from "./node_api_overview.ts";
import type { NetworkApi } from "./node_api_network.ts";
import type { Overview, OverviewApi, OverviewNow } from "./node_api_overview.ts";
import type { SettingsApi } from "./node_api_settings.ts";

export * from "./node_api_network.ts";
import type { BanInfo, ModerationApi, ModerationWaiting } from "./node_api_moderation.ts";

export * from "./node_api_moderation.ts";
export type { RegistrationResult } from "./account/name_server.ts";
export type { LoggedWarning } from "./logging.ts";
export type { Entry } from "./swarm/entry.ts";

/** Why a node did not do what it was asked. */
export type NodeFault =
  /** there is no such contact, request, conversation, message */
  | "not found"
  /** it contradicts the present state, for example a message to a conversation that is still being cloned */
  | "conflict"
  /** the rules do not let this node do that, for example it is not a member */
  | "forbidden"
  /** a part of what was sent does not have the form that it should, for example a picture that is none */
  | "unfit"
  /** the request makes no sense, for example the node as its own contact */
  | "bad request"
  /** too much was asked lately: later it may succeed */
  | "too many"
  /** the name server could not be asked, or does not answer sensibly */
  | "unavailable";

/** The node refuses. The message is shown to the one who asked, so it holds no secret. */
export class NodeError extends KituoError {
  constructor(readonly fault: NodeFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The node itself. */
export interface NodeInfo {
  jamiId: string;
  deviceId: string;
  name: string;
  /** on the name server; "" = none, or not known yet */
  registeredName: string;
  version: string;
  /** seconds since start */
  uptime: number;
  dht: { status: DhtStatus; nodes4: number; nodes6: number };
  /** live connections with devices of others */
  connections: number;
}

/** How the node stands with the DHT. */
export type DhtStatus = "connected" | "connecting" | "disconnected";

/** The two conditions of being of use to others. */
export interface Readiness {
  /** the DHT is connected */
  dht: boolean;
  /** the device announcement was stored by other nodes */
  announced: boolean;
  /** the account has revoked this device: it takes part in nothing any more */
  revoked: boolean;
}

/** What waits for a decision: someone wants to be a contact, or invites the node into a group. */
export interface PendingRequest {
  /** by this it is answered: the Jami ID of who asks ("contact"), the id of the conversation ("conversation") */
  id: string;
  kind: "contact" | "conversation";
  /** Jami ID of who asks or invites */
  jamiId: string;
  /** what who asks is called, as {@link MemberInfo} tells it */
  name: string;
  registeredName: string;
  conversationId: string;
  /** name in the request's profile, or title of the group; "" = none */
  title: string;
  received: number;
}

/** A contact. */
export interface ContactInfo {
  jamiId: string;
  /** what it is called, as {@link MemberInfo} tells it */
  name: string;
  registeredName: string;
  added: number;
  /** the other side has agreed */
  confirmed: boolean;
  banned: boolean;
  /** a device of it is announced or connected */
  online: boolean;
  /** the one-to-one conversation; null = none */
  conversationId: string | null;
}

/** A conversation in a list. */
export interface ConversationSummary {
  id: string;
  /** 0 one-to-one, 1 admin invites only, 2 invites only, 3 public */
  mode: number;
  /** "damaged": its repository cannot be opened; the log says why */
  state: "cloning" | "active" | "leaving" | "left" | "damaged";
  title: string;
  /** how many members, invited ones included */
  members: number;
  /** how many commits */
  commits: number;
  /** time of the newest commit; null = nothing is here yet */
  lastActivity: number | null;
  waiting: WaitingInfo;
}

/** What is here and devices of members still lack: messages (commits, merges aside), and devices that lack some. */
export interface WaitingInfo {
  messages: number;
  devices: number;
}

/** A conversation with its profile and its members. */
export interface ConversationDetail extends Omit<ConversationSummary, "members"> {
  /** "" = none */
  description: string;
  /** picture in base64; "" = none */
  avatar: string;
  /** who hosts the group's calls; null = nobody is named */
  defaultHost: CallHost | null;
  /** the first {@link MAX_DETAIL_MEMBERS} of them, as {@link MembersApi.list} tells them */
  members: MemberInfo[];
  /** all of them, invited, banned and left ones included */
  memberCount: number;
  /** what admins vote on; empty where one admin decides */
  votes: VoteInfo[];
}

/** A ban, or the end of one, that some admins want. */
export interface VoteInfo {
  kind: "ban" | "unban";
  /** Jami ID or device id */
  target: string;
  /** Jami IDs of the admins who voted for it */
  votes: string[];
  /** how many must */
  needed: number;
}

/** A device of a member that hosts calls. */
export interface CallHost {
  jamiId: string;
  deviceId: string;
}

/** The modes of groups, as numbers of {@link ConversationSummary.mode} 1, 2 and 3. */
export type GroupMode = "admin-invites-only" | "invites-only" | "public";

/** A new group. */
export interface NewGroup {
  mode: GroupMode;
  title?: string;
  description?: string;
  /** picture in base64 */
  avatar?: string;
}

/** What to change in a group's profile; "" (or null) takes a value away, what is not there stays. */
export interface GroupChanges {
  title?: string;
  description?: string;
  /** picture in base64 */
  avatar?: string;
  defaultHost?: CallHost | null;
}

/** Who asks for something, for the audit trail. */
export interface Doer {
  /** "admin" for the holder of the admin token, else the admin's name */
  actor: string;
  /** network address; "" = unknown */
  address: string;
}

/** A member. */
export interface MemberInfo {
  jamiId: string;
  /** name in the profile that it sent, else its registered name; "" = unknown */
  name: string;
  /** on the name server; "" = none, or not known yet */
  registeredName: string;
  role: "admin" | "member" | "invited" | "banned" | "left";
  /** what is known here of its ban; null = it is not banned, or another admin's app did it */
  ban: BanInfo | null;
  online: boolean;
  devices: DeviceInfo[];
}

/** A device of a member. */
export interface DeviceInfo {
  deviceId: string;
  /** commits that this node has and the device is not known to have; null = nothing is known of the device */
  lag: number | null;
  /** announced or connected now */
  online: boolean;
  /** when it last showed itself; null = never */
  lastSeen: number | null;
  banned: boolean;
  /** what is known here of its ban */
  ban: BanInfo | null;
}

/** A commit as a message. */
export interface MessageInfo {
  /** commit id */
  id: string;
  /** commit type: "text/plain", "member", "merge", … */
  type: string;
  /** Jami ID */
  author: string;
  /** what the author is called, as {@link MemberInfo} tells it */
  authorName: string;
  /** the text of a "text/plain" as it was first written, else the commit's message as it stands in the repository */
  body: string;
  timestamp: number;
  /** commit ids */
  parents: string[];
  /** what it shows now, with all that later commits made of it */
  entry: Entry;
}

/** A message that was found. */
export interface FoundMessage {
  conversationId: string;
  message: MessageInfo;
}

/** A file that a member sent. */
export interface FileInfo {
  /** id of the commit that announces it */
  id: string;
  /** its sender's name for it: never a path */
  name: string;
  /** bytes */
  size: number;
  /** SHA3-512 of the content, 128 hex digits */
  sha3: string;
  /**
   * "waiting": nobody who has it was reached yet; "partial": some bytes are here; "too large": over the limit, it is not fetched; "evicted": given up,
   * for its age or for newer ones
   */
  state: "waiting" | "partial" | "stored" | "too large" | "deleted" | "evicted";
  /** bytes that are here */
  received: number;
  /** Jami ID of who sent it */
  author: string;
  timestamp: number;
}

/** An account and its name on a name server. */
export interface NameInfo {
  jamiId: string;
  registeredName: string;
}

/** A name that the node's own name server gave out. */
export interface GivenNameInfo extends NameInfo {
  registered: number;
}

/** A part of the names that were given out, by name. */
export interface NamesQuery {
  /** 1 to {@link MAX_LIST_LIMIT} */
  limit: number;
  /** only names that come after this one */
  after?: string;
}

/** What the node's own name server tells of a name. */
export interface NameServerRecord {
  name: string;
  addr: string;
  /** base64 of the account's key in PEM */
  publickey: string;
  /** base64 of the account's signature of the name */
  signature: string;
}

/** What the public face of the node's own name server asks of it. */
export interface NameServerApi {
  /** @returns null: not registered */
  record(name: string): NameServerRecord | null;
  /** The name of an account. @returns null: it has none */
  nameOf(jamiId: string): string | null;
  /** Registers a name, first come, first served. @param body the parsed JSON of the request */
  register(name: string, body: unknown): Promise<RegistrationResult>;
}

/** What the files of all conversations take. */
export interface StorageInfo {
  files: {
    /** bytes that stored files take, and those that are reserved for files that are coming in */
    used: number;
    /** settings, bytes; `retentionDays` 0 = for ever */
    quota: number;
    conversationQuota: number;
    maxSize: number;
    retentionDays: number;
    /** how many files are in which state */
    counts: Record<FileInfo["state"], number>;
  };
}

/** A part of a list that is ordered by id. */
export interface ListQuery {
  /** 1 to {@link MAX_LIST_LIMIT} */
  limit: number;
  /** only entries whose id is greater */
  after?: string;
}

/** A part of a list. */
export interface ListPage<Item> {
  items: Item[];
  /** what to ask with as `after` for the rest; null = this was the end */
  next: string | null;
}

/** A part of a conversation's messages. */
export interface MessagesQuery {
  /** 1 to {@link MAX_MESSAGES_LIMIT} */
  limit: number;
  /** only messages displayed before (older than) this one */
  before?: string;
  /** only messages newer than this one: those next to it; not together with `before` */
  after?: string;
  /** "entries": without those that only change others (edits, reactions) or show nothing (merges, the initial commit) */
  view?: "entries";
}

/** What is looked for in texts and names of files. */
export interface SearchQuery {
  /** words of a user; each must begin a word of the text */
  q: string;
  /** only of this Jami ID */
  author?: string;
  /** only of this commit type */
  type?: string;
  /** only what was written at this time or later */
  after?: number;
  /** only what was written earlier than this */
  before?: number;
  /** 1 to {@link MAX_SEARCH_LIMIT} */
  limit: number;
}

/** Entries that one page of a list may have. */
export const MAX_LIST_LIMIT = 1_000;

/** Messages that one page may have; and how many it has when nothing is said. */
export const MAX_MESSAGES_LIMIT = 500;
export const DEFAULT_MESSAGES_LIMIT = 50;

/** Messages that a search may find; and how many it gives when nothing is said. */
export const MAX_SEARCH_LIMIT = 100;
export const DEFAULT_SEARCH_LIMIT = 25;

/** Something that happened, for who watches. Each carries the new state, so that nothing need be asked again. */
export type NodeEvent =
  | { type: "status"; data: { ready: boolean; dht: DhtStatus } }
  | { type: "request"; data: PendingRequest }
  | { type: "request-gone"; data: { id: string } }
  | { type: "contact"; data: ContactInfo }
  | { type: "contact-gone"; data: { jamiId: string } }
  | { type: "conversation"; data: ConversationSummary }
  | { type: "conversation-gone"; data: { id: string } }
  | { type: "conversation.refused"; data: { conversationId: string; refused: RefusedInfo } }
  | { type: "message"; data: { conversationId: string; message: MessageInfo } }
  | { type: "file"; data: { conversationId: string; file: FileInfo } }
  | { type: "presence"; data: { jamiId: string; online: boolean } }
  | { type: "name"; data: { jamiId: string; name: string; registeredName: string } }
  | { type: "overview"; data: OverviewNow }
  | { type: "device"; data: { deviceId: string } }
  | { type: "link"; data: LinkInfo }
  | { type: "moderation"; data: { about: string } & ModerationWaiting }
  | { type: "delivery"; data: { conversationId: string; deviceId: string; lag: number | null } };

/** What of the settings the console changes; what is not there stays. */
export type NodeSettings = Partial<Pick<Config, "name" | "acceptRequests" | "allowlist" | "picture">>;

/** What the HTTP face needs of a node. Every promise may reject with {@link NodeError}. */
export interface NodeApi {
  /** who may use the console */
  readonly admins: Admins;
  /** the set-up after the first admin */
  readonly setup: SetupApi;
  /** the files of one group */
  readonly groupFiles: GroupFilesApi;
  readonly members: MembersApi;
  readonly joinLinks: JoinLinksApi;
  /** histories that are refused */
  readonly refused: RefusedApi;
  readonly backups: BackupApi;
  readonly logs: LogsApi;
  readonly metrics: MetricsApi;
  readonly settings: SettingsApi;
  /** its place in the network */
  readonly network: NetworkApi;
  /** the devices of the own account */
  readonly devices: DevicesApi;
  readonly moderation: ModerationApi;
  /** Changes settings, now and for later starts (a flag or variable wins over them then). @throws {NodeError} "conflict" */
  configure(settings: NodeSettings): Promise<void>;

  info(): NodeInfo;
  ready(): Readiness;
  overview(): Overview;
  /** what the overview has besides */
  readonly health: OverviewApi;

  /** What waits for a decision, by id. */
  requests(query: ListQuery): ListPage<PendingRequest>;
  /** Says yes: becomes a contact, or joins the group. @throws {NodeError} "not found" */
  acceptRequest(id: string): Promise<void>;
  /** Says no, silently. @throws {NodeError} "not found" */
  declineRequest(id: string): Promise<void>;
  /**
   * Says no and bans who asked. Who invites into a group and is a contact, or a member of another conversation here, is not banned: only
   * this invitation is refused for good. @throws {NodeError} "not found"
   */
  blockRequest(id: string): Promise<void>;

  /** Present and banned contacts, by Jami ID. */
  contacts(query: ListQuery): ListPage<ContactInfo>;
  /** Adds a contact and sends it a request; one who is a contact already is left as it is. @throws {NodeError} "bad request" */
  addContact(jamiId: string): Promise<ContactInfo>;
  /** @throws {NodeError} "not found" */
  removeContact(jamiId: string): Promise<void>;

  /** Whose name it is on the name server. @throws {NodeError} "not found", "bad request", "unavailable" */
  lookUpName(name: string): Promise<NameInfo>;
  /** What an account is called on the name server. @throws {NodeError} "not found", "unavailable" */
  lookUpAddress(jamiId: string): Promise<NameInfo>;
  /**
   * Registers a name for the node's account, which cannot be undone.
   * @param password of the account's archive, "" when it has none
   * @throws {NodeError} "conflict": taken; "forbidden": wrong password
   */
  registerName(name: string, password: string, by: Doer): Promise<NameInfo>;
  /** The names that the own name server gave out, by name. */
  givenNames(query: NamesQuery): ListPage<GivenNameInfo>;
  /** Takes a name back. @throws {NodeError} "not found" */
  takeName(name: string, by: Doer): void;

  /** By id. */
  conversations(query: ListQuery): ListPage<ConversationSummary>;
  /** @throws {NodeError} "not found" */
  conversation(id: string): Promise<ConversationDetail>;
  /** Makes a group with the node as its only admin. @throws {NodeError} "unfit" */
  createGroup(group: NewGroup): Promise<ConversationDetail>;
  /** Changes the profile, as an admin. @throws {NodeError} */
  updateGroup(conversationId: string, changes: GroupChanges): Promise<ConversationDetail>;
  /**
   * Invites an account, contact or not; it is sent the invitation until it joins or is removed. Who is invited already is sent it anew, who is
   * banned is un-banned.
   * @throws {NodeError} "conflict" for members
   */
  invite(conversationId: string, jamiId: string): Promise<MemberInfo>;
  /** Leaves a group; the data stays. Asked a second time it does not wait for anybody to know. @throws {NodeError} */
  leave(conversationId: string): Promise<void>;
  /** Deletes what is here of a conversation that was left. @throws {NodeError} "conflict" when it was not */
  erase(conversationId: string): Promise<void>;
  /** The whole history as a git bundle, for `git clone`. @throws {NodeError} */
  bundle(conversationId: string): AsyncIterable<Bytes>;
  /** Newest first. @throws {NodeError} "not found": the conversation, or the message in `before` */
  messages(conversationId: string, query: MessagesQuery): Promise<MessageInfo[]>;
  /** The newest first; in one conversation, or (`null`) in all. @throws {NodeError} "not found" */
  search(conversationId: string | null, query: SearchQuery): Promise<FoundMessage[]>;
  /** The files that members sent, by id. @throws {NodeError} "not found" */
  files(conversationId: string, query: ListQuery): Promise<ListPage<FileInfo>>;
  storage(): StorageInfo;
  /** Posts a text as the node; it is durable when the promise resolves. @throws {NodeError} */
  post(conversationId: string, text: string): Promise<MessageInfo>;

  /** Calls `listener` at each event until the returned function is called. */
  subscribe(listener: (event: NodeEvent) => void): () => void;
}

/** A node as `main.ts` runs it. */
export interface RunnableNode extends NodeApi {
  /** For whoever asks, when the settings say where to listen. */
  readonly nameServer: NameServerApi;
  /** Opens the sockets and begins to serve. It does not wait for the DHT. */
  start(): Promise<void>;
  /** Ends all connections in order; everything is on disk when it resolves. Also after a start that failed or never was. */
  stop(): Promise<void>;
}
