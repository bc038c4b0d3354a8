/**
 * The other devices of the node's own account (swarm-sync.md 4): each is told what this one knows of contacts, conversations and requests, and what they
 * tell is taken over. Who is one says the certificate: its issuer is the own account, and it is not revoked.
 */

import { getLogger } from "@logtape/logtape";
import { mergeSync, type SyncChanges } from "../account/sync_merge.ts";
import type { CertificateBook } from "../account/certificates.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { ConversationId } from "../messaging/channel_name.ts";
import { writeChannelName } from "../messaging/channel_name.ts";
import { SyncChannel } from "../messaging/sync_channel.ts";
import type { SyncForm, SyncMessage } from "../messaging/sync_message.ts";
import type { Store } from "../store/store.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import { MAX_DEVICE_NAME, MAX_SYNC_CHANNELS, SYNC_SOON_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import { OwnState, type ToTell } from "./own_state.ts";

const log = getLogger(["kituo", "relay"]);

export type OwnDevicesEvents = {
  /** Another device said something new, which is in the database. */
  merged: SyncChanges;
  /** A device of the account came, went, or said how it is called. */
  device: { device: DeviceId };
};

export interface OwnDevicesOptions {
  identity: Pick<Identity, "account" | "device" | "shortId">;
  store: Store;
  clock: Clock;
  conversations: Conversations;
  certificates: Pick<CertificateBook, "known" | "findByDevice">;
  /** How this device is called. */
  name(): string;
}

export class OwnDevices extends Emitter<OwnDevicesEvents> {
  readonly state: OwnState;
  #channels = new Map<DeviceId, SyncChannel[]>();
  #toTell: ToTell | null = null;
  #cancel = () => {};
  #stopped = false;

