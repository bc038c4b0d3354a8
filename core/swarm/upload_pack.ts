/** The serving side of git over a channel: git's upload-pack as Jami's peers speak it (swarm-sync.md 1.2 to 1.6). */

import { getLogger } from "@logtape/logtape";
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { KituoError, messageOf, ProtocolError } from "../base/errors.ts";
import type { Channel } from "../transport/channel.ts";
import { EXCHANGE_IDLE_MS, MAX_HAVES_SERVED, MAX_OTHER_LINES, SIDE_BAND_MAX_BYTES } from "./git_limits.ts";
import type { Oid } from "./object.ts";
import { isOid } from "./oid.ts";
import { buildPack } from "./pack_writer.ts";
import { FLUSH, lineOf, type Packet, pktLine } from "./pkt_line.ts";
import { PktStream } from "./pkt_stream.ts";
import { isReachable, missingObjects } from "./reachable.ts";
import type { Repository } from "./repository.ts";

const log = getLogger(["kituo", "swarm"]);

const CAPABILITIES = "side-band side-band-64k shallow no-progress include-tag";
const REQUEST = "git-upload-pack ";
const NAK = pktLine("NAK\n");
const BAND_DATA = Uint8Array.of(1);
const BAND_ERROR = Uint8Array.of(3);

/** The peer asks for what it may not have, or cannot have from us. */
export class UploadRefused extends KituoError {}

/** What {@link serveGit} serves, and to whom. */
export interface ServeOptions {
  repository: Pick<Repository, "head" | "read" | "has" | "packed">;
  /** May the peer fetch now? Asked at every request line and again before the pack (swarm-sync.md 1.6). */
  authorize: () => boolean;
  /** Told of the head that the peer was shown. */
  onAdvertised?: (head: Oid) => void;
  /** Told of a commit that the peer has now, with its history: a pack was sent, or it wanted nothing (swarm-sync.md 7). */
  onFetched?: (commit: Oid) => void;
  /** Runs the making and sending of a pack: the place to bound how many run at once (swarm-sync.md 8.2 item 11). */
  slot?: <T>(work: () => Promise<T>) => Promise<T>;
  clock?: Clock;
  limits?: Partial<ServeLimits>;
}

/** Bounds of one exchange. */
export interface ServeLimits {
  idleMs: number;
  haves: number;
}

/**
 * Serves a channel until it ends: one exchange after the other, resting between them as long as the peer likes.
 * Never fails: what the peer does wrong ends the channel.
 */
export async function serveGit(channel: Channel, options: ServeOptions): Promise<void> {
  const stream = new PktStream(channel, options.clock ?? systemClock);
  try {
    for (let packet = await stream.next(); packet !== null; packet = await stream.next()) {
      // The flush that closes the exchange before (1.4).
      if (packet === "flush") continue;
      await new Exchange(stream, options).run(packet);
    }
  } catch (error) {
    const { device } = channel.peer;
    if (error instanceof KituoError) log.info("git for {device} ended: {why}", { device, why: messageOf(error) });
    else log.error("git for {device} failed: {error}", { device, error });
  } finally {
    stream.close();
  }
}

/** One exchange: request, advertisement, negotiation, pack. */
class Exchange {
  readonly #idleMs: number;
  readonly #maxHaves: number;
  #head: Oid = "";
  #want: Oid | null = null;
  #sideBand = false;
  #haves = 0;
  /** The haves that we own, in the order they came. */
  #common = new Set<Oid>();

  constructor(private readonly stream: PktStream, private readonly options: ServeOptions) {
    this.#idleMs = options.limits?.idleMs ?? EXCHANGE_IDLE_MS;
    this.#maxHaves = options.limits?.haves ?? MAX_HAVES_SERVED;
  }

