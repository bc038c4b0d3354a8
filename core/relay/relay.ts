/**
 * What makes Kituo a relay (swarm-sync.md 8): it follows all members of its conversations, keeps a link to each device that is there, fetches what they
 * have and tells them what they lack.
 */

import { getLogger } from "@logtape/logtape";
import { Account } from "../account/account.ts";
import type { InstantMessage } from "../account/instant_message.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import { type IncomingMessage, Messenger } from "../messaging/messenger.ts";
import { type Notification, readPayload } from "../messaging/payload.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import type { Connection } from "../transport/channel.ts";
import { ConnectionManager } from "../transport/connection_manager.ts";
import { Clones } from "./clones.ts";
import { ContactOffers } from "./contact_offers.ts";
import { Conversations } from "./conversations.ts";
import { Delivery } from "./delivery.ts";
import { Fetcher } from "./fetcher.ts";
import { Files } from "./files.ts";
import { Groups, inviterOf } from "./groups.ts";
import { Invitations } from "./invitations.ts";
import { JoinLinks } from "./join_links.ts";
import { Links } from "./links.ts";
import { Moderation } from "./moderation.ts";
import { obeyOwnDevices } from "./obey_own_devices.ts";
import { OwnDevices } from "./own_devices.ts";
import { Overlays } from "./overlays.ts";
import { OwedInvitations } from "./owed_invitations.ts";
import { Profiles } from "./profiles.ts";
import { RefusedHistories } from "./refused.ts";
import type { RelayOptions } from "./relay_options.ts";
import { RevokedWriters } from "./revoked_writers.ts";
import { Router } from "./router.ts";

const log = getLogger(["kituo", "relay"]);

export type RelayEvents = {
  /** The own account has revoked this device. */
  revoked: null;
  /** All that this device had with others has ended, because it was revoked. */
  retired: null;
};

export class Relay extends Emitter<RelayEvents> {
  readonly account: Account;
  readonly connections: ConnectionManager;
  readonly conversations: Conversations;
  readonly invitations: Invitations;
  readonly fetcher: Fetcher;
  readonly refused: RefusedHistories;
  readonly delivery: Delivery;
  readonly links: Links;
  readonly groups: Groups;
  readonly joinLinks: JoinLinks;
  readonly files: Files;
  readonly profiles: Profiles;
  readonly overlays: Overlays;
  readonly ownDevices: OwnDevices;
  readonly #messenger: Messenger;
  readonly #router: Router;
  readonly #clones: Clones;
  readonly #owed: OwedInvitations;
  readonly #contactOffers: ContactOffers;
  readonly #moderation: Moderation;
  #ended = false;

