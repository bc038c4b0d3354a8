/** A small node for the tests of the HTTP face: a few tables in memory, no network. */

import { DatabaseSync } from "node:sqlite";
import { Admins } from "../../../core/admins/admins.ts";
import { utf8 } from "../../../core/base/bytes.ts";
import { Emitter } from "../../../core/base/events.ts";
import {
  type AnsweredRequest,
  type BackupApi,
  type BackupOffer,
  type ContactInfo,
  type ConversationDetail,
  type DevicesApi,
  type Doer,
  type Entry,
  type FileInfo,
  type FoundMessage,
  type GivenNameInfo,
  type GroupChanges,
  type GroupFilesApi,
  type JoinLinkInfo,
  type JoinLinksApi,
  type JoinLinkTerms,
  type JoinOffer,
  type ListPage,
  type ListQuery,
  type MemberInfo,
  type MembersApi,
  type MessageInfo,
  type MessagesQuery,
  type NameInfo,
  type NamesQuery,
  type NewGroup,
  type NewJoinLink,
  type NodeApi,
  NodeError,
  type NodeEvent,
  type NodeSettings,
  type OverrideResult,
  type Overview,
  type OverviewApi,
  type PendingRequest,
  type RefusedApi,
  type RefusedInfo,
  type SearchQuery,
  type StorageInfo,
  type WaitingDevice,
} from "../../../core/node_api.ts";
import { LogRing } from "../../../core/log_ring.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { Store } from "../../../core/store/store.ts";
import { FakeModeration } from "./fake_moderation.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { FakeSetup } from "./fake_setup.ts";
import { FakeNetwork } from "./fake_network.ts";
import { FakeDevices } from "./fake_devices.ts";
import { FakeSettings } from "./fake_settings.ts";

/** 40 hex digits that say which they are. */
export function id(n: number): string {
  return n.toString(16).padStart(40, "0");
}

/** The one conversation it starts with. */
export const CONVERSATION = id(0xc0);

/** The one device that lacks something. */
const WAITING: WaitingDevice = {
  conversationId: CONVERSATION,
  title: "Pwani",
  jamiId: id(2),
  name: "Asha",
  registeredName: "asha",
  deviceId: "f".repeat(64),
  messages: 3,
  since: 1_790_000_000,
  online: true,
};

/** What opens its join link. */
export const SECRET = "s3cret";

