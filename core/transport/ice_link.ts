/** One TCP connection of an ICE session: frames on it, STUN apart from application data (connection.md 4.2), back-pressure both ways. */

import type { Clock } from "../base/clock.ts";
import { ConnectionClosed } from "./channel.ts";
import {
  KEEP_ALIVE,
  LINGER,
  MAX_EARLY_DATA,
  MAX_FRAME,
  MAX_STUN_BACKLOG,
  READ_SIZE,
  WRITE_STALL,
} from "./constants.ts";
import { framed, FrameSplitter } from "./frames.ts";
import { encodeStun, isStun, StunType } from "./stun.ts";

/** Who gets what arrives. Byte strings are only valid during the call. */
export interface LinkReader {
  stun(frame: Uint8Array): void;
  data(bytes: Uint8Array): void;
  /** The connection is over, whoever ended it. Called once. */
  ended(): void;
}

export class IceLink {
  readonly address: string;
  readonly port: number;
  /** Our end, `address:port`. */
  readonly local: string;
  /** Resolves when the connection is closed and nothing of it is left. */
  readonly done: Promise<void>;
  /** Milliseconds since 1970 when something came in last. */
  lastRead: number;
  #reader: LinkReader;
  readonly #frames = new FrameSplitter(MAX_EARLY_DATA);
  #writes: Promise<void> = Promise.resolve();
  #stunBacklog = 0;
  #paused: PromiseWithResolvers<void> | null = null;
  #closed = false;
  #cancelKeepAlive = () => {};

  /** Takes over a TCP connection and begins to read from it. @param dialled did we open it? */
  constructor(
    private readonly conn: Deno.TcpConn,
    private readonly clock: Clock,
    readonly dialled: boolean,
    reader: LinkReader,
  ) {
    // A listener on "::" shows IPv4 peers as mapped addresses.
    this.address = plain(conn.remoteAddr.hostname);
    this.port = conn.remoteAddr.port;
    this.local = hostPort(plain(conn.localAddr.hostname), conn.localAddr.port);
    this.lastRead = clock.now();
    this.#reader = reader;
    conn.setNoDelay(true);
    this.done = this.#read();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Gives what arrives from now on to somebody else. */
  handTo(reader: LinkReader): void {
    this.#reader = reader;
  }

  /** ICE chose this connection: large frames are allowed, and keep-alives go out (4.6). */
  select(): void {
    this.#frames.limit = MAX_FRAME;
    const indication = () => ({ type: StunType.indication, transactionId: crypto.getRandomValues(new Uint8Array(12)) });
    const tick = () => {
      this.sendStun(encodeStun({ ...indication(), attributes: [] }));
      this.#cancelKeepAlive = this.clock.after(KEEP_ALIVE, tick);
    };
    this.#cancelKeepAlive();
    this.#cancelKeepAlive = this.clock.after(KEEP_ALIVE, tick);
  }

  /** Stops reading from TCP; what was read already is still delivered. */
  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = null;
  }

  /**
   * Sends application data in frames.
   * @throws {ConnectionClosed} when the connection ends before TCP took all of it
   */
  send(data: Uint8Array): Promise<void> {
    const bytes = framed(data);
    const mine = this.#writes.then(() => this.#write(bytes));
    this.#writes = mine.catch(() => {});
    return mine;
  }

  /** Sends a STUN message. A peer that causes messages and reads none loses the connection. */
  sendStun(message: Uint8Array): void {
    this.#stunBacklog += message.length;
    if (this.#stunBacklog > MAX_STUN_BACKLOG) return this.close();
    this.send(message).then(() => this.#stunBacklog -= message.length, () => {});
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelKeepAlive();
    this.resume();
    try {
      this.conn.close();
    } catch {
      // The runtime has closed it already.
    }
    this.#reader.ended();
  }

  /** Closes the connection when what was given to it has gone out, or after a short while. */
  end(): void {
    if (this.#closed) return;
    const cancel = this.clock.after(LINGER, () => this.close());
    this.#writes.then(() => {
      cancel();
      this.close();
    });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#closed) throw new ConnectionClosed("TCP connection closed");
      const cancel = this.clock.after(WRITE_STALL, () => this.close());
      try {
        at += await this.conn.write(bytes.subarray(at));
      } catch (cause) {
        this.close();
        throw new ConnectionClosed("TCP connection lost", { cause });
      } finally {
        cancel();
      }
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_SIZE);
    try {
      while (!this.#closed) {
        if (this.#paused) await this.#paused.promise;
        const n = await this.conn.read(buffer);
        if (n === null) break;
        this.lastRead = this.clock.now();
        for (const frame of this.#frames.push(buffer.subarray(0, n))) {
          if (this.#closed) break;
          if (isStun(frame)) this.#reader.stun(frame);
          else if (frame.length > 0) this.#reader.data(frame);
        }
      }
    } catch {
      // Reset by the peer, closed by us, or an oversized frame: all end the connection.
    }
    this.close();
    await this.#writes;
  }
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** `address:port`, IPv6 in brackets. */
export function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
