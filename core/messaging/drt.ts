/**
 * Our part in the overlay of one conversation (swarm-sync.md 5.6, the minimal version): an always-on node that is never mobile. It
 * accepts channels, asks once on each new device, answers, and reports the nodes it hears of; whom to connect to is not decided here.
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import { TokenBucket } from "../base/limits.ts";
import { Unpacker } from "../base/msgpack.ts";
import type { DeviceId } from "../identity/ids.ts";
import type { Peer } from "../identity/chain.ts";
import type { Channel } from "../transport/channel.ts";
import type { ConversationId } from "./channel_name.ts";
import { ChannelWriter } from "./channel_writer.ts";
import {
  DRT_BURST,
  DRT_FIND_NODES,
  DRT_MAX,
  DRT_MAX_ANSWER,
  DRT_MAX_CHANNELS,
  DRT_MAX_CONNECTED,
  DRT_MAX_QUEUE,
  DRT_MAX_VALUES,
  DRT_RATE,
  DRT_VERSION,
} from "./constants.ts";
import { type DrtMessage, encodeDrt, FIND, FOUND, nearest, readDrt } from "./drt_message.ts";

const log = getLogger(["kituo", "messaging"]);

export interface SwarmOverlayOptions {
  conversation: ConversationId;
  /** Our own device. */
  self: DeviceId;
  clock: Clock;
  /** Devices that a peer says belong to the conversation, not yet connected here. It is hearsay: check each before use. */
  onNodes(devices: DeviceId[], from: Peer): void;
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

/** The `swarm://` channels of one conversation. The caller has checked that each peer is authorised (5.4). */
export class SwarmOverlay {
  #channels = new Map<DeviceId, Set<Channel>>();
  #closed = false;

  constructor(private readonly options: SwarmOverlayOptions) {}

  /** Devices with at least one channel. */
  get connected(): DeviceId[] {
    return [...this.#channels.keys()];
  }

  /**
   * Takes a channel, whoever opened it, and both its streams. One too many is closed.
   * The first one of a device sends FIND for our own id.
   */
  add(channel: Channel): void {
    const device = channel.peer.device;
    const channels = this.#channels.get(device) ?? new Set();
    const full = channels.size >= DRT_MAX_CHANNELS || (channels.size === 0 && this.#channels.size >= DRT_MAX_CONNECTED);
    if (this.#closed || full) return channel.close();
    this.#channels.set(device, channels);
    channels.add(channel);
    channel.closed.then(() => this.#forget(channel));
    const writer = new ChannelWriter(channel, this.options.clock, DRT_MAX_QUEUE);
    if (channels.size === 1) {
      this.#send(writer, { request: { query: FIND, count: DRT_FIND_NODES, node: this.options.self } });
    }
    this.#read(channel, writer);
  }

  /** Ends the channels of the peers for which `test` holds, e.g. of a banned member. */
  close(test: (peer: Peer) => boolean): void {
    const all = [...this.#channels.values()].flatMap((channels) => [...channels]);
    for (const channel of all) if (test(channel.peer)) channel.close();
  }

  /** Ends all channels and takes no more. */
  stop(): void {
    this.#closed = true;
    this.close(() => true);
  }

  #forget(channel: Channel): void {
    const channels = this.#channels.get(channel.peer.device);
    channels?.delete(channel);
    if (channels?.size === 0) this.#channels.delete(channel.peer.device);
  }

  async #read(channel: Channel, writer: ChannelWriter): Promise<void> {
    const unpacker = new Unpacker(DRT_MAX, DRT_MAX_VALUES);
    const rate = new TokenBucket(this.options.clock, DRT_RATE, DRT_BURST);
    try {
      for await (const chunk of channel.readable) {
        for (const value of unpacker.push(chunk)) if (rate.take()) this.#handle(readDrt(value), channel.peer, writer);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) log.error("reading a swarm channel failed: {error}", { error });
      else log.info("swarm channel with {peer} closed: {reason}", { peer: channel.peer.device, reason: error.message });
    }
    channel.close();
  }

  /** Mobile infos and leases are ignored, and so are certificates: we ask for none and announce no mobile device (5.5). */
  #handle(message: DrtMessage, peer: Peer, writer: ChannelWriter): void {
    if (message.certRequest || message.certResponse) return;
    const { request, response } = message;
    if (request?.query === FIND) this.#answer(request.node, request.count, writer);
    else if (!request && response?.query === FOUND) this.#learn(response.nodes, peer);
  }

  #answer(node: DeviceId, count: number, writer: ChannelWriter): void {
    const others = this.connected.filter((device) => device !== node);
    const nodes = nearest(others, node, Math.min(count, DRT_MAX_ANSWER));
    this.#send(writer, { response: { query: FOUND, nodes, mobileNodes: [], mobileNodeInfos: [] } });
  }

  #learn(nodes: readonly DeviceId[], peer: Peer): void {
    const news = new Set(nodes.filter((device) => device !== this.options.self && !this.#channels.has(device)));
    if (news.size) this.options.onNodes([...news], peer);
  }

  #send(writer: ChannelWriter, part: Partial<DrtMessage>): void {
    const bytes: Bytes = encodeDrt({ ...PLAIN, ...part });
    writer.write(bytes).catch((error) => log.debug("swarm message not sent: {reason}", { reason: messageOf(error) }));
  }
}