/** A node in memory. */
export class FakeNode implements NodeApi {
  readonly db = memory();
  readonly store = new Store(this.db);
  readonly admins: Admins;
  readonly network = new FakeNetwork();
  /** What the set-up has said. */
  readonly configured: NodeSettings = {};
  readonly settings = new FakeSettings();
  readonly health: OverviewApi = {
    day: () => this.overview().samples,
    waiting: (limit) => ({ items: limit > 0 ? [WAITING] : [], total: 1 }),
  };
  readonly backups = fakeBackups();
  readonly logs = new LogRing(10);
  /** The requests that were measured. */
  readonly measured: AnsweredRequest[] = [];
  readonly metrics = {
    text: () => Promise.resolve("kituo_ready 1\n"),
    answered: (request: AnsweredRequest) => void this.measured.push(request),
  };
  dht = true;
  announced = true;
  revoked = false;
  readonly asked = new Map<string, PendingRequest>([[id(1), {
    id: id(1),
    kind: "contact",
    jamiId: id(1),
    name: "Asha",
    registeredName: "asha",
    conversationId: id(0xd0),
    title: "Asha",
    received: 1_790_000_000,
  }]]);
  readonly known = new Map<string, ContactInfo>();
  readonly sent: FileInfo[] = [1, 2].map((n) => ({
    id: id(0xf0 + n),
    name: "map.png",
    size: 3,
    sha3: "a".repeat(128),
    state: "waiting",
    received: 0,
    author: id(2),
    timestamp: 1_790_000_000,
  }));
  /** By name. */
  readonly given: GivenNameInfo[] = [
    { registeredName: "asha", jamiId: id(2), registered: 1 },
    { registeredName: "juma", jamiId: id(3), registered: 2 },
  ];
  readonly posts: MessageInfo[] = [];
  readonly refusedHistories = new Map<string, RefusedInfo>([true, false].map((overridable, n) => {
    const commit = id(0xe0 + n);
    const from = { jamiId: id(2), deviceId: "e".repeat(64) };
    const why = { reason: "Malformed commit", detail: "not allowed: x", type: "text/plain", author: id(2) };
    return [commit, { commit, head: id(0xea), from, ...why, received: 1_790_000_000, overridable, refusedBy: "all" }];
  }));
  /** What was done to groups, in words. */
  readonly deeds: string[] = [];
  /** The join link of its conversation. */
  link: JoinLinkInfo | null = null;
  #profile: Required<GroupChanges> = { title: "Pwani", description: "", avatar: "", defaultHost: null };
  readonly moderation: FakeModeration;
  readonly #events = new Emitter<{ event: NodeEvent }>();
  readonly setup = new FakeSetup();
  readonly groupFiles: GroupFilesApi = {
    rules: (conversation) => {
      if (conversation !== CONVERSATION) throw new NodeError("not found", "There is no such conversation.");
      return { quota: null, retentionDays: null, used: 7, defaults: { quota: 50, retentionDays: 365 }, total: 100 };
    },
    content: async (conversation, file) => {
      await this.#find(conversation);
      const found = this.sent.find(({ id, state }) => id === file && state === "stored");
      if (!found) throw new NodeError("not found", "The file is not here.");
      const content = ReadableStream.from([utf8("ma"), utf8("p")]);
      return { name: found.name, size: 3, content };
    },
    change: (conversation, changes) => ({ ...this.groupFiles.rules(conversation), ...changes }),
  };
  readonly members: MembersApi = {
    list: async (conversation, { limit, after = "", q = "" }) => {
      await this.#find(conversation);
      const fit = this.#detail().members.filter(({ name }) => name.toLowerCase().includes(q.toLowerCase()));
      const { items, next } = page(fit, ({ jamiId }) => `0-${jamiId}`, { limit, after });
      return { items, next, total: fit.length };
    },
  };
  readonly devices: DevicesApi = new FakeDevices();
  watchers = 0;
  /** what a post is to throw */
  failure: unknown;

