/** A `sync://` channel with another device of the own account (swarm-sync.md 4): one SyncMsg after the other, in both directions. */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import { TokenBucket } from "../base/limits.ts";
import { Unpacker } from "../base/msgpack.ts";
import type { Channel } from "../transport/channel.ts";
import { ChannelWriter } from "./channel_writer.ts";
import { SYNC_BURST, SYNC_MAX_IN, SYNC_MAX_QUEUE, SYNC_MAX_VALUES, SYNC_RATE, SYNC_UNIT } from "./constants.ts";
import { encodeSync, readSync, type SyncForm, type SyncMessage } from "./sync_message.ts";

const log = getLogger(["kituo", "messaging"]);

export class SyncChannel {
  #writer: ChannelWriter;

  /** @param onMessage what the device says; a ProtocolError that it throws ends the channel */
  constructor(
    readonly channel: Channel,
    private readonly clock: Clock,
    private readonly onMessage: (message: SyncMessage) => void,
  ) {
    this.#writer = new ChannelWriter(channel, clock, SYNC_MAX_QUEUE);
    this.#read();
  }

  /**
   * Writes one message, in one frame: 2023's peers read one message from each.
   * @throws {LimitError} when it is longer than a frame
   * @throws {KituoError} when the channel has ended, or the peer does not read
   */
  async send(message: SyncMessage, form: SyncForm): Promise<void> {
    await this.#writer.write(encodeSync(message, form));
  }

  close(): void {
    this.channel.close();
  }

  async #read(): Promise<void> {
    const { channel, clock } = this;
    const unpacker = new Unpacker(SYNC_MAX_IN, SYNC_MAX_VALUES);
    const rate = new TokenBucket(clock, SYNC_RATE, SYNC_BURST);
    try {
      for await (const chunk of channel.readable) {
        if (!rate.take(1 + Math.floor(chunk.length / SYNC_UNIT))) throw new ProtocolError("sync", "too much at once");
        for (const value of unpacker.push(chunk)) this.onMessage(readSync(value));
      }
    } catch (error) {
      const details = { device: channel.peer.device, reason: messageOf(error) };
      if (error instanceof ProtocolError) log.info("sync channel with {device} closed: {reason}", details);
      else log.error("reading a sync channel with {device} failed: {reason}", details);
    }
    channel.close();
  }
}
