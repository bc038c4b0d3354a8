/**
 * Our part in the overlay of one conversation (swarm-sync.md 5), as a state machine: what it hears comes in by its methods, what it wants goes out by its
 * options, and time and chance are passed in, so that a thousand of them run in one test. It is an always-on node (5.6): never mobile, never leaving.
 */

import { getLogger } from "@logtape/logtape";
import { hex } from "../base/bytes.ts";
import { every } from "../base/clock.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Certificate } from "../identity/certificate.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import {
  DRT_ENOUGH,
  DRT_FIND_NODES,
  DRT_LEARN_BURST,
  DRT_LEARN_RATE,
  DRT_MAX_ANSWER,
  DRT_MAX_CONNECTED,
  DRT_REFRESH,
  DRT_VERSION,
} from "./constants.ts";
import { LeaseBook, type LeaseOptions } from "./drt_leases.ts";
import { type DrtMessage, FIND, FOUND, nearest } from "./drt_message.ts";
import { RoutingTable } from "./drt_table.ts";

const log = getLogger(["kituo", "messaging"]);

/** One channel with a peer. */
export interface DrtLink {
  /** Who it is, from the certificates of its connection. */
  readonly account: AccountId;
  readonly device: DeviceId;
  readonly chain: Certificate[];
  send(message: DrtMessage): void;
}

export interface DrtNodeOptions extends Omit<LeaseOptions, "onMobile"> {
  /** Our own device. */
  self: DeviceId;
  random: Random;
  /**
   * Opens a channel to a device, with a new connection if there is none. Whether the device belongs to a member is to be checked: it may be hearsay.
   * Afterwards, and never within the call, comes `up` or `failed`.
   */
  connect(device: DeviceId): void;
  /** Is there a connection with the device already? */
  isLinked(device: DeviceId): boolean;
}

/** What every message of ours says: version 3, never mobile, nothing else. */
const PLAIN: DrtMessage = {
  version: DRT_VERSION,
  isMobile: false,
  selfMobileInfo: null,
  request: null,
  response: null,
  certRequest: null,
  certResponse: null,
};

export class DrtNode {
  readonly #table: RoutingTable;
  readonly #leases: LeaseBook;
  /** The first channel of each connected device. */
  #links = new Map<DeviceId, DrtLink>();
  /** How much each account may still tell us. */
  #patience = new LruMap<AccountId, TokenBucket>(DRT_MAX_CONNECTED);
  #cancelRetry = () => {};
  /** Ends the refreshing, which goes on while somebody is connected. */
  #cancelRefresh: (() => void) | null = null;
  #stopped = false;

  constructor(private readonly options: DrtNodeOptions) {
    this.#table = new RoutingTable(options.self, options.clock, options.random);
    this.#leases = new LeaseBook({ ...options, onMobile: (device) => this.#onMobile(device) });
  }

  /** Devices with a channel. */
  get connected(): DeviceId[] {
    return this.#table.connected;
  }

  /** Devices that are not connected, and may be tried. */
  get known(): DeviceId[] {
    return this.#table.known;
  }

  /** Devices that are being connected to. */
  get connecting(): DeviceId[] {
    return this.#table.connecting;
  }

  /** Mobile devices that are not connected. */
  get mobile(): DeviceId[] {
    return this.#leases.devices().filter((device) => !this.#table.isConnected(device));
  }

  /** May one more device be connected? There is room for as many as one conversation can have. */
  get hasRoom(): boolean {
    return !this.#stopped && this.#links.size < DRT_MAX_CONNECTED;
  }

  /** A member's device was found, by presence, by a connection, or in the repository. One with a connection is connected at once. */
  propose(device: DeviceId): void {
    this.#learn([device], false);
    this.maintain();
  }