  constructor(clock = new VirtualClock()) {
    this.moderation = new FakeModeration(this.deeds, (conversation) => this.#find(conversation));
    this.admins = new Admins({ store: this.store, clock, cost: { memory: 8, passes: 1 }, nodeName: () => "Kituo" });
  }

  async configure(settings: NodeSettings): Promise<void> {
    await Promise.resolve();
    Object.assign(this.configured, settings);
  }

  info() {
    const dht = { status: "connected" as const, nodes4: 3, nodes6: 0 };
    return {
      jamiId: id(9),
      deviceId: "d".repeat(64),
      name: "K",
      registeredName: "",
      version: "0",
      uptime: 1.5,
      dht,
      connections: 2,
    };
  }

  ready() {
    return { dht: this.dht, announced: this.announced, revoked: this.revoked };
  }

  overview(): Overview {
    const sample = {
      at: 1_790_000_000,
      connections: 2,
      waiting: 3,
      loopDelay: 1,
      memory: 1_000_000,
      bytesIn: 1,
      bytesOut: 2,
    };
    return {
      node: this.info(),
      ready: this.ready(),
      totals: { conversations: 1, people: 1, online: 1, requests: this.asked.size },
      waiting: { messages: 3, devices: 1 },
      storage: this.storage(),
      warnings: [{ at: 1_790_000_000, level: "warning", room: "relay", text: "a warning" }],
      sample,
      samples: [sample],
    };
  }

  requests(query: ListQuery) {
    return page([...this.asked.values()], (request) => request.id, query);
  }

  acceptRequest(request: string): Promise<void> {
    return this.#answer(request, "accepted");
  }

  declineRequest(request: string): Promise<void> {
    return this.#answer(request, "declined");
  }

  blockRequest(request: string): Promise<void> {
    return this.#answer(request, "blocked");
  }

  contacts(query: ListQuery) {
    return page([...this.known.values()], (contact) => contact.jamiId, query);
  }

  async addContact(jamiId: string): Promise<ContactInfo> {
    await Promise.resolve();
    if (jamiId === id(9)) throw new NodeError("bad request", "The node cannot be its own contact.");
    if (jamiId === id(0xbad)) throw new Error("disk /secret/path is on fire");
    const called = { name: "", registeredName: "" };
    const contact = {
      jamiId,
      ...called,
      added: 1,
      confirmed: false,
      banned: false,
      online: false,
      conversationId: null,
    };
    this.known.set(jamiId, contact);
    return contact;
  }

  async removeContact(jamiId: string): Promise<void> {
    await Promise.resolve();
    if (!this.known.delete(jamiId)) throw new NodeError("not found", "There is no such contact.");
  }

  async lookUpName(name: string): Promise<NameInfo> {
    await Promise.resolve();
    if (name === "slow") throw new NodeError("unavailable", "The name server does not answer.");
    const found = this.given.find(({ registeredName }) => registeredName === name.toLowerCase());
    if (!found) throw new NodeError("not found", "Nobody has this name.");
    return { jamiId: found.jamiId, registeredName: found.registeredName };
  }

  async lookUpAddress(jamiId: string): Promise<NameInfo> {
    await Promise.resolve();
    const found = this.given.find((given) => given.jamiId === jamiId);
    if (!found) throw new NodeError("not found", "The account has no name.");
    return { jamiId, registeredName: found.registeredName };
  }

  async registerName(name: string, password = ""): Promise<NameInfo> {
    await Promise.resolve();
    if (password === "wrong") throw new NodeError("forbidden", "Wrong password.");
    this.deeds.push(`register ${name}`);
    return { jamiId: id(9), registeredName: name.toLowerCase() };
  }

  givenNames({ limit, after = "" }: NamesQuery): ListPage<GivenNameInfo> {
    const rest = this.given.filter(({ registeredName }) => registeredName > after);
    return { items: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1].registeredName : null };
  }

  takeName(name: string): void {
    const at = this.given.findIndex(({ registeredName }) => registeredName === name);
    if (at < 0) throw new NodeError("not found", "No such name was given out.");
    this.given.splice(at, 1);
  }

  conversations(query: ListQuery) {
    const { id, mode, state, title, members, commits, lastActivity, waiting } = this.#detail();
    return page(
      [{ id, mode, state, title, members: members.length, commits, lastActivity, waiting }],
      (conversation) => conversation.id,
      query,
    );
  }

  async conversation(conversation: string): Promise<ConversationDetail> {
    await this.#find(conversation);
    return this.#detail();
  }

