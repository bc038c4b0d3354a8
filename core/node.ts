/** One Kituo node: every room built and connected, started and stopped in order. */

import { getLogger } from "@logtape/logtape";
import { takeOver } from "./account/take_over.ts";
import { Admins } from "./admins/admins.ts";
import type { Bytes } from "./base/bytes.ts";
import { every, systemClock } from "./base/clock.ts";
import { KituoError, messageOf } from "./base/errors.ts";
import { systemRandom } from "./base/random.ts";
import type { Config } from "./config.ts";
import { Dht } from "./dht/dht.ts";
import { readState } from "./dht/state.ts";
import { checkIdentity, type Identity } from "./identity/identity.ts";
import type { AccountId } from "./identity/ids.ts";
import { identityIn } from "./identity/storage.ts";
import {
  type ContactInfo,
  type ConversationDetail,
  type ConversationSummary,
  type Doer,
  type FileInfo,
  type FoundMessage,
  type GivenNameInfo,
  type GroupChanges,
  type GroupMode,
  type ListPage,
  type ListQuery,
  MAX_DETAIL_MEMBERS,
  MAX_LIST_LIMIT,
  type MemberInfo,
  type MessageInfo,
  type MessagesQuery,
  type NameInfo,
  type NameServerApi,
  type NamesQuery,
  type NewGroup,
  NodeError,
  type NodeEvent,
  type NodeInfo,
  type NodeSettings,
  type Overview,
  type PendingRequest,
  type Readiness,
  type RunnableNode,
  type SearchQuery,
  type StorageInfo,
} from "./node_api.ts";
import { logRing } from "./logging.ts";
import { NodeBackups } from "./node_backup.ts";
import { NodeGaps } from "./node_gaps.ts";
import { NodeMembers } from "./node_members.ts";
import { NodeMetrics } from "./node_metrics.ts";
import type { NodeConfiguration } from "./node_configuration.ts";
import { NodeEvents } from "./node_events.ts";
import { isNear, ownAddresses } from "./node_interfaces.ts";
import { fileLimitsOf, settingsOf } from "./node_live_settings.ts";
import { NodeNetwork } from "./node_network.ts";
import { NodeOverview } from "./node_overview.ts";
import { NodeGroupFiles } from "./node_group_files.ts";
import { NodeJoinLinks } from "./node_join_links.ts";
import { NodeRefused } from "./node_refused.ts";
import { checkHost, checkPicture, knownConversation } from "./node_groups.ts";
import * as view from "./node_view.ts";
import { NodeDevices } from "./node_devices.ts";
import { NodeModeration } from "./node_moderation.ts";
import { NodeNames } from "./node_names.ts";
import { ownVcard } from "./node_profile.ts";
import { refusing } from "./node_refusals.ts";
import { NodeSetup } from "./node_setup.ts";
import { NO_TAKEOVER, settleIdentity, type Takeover } from "./node_takeover.ts";
import { writeSettings } from "./node_settings.ts";
import { Relay } from "./relay/relay.ts";
import type { Conversation as ConversationRecord } from "./store/conversations.ts";
import {
  conversationsPath,
  databasePath,
  filesPath,
  identityPath,
  refusedPath,
  repositoryPath,
} from "./store/places.ts";
import { openStore, type Store } from "./store/store.ts";
import { bundleOf, bundleOfStored } from "./swarm/bundle.ts";
import type { Conversation } from "./swarm/conversation.ts";
import { Mode } from "./swarm/conversation_facts.ts";
import { writeText } from "./swarm/write_messages.ts";
import { VERSION } from "./version.ts";

const log = getLogger(["kituo", "node"]);

/** The state of the DHT node is kept this often, so that a killed node finds its way back quickly. */
const DHT_STATE_EVERY_MS = 60_000;
const DHT_STATE = "dht";

/** A port that the node needs cannot be had. */
export class PortError extends KituoError {}
/** The modes of groups by their names in the API (swarm-repository.md 3). */
const GROUP_MODES = {
  "admin-invites-only": Mode.adminInvitesOnly,
  "invites-only": Mode.invitesOnly,
  "public": Mode.public,
} satisfies Record<GroupMode, Mode>;

/**
 * Builds the node of a data folder; a new account is made in an empty one, which takes some seconds.
 * The caller holds the folder's lock.
 * @throws {KituoError} when the folder is damaged, or the picture of the settings cannot be used
 */
