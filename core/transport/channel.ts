/** What the rooms above know of a connection: named byte streams with a peer whose certificates were checked. */

import type { Bytes } from "../base/bytes.ts";
import { KituoError } from "../base/errors.ts";
import type { Peer } from "../identity/chain.ts";

/** A named channel of a multiplexed connection (connection.md 6). */
export interface Channel {
  /** Who is at the other end, from the certificates of the TLS connection: the only source of authority. */
  readonly peer: Peer;
  /** The name as requested, e.g. `git://<device>/<conversation>`. */
  readonly name: string;
  /** Did the peer open it? */
  readonly incoming: boolean;
  readonly connection: Connection;
  /** What the peer sends: one chunk for each frame. Not reading it holds the peer back. Ends when the channel ends, errors never. */
  readonly readable: ReadableStream<Bytes>;
  /** What we send: one chunk of at most 65,535 bytes is one frame, longer ones are cut. Writing waits until the connection drains. */
  readonly writable: WritableStream<Bytes>;
  /** Resolves when the channel has ended, whoever ended it. */
  readonly closed: Promise<void>;
  /** Ends the channel in both directions, after what was written before. */
  close(): void;
}

/** One multiplexed TLS connection with one device. */
export interface Connection {
  /** Unique within the process. */
  readonly id: string;
  readonly peer: Peer;
  /** Did the peer ask for it? */
  readonly incoming: boolean;
  /** Milliseconds since 1970 when TLS was up. */
  readonly since: number;
  /** `address:port` of the peer's end. */
  readonly remote: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly channels: readonly Channel[];
  /**
   * Opens a channel.
   * @throws {ChannelDeclined} when the peer declines
   * @throws {TimeoutError} when it does not answer in 10 s
   * @throws {ConnectionClosed} when the connection ends first
   */
  open(name: string): Promise<Channel>;
  /** Asks the peer whether it is alive; without an answer in 3 s the connection is closed (connection.md 6.5). */
  beacon(): Promise<boolean>;
  readonly closed: Promise<void>;
  /** Ends it in order: all channels, close_notify, TCP. Resolves when that is done (1 s at most). */
  close(reason: string): Promise<void>;
}

/** The peer answered a channel request with DECLINE. */
export class ChannelDeclined extends KituoError {
  constructor(readonly channel: string) {
    super(`channel ${channel} declined`);
  }
}

/** The connection ended before the work on it did. */
export class ConnectionClosed extends KituoError {}

/** No connection to the device could be made. */
export class ConnectError extends KituoError {}