  async createGroup({ mode, ...profile }: NewGroup): Promise<ConversationDetail> {
    await Promise.resolve();
    this.deeds.push(`create ${mode}`);
    return { ...this.#detail(), ...profile, id: id(0xc1) };
  }

  async updateGroup(conversation: string, changes: GroupChanges): Promise<ConversationDetail> {
    await this.#find(conversation);
    if (changes.title === "not mine") throw new NodeError("forbidden", "Only admins may do this.");
    this.#profile = { ...this.#profile, ...changes };
    return this.#detail();
  }

  async invite(conversation: string, jamiId: string): Promise<MemberInfo> {
    await this.#find(conversation);
    if (jamiId === id(2)) throw new NodeError("conflict", "The account is admin already.");
    this.deeds.push(`invite ${jamiId}`);
    return { jamiId, name: "", registeredName: "", role: "invited", ban: null, online: false, devices: [] };
  }

  readonly joinLinks: JoinLinksApi = {
    get: (conversation: string): JoinLinkInfo => {
      if (conversation !== CONVERSATION || !this.link) throw new NodeError("not found", "There is no join link.");
      return this.link;
    },

    create: async (
      conversation: string,
      { expiresIn, maxUses }: JoinLinkTerms,
      { actor }: Doer,
    ): Promise<NewJoinLink> => {
      await this.#find(conversation);
      this.link = { created: 1_790_000_000, expires: 1_790_000_000 + expiresIn, maxUses, uses: 0 };
      this.deeds.push(`link by ${actor}`);
      return { ...this.link, secret: SECRET };
    },

    revoke: async (conversation: string, { actor }: Doer): Promise<void> => {
      await this.#find(conversation);
      if (!this.link) throw new NodeError("not found", "There is no join link.");
      this.link = null;
      this.deeds.push(`no link by ${actor}`);
    },

    offer: async (secret: string): Promise<JoinOffer> => {
      await Promise.resolve();
      if (!this.link || secret !== SECRET) throw new NodeError("not found", "This link does not work.");
      return { title: "Soko <b>", description: 'a & "b"', jamiId: id(9), name: "Kituo <i>" };
    },

    join: async (secret: string, jamiId: string, address: string): Promise<"invited" | "member"> => {
      await this.joinLinks.offer(secret);
      if (jamiId === id(9)) throw new NodeError("bad request", "This is the node.");
      if (jamiId === id(0xbad)) throw new NodeError("forbidden", "The account is banned.");
      if (jamiId === id(0xb)) throw new NodeError("too many", "Too many try this link.");
      this.deeds.push(`join ${jamiId} ${address}`.trim());
      return jamiId === id(2) ? "member" : "invited";
    },
  };

  readonly refused: RefusedApi = {
    list: async (conversation: string): Promise<RefusedInfo[]> => {
      await this.#find(conversation);
      return [...this.refusedHistories.values()];
    },

    override: async (conversation: string, commit: string, reason: string): Promise<OverrideResult> => {
      await this.#find(conversation);
      const history = this.refusedHistories.get(commit);
      if (!history) throw new NodeError("not found", "Nothing was refused for this commit.");
      if (!history.overridable) throw new NodeError("conflict", "This can never be accepted.");
      this.refusedHistories.delete(commit);
      this.deeds.push(`override ${commit} ${reason}`);
      return { refused: [] };
    },

    drop: async (conversation: string, commit: string): Promise<void> => {
      await this.#find(conversation);
      if (!this.refusedHistories.delete(commit)) {
        throw new NodeError("not found", "Nothing was refused for this commit.");
      }
    },
  };

  async leave(conversation: string): Promise<void> {
    await this.#find(conversation);
    this.deeds.push("leave");
  }

  async messages(conversation: string, { limit, before, after }: MessagesQuery): Promise<MessageInfo[]> {
    await this.#find(conversation);
    const newest = this.posts.toReversed();
    const end = after === undefined ? -1 : newest.findIndex((message) => message.id === after);
    if (after !== undefined) return newest.slice(Math.max(0, end - limit), Math.max(0, end));
    const from = before === undefined ? 0 : newest.findIndex((message) => message.id === before) + 1;
    return newest.slice(from, from + limit);
  }

  async search(conversation: string | null, { q, limit }: SearchQuery): Promise<FoundMessage[]> {
    if (conversation !== null) await this.#find(conversation);
    const found = this.posts.toReversed().filter(({ body }) => body.includes(q)).slice(0, limit);
    return found.map((message) => ({ conversationId: CONVERSATION, message }));
  }

  async files(conversation: string, query: ListQuery) {
    await this.#find(conversation);
    return page(this.sent, (file) => file.id, query);
  }

  async erase(conversation: string): Promise<void> {
    await this.#find(conversation);
    this.deeds.push("erase");
  }

  async *bundle(conversation: string) {
    await this.#find(conversation);
    yield utf8("# v2 git bundle\n");
  }

  storage(): StorageInfo {
    const counts = { waiting: 1, partial: 0, stored: 0, "too large": 0, deleted: 0, evicted: 0 };
    return { files: { used: 0, quota: 10, conversationQuota: 5, maxSize: 3, retentionDays: 0, counts } };
  }

  async post(conversation: string, body: string): Promise<MessageInfo> {
    await this.#find(conversation);
    if (this.failure) throw this.failure;
    if (body === "too early") throw new NodeError("conflict", "The conversation is still being cloned.");
    if (body === "banned") throw new NodeError("forbidden", "The node is not a member.");
    const n = this.posts.length;
    const parents = n === 0 ? [] : [this.posts[n - 1].id];
    const message = {
      id: id(0x100 + n),
      type: "text/plain",
      author: id(9),
      authorName: "K",
      body,
      timestamp: 1_790_000_000 + n,
      parents,
      entry: textEntry(body),
    };
    this.posts.push(message);
    this.emit({ type: "message", data: { conversationId: conversation, message } });
    return message;
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    this.watchers++;
    const off = this.#events.on("event", listener);
    return () => {
      this.watchers--;
      off();
    };
  }

  /** Lets something happen. */
  emit(event: NodeEvent): void {
    this.#events.emit("event", event);
  }

  /** The n-th of a row of different events. */
  presence(n: number): void {
    this.emit({ type: "presence", data: { jamiId: id(n), online: true } });
  }

  async #answer(request: string, result: string): Promise<void> {
    await Promise.resolve();
    if (!this.asked.delete(request)) throw new NodeError("not found", `There is no such request to be ${result}.`);
  }

