/** The `swarm://` channels of one conversation (swarm-sync.md 5): bytes in, messages to the state machine in `drt_node.ts`, and back. */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import { TokenBucket } from "../base/limits.ts";
import { Unpacker } from "../base/msgpack.ts";
import type { Peer } from "../identity/chain.ts";
import type { DeviceId } from "../identity/ids.ts";
import type { Channel } from "../transport/channel.ts";
import { ChannelWriter } from "./channel_writer.ts";
import { DRT_BURST, DRT_MAX, DRT_MAX_CHANNELS, DRT_MAX_QUEUE, DRT_MAX_VALUES, DRT_RATE } from "./constants.ts";
import { encodeDrt, readDrt } from "./drt_message.ts";
import { type DrtLink, DrtNode, type DrtNodeOptions } from "./drt_node.ts";

const log = getLogger(["kituo", "messaging"]);

export interface SwarmOverlayOptions extends Omit<DrtNodeOptions, "connect"> {
  clock: Clock;
  /**
   * Opens a channel to a device that is said to belong to the conversation, if it does.
   * @throws {KituoError} when it does not, or cannot be reached
   */
  open(device: DeviceId): Promise<Channel>;
}

/** The overlay of one conversation. The caller has checked that each peer is authorised (5.4). */
export class SwarmOverlay {
  readonly node: DrtNode;
  #channels = new Map<DeviceId, Map<Channel, DrtLink>>();
  #closed = false;

  constructor(private readonly options: SwarmOverlayOptions) {
    this.node = new DrtNode({ ...options, connect: (device) => void this.#open(device) });
  }

  /** Devices with at least one channel. */
  get connected(): DeviceId[] {
    return this.node.connected;
  }

  /** Takes a channel, whoever opened it, and both its streams. One too many is closed. */
  add(channel: Channel): void {
    const { device } = channel.peer;
    const channels = this.#channels.get(device) ?? new Map<Channel, DrtLink>();
    const full = channels.size >= DRT_MAX_CHANNELS || channels.size === 0 && !this.node.hasRoom;
    if (this.#closed || full) return channel.close();
    const link = this.#link(channel);
    this.#channels.set(device, channels.set(channel, link));
    channel.closed.then(() => this.#forget(channel));
    if (channels.size === 1) this.node.up(link);
    this.#read(channel, link);
  }

  /** Ends the channels of the peers that may not be here any more, e.g. of a banned member, and forgets them. */
  enforce(mayStay: (peer: Peer) => boolean): void {
    this.#close((peer) => !mayStay(peer));
    this.node.enforce();
  }

  /** Ends all channels and takes no more. */
  stop(): void {
    this.#closed = true;
    this.node.stop();
    this.#close(() => true);
  }

  #close(test: (peer: Peer) => boolean): void {
    const all = [...this.#channels.values()].flatMap((channels) => [...channels.keys()]);
    for (const channel of all) if (test(channel.peer)) channel.close();
  }

  async #open(device: DeviceId): Promise<void> {
    try {
      this.add(await this.options.open(device));
      if (!this.#channels.has(device)) this.node.failed(device); // there was no room
    } catch (error) {
      log.debug("no swarm channel with {device}: {error}", { device, error: messageOf(error) });
      this.node.failed(device);
    }
  }

  #forget(channel: Channel): void {
    const { device } = channel.peer;
    const channels = this.#channels.get(device);
    if (!channels?.delete(channel)) return;
    const [other] = channels.values();
    if (other) return this.node.up(other);
    this.#channels.delete(device);
    this.node.down(device);
  }

  #link(channel: Channel): DrtLink {
    const { account, device, chain } = channel.peer;
    const writer = new ChannelWriter(channel, this.options.clock, DRT_MAX_QUEUE);
    return {
      account,
      device,
      chain,
      send: (message) => {
        writer.write(encodeDrt(message)).catch((error) =>
          log.debug("swarm message not sent: {reason}", { reason: messageOf(error) })
        );
      },
    };
  }

  async #read(channel: Channel, link: DrtLink): Promise<void> {
    const unpacker = new Unpacker(DRT_MAX, DRT_MAX_VALUES);
    const rate = new TokenBucket(this.options.clock, DRT_RATE, DRT_BURST);
    try {
      for await (const chunk of channel.readable) {
        for (const value of unpacker.push(chunk)) if (rate.take()) this.node.receive(readDrt(value), link);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error("reading a swarm channel failed: {error}", { error });
      else log.info("swarm channel with {peer} closed: {reason}", { peer: link.device, reason: error.message });
    }
    channel.close();
  }
}
