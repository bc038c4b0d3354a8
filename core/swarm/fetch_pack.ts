/** The fetching side of git over a channel, in the form that libgit2 has it (swarm-sync.md 1). */

import { type Bytes, concat, text } from "../base/bytes.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { KituoError, LimitError, ProtocolError } from "../base/errors.ts";
import { type Budget, KeyedMutex } from "../base/limits.ts";
import type { DeviceId } from "../identity/ids.ts";
import { type Channel, ConnectionClosed } from "../transport/channel.ts";
import {
  EXCHANGE_IDLE_MS,
  HAVES_PER_BATCH,
  MAX_HAVES_SENT,
  MAX_REF_LINE_BYTES,
  MAX_REFS,
  PACK_LIMITS,
  type PackLimits,
} from "./git_limits.ts";
import type { GitObject, ObjectReader, Oid } from "./object.ts";
import { isOid } from "./oid.ts";
import { PackError } from "./pack_entry.ts";
import { parsePack } from "./parse_pack.ts";
import { FLUSH, lineOf, type Packet, pktLine } from "./pkt_line.ts";
import { PktStream } from "./pkt_stream.ts";

const MAIN = "refs/heads/main";
const CAPABILITIES = "side-band-64k include-tag";

/** The peer refuses to serve, and says so. */
export class FetchRefused extends KituoError {}

/** Whose conversation a client fetches. */
export interface GitClientOptions {
  conversation: Oid;
  /** The device that serves: the channel's receiver. */
  device: DeviceId;
  clock?: Clock;
  idleMs?: number;
}

/** One fetch. */
export interface FetchOptions {
  /** Commits that we have, newest first; at most 256 are told. */
  have: AsyncIterable<Oid> | Iterable<Oid>;
  /** Have we this commit and all of its history? */
  known: (oid: Oid) => boolean | Promise<boolean>;
  /** What deltas in the pack may build on. */
  base: ObjectReader;
  limits?: PackLimits;
  /** Bytes that all fetches of the node may hold together while they receive. */
  budget?: Budget;
  signal?: AbortSignal;
  /** Told of the head that the peer shows, whether or not it is new. */
  onAdvertised?: (head: Oid) => void;
}

/** What a fetch brought: `head`'s commit is in `objects`, or was in the base already. */
export interface Fetched {
  head: Oid;
  objects: Map<Oid, GitObject>;
}

/**
 * Fetches over one `git://` channel, as often as one likes, one after the other (swarm-sync.md 1.1).
 * A fetch that fails leaves the channel in no known state, so it closes it: then take a new one.
 */
export class GitClient {
  readonly #stream: PktStream;
  readonly #turn = new KeyedMutex<"fetch">();
  readonly #idleMs: number;
  readonly #request: Bytes;
  #closed = false;

  constructor(channel: Channel, options: GitClientOptions) {
    this.#stream = new PktStream(channel, options.clock ?? systemClock);
    this.#idleMs = options.idleMs ?? EXCHANGE_IDLE_MS;
    this.#request = pktLine(`git-upload-pack /${options.conversation}\0host=${options.device}\0`);
    channel.closed.then(() => this.#closed = true);
  }

  /** Can it be used no more? */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the channel; a fetch under way fails. */
  close(): void {
    this.#closed = true;
    this.#stream.close();
  }

  /**
   * What the peer's `refs/heads/main` has and we have not.
   * @returns `null` when that is nothing
   * @throws {ProtocolError} when the peer breaks the protocol, its pack included ({@link PackError})
   * @throws {LimitError} when the pack is larger than the limits
   * @throws {FetchRefused} when the peer says no
   * @throws {TimeoutError} when it says nothing for 30 s
   * @throws {ConnectionClosed} when the channel ends
   */
  fetch(options: FetchOptions): Promise<Fetched | null> {
    return this.#turn.run("fetch", async () => {
      options.signal?.throwIfAborted();
      if (this.#closed) throw new ConnectionClosed("the git channel has ended");
      const abort = () => this.close();
      options.signal?.addEventListener("abort", abort, { once: true });
      try {
        return await this.#fetch(options);
      } catch (error) {
        this.close();
        options.signal?.throwIfAborted();
        throw error;
      } finally {
        options.signal?.removeEventListener("abort", abort);
      }
    });
  }