  async run(request: Bytes): Promise<void> {
    if (!lineOf(request).startsWith(REQUEST)) throw new ProtocolError("upload-pack", "not a request");
    this.#authorize();
    await this.#advertise();
    if (!await this.#negotiate()) return;
    this.#authorize();
    const slot = this.options.slot ?? ((work) => work());
    await slot(() => this.#sendPack());
  }

  #authorize(): void {
    if (!this.options.authorize()) throw new UploadRefused("the peer may not fetch");
  }

  async #advertise(): Promise<void> {
    const head = await this.options.repository.head();
    if (head === null) throw new UploadRefused("nothing to fetch yet");
    this.#head = head;
    await this.#write(pktLine(`${head} HEAD\0${CAPABILITIES}\n`), pktLine(`${head} refs/heads/main\n`), FLUSH);
    this.options.onAdvertised?.(head);
  }

  /** @returns whether the peer wants a pack */
  async #negotiate(): Promise<boolean> {
    let others = 0;
    for (;;) {
      const packet = await this.#next();
      if (packet === "flush") {
        if (this.#want === null) {
          this.options.onFetched?.(this.#head);
          return false;
        }
        if (this.#haves > 0) await this.#answerBatch();
        continue;
      }
      const [word, oid = "", ...rest] = lineOf(packet).split(" ");
      if (word === "done") return await this.#finish();
      if (word === "want") await this.#wanted(oid, rest);
      else if (word === "have") await this.#have(oid);
      // `shallow` and `deepen` are never acted on (1.5), nor is what we do not know.
      if (word !== "have" && ++others > MAX_OTHER_LINES) throw new ProtocolError("upload-pack", "too many lines");
    }
  }

  /** The last want counts, as with every peer (1.4). */
  #wanted(oid: Oid, capabilities: string[]): void {
    if (!isOid(oid)) throw new ProtocolError("upload-pack", "a want that is no object name");
    this.#want = oid;
    this.#sideBand ||= capabilities.includes("side-band-64k");
  }

  async #have(oid: Oid): Promise<void> {
    if (!isOid(oid)) throw new ProtocolError("upload-pack", "a have that is no object name");
    if (++this.#haves > this.#maxHaves) throw new ProtocolError("upload-pack", "too many haves");
    if (await this.options.repository.has(oid)) this.#common.add(oid);
  }

  /** A batch of haves ended without `done`: one ACK when we know one of them, else NAK asks for more (1.4). */
  async #answerBatch(): Promise<void> {
    const [first] = this.#common;
    if (first !== undefined) await this.#write(pktLine(`ACK ${first} continue\n`));
    await this.#write(NAK);
  }

  /** `done` is always answered, for libgit2 stops at silence (1.4). */
  async #finish(): Promise<boolean> {
    if (this.#want === null) throw new ProtocolError("upload-pack", "done without a want");
    if (!this.#sideBand) throw new ProtocolError("upload-pack", "a peer without side-band-64k");
    if (!await this.#mayHave(this.#want)) {
      await this.#write(pktLine(concat(BAND_ERROR, utf8("not our commit\n"))));
      throw new UploadRefused("a want that is not in our history");
    }
    const [first] = this.#common;
    await this.#write(first === undefined ? NAK : pktLine(`ACK ${first}\n`));
    return true;
  }

  /** Only what belongs to our history: any other object may be left over from something refused. */
  async #mayHave(want: Oid): Promise<boolean> {
    const { repository } = this.options;
    return want === this.#head || (await repository.has(want) && await isReachable(repository, want, this.#head));
  }

  async #sendPack(): Promise<void> {
    const want = this.#want ?? this.#head;
    const { repository } = this.options;
    const oids = await missingObjects(repository, want, this.#common);
    for await (const chunk of buildPack(repository, oids)) {
      for (let at = 0; at < chunk.length; at += SIDE_BAND_MAX_BYTES) {
        await this.#write(pktLine(concat(BAND_DATA, chunk.subarray(at, at + SIDE_BAND_MAX_BYTES))));
      }
    }
    await this.#write(FLUSH);
    this.options.onFetched?.(want);
  }

  async #next(): Promise<Packet> {
    const packet = await this.stream.next(this.#idleMs);
    if (packet === null) throw new UploadRefused("the peer left in the middle");
    return packet;
  }

  #write(...packets: Bytes[]): Promise<void> {
    return this.stream.write(this.#idleMs, ...packets);
  }
}
