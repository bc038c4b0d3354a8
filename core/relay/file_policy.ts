/**
 * Which files are kept. A file over the limit is not fetched. When there is no more room, the oldest announcement gives way to a newer one: in the same
 * conversation when that is full, else in the conversation that uses most, so that nobody can push out the files of others by sending many.
 * What was given up is not fetched again.
 */

import { KituoError } from "../base/errors.ts";
import type { FileRecord } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import { FILE_BATCH } from "./constants.ts";

const DAY_MS = 24 * 3_600_000;

/** The settings about files. */
export interface FileLimits {
  /** Largest file that is fetched, bytes. */
  maxFile: number;
  /** Bytes that all files may take together. */
  total: number;
  /** Bytes that the files of one conversation may take. */
  perConversation: number;
  /** Days after its announcement until a file is given up; 0 = never. */
  retentionDays: number;
}

/** There is no room for the file, and nothing that would be given up for it. */
class NoRoom extends KituoError {}

export class FilePolicy {
  constructor(private readonly store: Store, readonly limits: FileLimits) {}

  /** The largest file that can be kept at all, bytes. */
  get largest(): number {
    const { maxFile, total, perConversation } = this.limits;
    return Math.min(maxFile, total, perConversation);
  }

  /** Files announced before this time (ms) are given up. */
  oldest(now: number): number {
    const { retentionDays } = this.limits;
    return retentionDays === 0 ? 0 : now - retentionDays * DAY_MS;
  }

  /** Reserves room for a file. Returns the files that were given up for it, or `null` when it must be given up itself. */
  reserve(file: FileRecord): FileRecord[] | null {
    const { files } = this.store;
    try {
      return this.store.transaction(() => {
        const evicted = [...this.#inConversation(file), ...this.#inAll(file)];
        files.setState(file.conversation, file.id, "partial");
        return evicted;
      });
    } catch (error) {
      if (error instanceof NoRoom) return null;
      throw error;
    }
  }

  /** Gives up what no longer fits: limits may be lower than they were. Returns what was given up. */
  trim(): FileRecord[] {
    const { files } = this.store;
    return this.store.transaction(() => {
      const evicted: FileRecord[] = [];
      for (let most = files.largest(); most; most = files.largest()) {
        const fits = most.bytes <= this.limits.perConversation && files.used() <= this.limits.total;
        const oldest = fits ? undefined : files.oldest(most.conversation);
        if (!oldest) break;
        evicted.push(this.#evict(oldest));
      }
      return evicted;
    });
  }

  /** Gives up files that are too old. Returns some of them; none when all is done. */
  expire(now: number): FileRecord[] {
    const expired = this.store.files.older(this.oldest(now), FILE_BATCH);
    return this.store.transaction(() => expired.map((file) => this.#evict(file)));
  }

  #inConversation(file: FileRecord): FileRecord[] {
    const { files } = this.store;
    const evicted: FileRecord[] = [];
    while (files.used(file.conversation) + file.size > this.limits.perConversation) {
      evicted.push(this.#evictFor(file, files.oldest(file.conversation)));
    }
    return evicted;
  }

  #inAll(file: FileRecord): FileRecord[] {
    const { files } = this.store;
    const evicted: FileRecord[] = [];
    while (files.used() + file.size > this.limits.total) {
      const most = files.largest();
      const isOwn = !most || most.bytes <= files.used(file.conversation) + file.size;
      evicted.push(
        isOwn ? this.#evictFor(file, files.oldest(file.conversation)) : this.#evict(files.oldest(most.conversation)),
      );
    }
    return evicted;
  }

  /** @throws {NoRoom} when `victim` is not older than the file that needs its room */
  #evictFor(file: FileRecord, victim: FileRecord | undefined): FileRecord {
    if (victim && victim.announced >= file.announced) throw new NoRoom();
    return this.#evict(victim);
  }

  #evict(file: FileRecord | undefined): FileRecord {
    if (!file) throw new NoRoom();
    this.store.files.setState(file.conversation, file.id, "evicted");
    return { ...file, state: "evicted" };
  }
}
