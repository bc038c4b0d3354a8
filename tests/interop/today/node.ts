/**
 * The daemon of August 2026, as far as contacts and conversations go: a second implementation of the peer's side, written from the specification alone
 * and sharing with Kituo only codecs and lower rooms. Where today's daemon is weaker than Kituo, so is this: it answers contacts only, tells nobody
 * what a bootstrap fetch brought, and authorises channels instead of fetches.
 */

import { networkInterfaces } from "node:os";
import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { Emitter } from "../../../core/base/events.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { Dht } from "../../../core/dht/dht.ts";
import { readState } from "../../../core/dht/state.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import { parseChannelName } from "../../../core/messaging/channel_name.ts";
import { answerServiceQueries, encodeServiceQuery } from "../../../core/messaging/service_discovery.ts";
import { serveGit } from "../../../core/swarm/upload_pack.ts";
import type { Channel, Connection } from "../../../core/transport/channel.ts";
import { ConnectionManager } from "../../../core/transport/connection_manager.ts";
import { Account } from "./account.ts";
import { Chains } from "./chains.ts";
import { Contacts } from "./contacts.ts";
import { Letters } from "./letters.ts";
import type { State } from "./state.ts";
import { Swarms } from "./swarms.ts";

const DHT_PORT = 4222; // each peer has a host to itself

export interface TodayOptions {
  /** Folder of the repositories. */
  dir: string;
  identity: Identity;
  state: State;
  name: string;
  bootstrap: string[];
  log(message: string): void;
}

export type TodayEvents = {
  /** TLS is up. */
  connected: { account: AccountId; device: DeviceId };
  disconnected: { account: AccountId; device: DeviceId };
  /** The peer asked for a channel. */
  channel: { device: DeviceId; name: string; accepted: boolean };
  /** A member sent its profile. */
  profile: { account: AccountId; vcard: string; modified: number | null };
};

export class TodayNode extends Emitter<TodayEvents> {
  readonly contacts: Contacts;
  readonly swarms: Swarms;
  readonly connections: ConnectionManager;
  readonly #dht: Dht;
  readonly #account: Account;
  readonly #chains: Chains;
  readonly #letters: Letters;

