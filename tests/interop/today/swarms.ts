/** All conversations of a today peer, and the rules by which it clones, fetches and notifies (swarm-sync.md 1.7, 2, 5.3). */

import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { Emitter } from "../../../core/base/events.ts";
import { shuffled, systemRandom } from "../../../core/base/random.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { Invite, Notification } from "../../../core/messaging/payload.ts";
import type { Oid } from "../../../core/swarm/object.ts";
import type { Written } from "../../../core/swarm/write.ts";
import {
  createConversation,
  invite,
  join as joinCommit,
  leave,
  type NewConversation,
} from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import type { ConnectionManager } from "../../../core/transport/connection_manager.ts";
import { Cloner } from "./cloner.ts";
import { Fetcher } from "./fetcher.ts";
import type { Letters, LettersEvents } from "./letters.ts";
import { Overlay } from "./overlay.ts";
import { Scout } from "./scout.ts";
import type { State } from "./state.ts";
import { type Entry, Swarm } from "./swarm.ts";

const RANDOM_ACCOUNTS = 2; // told of a commit besides the connected devices
const GROUP_MODES = [1, 2, 3] as const;
const NOTIFICATION = "application/im-gitmessage-id";

export type SwarmsEvents = {
  /** A commit that is new here, own ones included. */
  commit: { conversation: Oid; entry: Entry; via: "own" | "clone" | "notification" | "bootstrap"; from: DeviceId };
  /** A group invitation waits for an answer. */
  invitation: { conversation: Oid; from: AccountId };
  /** Cloned and joined, or created. */
  ready: { conversation: Oid };
  /** A device has fetched from us: it has the commit and all before. */
  served: { conversation: Oid; account: AccountId; device: DeviceId; commit: Oid };
  /** The conversation's routing table has its first node, or lost its last. */
  overlay: { conversation: Oid; connected: boolean };
};

export interface SwarmsOptions {
  dir: string;
  identity: Identity;
  name: string;
  state: State;
  letters: Letters;
  connections: ConnectionManager;
  devices(account: AccountId): Promise<PublicKey[]>;
  watch(account: AccountId, appeared: (device: PublicKey) => void): () => void;
  /** The present connection to a device, or a new one. */
  connect(device: DeviceId, connType: string): Promise<Connection>;
  log(message: string): void;
}

export class Swarms extends Emitter<SwarmsEvents> {
  readonly #open = new Map<Oid, Swarm>();
  readonly #overlays = new Map<Oid, Overlay>();
  readonly #scouts = new Map<Oid, Scout>();
  readonly #fetcher: Fetcher;
  readonly #cloner: Cloner;
  #running = false;

