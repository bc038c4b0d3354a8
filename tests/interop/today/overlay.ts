/** The `swarm://` channels of one conversation, and the search for them (swarm-sync.md 5). This peer is never mobile. */

import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { Unpacker } from "../../../core/base/msgpack.ts";
import type { Random } from "../../../core/base/random.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import type { DeviceId } from "../../../core/identity/ids.ts";
import { ChannelWriter } from "../../../core/messaging/channel_writer.ts";
import { DRT_MAX, DRT_MAX_VALUES } from "../../../core/messaging/constants.ts";
import { type DrtMessage, encodeDrt, FIND, FOUND, nearest, readDrt } from "../../../core/messaging/drt_message.ts";
import type { Channel, Connection } from "../../../core/transport/channel.ts";
import { RoutingTable } from "./table.ts";

const VERSION = 3;
const FIND_NODES = 2; // asked for, on the first channel of a device
const RETRY = 1_000; // ms between a failure of everything and the next round: the attempts themselves take up to 30 s

export interface OverlayOptions {
  conversation: string;
  self: DeviceId;
  random: Random;
  /** A connection to the device: the present one, or a new one. */
  connect(device: DeviceId): Promise<Connection>;
  isLinked(device: DeviceId): boolean;
  /** The first node is connected, or the last one lost. */
  changed(connected: boolean): void;
  /** No channel to the device could be had. */
  failed(device: DeviceId): void;
  log(message: string): void;
}

const PLAIN: DrtMessage = {
  version: VERSION,
  isMobile: false,
  selfMobileInfo: null,
  request: null,
  response: null,
  certRequest: null,
  certResponse: null,
};

export class Overlay {
  readonly #table: RoutingTable;
  readonly #channels = new Map<DeviceId, Set<Channel>>();
  #cancelRetry = () => {};
  #stopped = false;

  constructor(private readonly options: OverlayOptions) {
    this.#table = new RoutingTable(options.self, options.random);
  }

  get connected(): DeviceId[] {
    return this.#table.connected;
  }

  /** A device of a member was found. One with a connection is connected at once, beyond what the table wants. */
  propose(device: DeviceId): void {
    if (!this.#table.know(device)) return;
    if (this.options.isLinked(device)) {
      this.#table.begin(device);
      this.#open(device);
    }
    this.maintain();
  }

  /** Takes a channel, whoever opened it. Several of one device stay side by side; FIND goes out on the first. */
  attach(channel: Channel): void {
    const { device } = channel.peer;
    const channels = this.#channels.get(device) ?? new Set();
    this.#channels.set(device, channels.add(channel));
    channel.closed.then(() => this.#ended(channel));
    const writer = new ChannelWriter(channel, systemClock);
    if (channels.size === 1) {
      const isFirst = this.connected.length === 0;
      this.#table.connect(device);
      this.#send(writer, { request: { query: FIND, count: FIND_NODES, node: this.options.self } });
      if (isFirst) this.options.changed(true);
    }
    this.#read(channel, writer);
  }

  /** Connects what the buckets want. */
  maintain(): void {
    if (this.#stopped) return;
    for (const device of this.#table.wanted()) this.#open(device);
  }

  /** Ends the channels with those who may not be here any more. */
  close(test: (peer: Peer) => boolean): void {
    for (const channels of [...this.#channels.values()]) {
      for (const channel of [...channels]) {
        if (!test(channel.peer)) continue;
        channel.close();
        this.#ended(channel);
        this.#table.forget(channel.peer.device);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
  }

  async #open(device: DeviceId): Promise<void> {
    try {
      const connection = await this.options.connect(device);
      this.attach(await connection.open(`swarm://${this.options.conversation}`));
    } catch (error) {
      this.options.log(`no swarm channel with ${device}: ${messageOf(error)}`);
      if (this.#channels.has(device) || this.#stopped) return;
      this.#table.lose(device);
      this.options.failed(device);
      if (this.connected.length > 0) return;
      this.#cancelRetry();
      this.#cancelRetry = systemClock.after(RETRY, () => this.maintain());
    }
  }

  #ended(channel: Channel): void {
    const { device } = channel.peer;
    const channels = this.#channels.get(device);
    if (!channels?.delete(channel) || channels.size > 0) return;
    this.#channels.delete(device);
    this.#table.lose(device);
    if (this.connected.length === 0 && !this.#stopped) this.options.changed(false);
    this.maintain();
  }

  async #read(channel: Channel, writer: ChannelWriter): Promise<void> {
    const unpacker = new Unpacker(DRT_MAX, DRT_MAX_VALUES);
    try {
      for await (const chunk of channel.readable) {
        for (const value of unpacker.push(chunk)) this.#handle(readDrt(value), writer);
      }
    } catch (error) {
      this.options.log(`swarm channel with ${channel.peer.device}: ${messageOf(error)}`);
      channel.close();
    }
  }

  #handle({ certRequest, certResponse, request, response }: DrtMessage, writer: ChannelWriter): void {
    if (certRequest || certResponse) return; // there is nothing mobile here to ask or tell about
    if (request?.query === FIND) {
      const nodes = nearest(this.connected.filter((device) => device !== request.node), request.node, request.count);
      this.#send(writer, { response: { query: FOUND, nodes, mobileNodes: [], mobileNodeInfos: [] } });
    } else if (!request && response?.query === FOUND) { for (const device of response.nodes) this.propose(device); }
  }

  #send(writer: ChannelWriter, part: Partial<DrtMessage>): void {
    writer.write(encodeDrt({ ...PLAIN, ...part })).catch((error) => this.options.log(messageOf(error)));
  }
}