export async function createNode(config: Config, takeover?: Takeover): Promise<Node> {
  const vcard = await ownVcard(config);
  await settleIdentity(config.data);
  const identity = await identityIn(identityPath(config.data), systemClock.now());
  const store = openStore(databasePath(config.data));
  await takeOver(identityPath(config.data), identity, store, systemClock.now());
  await checkIdentity(identity, { now: systemClock.now() }); // one that was revoked still starts, to say so
  return new Node(config, identity, store, vcard, takeover);
}

export class Node implements RunnableNode {
  readonly admins: Admins;
  readonly network: NodeNetwork;
  readonly moderation: NodeModeration;
  readonly #dht: Dht;
  readonly #relay: Relay;
  readonly #names: NodeNames;
  readonly nameServer: NameServerApi;
  readonly groupFiles: NodeGroupFiles;
  readonly members: NodeMembers;
  readonly joinLinks: NodeJoinLinks;
  readonly refused: NodeRefused;
  readonly devices: NodeDevices;
  readonly setup: NodeSetup;
  readonly #events = new NodeEvents();
  readonly #started = systemClock.now();
  readonly settings: NodeConfiguration;
  readonly health: NodeOverview;
  readonly backups: NodeBackups;
  readonly logs = logRing;
  readonly metrics: NodeMetrics;
  #stopKeeping = () => {};
  #wasReady = false;
  #left: Promise<void> | null = null;

