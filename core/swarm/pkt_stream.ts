/** pkt-lines over a channel: reading with timeouts, writing whole pkt-lines in each frame (swarm-sync.md 1.1). */

import { type Bytes, concat } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { TimeoutError } from "../base/errors.ts";
import { within } from "../base/limits.ts";
import { type Channel, ConnectionClosed } from "../transport/channel.ts";
import { type Packet, PktDecoder } from "./pkt_line.ts";

/** Both ends of git's protocol speak through this. It owns the channel: when it fails, the channel is closed. */
export class PktStream {
  #reader: ReadableStreamDefaultReader<Bytes>;
  #writer: WritableStreamDefaultWriter<Bytes>;
  #decoder = new PktDecoder();
  #ready: Packet[] = [];

  constructor(
    private readonly channel: Pick<Channel, "readable" | "writable" | "close">,
    private readonly clock: Clock,
  ) {
    this.#reader = channel.readable.getReader();
    this.#writer = channel.writable.getWriter();
    // A write that fails says so itself.
    this.#writer.closed.catch(() => {});
  }

  /** Are packets there that nobody asked for yet? */
  get pending(): boolean {
    return this.#ready.length > 0 || this.#decoder.incomplete;
  }

  /**
   * The next packet, or `null` when the channel has ended.
   * @param idleMs how long to wait; for ever without it
   * @throws {ProtocolError} when the peer does not send pkt-lines
   * @throws {TimeoutError} when nothing comes in time
   */
  async next(idleMs?: number): Promise<Packet | null> {
    for (;;) {
      const packet = this.#ready.shift();
      if (packet !== undefined) return packet;
      const reading = this.#reader.read();
      const { done, value } = await (idleMs === undefined ? reading : within(this.clock, idleMs, "git peer", reading));
      if (done) return null;
      this.#ready = this.#decoder.push(value);
    }
  }

  /**
   * Sends packets in one frame. Waits until the channel takes more.
   * @throws {TimeoutError} when the peer does not take them in time
   * @throws {ConnectionClosed} when the channel has ended
   */
  async write(idleMs: number, ...packets: Uint8Array[]): Promise<void> {
    try {
      await within(this.clock, idleMs, "git peer", this.#writer.write(concat(...packets)));
    } catch (error) {
      if (error instanceof TimeoutError) throw error;
      throw new ConnectionClosed("the git channel has ended", { cause: error });
    }
  }

  /** Ends the channel, after what was written before. */
  close(): void {
    this.channel.close();
  }
}