  constructor(private readonly options: SwarmsOptions) {
    super();
    this.#fetcher = new Fetcher({
      log: options.log,
      fetched: (swarm, connection, notified, added) => this.#onFetched(swarm, connection, notified, added),
    });
    this.#cloner = new Cloner({
      ...options,
      settle: async (id, fetched, from) => {
        await Swarm.settle(id, this.#dir(id), fetched);
        await this.#join(await this.#load(id), from);
      },
    });
    options.letters.on("message", (message) => this.#onMessage(message));
    options.letters.on("ready", ({ connection }) => this.#bootstrap(connection));
  }

  async open(): Promise<void> {
    await Deno.mkdir(this.options.dir, { recursive: true });
    for (const id of Object.keys(this.options.state.conversations)) {
      if (await Deno.stat(this.#dir(id)).catch(() => null)) await this.#load(id);
    }
  }

  start(): void {
    this.#running = true;
    for (const swarm of this.#open.values()) this.#scout(swarm);
    for (const [id, { from }] of Object.entries(this.options.state.conversations)) {
      if (!this.#open.has(id)) this.#cloner.clone(id, from);
    }
  }

  stop(): void {
    this.#running = false;
    this.#cloner.stop();
    this.#scouts.forEach((scout) => scout.stop());
    this.#overlays.forEach((overlay) => overlay.stop());
  }

  get(id: Oid): Swarm | undefined {
    return this.#open.get(id);
  }

  all(): Swarm[] {
    return [...this.#open.values()];
  }

  overlay(swarm: Swarm): Overlay {
    const known = this.#overlays.get(swarm.id);
    if (known) return known;
    const { identity, connections, connect, log } = this.options;
    const overlay: Overlay = new Overlay({
      conversation: swarm.id,
      self: identity.device,
      random: systemRandom,
      connect: (device) => connect(device, ""),
      isLinked: (device) => connections.connections(device).length > 0,
      changed: (connected) => this.#onOverlay(swarm, connected),
      failed: (device) => this.#scouts.get(swarm.id)?.failed(device),
      log,
    });
    this.#overlays.set(swarm.id, overlay);
    return overlay;
  }

  // -- what its user does

  async createOneToOne(account: AccountId): Promise<Oid> {
    return await this.#create({ mode: 0, invited: account });
  }

  /** A group in one of the modes of swarm-repository.md 3; no client of today asks for others than 2. */
  async createGroup(mode: number): Promise<Oid> {
    const known = GROUP_MODES.find((one) => one === mode);
    if (known === undefined) throw new Error(`no mode of groups: ${mode}`);
    return await this.#create({ mode: known });
  }

  /** Leaves, in mode 0 too: the `remove` commit is told to all, and the conversation goes once somebody has it. */
  async leave(id: Oid): Promise<void> {
    const swarm = this.#known(id);
    const added = await swarm.write((context) => leave(context));
    const removal = added[added.length - 1].id;
    const off = this.on("served", ({ conversation, commit }) => {
      if (conversation !== id || commit !== removal) return;
      off();
      this.drop(id);
    });
    this.#write(swarm, added);
  }

  /** Invites somebody; who is in already is only told again (2.3). */
  async invite(id: Oid, account: AccountId): Promise<void> {
    const swarm = this.#known(id);
    const conversation = this.options.state.conversations[id];
    conversation.invited[account] ??= systemClock.now();
    this.options.state.save();
    if (!swarm.members.roles.has(account)) await this.#write(swarm, await swarm.write((c) => invite(c, account)));
    this.#sendInvite(swarm, account);
  }

  async post(id: Oid, body: string): Promise<Oid> {
    const swarm = this.#known(id);
    const added = await swarm.write((context) => writeText(context, body));
    this.#write(swarm, added);
    return added[added.length - 1].id;
  }

  /** Accepts a group invitation: clones from the devices of who invited. */
  acceptInvitation(id: Oid): void {
    const { state } = this.options;
    const invitation = state.invitations[id];
    if (!invitation) throw new Error(`no invitation to ${id}`);
    delete state.invitations[id];
    this.clone(id, invitation.from);
  }

  /** Clones from the devices of an account, again and again until it works. */
  clone(id: Oid, from: AccountId): void {
    const { state } = this.options;
    if (this.#open.has(id)) return;
    state.conversations[id] ??= { from, invited: {} };
    state.save();
    this.#cloner.clone(id, from);
  }

  /** Forgets a conversation. */
  drop(id: Oid): void {
    const { state } = this.options;
    delete state.conversations[id];
    state.save();
    this.#scouts.get(id)?.stop();
    this.#overlays.get(id)?.stop();
    for (const map of [this.#open, this.#scouts, this.#overlays]) map.delete(id);
  }

  // -- what happens on the network

  /** A connection is up: its device is proposed to the tables of all common conversations. */
  linked({ peer }: Connection): void {
    for (const swarm of this.#open.values()) if (swarm.authorised(peer)) this.overlay(swarm).propose(peer.device);
  }

  /** The first `msg:` channel with a device: everything in which it is a member is fetched, what is lacking is cloned (2.2). */
  #bootstrap(connection: Connection): void {
    const { account } = connection.peer;
    for (const swarm of this.#open.values()) {
      if (swarm.isJoined(account)) this.#fetcher.fetch(swarm, connection, null);
    }
    for (const [id, { from }] of Object.entries(this.options.state.conversations)) {
      if (!this.#open.has(id) && from === account) this.#cloner.cloneFrom(id, connection);
    }
  }

  #onMessage({ peer, connection, payload }: LettersEvents["message"]): void {
    switch (payload.kind) {
      case "notification":
        return this.#onNotification(connection, payload);
      case "invite":
        return this.#onInvite(peer.account, payload);
      case "invite-request": {
        const swarm = this.#open.get(payload.conversation);
        if (swarm?.authorised(peer)) this.#sendInvite(swarm, peer.account);
      }
    }
  }

  /** The receiver's rules of 2.1, in their order. */
  #onNotification(connection: Connection, { conversation: id, commit, device }: Notification): void {
    const { state, letters } = this.options;
    const { peer } = connection;
    const swarm = this.#open.get(id);
    if (device !== peer.device || state.invitations[id]) return;
    if (Object.values(state.requests).some(({ conversation }) => conversation === id)) return;
    if (!swarm) {
      if (state.conversations[id]) return this.#cloner.cloneFrom(id, connection);
      return letters.post(peer.account, `ask/${id}`, { kind: "invite-request", conversation: id });
    }
    if (swarm.authorised(peer) && !swarm.has(commit)) this.#fetcher.fetch(swarm, connection, commit);
  }

  #onInvite(from: AccountId, { conversation: id, received = 0 }: Invite): void {
    const { state } = this.options;
    if (state.conversations[id] || state.invitations[id]) return;
    const now = systemClock.now();
    state.invitations[id] = { from, receivedMs: received > 0 && received < now + 5 * 60_000 ? received : now };
    state.save();
    this.emit("invitation", { conversation: id, from });
  }

  #onFetched(swarm: Swarm, connection: Connection, notified: Oid | null, added: Entry[]): void {
    const { device } = connection.peer;
    const via = notified ? "notification" : "bootstrap";
    for (const entry of added) this.emit("commit", { conversation: swarm.id, entry, via, from: device });
    if (added.some(({ type }) => type === "member" || type === "merge")) this.#onMembers(swarm);
    // Only what a notification announced is passed on; what a bootstrap fetch brought is not (2.1).
    if (notified && added.length > 0) this.#notify(swarm, notified, device);
  }

  /** Banned and removed members lose their `swarm://` channels and our clients at theirs (5.4). */
  #onMembers(swarm: Swarm): void {
    this.overlay(swarm).close((peer) => !swarm.authorised(peer));
    this.#fetcher.close(swarm.id, (peer) => !swarm.authorised(peer));
    this.#scout(swarm);
  }

  #onOverlay(swarm: Swarm, connected: boolean): void {
    const { state } = this.options;
    this.emit("overlay", { conversation: swarm.id, connected });
    this.#scout(swarm);
    if (!connected) return;
    const commit = state.untold[swarm.id] ?? swarm.history().find(({ type }) => type !== "merge")?.id;
    delete state.untold[swarm.id];
    state.save();
    if (commit) this.#notify(swarm, commit);
  }

  /** Follows the presence of members while no node is connected. */
  #scout(swarm: Swarm): void {
    if (!this.#running) return;
    this.#scouts.get(swarm.id)?.stop();
    const { watch, identity } = this.options;
    const overlay = this.overlay(swarm);
    if (overlay.connected.length > 0) return;
    const others = swarm.others().filter((account) => account !== identity.account);
    this.#scouts.set(swarm.id, new Scout({ others, watch, found: (device) => overlay.propose(device) }));
  }

  /** Tells of a commit (2.1): every device in the table or with a git channel of ours, and two accounts that have no device in the table. */
  #notify(swarm: Swarm, commit: Oid, except?: DeviceId): void {
    const { state, letters, connections, identity, log } = this.options;
    const { connected } = this.overlay(swarm);
    const payload: Notification = { kind: "notification", conversation: swarm.id, commit, device: identity.device };
    const devices = new Set([...connected, ...this.#fetcher.devices(swarm.id)]);
    for (const device of devices) {
      const connection = connections.connections(device).at(-1);
      if (device === except || !connection) continue;
      letters.sendTo(connection, payload).catch((error) => log(`${device} not told: ${messageOf(error)}`));
    }
    const reached = new Set(connected.flatMap((device) => connections.connections(device)[0]?.peer.account ?? []));
    const rest = swarm.others().filter((account) => !reached.has(account));
    for (const account of shuffled(systemRandom, rest).slice(0, RANDOM_ACCOUNTS)) {
      letters.post(account, `notification/${swarm.id}`, payload, `${NOTIFICATION}/${swarm.id}`);
    }
    if (connected.length > 0) return;
    state.untold[swarm.id] = commit;
    state.save();
  }

  #sendInvite(swarm: Swarm, account: AccountId): void {
    const { state, letters } = this.options;
    const payload: Invite = {
      kind: "invite",
      conversation: swarm.id,
      metadatas: new Map([["mode", `${swarm.facts.mode}`]]),
      received: state.conversations[swarm.id]?.invited[account] ?? systemClock.now(),
    };
    letters.post(account, `invite/${swarm.id}`, payload);
  }

  // -- own commits

  async #create(what: NewConversation): Promise<Oid> {
    const { identity, name, state } = this.options;
    const written: Written = await createConversation({ identity, displayName: name, now: systemClock.now() }, what);
    const objects = new Map(written.objects.map((object) => [object.oid, object]));
    await Swarm.settle(written.head, this.#dir(written.head), { head: written.head, objects });
    state.conversations[written.head] = { from: "", invited: {} };
    state.save();
    await this.#load(written.head);
    this.emit("ready", { conversation: written.head });
    return written.head;
  }

  /** After a clone: the `join`, told to all. Who is not invited has nothing to do here. */
  async #join(swarm: Swarm, from: DeviceId): Promise<void> {
    const { account } = this.options.identity;
    if (!swarm.members.roles.has(account)) {
      this.drop(swarm.id);
      return await Deno.remove(this.#dir(swarm.id), { recursive: true });
    }
    for (const entry of swarm.history().reverse()) {
      this.emit("commit", { conversation: swarm.id, entry, via: "clone", from });
    }
    if (!swarm.isJoined(account)) this.#write(swarm, await swarm.write((context) => joinCommit(context)));
    this.emit("ready", { conversation: swarm.id });
    this.#askForProfile(swarm, from);
  }

  /** After a one-to-one clone today's daemon asks for the other's profile. */
  async #askForProfile(swarm: Swarm, device: DeviceId): Promise<void> {
    const connection = this.options.connections.connections(device).at(-1);
    if (swarm.facts.mode !== 0 || !connection) return;
    try {
      const name = `data-transfer://${swarm.id}/profile/${connection.peer.account}.vcf`;
      for await (const _part of (await connection.open(name)).readable);
    } catch (error) {
      this.options.log(`no profile: ${messageOf(error)}`);
    }
  }

  #write(swarm: Swarm, added: Entry[]): void {
    const { device } = this.options.identity;
    for (const entry of added) this.emit("commit", { conversation: swarm.id, entry, via: "own", from: device });
    if (added.some(({ type }) => type === "member")) this.#onMembers(swarm);
    if (added.length > 0) this.#notify(swarm, added[added.length - 1].id);
  }

  async #load(id: Oid): Promise<Swarm> {
    const { identity, name, connections } = this.options;
    const swarm = await Swarm.open(id, this.#dir(id), identity, name);
    this.#open.set(id, swarm);
    for (const { peer } of connections.connections()) {
      if (swarm.authorised(peer)) this.overlay(swarm).propose(peer.device);
    }
    this.#scout(swarm);
    return swarm;
  }

  #known(id: Oid): Swarm {
    const swarm = this.#open.get(id);
    if (!swarm) throw new Error(`no conversation ${id}`);
    return swarm;
  }

  #dir(id: Oid): string {
    return join(this.options.dir, `${id}.git`);
  }
}
