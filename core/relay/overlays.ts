/** The overlays of all conversations (swarm-sync.md 5): whom they may connect to, and what they know of certificates and leases. */

import { getLogger } from "@logtape/logtape";
import type { CertificateBook } from "../account/certificates.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Certificate } from "../identity/certificate.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import { SwarmOverlay } from "../messaging/drt.ts";
import { decodeLease, encodeLease } from "../messaging/drt_message.ts";
import type { LeaseShelf } from "../messaging/drt_leases.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import type { ConnectionManager } from "../transport/connection_manager.ts";
import { OVERLAY_CONNECTS } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** A device of which others say that it belongs to a conversation, and it does not, or has no overlay. */
export class NotInOverlay extends KituoError {}

export interface OverlaysOptions {
  /** Our own device. */
  device: DeviceId;
  clock: Clock;
  random: Random;
  store: Pick<Store, "certificates" | "leases">;
  connections: Pick<ConnectionManager, "connect" | "connections">;
  certificates: Pick<CertificateBook, "known" | "findByDevice">;
  /** May we have a connection with this device at all? */
  allows(peer: Pick<Peer, "account" | "device">): boolean;
}

export class Overlays {
  #overlays = new Map<Oid, SwarmOverlay>();
  #slots = new Semaphore("overlay connects", OVERLAY_CONNECTS);
  /** Devices that are being woken. */
  #waking = new Set<DeviceId>();
  #stopped = false;

  constructor(private readonly options: OverlaysOptions) {}

  /** The overlay of a conversation. */
  of(conversation: Conversation): SwarmOverlay {
    const known = this.#overlays.get(conversation.id);
    if (known) return known;
    const { device, clock, random, connections, certificates, store } = this.options;
    const overlay = new SwarmOverlay({
      conversation: conversation.id,
      self: device,
      clock,
      random,
      isLinked: (other) => connections.connections(other).length > 0,
      isMember: (account, other) => conversation.mayFetch({ account, device: other }),
      certificates: {
        known: (other) => certificates.known(other),
        issuer: (account) => this.#issuer(account),
        find: (other, account) => certificates.findByDevice(other, account),
      },
      shelf: shelf(store, conversation.id),
      open: (other) => this.#open(conversation, other),
    });
    if (this.#stopped) overlay.stop();
    else this.#overlays.set(conversation.id, overlay);
    return overlay;
  }

  /** A connection with a member's device of today's generation: it is connected in the overlay, too (5.3). */
  propose(conversation: Conversation, { peer }: Connection): void {
    this.of(conversation).node.propose(peer.device);
  }

  /** There is a commit: connects to the mobile devices that it is our duty to wake (5.6). The request becomes a push on its way. */
  wake(conversation: Conversation): void {
    for (const device of this.of(conversation).node.toWake()) {
      const chain = this.options.certificates.known(device);
      if (!chain || this.#waking.has(device)) continue;
      this.#waking.add(device);
      this.#slots.run(() =>
        this.options.connections.connect(chain[0].publicKey, `application/im-gitmessage-id/${conversation.id}`)
      ).catch((error) => log.debug("{device} was not woken: {error}", { device, error: messageOf(error) }))
        .finally(() => this.#waking.delete(device));
    }
  }

  /** Ends the channels of those who may not be here any more (5.4). */
  enforce(conversation: Conversation): void {
    this.#overlays.get(conversation.id)?.enforce((peer) => conversation.mayFetch(peer));
  }

  /** Ends the overlay of a conversation that has ended for us. */
  drop(id: Oid): void {
    this.#stop(id);
    this.options.store.leases.drop(id);
  }

  /** Ends all, and takes no more channels. */
  stop(): void {
    this.#stopped = true;
    for (const id of [...this.#overlays.keys()]) this.#stop(id);
  }

  #stop(id: Oid): void {
    this.#overlays.get(id)?.stop();
    this.#overlays.delete(id);
  }

  /** @throws {NotInOverlay} and what comes from connecting */
  async #open(conversation: Conversation, device: DeviceId): Promise<Channel> {
    const { connections, store } = this.options;
    if (store.certificates.byDevice(device)?.generation === "sip") throw new NotInOverlay("a peer of 2023");
    const live = connections.connections(device).at(-1);
    const connection = live ?? await this.#slots.run(() => this.#dial(conversation, device));
    this.#check(conversation, connection.peer);
    return await connection.open(`swarm://${conversation.id}`);
  }

  async #dial(conversation: Conversation, device: DeviceId): Promise<Connection> {
    const { connections, certificates } = this.options;
    const chain = certificates.known(device) ?? await certificates.findByDevice(device);
    if (!chain) throw new NotInOverlay("nobody has its certificate");
    this.#check(conversation, { account: chain[1].publicKey.id, device });
    return await connections.connect(chain[0].publicKey);
  }

  #check(conversation: Conversation, peer: Pick<Peer, "account" | "device">): void {
    if (!conversation.mayFetch(peer) || !this.options.allows(peer)) throw new NotInOverlay("not a member's device");
  }

  #issuer(account: AccountId): Certificate[] | null {
    for (const { device } of this.options.store.certificates.byAccount(account)) {
      const chain = this.options.certificates.known(device);
      if (chain && chain.length > 1) return chain.slice(1);
    }
    return null;
  }
}

function shelf({ leases }: Pick<Store, "leases">, conversation: Oid): LeaseShelf {
  return {
    all: () => leases.all(conversation).map(({ lease }) => decodeLease(lease)),
    put: (lease) => leases.put({ conversation, device: lease.device, lease: encodeLease(lease) }),
    delete: (device) => leases.delete(conversation, device),
  };
}
