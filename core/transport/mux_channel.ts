/** One channel of a multiplexed connection: two web streams with bounded buffers (connection.md 6.3, 6.4). */

import type { Bytes } from "../base/bytes.ts";
import type { Peer } from "../identity/chain.ts";
import { type Channel, type Connection, ConnectionClosed } from "./channel.ts";
import { MAX_MESSAGE } from "./constants.ts";

/** Bytes that a writer may hand over before `ready` makes it wait. */
const WRITE_AHEAD = MAX_MESSAGE;

/** What a channel needs of its connection. */
export interface ChannelHost {
  readonly connection: Connection;
  /** Sends one message; resolves when the connection has drained so far that the next may come. Rejects when the connection is gone. */
  send(channel: number, data: Uint8Array): Promise<void>;
  /** The channel's unread bytes changed. */
  backlogChanged(channel: MuxChannel, by: number): void;
  /** The channel has ended. @param tell must the peer be told? */
  channelEnded(channel: MuxChannel, tell: boolean): void;
}

export class MuxChannel implements Channel {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<Bytes>;
  readonly closed: Promise<void>;
  readonly #closed = Promise.withResolvers<void>();
  #reader: ReadableStreamDefaultController<Bytes> | null = null;
  #writer: WritableStreamDefaultController | null = null;
  #unread: Bytes[] = [];
  #unreadBytes = 0;
  /** Resolves the reader's pull that found nothing. */
  #pulled: (() => void) | null = null;
  /** `closing`: `close` was called, writes made before it are still going out. */
  #state: "open" | "closing" | "ended" = "open";
  #discarding = false;
  /** Chunks given to `writable`, and those that went out or failed. */
  #given = 0;
  #sent = 0;
  #givenAtClose = Infinity;

  constructor(
    private readonly host: ChannelHost,
    readonly number: number,
    readonly name: string,
    readonly incoming: boolean,
  ) {
    this.closed = this.#closed.promise;
    this.readable = new ReadableStream<Bytes>({
      start: (controller) => void (this.#reader = controller),
      pull: () => this.#pull(),
      cancel: () => this.#discard(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Bytes>({
      start: (controller) => void (this.#writer = controller),
      write: (chunk) => this.#write(chunk),
      close: () => this.close(),
      abort: () => this.end(true),
    }, {
      highWaterMark: WRITE_AHEAD,
      // Called once for each chunk at the moment it is given: how `close` knows what was written before it.
      size: (chunk) => {
        this.#given++;
        return chunk.length;
      },
    });
  }

  get connection(): Connection {
    return this.host.connection;
  }

  get peer(): Peer {
    return this.host.connection.peer;
  }

  /** Bytes received and not read yet. */
  get backlog(): number {
    return this.#unreadBytes;
  }

  /** Was it closed here, with writes still going out? */
  get isClosing(): boolean {
    return this.#state === "closing";
  }

  /** Data from the peer. */
  receive(data: Bytes): void {
    if (this.#state !== "open" || this.#discarding) return;
    this.#unread.push(data);
    this.#count(data.length);
    this.#pulled?.();
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#givenAtClose = this.#given;
    this.#endReading();
    this.#endWhenSent();
  }

  /** Ends the channel now: the peer did (`tell` false), the connection is gone, or a limit was reached. Unread data can still be read. */
  end(tell: boolean): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#endReading();
    this.#writer?.error(new ConnectionClosed(`channel ${this.name} has ended`));
    this.host.channelEnded(this, tell);
    this.#closed.resolve();
  }

  // --- reading ---

  async #pull(): Promise<void> {
    if (this.#unread.length === 0 && this.#state === "open") {
      await new Promise<void>((resolve) => this.#pulled = resolve);
      this.#pulled = null;
    }
    const next = this.#unread.shift();
    if (next) {
      this.#count(-next.length);
      this.#reader?.enqueue(next);
    }
    if (this.#state !== "open" && this.#unread.length === 0) this.#closeReader();
  }

  /** Nothing more will come: the stream closes when what is there has been read. */
  #endReading(): void {
    // A pull that waits notices by itself.
    if (this.#pulled) this.#pulled();
    else if (this.#unread.length === 0) this.#closeReader();
  }

  #closeReader(): void {
    try {
      this.#reader?.close();
    } catch {
      // The reader has cancelled it: closed already.
    }
    this.#reader = null;
  }

  /** The reader wants no more: what comes is dropped, writing goes on. */
  #discard(): void {
    this.#discarding = true;
    this.#reader = null;
    this.#unread = [];
    this.#count(-this.#unreadBytes);
    this.#pulled?.();
  }

  #count(by: number): void {
    this.#unreadBytes += by;
    if (this.#state !== "ended") this.host.backlogChanged(this, by);
  }

  // --- writing ---

  async #write(chunk: Bytes): Promise<void> {
    try {
      for (let at = 0; at < chunk.length; at += MAX_MESSAGE) {
        if (this.#state === "ended" || this.#sent >= this.#givenAtClose) {
          throw new ConnectionClosed(`channel ${this.name} has ended`);
        }
        await this.host.send(this.number, chunk.subarray(at, at + MAX_MESSAGE));
      }
    } finally {
      this.#sent++;
      this.#endWhenSent();
    }
  }

  #endWhenSent(): void {
    if (this.#state === "closing" && this.#sent >= this.#givenAtClose) this.end(true);
  }
}