  constructor(private readonly options: RelayOptions) {
    super();
    const { identity, store, dht, clock, random } = options;
    this.conversations = new Conversations({ ...options, dir: options.conversationsDir });
    this.account = new Account({
      ...options,
      createConversation: (account, earlier) => this.conversations.oneToOne(account, earlier),
      asksForGroup: (account, conversation) => this.#asksForGroup(account, conversation),
      hears: (peer) => this.allows(peer) || this.#mayAsk(peer),
    });
    const { certificates, presence } = this.account;
    const connections = () => this.connections.connections();
    this.connections = new ConnectionManager({
      identity,
      dht,
      clock,
      random,
      port: options.peerPort,
      addresses: options.addresses,
      publicAddresses: options.publicAddresses,
      isNear: options.isNear,
      certificates: { byKey: (key) => certificates.find(key) },
      seen: {
        has: (id) => store.treated.has("connection", `${id}`),
        add: (id) => void store.treated.add("connection", `${id}`, clock.now()),
      },
      allow: (peer) => this.allows(peer),
      accept: (connection, name) => this.#router.accept(connection, name),
      revocations: (account) => certificates.revocations(account),
    });
    this.links = new Links({
      connections: this.connections,
      presence,
      clock,
      random,
      wanted: (account, device) => this.#serves(account, device) && !certificates.isRevoked(account, device),
    });
    this.#messenger = new Messenger({
      clock,
      random,
      identity: {
        account: identity.account,
        device: identity.device,
        get displayName() {
          return options.displayName(); // it may be changed
        },
      },
      seen: (account, token) => !store.treated.add("message", `${account}/${token}`, clock.now()),
      generations: {
        get: (device) => store.certificates.byDevice(device)?.generation,
        set: (device, generation) => store.certificates.setGeneration(device, generation),
      },
    });
    this.refused = new RefusedHistories({ dir: options.refusedDir, store, clock, conversations: this.conversations });
    this.fetcher = new Fetcher(this.conversations, clock, this.refused);
    this.delivery = new Delivery({
      store,
      clock,
      device: identity.device,
      live: (device) => this.links.live(device),
      notify: (connection, notification) => this.#messenger.send(connection, notification),
      generation: (device) => store.certificates.byDevice(device)?.generation,
      inviterIsThere: (conversation, invited) => {
        const inviter = inviterOf(store, conversation.id, invited);
        return inviter !== null && inviter !== this.self &&
          this.#connected(inviter).some(({ peer }) => store.certificates.byDevice(peer.device)?.generation === "sip");
      },
      check: (conversation, connection) => this.fetcher.fetch(conversation.id, connection),
    });
    this.files = new Files({
      dir: options.filesDir,
      limits: options.fileLimits,
      store,
      clock,
      device: identity.device,
      conversations: this.conversations,
      connections,
    });
    this.profiles = new Profiles({ ...options, ...identity, conversations: this.conversations, connections });
    this.overlays = new Overlays({
      store,
      clock,
      random,
      device: identity.device,
      connections: this.connections,
      certificates,
      allows: (peer) => this.allows(peer),
    });
    this.ownDevices = new OwnDevices({
      identity,
      store,
      clock,
      conversations: this.conversations,
      certificates,
      name: options.displayName,
    });
    this.#router = new Router({
      device: identity.device,
      clock,
      messenger: this.#messenger,
      conversations: this.conversations,
      delivery: this.delivery,
      files: this.files,
      profiles: this.profiles,
      overlays: this.overlays,
      ownDevices: this.ownDevices,
    });
    this.invitations = new Invitations({
      store,
      clock,
      conversations: this.conversations,
      welcome: options.welcome,
    });
    this.#owed = new OwedInvitations({
      store,
      clock,
      conversations: this.conversations,
      connected: (account) => this.#connected(account),
      onOwed: (conversation, account) => {
        this.links.reach(account);
        this.#offerContact(conversation);
      },
      send: (connection, invitation) => this.#messenger.send(connection, invitation),
      onSent: (conversation, connection) => this.#tell(conversation, connection),
    });
    this.#contactOffers = new ContactOffers({
      store,
      self: this.self,
      contacts: this.account.contacts,
      owes: ({ id }, account) => this.#owed.owes(id, account),
    });
    this.groups = new Groups({
      store,
      clock,
      self: identity.account,
      conversations: this.conversations,
      delivery: this.delivery,
      invitations: this.#owed,
      onLeft: (id) => this.invitations.onNoted(id),
    });
    const inGroups = { store, clock, self: identity.account, groups: this.groups };
    this.#moderation = new Moderation({
      ...inGroups,
      get enforceModes() {
        return options.enforceModes; // it may be changed
      },
    });
    this.joinLinks = new JoinLinks({ ...inGroups, random, conversations: this.conversations });
    this.#clones = new Clones({
      clock,
      self: identity.account,
      conversations: this.conversations,
      connected: (account) => this.#connected(account),
      reach: (account) => this.links.reach(account),
      fetch: (id, connection) => this.fetcher.fetch(id, connection),
    });
  }

  /** The node's own account and device. */
  get self(): AccountId {
    return this.options.identity.account;
  }

  get device(): DeviceId {
    return this.options.identity.device;
  }

  get displayName(): string {
    return this.options.displayName();
  }

  async start(): Promise<void> {
    await this.conversations.start();
    await this.refused.start();
    if (this.revoked) return void log.error("this device was revoked by its own account: it takes part in nothing");
    this.#listen();
    this.connections.start();
    this.links.start();
    this.files.start();
    this.account.start();
    this.#clones.start();
    this.#watch();
    this.groups.start();
    for (const conversation of this.conversations.all()) {
      this.#owed.settle(conversation);
      this.#moderation.onMembers(conversation);
      this.#offerContact(conversation);
    }
  }

  /** Is this device revoked by its own account? */
  get revoked(): boolean {
    const [leaf] = this.options.identity.chain;
    return this.account.certificates.revocations(this.self).some((list) => list.revokes(leaf));
  }

  /** This device was revoked: it takes part in nothing any more. What is here can still be read. */
  async #retire(): Promise<void> {
    log.error("this device was revoked by its own account: it takes part in nothing any more");
    this.emit("revoked", null);
    this.links.stop();
    await this.connections.stop();
    await this.account.tellRevocations(); // it may have revoked itself, and be the only one who knows
    this.#endAll();
    this.emit("retired", null);
  }

  /** Ends all connections in order. */
  async stop(): Promise<void> {
    this.#endAll();
    await this.files.stop();
    await this.connections.stop();
    await this.#finish();
    await this.refused.stop();
    await this.conversations.stop();
  }

  /** What is being written comes to its end, so that nothing touches the folder or the database afterwards. */
  async #finish(): Promise<void> {
    const { conversations, fetcher, account: { contacts } } = this;
    const ends = await Promise.all([conversations.finish(), fetcher.finish(), contacts.finish()]);
    if (ends.includes(false)) log.warn("stopping waits no longer for what is being written");
  }

  #endAll(): void {
    this.#ended = true;
    this.links.stop();
    this.groups.stop();
    this.#clones.stop();
    this.delivery.stop();
    this.account.stop();
    this.profiles.stop();
    this.overlays.stop();
    this.ownDevices.stop();
  }

  /**
   * May the peer connect: a contact, or a member of a conversation here (connection.md 8.4). While a conversation is still to be cloned its
   * members are unknown, and any of them may bring it: then everybody may.
   */
  allows({ account, device }: Pick<Peer, "account" | "device">): boolean {
    if (this.options.isGuest?.(device)) return true;
    if (account === this.self) return true; // whom we have revoked does not get past its certificate
    if (this.account.contacts.isBanned(account, device)) return false;
    return this.options.openToAll() || this.#serves(account, device) || this.#inviters().length > 0;
  }

  /** The node's bans changed: whoever is kept out goes, whoever is not any more is looked for. */
  enforceBans(): void {
    this.#watch();
    this.connections.closeAll((peer) => !this.allows(peer), "banned from this node");
  }

  /** Is there anything that we and this account, or this device of it, have in common? */
  #serves(account: AccountId, device?: DeviceId): boolean {
    const { contacts } = this.account;
    if (account === this.self) return device !== this.device;
    if (contacts.isBanned(account, device)) return false;
    if (contacts.isContact(account) || this.#inviters().includes(account)) return true;
    const common = this.conversations.of(account);
    return device === undefined
      ? common.length > 0
      : common.some((conversation) => conversation.mayFetch({ account, device }));
  }

  #inviters(): AccountId[] {
    return this.#clones.inviters();
  }

  #connected(account: AccountId): Connection[] {
    return this.connections.connections().filter(({ peer }) => peer.account === account);
  }

  #listen(): void {
    const { store } = this.options;
    const { contacts, certificates } = this.account;
    const revoked = new RevokedWriters(this.options.store, (account) => certificates.revocations(account));
    this.connections.on("connection", (connection) => {
      this.#onConnection(connection).catch((error) => log.error("a new connection: {error}", { error }));
    });
    this.connections.on("closed", ({ connection }) => {
      const { device } = connection.peer;
      if (!this.links.live(device)) this.delivery.gone(device);
      this.ownDevices.onClosed(connection);
    });
    this.#messenger.on("message", (message) => this.#onMessage(message));
    this.account.inbox.on("message", ({ from, message }) => this.#onInstantMessage(from, message));
    this.conversations.on("moved", ({ conversation, added, own, from, newcomers }) => {
      if (!own) revoked.look(added);
      if (!own && newcomers.length) this.delivery.introduce(conversation, newcomers, from);
      if (added.some(({ type }) => type === "member" || type === "merge")) this.#onMembers(conversation);
      if (!own && added.some(({ type }) => type === "vote" || type === "merge")) this.groups.carryOut(conversation);
      if (own) this.#pass(conversation);
    });
    this.conversations.on("opened", ({ conversation }) => {
      this.#onMembers(conversation);
      this.#spread(conversation);
    });
    this.conversations.on("closed", ({ id }) => {
      this.overlays.drop(id);
      this.delivery.drop(id);
      this.#owed.drop(id);
      store.joinLinks.delete(id);
      this.#watch();
      this.connections.closeAll((peer) => !this.allows(peer), "nothing in common any more");
    });
    this.fetcher.on("fetched", ({ conversation, connection: { peer }, held, added }) => {
      this.delivery.shows(conversation, peer.account, peer.device, held);
      if (added.length) this.#pass(conversation);
    });
    this.refused.on("overridden", ({ conversation }) => this.#fetchAgain(conversation));
    this.refused.on("taken", ({ conversation: id }) => {
      const conversation = this.conversations.get(id);
      if (conversation) this.#pass(conversation);
    });
    this.invitations.on("accepted", ({ conversation, from }) => this.#clone(conversation, from));
    contacts.on("accepted", ({ account, conversation }) => {
      this.conversations.want(conversation, account, 0);
      this.#clone(conversation, account);
    });
    contacts.on("changed", ({ account }) => {
      this.#watch();
      if (this.#serves(account)) this.links.reach(account);
      else this.connections.closeAll((peer) => peer.account === account, "no contact any more");
    });
    certificates.on("revoked", ({ account, list }) => {
      this.connections.closeAll(({ account: of, chain }) => of === account && list.revokes(chain[0]), "revoked");
      if (account === this.self) this.ownDevices.emit("device", { device: this.device });
      if (account === this.self && this.revoked) this.#retire().catch((error) => log.error("{error}", { error }));
    });
    const { ownDevices, conversations, invitations } = this;
    const clone = (id: string) => this.#clone(id, this.self);
    obeyOwnDevices({ contacts, ownDevices, conversations, invitations, clone });
  }

  #clone(conversation: string, from: AccountId): void {
    this.#watch();
    this.links.reach(from);
    this.#clones.attempt(conversation);
  }

  /** Asks everybody connected for what was refused until now. */
  #fetchAgain(id: string): void {
    this.fetcher.retry();
    for (const connection of this.connections.connections()) {
      const isMember = this.conversations.get(id)?.mayFetch(connection.peer);
      if (isMember ?? this.conversations.isWanted(id)) this.fetcher.fetch(id, connection);
    }
  }

  /** Follows the presence of everybody who is served. */
  #watch(): void {
    if (this.#ended) return;
    const contacts = this.options.store.contacts.all().map(({ account }) => account);
    const accounts = new Set([
      this.self,
      ...contacts.filter((account) => this.account.contacts.isContact(account)),
      ...this.conversations.accounts(),
      ...this.#inviters(),
    ]);
    this.account.presence.watchOnly(
      new Set([...accounts].filter((account) => !this.account.contacts.isBanned(account))),
    );
  }

  async #onConnection(connection: Connection): Promise<void> {
    const { peer } = connection;
    if (this.options.isGuest?.(peer.device)) return;
    const { certificates } = this.account;
    certificates.remember(peer);
    certificates.bridge(peer.device);
    this.ownDevices.onConnection(connection);
    this.#clones.onConnection(connection);
    this.files.onConnection(connection);
    for (const conversation of this.conversations.of(peer.account)) {
      if (conversation.mayFetch(peer)) this.fetcher.fetch(conversation.id, connection);
    }
    try {
      const generation = await this.#messenger.ready(connection);
      this.#owed.onConnection(connection);
      this.profiles.offer(connection, generation);
      for (const conversation of this.conversations.of(peer.account)) {
        if (!conversation.mayFetch(peer)) continue;
        this.#tell(conversation, connection);
        if (generation === "msg") this.overlays.propose(conversation, connection);
      }
    } catch (error) {
      log.info("no messages with {device}: {error}", { device: peer.device, error: messageOf(error) });
    }
  }

  /** There is something new: those who are connected are told, and those who sleep are woken. */
  #pass(conversation: Conversation): void {
    this.#spread(conversation);
    this.overlays.wake(conversation);
  }

  /** Tells every connected member device of what it lacks. */
  #spread(conversation: Conversation): void {
    for (const connection of this.connections.connections()) this.#tell(conversation, connection);
  }

  #tell(conversation: Conversation, connection: Connection): void {
    const { peer } = connection;
    if (!conversation.mayFetch(peer) || this.#owed.awaits(conversation.id, connection)) return;
    this.delivery.tell(conversation, peer.device);
  }

  #onMembers(conversation: Conversation): void {
    this.#watch();
    this.#router.enforce(conversation, this.connections.connections());
    const { bannedAccounts, bannedDevices } = conversation.members;
    const isBanned = ({ account, device }: Peer) => bannedAccounts.has(account) || bannedDevices.has(device);
    this.connections.closeAll(
      (peer) => !this.allows(peer) || isBanned(peer) && !this.#serves(peer.account, peer.device),
      "no member any more",
    );
    this.#owed.settle(conversation);
    this.#moderation.onMembers(conversation);
    for (const connection of this.connections.connections()) {
      if (conversation.mayFetch(connection.peer)) this.profiles.offer(connection);
    }
    for (const account of conversation.participants()) this.links.reach(account);
    this.#offerContact(conversation);
  }

  #offerContact(conversation: Conversation): void {
    if (this.options.offerContact) this.#contactOffers.offer(conversation);
  }

  #onMessage({ peer, connection, payload }: IncomingMessage): void {
    log.debug("{kind} from {device}", { kind: payload.kind, device: peer.device });
    if (payload.kind === "notification") this.#onNotification(connection, payload);
    else if (payload.kind === "invite") {
      this.invitations.onInvite(peer, payload);
      if (this.conversations.isWanted(payload.conversation)) this.fetcher.fetch(payload.conversation, connection);
    } else if (payload.kind === "invite-request") this.#onInviteRequest(connection, payload.conversation);
  }

  /** A message of a peer who is still connecting. It is dealt with once a connection is up, for most need one. */
  async #onInstantMessage(peer: Peer, { id, type, body }: InstantMessage): Promise<void> {
    const { store, clock } = this.options;
    if (!store.treated.add("message", `${peer.account}/${id.toString(16).padStart(16, "0")}`, clock.now())) return;
    try {
      const payload = readPayload(type, body);
      if (!this.allows(peer)) {
        // a stranger is heard when it asks to be let in, and for nothing else
        if (payload.kind === "invite-request") this.#asksForGroup(peer.account, payload.conversation);
        return;
      }
      if (payload.kind === "invite") this.invitations.onInvite(peer, payload);
      const connection = await this.connections.connect(peer.chain[0].publicKey);
      this.#onMessage({ peer, connection, payload });
    } catch (error) {
      log.info("a message of {device} came to nothing: {error}", { device: peer.device, error: messageOf(error) });
    }
  }

  #onNotification(connection: Connection, { conversation: id, commit }: Notification): void {
    const { peer } = connection;
    const conversation = this.conversations.get(id);
    if (conversation) {
      if (!conversation.mayFetch(peer)) return;
      if (conversation.has(commit)) this.delivery.holds(conversation, peer.account, peer.device, commit);
      else this.fetcher.fetch(id, connection);
    } else if (this.conversations.isWanted(id)) this.fetcher.fetch(id, connection);
    else if (!this.options.store.conversationRequests.get(id) && !this.options.store.conversations.get(id)) {
      this.#messenger.send(connection, { kind: "invite-request", conversation: id }).catch((error) =>
        log.debug("asking for an invitation failed: {error}", { error: messageOf(error) })
      );
    }
  }

  #onInviteRequest(connection: Connection, id: string): void {
    const conversation = this.conversations.get(id);
    if (conversation?.mayFetch(connection.peer)) this.#owed.answer(conversation, connection);
    else if (conversation) this.#moderation.onRequest(conversation, connection.peer.account);
  }

  /** Is there anything here that a stranger may ask to be let into? */
  #mayAsk({ account, device }: Peer): boolean {
    if (!this.options.enforceModes || this.account.contacts.isBanned(account, device)) return false;
    return this.conversations.all().some(({ facts: { mode } }) => mode === Mode.public);
  }

  #asksForGroup(account: AccountId, id: string): boolean {
    return this.#moderation.asksForGroup(account, id, this.conversations.get(id));
  }
}