  /** A channel with a device is there, whoever opened it. FIND goes out on the first; a later one takes the place of the first when that has ended. */
  up(link: DrtLink): void {
    if (this.#stopped) return;
    this.#links.set(link.device, link);
    this.#cancelRefresh ??= every(this.options.clock, DRT_REFRESH, () => this.#refresh());
    if (this.#table.isConnected(link.device)) return;
    this.#table.connect(link.device);
    this.#say(link, { request: { query: FIND, count: DRT_FIND_NODES, node: this.options.self } });
    this.maintain();
  }

  /** The last channel with a device has ended. */
  down(device: DeviceId): void {
    this.#links.delete(device);
    if (this.#links.size === 0) this.#endRefresh();
    if (this.#leases.isMobile(device)) this.#table.forget(device);
    else this.#table.lose(device);
    this.maintain();
  }

  /** No channel with the device could be had. */
  failed(device: DeviceId): void {
    this.#table.fail(device);
    this.maintain();
  }

  /** A message of a peer; `link` is the channel it came on, where answers go. */
  receive(message: DrtMessage, link: DrtLink): void {
    if (this.#stopped) return;
    const { certRequest, certResponse, request, response } = message;
    this.#hearMobility(message, link);
    if (certRequest) this.#say(link, { certResponse: this.#leases.certificates(certRequest) });
    else if (certResponse) this.#leases.answered(certResponse, link.device);
    else if (request?.query === FIND) this.#answer(request.node, request.count, link);
    else if (!request && response?.query === FOUND) {
      const nodes = response.nodes.filter((device) => this.#table.canHear(device) && this.#trusts(link));
      this.#learn(nodes, true);
      this.#leases.offer(response.mobileNodeInfos.filter(() => this.#trusts(link)), this.#source(link));
      this.maintain();
    }
  }

  /** Connects to what the buckets lack (5.3). */
  maintain(): void {
    if (this.#stopped) return;
    for (const device of this.#table.wanted()) this.options.connect(device);
    this.#cancelRetry();
    const next = this.#table.nextTry();
    if (next !== null) {
      this.#cancelRetry = this.options.clock.after(next - this.options.clock.now(), () => this.maintain());
    }
  }

  /**
   * The mobile devices that it is our duty to wake when there is a commit (5.6): those for which nobody nearer is connected who would do it. They are to be
   * connected to; the request becomes a push.
   */
  toWake(): DeviceId[] {
    const { connected } = this;
    return this.mobile.filter((mobile) => {
      if (connected.length < DRT_ENOUGH) return true;
      const first = nearest([...connected, this.options.self], mobile, DRT_ENOUGH);
      return first.includes(this.options.self);
    });
  }

  /** Forgets what was known of devices that may not be here any more. Their channels are the caller's to close. */
  enforce(): void {
    this.#leases.prune();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#endRefresh();
    this.#leases.stop();
  }

  #endRefresh(): void {
    this.#cancelRefresh?.();
    this.#cancelRefresh = null;
  }

  #learn(devices: readonly DeviceId[], heard: boolean): void {
    for (const device of devices) {
      const linked = this.options.isLinked(device);
      // a mobile device is woken when there is a reason, and not connected to in order to have it in a bucket
      if (!linked && this.#leases.isMobile(device)) continue;
      if (!this.#table.know(device, heard) || !linked) continue;
      this.#table.begin(device);
      this.options.connect(device);
    }
  }

  /** The device's own word on whether it is mobile: believed with a lease. Since October 2026 nobody's is without one (5.5). */
  #hearMobility({ isMobile, selfMobileInfo, version }: DrtMessage, link: DrtLink): void {
    if (!isMobile) this.#leases.drop(link.device);
    else if (version >= DRT_VERSION && selfMobileInfo?.id === link.device && this.#trusts(link)) {
      this.#leases.offer([selfMobileInfo], this.#source(link));
    }
  }

  #onMobile(device: DeviceId): void {
    log.debug("{device} is mobile", { device });
    if (!this.#table.isConnected(device)) this.#table.forget(device);
  }

  #source(link: DrtLink) {
    return {
      device: link.device,
      chain: link.chain,
      askCertificates: (certRequest: DeviceId[]) => this.#say(link, { certRequest }),
    };
  }

  #answer(node: DeviceId, count: number, link: DrtLink): void {
    const nodes = nearest(this.connected.filter((device) => device !== node), node, Math.min(count, DRT_MAX_ANSWER));
    const mobiles = this.mobile.filter((device) => device !== link.device && this.#table.together(device, node));
    const mobileNodeInfos = this.#leases.announce(nearest(mobiles, node, DRT_MAX_ANSWER));
    const mobileNodes = mobileNodeInfos.map(({ id }) => id);
    this.#say(link, { response: { query: FOUND, nodes, mobileNodes, mobileNodeInfos } });
  }

  /** Every account may tell of so many things: an honest answer has two. */
  #trusts({ account }: DrtLink): boolean {
    const bucket = this.#patience.get(account) ?? new TokenBucket(this.options.clock, DRT_LEARN_RATE, DRT_LEARN_BURST);
    this.#patience.set(account, bucket);
    return bucket.take();
  }

  /** Asks for the neighbours of a random id the one who is nearest to it (5.1), so that far buckets hear of somebody, too. */
  #refresh(): void {
    this.#leases.prune();
    const node = hex(this.options.random.bytes(32));
    const [device] = nearest(this.connected, node, 1);
    const link = this.#links.get(device);
    if (link) this.#say(link, { request: { query: FIND, count: DRT_FIND_NODES, node } });
  }

  #say(link: DrtLink, part: Partial<DrtMessage>): void {
    link.send({ ...PLAIN, ...part });
  }
}
