/**
 * Fetches the files that are wanted: from the author's devices first, then from any joined member that is connected; a few at a time; what was begun goes
 * on where it ended, also after a restart. Who was asked in vain is asked again later (swarm-sync.md 6.4).
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap } from "../base/limits.ts";
import type { DeviceId } from "../identity/ids.ts";
import { writeChannelName } from "../messaging/channel_name.ts";
import type { FileRecord, FileState } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import type { Blobs } from "./blobs.ts";
import {
  DOWNLOAD_RETRY_FIRST_MS,
  DOWNLOAD_RETRY_LONGEST_MS,
  DOWNLOADS_OF_CONVERSATION,
  MAX_REFUSED_DOWNLOADS,
  PARALLEL_DOWNLOADS,
  WANTED_FILES,
  WRONG_SOURCES_KEPT,
} from "./constants.ts";
import { download } from "./download.ts";
import type { FilePolicy } from "./file_policy.ts";

const log = getLogger(["kituo", "relay"]);

export interface DownloadsOptions {
  store: Store;
  clock: Clock;
  blobs: Blobs;
  policy: FilePolicy;
  /** Our own device. */
  device: DeviceId;
  conversation(id: Oid): Pick<Conversation, "isJoined"> | undefined;
  connections(): Connection[];
}

export type DownloadsEvents = {
  /** A file was stored, begun, or its room was taken by another. */
  changed: { file: FileRecord };
  /** Files were given up for others. */
  evicted: { files: FileRecord[] };
};

/** The asking for files of one conversation. */
interface Round {
  /** Requests that failed, by file and connection. */
  refused: Set<string>;
  /** Until they are asked again, ms. */
  wait: number;
  cancel: (() => void) | null;
}

interface Active {
  file: FileRecord;
  /** Open while bytes come in. */
  channel: Channel | null;
  cancelled: boolean;
}

export class Downloads extends Emitter<DownloadsEvents> {
  #active = new Map<Oid, Active>();
  #running = new Set<Promise<void>>();
  #rounds = new Map<Oid, Round>();
  /** Conversations with something to do, the one whose turn it is first. */
  #due = new Set<Oid>();
  /** Devices that sent wrong bytes, by file. */
  #wrong = new LruMap<string, true>(WRONG_SOURCES_KEPT);
  #stopped = false;

  constructor(private readonly options: DownloadsOptions) {
    super();
  }

  /** Something changed: files were announced in these conversations, or members appeared. */
  wake(conversations: Iterable<Oid>): void {
    for (const id of conversations) this.#due.add(id);
    this.#pump();
  }

  /** Ends a download: its file is wanted no more. */
  cancel(id: Oid): void {
    const active = this.#active.get(id);
    if (!active) return;
    active.cancelled = true;
    active.channel?.close();
  }