  constructor(private readonly options: TodayOptions) {
    super();
    const { identity, state, bootstrap, log } = options;
    this.#dht = new Dht({
      port: DHT_PORT,
      bootstrap,
      clock: systemClock,
      random: systemRandom,
      state: readState(state.dht) ?? undefined,
    });
    this.#chains = new Chains(this.#dht, state);
    this.#account = new Account(this.#dht, identity, this.#chains, log);
    this.connections = new ConnectionManager({
      identity,
      dht: this.#dht,
      clock: systemClock,
      random: systemRandom,
      port: 0,
      addresses: ownAddresses,
      publicAddresses: () => [],
      families: ["long"],
      certificates: { byKey: (key) => this.#chains.find(key.longId) },
      seen: {
        has: (id) => state.treated.includes(`${id}`),
        add: (id) => {
          state.treated.push(`${id}`);
          state.save();
        },
      },
      allow: ({ account }) => this.#isAllowed(account), // DHT.PublicInCalls is false: members who are no contacts get silence
      accept: (connection, name) => this.#accept(connection, name),
      revocations: () => [],
    });
    this.#letters = new Letters({
      account: identity.account,
      reach: (account, connType) => this.#reach(account, connType),
      log,
    });
    this.swarms = new Swarms({
      ...options,
      letters: this.#letters,
      connections: this.connections,
      devices: (account) => this.#account.devices(account),
      watch: (account, appeared) => this.#account.watch(account, appeared),
      connect: (device, connType) => this.#connect(device, connType),
    });
    this.contacts = new Contacts({ ...options, account: this.#account, swarms: this.swarms });
    this.#listen();
  }

  /** Opens what is on disk; nothing goes out yet. */
  async open(): Promise<void> {
    await this.swarms.open();
  }

  /** Goes on the air. */
  async start(): Promise<void> {
    await this.#dht.start();
    this.connections.start();
    this.#account.start();
    this.contacts.start();
    this.swarms.start();
  }

  /** Until the announcement stands on the DHT. */
  async announced(): Promise<void> {
    await this.#account.announced;
    this.#keepDht();
  }

  async stop(): Promise<void> {
    this.swarms.stop();
    this.contacts.stop();
    await this.connections.stop();
    this.#keepDht();
    await this.#dht.stop();
  }

  #keepDht(): void {
    this.options.state.dht = this.#dht.state();
    this.options.state.save();
  }

  #listen(): void {
    this.connections.on("connection", (connection) => this.#onConnection(connection));
    this.connections.on("closed", ({ connection: { peer: { account, device } } }) => {
      this.emit("disconnected", { account, device });
    });
    this.contacts.on("removed", ({ account }) => {
      this.connections.closeAll((peer) => peer.account === account, "no contact any more");
    });
  }

  #isAllowed(account: AccountId): boolean {
    return account === this.options.identity.account || account in this.options.state.contacts;
  }

  /** What today's daemon opens on each new connection, on both sides of it (connection.md 7.1). */
  #onConnection(connection: Connection): void {
    const { peer } = connection;
    this.emit("connected", { account: peer.account, device: peer.device });
    this.#chains.keep(peer);
    const failed = (what: string) => (error: unknown) => this.options.log(`${what}: ${messageOf(error)}`);
    if (this.#isAllowed(peer.account)) this.#letters.open(connection).catch(failed("msg"));
    this.#askForServices(connection).catch(failed("svcdisc"));
    this.swarms.linked(connection);
  }

  async #askForServices(connection: Connection): Promise<void> {
    const channel = await connection.open("svcdisc://query");
    const writer = channel.writable.getWriter();
    await writer.write(encodeServiceQuery());
    for await (const _answer of channel.readable) break; // services are of no interest here
    channel.close();
  }

  #accept(connection: Connection, name: string): ((channel: Channel) => void) | null {
    const handler = this.#handler(connection, name);
    this.emit("channel", { device: connection.peer.device, name, accepted: handler !== null });
    return handler;
  }

  /** connection.md 9, swarm-sync.md 0. */
  #handler({ peer }: Connection, name: string): ((channel: Channel) => void) | null {
    const wanted = parseChannelName(name);
    const { device } = this.options.identity;
    switch (wanted.kind) {
      case "sip":
        return (channel) => this.#letters.attachSip(channel);
      case "msg":
        return wanted.device === device ? (channel) => this.#letters.attachMsg(channel) : null;
      case "git": {
        const swarm = this.swarms.get(wanted.conversation);
        if (!swarm?.authorised(peer) || wanted.device !== device) return null;
        // The channel was authorised; later fetches on it are not asked about again (swarm-sync.md 1.6).
        const served = (commit: string) => this.swarms.emit("served", { conversation: swarm.id, ...peer, commit });
        return (channel) =>
          void serveGit(channel, { repository: swarm.repository, authorize: () => true, onFetched: served });
      }
      case "swarm": {
        const swarm = this.swarms.get(wanted.conversation);
        return swarm?.authorised(peer) ? (channel) => this.swarms.overlay(swarm).attach(channel) : null;
      }
      case "service-query":
        return (channel) => void answerServiceQueries(channel, device, systemClock);
      case "profile": {
        const isTheirs = this.swarms.get(wanted.conversation)?.authorised(peer) && wanted.device === peer.device;
        return isTheirs ? (channel) => void this.#takeProfile(channel, wanted.version?.modified ?? null) : null;
      }
      case "profile-request":
        return (channel) => channel.close(); // an empty profile: there is none
      default:
        return null;
    }
  }

  async #takeProfile(channel: Channel, modified: number | null): Promise<void> {
    const vcard = await new Response(channel.readable).text();
    this.emit("profile", { account: channel.peer.account, vcard, modified });
    channel.close();
  }

  async #connect(device: DeviceId, connType: string): Promise<Connection> {
    const live = this.connections.connections(device).at(-1);
    if (live) return live;
    const chain = await this.#chains.find(device);
    if (!chain) throw new Error(`no certificate of ${device}`);
    return await this.connections.connect(chain[0].publicKey, connType);
  }

  /** Connections to those devices of an account that answer. */
  async #reach(account: AccountId, connType: string): Promise<Connection[]> {
    const devices: PublicKey[] = await this.#account.devices(account);
    const tries = await Promise.allSettled(devices.map((device) => this.connections.connect(device, connType)));
    return tries.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
  }
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
    .map(({ address }) => address);
}
