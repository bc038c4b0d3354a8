/**
 * Which files are kept. A file over the limit is not fetched. When there is no more room, the oldest announcement gives way to a newer one: in the same
 * conversation when that is full, else in the conversation that uses most, so that nobody can push out the files of others by sending many.
 * What was given up is not fetched again. A group may have a quota and an age of its own (store/file_rules.ts).
 */

import { KituoError } from "../base/errors.ts";
import type { FileRecord } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import type { Oid } from "../swarm/object.ts";
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

  /** The largest file that can be kept at all, bytes; of a conversation, or where nothing special is said. */
  largest(conversation?: Oid): number {
    const { maxFile, total, perConversation } = this.limits;
    return Math.min(maxFile, total, conversation === undefined ? perConversation : this.#quota(conversation));
  }

  /** Files of a conversation announced before this time (ms) are given up. */
  oldest(now: number, conversation: Oid): number {
    return before(now, this.store.fileRules.get(conversation).retentionDays ?? this.limits.retentionDays);
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
      for (const { conversation } of files.uses()) {
        while (files.used(conversation) > this.#quota(conversation)) {
          evicted.push(this.#evict(files.oldest(conversation)));
        }
      }
      for (let most; files.used() > this.limits.total && (most = files.largest());) {
        evicted.push(this.#evict(files.oldest(most.conversation)));
      }
      return evicted;
    });
  }

  /** Gives up files that are too old. Returns some of them; none when all is done. */
  expire(now: number): FileRecord[] {
    const { files, fileRules } = this.store;
    const expired = files.older(before(now, this.limits.retentionDays), FILE_BATCH);
    for (const { conversation, retentionDays } of fileRules.all()) {
      if (expired.length >= FILE_BATCH || retentionDays === null) continue;
      expired.push(...files.older(before(now, retentionDays), FILE_BATCH, conversation));
    }
    return this.store.transaction(() => expired.map((file) => this.#evict(file)));
  }

  #quota(conversation: Oid): number {
    return this.store.fileRules.get(conversation).quota ?? this.limits.perConversation;
  }

  #inConversation(file: FileRecord): FileRecord[] {
    const { files } = this.store;
    const evicted: FileRecord[] = [];
    const quota = this.#quota(file.conversation);
    while (files.used(file.conversation) + file.size > quota) {
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

/** The time (ms) that is so many days before `now`; 0 days = nothing is ever that old. */
function before(now: number, days: number): number {
  return days === 0 ? 0 : now - days * DAY_MS;
}