  async #fetch(options: FetchOptions): Promise<Fetched | null> {
    const limits = options.limits ?? PACK_LIMITS;
    if (this.#stream.pending) throw new ProtocolError("fetch-pack", "the peer speaks out of turn");
    await this.#write(this.#request);
    const head = await this.#readAdvertisement();
    if (head !== null) options.onAdvertised?.(head);
    if (head === null || await options.known(head)) {
      await this.#finish();
      return null;
    }
    const first = await this.#negotiate(head, options.have);
    const pack = await this.#readPack(first, limits, options.budget);
    await this.#finish();
    const objects = await parsePack(pack, options.base, limits, options.signal);
    if (!objects.has(head) && !await options.base.has(head)) throw new PackError("the wanted commit is not in it");
    return { head, objects };
  }

  /** Ends the exchange. A peer that has ended the channel by then has given all that was wanted of it. */
  async #finish(): Promise<void> {
    try {
      await this.#write(FLUSH);
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
      this.close();
    }
  }

  /** The commit of `refs/heads/main`; everything else a peer lists is of no concern (1.3). */
  async #readAdvertisement(): Promise<Oid | null> {
    let main: Oid | null = null;
    for (let refs = 0;; refs++) {
      const packet = await this.#next();
      if (packet === "flush") return main;
      if (refs === MAX_REFS || packet.length > MAX_REF_LINE_BYTES) {
        throw new ProtocolError("fetch-pack", "an advertisement that is too large");
      }
      const line = lineOf(packet).split("\0")[0];
      if (line.startsWith("ERR ")) throw new FetchRefused(line.slice("ERR ".length));
      const oid = line.slice(0, 40);
      if (!isOid(oid) || line[40] !== " ") throw new ProtocolError("fetch-pack", "an advertisement without refs");
      if (line.slice(41) === MAIN) main = oid;
    }
  }

  /**
   * Tells our want and haves, 20 at a time, until one of them is acknowledged.
   * @returns the first packet of the pack
   */
  async #negotiate(head: Oid, have: FetchOptions["have"]): Promise<Bytes> {
    // The space before the newline is libgit2's (1.4).
    let lines: Bytes[] = [pktLine(`want ${head} ${CAPABILITIES} \n`), FLUSH];
    let sent = 0;
    for await (const oid of have) {
      lines.push(pktLine(`have ${oid}\n`));
      if (++sent % HAVES_PER_BATCH === 0) {
        await this.#write(...lines, FLUSH);
        lines = [];
        if (await this.#acknowledged()) break;
      }
      if (sent === MAX_HAVES_SENT) break;
    }
    await this.#write(...lines, pktLine("done\n"));
    // P23 answers a batch with ACK and NAK, and `done` with another ACK: all of them may still be in the way.
    for (let skipped = 0; skipped <= MAX_HAVES_SENT; skipped++) {
      const packet = await this.#next();
      if (packet === "flush") throw new ProtocolError("fetch-pack", "no pack");
      if (!isAnswer(packet)) return packet;
    }
    throw new ProtocolError("fetch-pack", "answers without end");
  }

  async #acknowledged(): Promise<boolean> {
    const packet = await this.#next();
    if (packet === "flush" || !isAnswer(packet)) throw new ProtocolError("fetch-pack", "neither ACK nor NAK");
    return lineOf(packet).startsWith("ACK ");
  }

  async #readPack(first: Bytes, limits: PackLimits, budget?: Budget): Promise<Bytes> {
    const parts: Bytes[] = [];
    let total = 0;
    try {
      for (let packet: Packet = first; packet !== "flush"; packet = await this.#next()) {
        const band = packet[0];
        if (band === 3) throw new FetchRefused(text(packet.subarray(1)).trim());
        // 2 is progress, for people.
        if (band !== 1 && band !== 2) throw new ProtocolError("fetch-pack", "an unknown side-band");
        if (band === 2) continue;
        if (total + packet.length - 1 > limits.bytes) throw new LimitError("received pack");
        budget?.take(packet.length - 1);
        total += packet.length - 1;
        parts.push(packet.subarray(1));
      }
      return concat(...parts);
    } finally {
      budget?.give(total);
    }
  }

  async #next(): Promise<Packet> {
    const packet = await this.#stream.next(this.#idleMs);
    if (packet === null) throw new ConnectionClosed("the git channel ended in the middle of a fetch");
    return packet;
  }

  #write(...packets: Bytes[]): Promise<void> {
    return this.#stream.write(this.#idleMs, ...packets);
  }
}

function isAnswer(packet: Bytes): boolean {
  const line = text(packet.subarray(0, 4));
  return line === "NAK\n" || line === "NAK" || line === "ACK ";
}