  /** Ends all of a conversation. */
  drop(conversation: Oid): void {
    for (const { file } of this.#active.values()) if (file.conversation === conversation) this.cancel(file.id);
    this.#rounds.get(conversation)?.cancel?.();
    this.#rounds.delete(conversation);
    this.#due.delete(conversation);
  }

  /** Ends all. Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { cancel } of this.#rounds.values()) cancel?.();
    for (const id of this.#active.keys()) this.cancel(id);
    await Promise.all(this.#running);
  }

  #pump(): void {
    for (let id: Oid | undefined; (id = [...this.#due].find((one) => this.#mayStart(one))) !== undefined;) {
      this.#due.delete(id);
      const next = this.#next(id);
      if (!next) {
        this.#later(id);
        continue;
      }
      this.#due.add(id); // at the end: others have their turn first
      this.#start(next.file, next.connection);
    }
  }

  #mayStart(id: Oid): boolean {
    const busy = [...this.#active.values()].filter(({ file }) => file.conversation === id).length;
    return !this.#stopped && this.#active.size < PARALLEL_DOWNLOADS && busy < DOWNLOADS_OF_CONVERSATION;
  }

  /** What to fetch next of a conversation, and from whom. */
  #next(id: Oid): { file: FileRecord; connection: Connection } | null {
    const conversation = this.options.conversation(id);
    const round = this.#round(id);
    if (!conversation || round.refused.size >= MAX_REFUSED_DOWNLOADS) return null;
    const connections = this.options.connections().filter(({ peer }) => conversation.isJoined(peer));
    if (connections.length === 0) return null;
    for (const file of this.options.store.files.wanted(id, WANTED_FILES)) {
      if (this.#active.has(file.id)) continue;
      const rank = ({ peer }: Connection) => peer.device === file.device ? 0 : peer.account === file.author ? 1 : 2;
      const connection = connections.toSorted((a, b) => rank(a) - rank(b)).find((one) =>
        !round.refused.has(request(file, one)) && !this.#wrong.has(`${file.id}/${one.peer.device}`)
      );
      if (connection) return { file, connection };
    }
    return null;
  }

  #start(file: FileRecord, connection: Connection): void {
    const active: Active = { file, channel: null, cancelled: false };
    this.#active.set(file.id, active);
    const running = this.#run(active, connection).catch((error) => {
      this.#refused(file, connection);
      const details = { id: file.id, device: connection.peer.device, error: messageOf(error) };
      if (error instanceof KituoError) log.debug("file {id} was not got from {device}: {error}", details);
      else log.error("file {id} could not be kept: {error}", details);
    }).finally(() => {
      this.#active.delete(file.id);
      this.#running.delete(running);
      this.#due.add(file.conversation);
      this.#pump();
    });
    this.#running.add(running);
  }

  async #run(active: Active, connection: Connection): Promise<void> {
    const { file } = active;
    const { store, blobs } = this.options;
    if (store.files.isHeldIn(file.conversation, file.sha3, file.size)) return this.#become(file, "stored");
    const had = await blobs.begun(file.id, file.size);
    const digest = await this.#receive(active, connection, had);
    if (this.#isGone(file)) await blobs.removePart(file.id);
    else if (digest === file.sha3) await this.#keep(file);
    else if (digest !== null) await this.#discard(file, connection, had);
  }

  /** Gets what is missing from the peer. Returns the hash of the whole; `null` when there is still something missing. */
  async #receive(active: Active, connection: Connection, had: number): Promise<string | null> {
    const { file } = active;
    const { blobs, clock } = this.options;
    const channel = had < file.size ? await this.#open(active, connection, had) : null;
    if (had < file.size && !channel) return null;
    try {
      const part = await blobs.part(file.id); // only now: reading what is there may take a while
      try {
        const end = channel ? await download(channel, part, file.size, clock) : "whole";
        if (end === "whole") return await part.finish();
        if (end === "long") return "";
        this.#refused(file, connection);
        if (part.size > 0) return null;
      } finally {
        part.close();
      }
    } finally {
      channel?.close();
      active.channel = null;
    }
    await this.#giveBack(file); // accepted, and nothing came
    return null;
  }

  /** Asks the peer for the file from `start` on; `null` when there is no room for it, or it is no more wanted. */
  async #open(active: Active, connection: Connection, start: number): Promise<Channel | null> {
    const { conversation, fileId } = active.file;
    const { device } = this.options;
    const name = writeChannelName({ kind: "file", conversation, device, fileId, start, end: 0 });
    log.debug("asking {device} for file {id} from byte {start}", {
      device: connection.peer.device,
      id: active.file.id,
      start,
    });
    const channel = active.channel = await connection.open(name);
    if (!active.cancelled && this.#reserve(active.file)) return channel;
    channel.close();
    return null;
  }

  /** Takes a whole file in. */
  #keep(file: FileRecord): Promise<void> {
    const { store, blobs } = this.options;
    return blobs.alone(file.sha3, async () => {
      await blobs.settle(file.id, file.sha3);
      if (!this.#isGone(file)) {
        log.info("file {id} of {size} bytes is here", { id: file.id, size: file.size });
        this.#round(file.conversation).wait = DOWNLOAD_RETRY_FIRST_MS;
        this.#become(file, "stored");
      } else if (!store.files.isHeld(file.sha3)) await blobs.remove(file.sha3);
    });
  }

  /** Leaves the room that was taken for a file of which nothing came. */
  async #giveBack(file: FileRecord): Promise<void> {
    await this.options.blobs.removePart(file.id);
    if (!this.#isGone(file)) this.#become(file, "waiting");
  }

  /** Takes room for the file, when it has none yet. */
  #reserve(file: FileRecord): boolean {
    const { policy, store } = this.options;
    const state = store.files.get(file.conversation, file.id)?.state;
    if (state === "partial") return true;
    if (state !== "waiting") return false;
    const evicted = policy.reserve(file);
    if (evicted) this.emit("changed", { file: { ...file, state: "partial" } });
    else this.#become(file, "evicted");
    if (evicted?.length) this.emit("evicted", { files: evicted });
    return evicted !== null;
  }

  /** Wrong bytes. Who sent all of them is not asked again; when they are of several, the next one sends all. */
  async #discard(file: FileRecord, { peer: { device } }: Connection, had: number): Promise<void> {
    log.info("file {id} from {device} is not what was announced", { id: file.id, device });
    if (had === 0) this.#wrong.set(`${file.id}/${device}`, true);
    await this.#giveBack(file);
  }

  #become(file: FileRecord, state: FileState): void {
    const { files } = this.options.store;
    if (files.get(file.conversation, file.id)?.state === state) return;
    files.setState(file.conversation, file.id, state);
    this.emit("changed", { file: { ...file, state } });
  }

  /** Is the file wanted no more? */
  #isGone({ conversation, id }: FileRecord): boolean {
    const state = this.options.store.files.get(conversation, id)?.state;
    return state !== "waiting" && state !== "partial";
  }

  #refused(file: FileRecord, connection: Connection): void {
    this.options.store.files.setTried(file.conversation, file.id, this.options.clock.now());
    this.#round(file.conversation).refused.add(request(file, connection));
  }

  /** Nobody is left to ask: all are asked again after a while. A new connection is asked at once. */
  #later(id: Oid): void {
    const round = this.#round(id);
    if (this.#stopped || round.cancel || round.refused.size === 0) return;
    round.cancel = this.options.clock.after(round.wait, () => {
      round.cancel = null;
      round.refused.clear();
      this.wake([id]);
    });
    round.wait = Math.min(round.wait * 2, DOWNLOAD_RETRY_LONGEST_MS);
  }

  #round(id: Oid): Round {
    const known = this.#rounds.get(id);
    if (known) return known;
    const round: Round = { refused: new Set(), wait: DOWNLOAD_RETRY_FIRST_MS, cancel: null };
    this.#rounds.set(id, round);
    return round;
  }
}

function request(file: FileRecord, connection: Connection): string {
  return `${file.id}/${connection.id}`;
}