  async #find(conversation: string): Promise<void> {
    await Promise.resolve();
    if (conversation !== CONVERSATION) throw new NodeError("not found", "There is no such conversation.");
  }

  #detail(): ConversationDetail {
    const devices = [
      { deviceId: "e".repeat(64), lag: null, online: false, lastSeen: null, banned: false, ban: null },
      { deviceId: "f".repeat(64), lag: 3, online: true, lastSeen: 1_790_000_000, banned: false, ban: null },
    ];
    return {
      id: CONVERSATION,
      mode: 2,
      state: "active",
      ...this.#profile,
      commits: this.posts.length,
      lastActivity: this.posts.at(-1)?.timestamp ?? null,
      waiting: { messages: 3, devices: 1 },
      votes: [],
      members: [{
        jamiId: id(2),
        name: "Asha",
        registeredName: "asha",
        role: "admin",
        ban: null,
        online: true,
        devices,
      }],
      memberCount: 1,
    };
  }
}

function textEntry(text: string): Entry {
  return { kind: "text", text, edited: false, deleted: false, history: [], replyTo: null, reactions: [] };
}

function page<Item>(items: Item[], idOf: (item: Item) => string, { limit, after = "" }: ListQuery): ListPage<Item> {
  const rest = items.filter((item) => idOf(item) > after).sort((a, b) => idOf(a) < idOf(b) ? -1 : 1);
  const part = rest.slice(0, limit);
  return { items: part, next: rest.length > limit ? idOf(part[limit - 1]) : null };
}

/** The tables in memory. */
function memory(): DatabaseSync {
  const db = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  migrate(db);
  return db;
}

/** Gives one back-up for each time that it was asked for. */
function fakeBackups(): BackupApi {
  const offers = new Map<string, BackupOffer>();
  return {
    async prepare({ passphrase, files }) {
      await Promise.resolve();
      if (passphrase.length < 12) throw new NodeError("bad request", "A passphrase has at least 12 characters.");
      const id = offers.size.toString(16).padStart(32, "0");
      const offer = { id, name: "kituo.kituo-backup", files, expires: 1_790_000_300 };
      offers.set(id, offer);
      return offer;
    },
    take(id) {
      const offer = offers.get(id);
      if (!offers.delete(id) || !offer) throw new NodeError("not found", "There is no such back-up.");
      return { name: offer.name, files: offer.files, content: ReadableStream.from([utf8("sealed")]) };
    },
    schedule: () => Promise.resolve(null),
  };
}
