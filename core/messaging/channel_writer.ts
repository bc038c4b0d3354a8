/** Writing on a channel without unbounded queues and without waiting for ever. */

import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError } from "../base/errors.ts";
import { within } from "../base/limits.ts";
import type { Channel } from "../transport/channel.ts";
import { WRITE_MAX_QUEUE, WRITE_TIMEOUT } from "./constants.ts";

/** The channel ended before the work on it did. */
export class ChannelEnded extends KituoError {}

/** The one writer of a channel. Writes keep their order and are never cut into each other. */
export class ChannelWriter {
  #writer: WritableStreamDefaultWriter<Bytes>;
  #queued = 0;
  #ended = false;
  /** Writes that the channel has not taken yet. */
  #waiting = new Set<(error: Error) => void>();

  /** @param maxQueue bytes that may wait for the peer to read */
  constructor(
    private readonly channel: Channel,
    private readonly clock: Clock,
    private readonly maxQueue = WRITE_MAX_QUEUE,
  ) {
    this.#writer = channel.writable.getWriter();
    this.#writer.closed.catch(() => {}); // Each write tells of its own failure.
    channel.closed.then(() => this.#end());
  }

  /**
   * Resolves when the channel has taken the bytes. After an error the channel is closed.
   * @throws {LimitError} when too much waits already
   * @throws {TimeoutError} when the peer does not take them in time
   * @throws {ChannelEnded} when the channel ends first
   */
  async write(bytes: Bytes): Promise<void> {
    if (this.#ended) throw this.#endedError();
    try {
      if (this.#queued + bytes.length > this.maxQueue) {
        throw new LimitError("channel write queue", "the peer does not read");
      }
      await within(this.clock, WRITE_TIMEOUT, "write on a channel", this.#taken(bytes));
    } catch (error) {
      this.#end();
      this.channel.close();
      throw error instanceof KituoError ? error : this.#endedError(error);
    }
  }

  #taken(bytes: Bytes): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queued += bytes.length;
    this.#waiting.add(reject);
    this.#writer.write(bytes).then(resolve, reject);
    const done = () => {
      this.#queued -= bytes.length;
      this.#waiting.delete(reject);
    };
    promise.then(done, done);
    return promise;
  }

  #end(): void {
    this.#ended = true;
    for (const reject of this.#waiting) reject(this.#endedError());
  }

  #endedError(cause?: unknown): ChannelEnded {
    return new ChannelEnded(`channel ${this.channel.name} ended`, { cause });
  }
}