  constructor(private readonly options: OwnDevicesOptions) {
    super();
    const { identity: { account, device, shortId }, clock } = options;
    const self = { id: device, shortId };
    this.state = new OwnState({ ...options, self: account, device: self, now: () => clock.now() });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    for (const channel of [...this.#channels.values()].flat()) channel.close();
  }

  /** Is it another device of this account? */
  isOwn({ account, device }: { account: AccountId; device: DeviceId }): boolean {
    return account === this.options.identity.account && device !== this.options.identity.device;
  }

  /** What to do with a channel that a peer opens; `null` declines it. */
  accept(wanted: { device: DeviceId }, { peer }: Connection): ((channel: Channel) => void) | null {
    const isOurs = this.isOwn(peer) && wanted.device === this.options.identity.device;
    const open = this.#channels.get(peer.device)?.length ?? 0;
    return isOurs && open < MAX_SYNC_CHANNELS ? (channel) => this.#add(channel) : null;
  }

  /** A connection is up: with an own device a channel is opened. Both sides do, and each is told all (swarm-sync.md 4). */
  async onConnection(connection: Connection): Promise<void> {
    const { peer } = connection;
    if (!this.isOwn(peer)) return;
    this.#note(peer.device, {});
    try {
      this.#add(await connection.open(writeChannelName({ kind: "sync", device: peer.device })));
    } catch (error) {
      log.info("no sync channel with {device}: {error}", { device: peer.device, error: messageOf(error) });
    }
  }

  /** A connection ended. */
  onClosed({ peer }: Connection): void {
    if (this.isOwn(peer)) this.#note(peer.device, {});
  }

  /** These have changed here: the other devices are told in a moment. */
  changed(what: { contact?: AccountId; conversation?: ConversationId; trustRequest?: AccountId }): void {
    if (this.#stopped || this.#channels.size === 0) return; // who comes later is told all
    const all = this.#toTell ??= { contacts: new Set(), conversations: new Set(), trustRequests: false };
    if (what.contact !== undefined) all.contacts.add(what.contact);
    if (what.conversation !== undefined) all.conversations.add(what.conversation);
    if (what.trustRequest !== undefined) all.trustRequests = true;
    this.#cancel();
    this.#cancel = this.options.clock.after(SYNC_SOON_MS, () => this.#tellChanges());
  }

  #tellChanges(): void {
    const what = this.#toTell;
    this.#toTell = null;
    if (!what) return;
    for (const channels of this.#channels.values()) this.#tell(channels[channels.length - 1], what);
  }

  #add(channel: Channel): void {
    const { device } = channel.peer;
    if (this.#stopped) return channel.close();
    const sync: SyncChannel = new SyncChannel(
      channel,
      this.options.clock,
      (message) => this.#receive(message, channel),
    );
    const channels = this.#channels.get(device) ?? [];
    this.#channels.set(device, channels);
    channels.push(sync);
    channel.closed.then(() => {
      channels.splice(channels.indexOf(sync), 1);
      if (channels.length === 0 && this.#channels.get(device) === channels) this.#channels.delete(device);
    });
    this.#tell(sync);
  }

  /** @param only absent = everything */
  #tell(sync: SyncChannel, only?: ToTell): void {
    const { device } = sync.channel.peer;
    const form: SyncForm = this.options.store.certificates.byDevice(device)?.generation === "sip" ? 4 : 6;
    for (const message of this.state.messages(form, only)) {
      sync.send(message, form).catch((error) =>
        log.info("{device} was not told everything: {error}", { device, error: messageOf(error) })
      );
    }
  }

  #receive(message: SyncMessage, { peer }: Channel): void {
    this.#names(message, peer.device);
    this.take(message);
  }

  /** Takes over what another device, or an archive, says. */
  take(message: SyncMessage): SyncChanges {
    const { store, identity, clock, conversations } = this.options;
    const changes = mergeSync(message, {
      store,
      self: identity.account,
      now: clock.now(),
      isBefore: (id, commit, later) => {
        const conversation = conversations.get(id);
        if (!conversation?.has(commit) || !conversation.has(later)) return null;
        return conversation.holds(later, commit);
      },
    });
    for (const contact of changes.contacts) this.changed({ contact });
    for (const trustRequest of changes.trustRequests) this.changed({ trustRequest });
    for (const conversation of [...changes.preferences, ...changes.statuses]) this.changed({ conversation });
    this.emit("merged", changes);
    return changes;
  }

  /** How the devices are called: what a device says of itself, and of those that are not here. */
  #names({ deviceSync: { deviceName, devices } }: SyncMessage, from: DeviceId): void {
    const own = devices.get(from)?.name || deviceName;
    if (own !== "") this.#note(from, { name: own });
    for (const [device, { name }] of devices) {
      if (device === from || device === this.options.identity.device || name === "") continue;
      if (this.options.store.ownDevices.get(device)?.name) continue;
      this.#noteOther(device, name).catch((error) => {
        if (!(error instanceof KituoError)) log.error("a device's name: {error}", { error });
      });
    }
  }

  /** One that another device speaks of counts only when the account has certified it. */
  async #noteOther(device: DeviceId, name: string): Promise<void> {
    const { account } = this.options.identity;
    const chain = await this.options.certificates.findByDevice(device, account);
    if (chain?.[1].publicKey.id === account && !this.#stopped) this.#note(device, { name, seen: 0 });
  }

  #note(device: DeviceId, { name, seen = this.options.clock.now() }: { name?: string; seen?: number }): void {
    const { ownDevices } = this.options.store;
    const known = ownDevices.get(device) ?? { device, name: "", seen: 0 };
    const called = name === undefined ? "" : cleanName(name);
    ownDevices.put({ device, name: called || known.name, seen: Math.max(seen, known.seen) });
    this.emit("device", { device });
  }
}

/** One line, not too long. */
function cleanName(name: string): string {
  return name.replace(/[\p{C}\s]+/gu, " ").trim().slice(0, MAX_DEVICE_NAME);
}
