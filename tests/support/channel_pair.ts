/** Two ends of a channel, and of a connection, in memory: what a room above the transport needs of it, frames preserved. */

import type { Bytes } from "../../core/base/bytes.ts";
import type { Peer } from "../../core/identity/chain.ts";
import { type Channel, ChannelDeclined, type Connection, ConnectionClosed } from "../../core/transport/channel.ts";

const MAX_FRAME = 65_535;

/** A peer with made-up ids of one repeated hex digit: `testPeer("a")` is account `aaaa…` with device `aaaa…`. */
export function testPeer(account: string, device = account): Peer {
  return { account: account.repeat(40), device: device.repeat(64), shortId: device.repeat(40), chain: [] };
}

/** What an acceptor says to a channel request: what shall be done with the channel, or `null` to decline. */
export type Accept = (name: string) => ((channel: Channel) => void) | null;

/** One end of a connection in memory. */
export class MemoryConnection implements Connection {
  static #count = 0;
  readonly id = `memory-${++MemoryConnection.#count}`;
  readonly since = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly closed: Promise<void>;
  /** Names of the channels that the peer asked for, in order. */
  readonly requested: string[] = [];
  #other?: MemoryConnection;
  #channels = new Set<MemoryChannel>();
  #end: () => void;
  #ended = false;

  constructor(readonly peer: Peer, readonly incoming: boolean, readonly remote: string, public accept: Accept) {
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.#end = closed.resolve;
  }

  /** Makes the two the ends of one connection. */
  join(other: MemoryConnection): void {
    this.#other = other;
    other.#other = this;
  }

  /** Has it ended? */
  get ended(): boolean {
    return this.#ended;
  }

  beacon(): Promise<boolean> {
    return Promise.resolve(!this.#ended);
  }

  get channels(): readonly Channel[] {
    return [...this.#channels].filter((channel) => !channel.ended);
  }

  async open(name: string): Promise<Channel> {
    const other = this.#other;
    if (this.#ended || !other) throw new ConnectionClosed();
    other.requested.push(name);
    await Promise.resolve();
    const take = other.accept(name);
    if (!take) throw new ChannelDeclined(name);
    const [mine, theirs] = channelEnds(name, this, other);
    for (const channel of [mine, theirs]) {
      const connection = channel === mine ? this : other;
      connection.#channels.add(channel);
      channel.closed.then(() => connection.#channels.delete(channel));
    }
    take(theirs);
    return mine;
  }

  /** Ends both ends of the connection and all channels, at once. */
  close(_reason: string): Promise<void> {
    for (const end of [this, this.#other]) {
      if (!end || end.#ended) continue;
      end.#ended = true;
      for (const channel of end.#channels) channel.end();
      end.#end();
    }
    return Promise.resolve();
  }
}

/**
 * The two ends of a connection: the first belongs to `a` (its `peer` is `b`), who asked for it. Both decline every channel
 * until their `accept` is set.
 */
export function connectionPair(a: Peer, b: Peer): [MemoryConnection, MemoryConnection] {
  const ofA = new MemoryConnection(b, false, "10.0.0.2:2000", () => null);
  const ofB = new MemoryConnection(a, true, "10.0.0.1:1000", () => null);
  ofA.join(ofB);
  return [ofA, ofB];
}

/** The two ends of one channel that `opener` opened; the first is the opener's. */
export function channelPair(opener: Peer, acceptor: Peer, name: string): [MemoryChannel, MemoryChannel] {
  const [mine, theirs] = connectionPair(opener, acceptor);
  return channelEnds(name, mine, theirs);
}

function channelEnds(name: string, opener: MemoryConnection, acceptor: MemoryConnection) {
  const there = new Pipe();
  const back = new Pipe();
  const mine = new MemoryChannel(name, false, opener, back, there);
  const theirs = new MemoryChannel(name, true, acceptor, there, back);
  return [mine, theirs] satisfies [MemoryChannel, MemoryChannel];
}

/** One end of a channel in memory. */
export class MemoryChannel implements Channel {
  readonly closed: Promise<void>;

  constructor(
    readonly name: string,
    readonly incoming: boolean,
    readonly connection: MemoryConnection,
    private readonly input: Pipe,
    private readonly output: Pipe,
  ) {
    this.closed = Promise.race([input.ended, output.ended]);
    output.ended.then(() => input.end());
    input.ended.then(() => output.end());
  }

  get peer(): Peer {
    return this.connection.peer;
  }

  get readable(): ReadableStream<Bytes> {
    return this.input.readable;
  }

  get writable(): WritableStream<Bytes> {
    return this.output.writable;
  }

  close(): void {
    this.output.finish();
  }

  /** Has it ended? */
  get ended(): boolean {
    return this.input.over || this.output.over;
  }

  /** Ends it at once; what was not delivered yet is lost. */
  end(): void {
    this.output.end();
  }
}

/** One direction of a channel. A frame waits while the reader has more than `ROOM` unread ones. */
class Pipe {
  static readonly ROOM = 4;
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<Bytes>;
  readonly ended: Promise<void>;
  #resolveEnded: () => void;
  #reader!: ReadableStreamDefaultController<Bytes>;
  #wake = () => {};
  #finishing = false;
  over = false;
  #written = 0;

  constructor() {
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#resolveEnded = ended.resolve;
    this.readable = new ReadableStream<Bytes>({
      start: (controller) => void (this.#reader = controller),
      pull: () => this.#wake(),
      cancel: () => this.end(),
    }, { highWaterMark: Pipe.ROOM });
    this.writable = new WritableStream<Bytes>({
      write: (chunk) => this.#write(chunk),
      close: () => this.end(),
      abort: () => this.end(),
    });
  }

  async #write(chunk: Bytes): Promise<void> {
    for (let at = 0; at < chunk.length; at += MAX_FRAME) {
      while (!this.over && !this.#finishing && (this.#reader.desiredSize ?? 0) <= 0) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      if (this.over) throw new ConnectionClosed("channel ended");
      this.#reader.enqueue(chunk.slice(at, at + MAX_FRAME));
      this.#written++;
    }
  }

  /** Ends after what was written before: lets all that waits through, then ends. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#wake();
    for (let quiet = 0, before = this.#written; quiet < 20; before = this.#written) {
      await Promise.resolve();
      quiet = this.#written === before ? quiet + 1 : 0;
    }
    this.end();
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    this.#wake();
    try {
      this.#reader.close();
    } catch {
      // The reader cancelled: it is closed already.
    }
    this.#resolveEnded();
  }
}