  constructor(
    private readonly config: Config,
    private readonly identity: Identity,
    private readonly store: Store,
    vcard: Bytes,
    takeover: Takeover = NO_TAKEOVER,
  ) {
    this.#names = new NodeNames(config, identity.account, store, systemClock);
    this.nameServer = this.#names.nameServer();
    this.admins = new Admins({ store, nodeName: () => config.name });
    this.#dht = new Dht({
      port: config.dhtPort,
      bootstrap: config.bootstrap,
      clock: systemClock,
      random: systemRandom,
      state: readState(JSON.parse(store.settings.get(DHT_STATE) ?? "null")) ?? undefined,
    });
    this.#relay = new Relay({
      identity,
      store,
      dht: this.#dht,
      clock: systemClock,
      random: systemRandom,
      conversationsDir: conversationsPath(config.data),
      refusedDir: refusedPath(config.data),
      filesDir: filesPath(config.data),
      fileLimits: fileLimitsOf(config),
      peerPort: config.peerPort,
      addresses: ownAddresses,
      publicAddresses: () => this.#publicAddresses(),
      isNear: (address) => isNear(address, this.#publicAddresses()),
      displayName: () => config.name,
      vcard,
      welcome: (account) =>
        config.acceptRequests === "anyone" ||
        (config.acceptRequests === "allowlist" && config.allowlist.includes(account)),
      openToAll: () => config.acceptRequests === "anyone",
      isGuest: (device) => this.devices.linking.isLinking(device),
      get offerContact() {
        return config.offerContact;
      },
      get enforceModes() {
        return config.enforceModes;
      },
    });
    this.settings = settingsOf({ config, store, relay: this.#relay, names: this.#names });
    this.setup = new NodeSetup({ config, store, takeover, configure: (settings) => this.configure(settings) });
    this.groupFiles = new NodeGroupFiles(store, this.#relay.files);
    this.joinLinks = new NodeJoinLinks({
      links: this.#relay.joinLinks,
      store,
      clock: systemClock,
      open: (id) => this.#open(id),
      host: () => ({ jamiId: identity.account, name: config.name }),
      isRevoked: () => this.#relay.revoked,
    });
    this.refused = new NodeRefused(store, this.#relay.refused);
    const { connections } = this.#relay;
    const { called } = this.#names;
    this.network = new NodeNetwork({
      clock: systemClock,
      dht: this.#dht,
      connections,
      config,
      audit: store.audit,
      called,
    });
    this.devices = new NodeDevices({
      dir: identityPath(config.data),
      identity,
      store,
      relay: this.#relay,
      clock: systemClock,
      name: () => config.name,
    });
    this.moderation = new NodeModeration({
      relay: this.#relay,
      store,
      clock: systemClock,
      random: systemRandom,
      called,
      open: (id) => this.#open(id),
    });
    const gaps = new NodeGaps(store.ledger);
    this.members = new NodeMembers({
      relay: this.#relay,
      store,
      called,
      gaps,
      place: (id) => repositoryPath(conversationsPath(config.data), id),
    });
    this.health = new NodeOverview({
      clock: systemClock,
      relay: this.#relay,
      store,
      info: () => this.info(),
      ready: () => this.ready(),
      requests: () => this.requests({ limit: MAX_LIST_LIMIT }).items.length,
      called,
      gaps,
      onSample: (data) => this.#events.emit({ type: "overview", data }),
    });
    this.backups = new NodeBackups(config, systemClock);
    this.metrics = new NodeMetrics({
      clock: systemClock,
      dht: this.#dht,
      relay: this.#relay,
      logs: logRing,
      overview: () => this.overview(),
      storage: () => this.storage(),
      database: databasePath(config.data),
    });
    this.#events.watch({
      relay: this.#relay,
      store,
      names: this.#names,
      devices: this.devices,
      moderation: this.moderation,
      health: this.health,
    });
    this.#heed();
  }

  /** @throws {PortError} when a port cannot be had */
  async start(): Promise<void> {
    const { dhtPort, peerPort } = this.config;
    if (this.#relay.revoked) return await this.#relay.start(); // what is here can be read, and that is all
    await takingPort(`TCP port ${peerPort} (--peer-port)`, () => this.#relay.connections.listen());
    await takingPort(`UDP port ${dhtPort} (--dht-port)`, () => this.#dht.start());
    await this.#relay.start();
    this.moderation.start();
    this.health.start();
    this.metrics.start();
    this.backups.start();
    this.network.start();
    this.#stopKeeping = every(systemClock, DHT_STATE_EVERY_MS, () => this.#keepState());
  }

  /** Once, and for good. */
  #leaveDht(): Promise<void> {
    return this.#left ??= this.#dht.stop();
  }

  async stop(): Promise<void> {
    this.#stopKeeping();
    this.devices.linking.stop();
    await this.#names.stop();
    this.health.stop();
    this.metrics.stop();
    this.backups.stop();
    this.network.stop();
    await this.moderation.stop();
    await this.#relay.stop();
    this.#keepState();
    await this.#leaveDht();
    this.store.close();
  }

  async configure(settings: NodeSettings): Promise<void> {
    const vcard = await ownVcard({ ...this.config, ...settings });
    writeSettings(this.config, settings);
    Object.assign(this.config, settings); // the rooms were given functions that read it
    this.#relay.profiles.change(vcard);
  }

  info(): NodeInfo {
    const { nodes4, nodes6 } = this.#dht.stats();
    return {
      jamiId: this.identity.account,
      deviceId: this.identity.device,
      name: this.config.name,
      registeredName: this.#names.called(this.identity.account).registeredName,
      version: VERSION,
      uptime: Math.floor((systemClock.now() - this.#started) / 1000),
      dht: { status: this.#dht.status, nodes4, nodes6 },
      connections: this.#relay.connections.connections().length,
    };
  }

  ready(): Readiness {
    const { account, revoked } = this.#relay;
    return { dht: this.#dht.status === "connected", announced: account.announced && !revoked, revoked };
  }

  overview(): Overview {
    return this.health.hour();
  }

  requests(query: ListQuery): ListPage<PendingRequest> {
    const { account, invitations } = this.#relay;
    const { called } = this.#names;
    // who is banned waits unseen: when the ban ends, the request is there again
    const contacts = this.store.trustRequests.all().filter((one) => !account.contacts.isBanned(one.account, one.device))
      .map((request) => view.contactRequest(request, this.store, called));
    const groups = invitations.pending().filter(({ from }) => !account.contacts.isBanned(from))
      .map((request) => view.groupRequest(request, called));
    return view.paged([...contacts, ...groups], query, ({ id }) => id);
  }

  async acceptRequest(id: string): Promise<void> {
    await this.#decide(
      id,
      (account) => this.#relay.account.contacts.accept(account),
      (conversation) => this.#relay.invitations.accept(conversation),
    );
  }

  async declineRequest(id: string): Promise<void> {
    await this.#decide(
      id,
      (account) => this.#relay.account.contacts.decline(account),
      (conversation) => this.#relay.invitations.decline(conversation),
    );
  }

  async blockRequest(id: string): Promise<void> {
    const { contacts } = this.#relay.account;
    await this.#decide(id, (account) => contacts.remove(account, true), (conversation, from) => {
      this.#relay.invitations.decline(conversation);
      // who is known otherwise is not cut off from everything because of one invitation
      const isKnown = contacts.isContact(from) || this.#relay.conversations.of(from).length > 0;
      if (!isKnown) contacts.remove(from, true);
    });
  }

  contacts(query: ListQuery): ListPage<ContactInfo> {
    return view.paged(
      view.shownContacts(this.store).map((contact) => view.contactInfo(contact, this.#relay, this.#names.called)),
      query,
      ({ jamiId }) => jamiId,
    );
  }

  async addContact(jamiId: string): Promise<ContactInfo> {
    const contact = await refusing(() => this.#relay.account.contacts.add(jamiId));
    return view.contactInfo(contact, this.#relay, this.#names.called);
  }

  async removeContact(jamiId: string): Promise<void> {
    const contact = this.store.contacts.get(jamiId);
    if (!contact || !(contact.added > contact.removed || contact.banned)) {
      throw new NodeError("not found", "no such contact");
    }
    const { conversation } = contact;
    await refusing(() => this.#relay.account.contacts.remove(jamiId, false));
    if (conversation) this.#relay.conversations.leave(conversation);
    this.#events.emit({ type: "contact-gone", data: { jamiId } });
  }

  lookUpName(name: string): Promise<NameInfo> {
    return this.#names.lookUpName(name);
  }

  lookUpAddress(jamiId: string): Promise<NameInfo> {
    return this.#names.lookUpAddress(jamiId);
  }

  registerName(name: string, password: string, by: Doer): Promise<NameInfo> {
    return this.#names.registerName(name, password, by);
  }

  givenNames(query: NamesQuery): ListPage<GivenNameInfo> {
    return this.#names.givenNames(query);
  }

  takeName(name: string, by: Doer): void {
    this.#names.takeName(name, by);
  }

  conversations(query: ListQuery): ListPage<ConversationSummary> {
    const records = this.store.conversations.all().filter(({ erased }) => erased === 0);
    return view.paged(records.map((record) => this.#summary(record)), query, ({ id }) => id);
  }

  conversation(id: string): Promise<ConversationDetail> {
    return refusing(async () => {
      const record = this.#known(id);
      const members = await this.members.first(id, MAX_DETAIL_MEMBERS);
      return await view.conversationDetail(record, this.#relay, this.store, this.#waitingIn, members);
    });
  }

  async createGroup({ mode, ...profile }: NewGroup): Promise<ConversationDetail> {
    checkPicture(profile.avatar);
    const { id } = await refusing(() => this.#relay.groups.create(GROUP_MODES[mode], profile));
    return await this.conversation(id);
  }

  async updateGroup(id: string, changes: GroupChanges): Promise<ConversationDetail> {
    await refusing(async () => {
      const conversation = this.#open(id);
      checkPicture(changes.avatar);
      checkHost(changes.defaultHost, this.members.one(conversation, changes.defaultHost?.jamiId ?? ""));
      await this.#relay.groups.update(conversation, view.profileChanges(changes));
    });
    return await this.conversation(id);
  }

  async invite(id: string, jamiId: string): Promise<MemberInfo> {
    return await refusing(async () => {
      const conversation = this.#open(id);
      await this.#relay.groups.invite(conversation, jamiId);
      const member = this.members.one(conversation, jamiId);
      if (!member) throw new NodeError("conflict", "the account was removed again");
      return member;
    });
  }

  async leave(id: string): Promise<void> {
    if (this.#known(id).state === "left") throw new NodeError("conflict", "the conversation was left already");
    if (this.#relay.revoked) return this.#relay.conversations.leave(id); // nobody is there to tell
    await refusing(() => this.#relay.groups.leave(id));
  }

  async erase(id: string): Promise<void> {
    if (!await this.#relay.conversations.erase(this.#known(id).id)) {
      throw new NodeError("conflict", "leave the conversation first");
    }
    this.#events.emit({ type: "conversation-gone", data: { id } });
  }

  bundle(id: string): AsyncIterable<Bytes> {
    return this.#isLeft(id)
      ? bundleOfStored(repositoryPath(conversationsPath(this.config.data), id))
      : bundleOf(this.#open(id));
  }

  messages(id: string, query: MessagesQuery): Promise<MessageInfo[]> {
    return refusing(() => {
      const { commits } = this.store;
      if (!this.#isLeft(id)) this.#open(id);
      const { view: wanted, ...part } = query;
      for (const known of [part.before, part.after]) {
        if (known !== undefined && !commits.has(id, known)) throw new NodeError("not found", "no such message");
      }
      const rows = commits.page(id, { ...part, entriesOnly: wanted === "entries" });
      const called = this.#names.calledInList();
      return rows.map((row) => view.messageInfo(row, this.store, called));
    });
  }

  search(id: string | null, { q, ...conditions }: SearchQuery): Promise<FoundMessage[]> {
    return refusing(() => {
      const conversation = id === null ? undefined : this.#isLeft(id) ? id : this.#open(id).id;
      const called = this.#names.calledInList();
      return this.store.search.find({ text: q, conversation, ...conditions }).map((row) => ({
        conversationId: row.conversation,
        message: view.messageInfo(row, this.store, called),
      }));
    });
  }

  async files(id: string, { limit, after }: ListQuery): Promise<ListPage<FileInfo>> {
    const page = this.store.files.page(this.#known(id).id, { limit: limit + 1, after });
    const items = await Promise.all(page.slice(0, limit).map((file) => view.fileInfo(file, this.#relay)));
    return { items, next: page.length > limit ? page[limit - 1].id : null };
  }

  storage(): StorageInfo {
    return view.storageInfo(this.#relay, this.store);
  }

  async post(id: string, body: string): Promise<MessageInfo> {
    return await refusing(async () => {
      const [row] = await this.#open(id).write((context) => writeText(context, body));
      const kept = this.store.commits.get(id, row.id);
      if (!kept) throw new NodeError("not found", "no such message");
      return view.messageInfo(kept, this.store, this.#names.called);
    });
  }

  subscribe(listener: (event: NodeEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  readonly #waitingIn: view.WaitingIn = (id) => this.health.waitingIn(id);

  #summary(record: ConversationRecord): ConversationSummary {
    return view.conversationSummary(record, this.#relay, this.store, this.#waitingIn);
  }

  #known(id: string): ConversationRecord {
    return knownConversation(this.store, id);
  }

  #publicAddresses(): string[] {
    return [...new Set([...this.config.publicAddress, ...this.#dht.publicAddresses()])];
  }

  /** What is here of one that was left can still be read. */
  #isLeft(id: string): boolean {
    return this.#known(id).state === "left";
  }

  #open(id: string): Conversation {
    const conversation = this.#relay.conversations.get(id);
    if (conversation) return conversation;
    this.#known(id);
    if (this.#relay.conversations.isDamaged(id)) {
      throw new NodeError("conflict", "the conversation's repository is damaged");
    }
    throw new NodeError("conflict", "the conversation is not here yet, or was left: nothing can be done in it");
  }

  async #decide(
    id: string,
    onContact: (account: AccountId) => unknown,
    onGroup: (conversation: string, from: AccountId) => unknown,
  ): Promise<void> {
    await refusing(async () => {
      const group = this.#relay.invitations.pending().find(({ conversation }) => conversation === id);
      if (this.store.trustRequests.get(id)) await onContact(id);
      else if (group) await onGroup(id, group.from);
      else throw new NodeError("not found", "no such request");
    });
    this.#events.emit({ type: "request-gone", data: { id } });
  }

  /** What follows from what happens in the rooms, besides telling of it. */
  #heed(): void {
    const relay = this.#relay;
    this.#dht.on("status", () => this.#status());
    relay.account.on("announced", () => this.#status());
    relay.on("revoked", () => this.#status());
    relay.on("retired", () => void this.#leaveDht().catch((error) => log.error("leaving the DHT: {error}", { error })));
  }

  #status(): void {
    const { dht, announced } = this.ready();
    const ready = dht && announced;
    if (ready && !this.#wasReady) this.#keepState();
    this.#wasReady = ready;
    this.#events.emit({ type: "status", data: { ready, dht: this.#dht.status } });
  }

  #keepState(): void {
    try {
      this.store.settings.set(DHT_STATE, JSON.stringify(this.#dht.state()));
    } catch (error) {
      log.warn("the state of the DHT node was not kept: {error}", { error: messageOf(error) });
    }
  }
}

async function takingPort(which: string, take: () => void | Promise<void>): Promise<void> {
  try {
    await take();
  } catch (error) {
    throw new PortError(`${which}: ${messageOf(error)}`, { cause: error });
  }
}
