/** The values this node keeps: its own, and those of others within quotas (opendht.md 5, 6.8). */

import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import * as limit from "./constants.ts";
import type { InfoHash } from "./info_hash.ts";
import { matches, type Where } from "./query.ts";
import { verifyValue } from "./value_crypto.ts";
import { isSame, lifetime, mayReplace, mayStore } from "./value_policy.ts";
import { type Value, valueSize } from "./value.ts";

/** Who put a value: the quota key of an address, or `null` for this node itself. */
export type Source = string | null;

/** What became of a value that was put. */
export type StoreOutcome = "new" | "changed" | "refreshed" | "refused";

/** What the storage tells, at once. */
export interface StorageEvents {
  /** New, or in place of another. */
  stored(key: InfoHash, value: Value): void;
  refreshed(key: InfoHash, value: Value): void;
  expired(key: InfoHash, value: Value): void;
}

interface Entry {
  readonly key: InfoHash;
  value: Value;
  source: Source;
  bytes: number;
  expires: number;
  /** Permanent puts of this node: lives until released. */
  held: boolean;
  cancelTimer: () => void;
}

/** Values by key and id, with exact expiry. */
export class Storage {
  #keys = new Map<InfoHash, Map<bigint, Entry>>();
  #sources = new Map<string, { bytes: number; entries: Set<Entry> }>();
  #remoteBytes = 0;
  #remoteCount = 0;
  #count = 0;
  #verifying = new Semaphore("signatures", limit.VERIFY_PARALLEL, limit.VERIFY_QUEUE);

  constructor(private readonly clock: Clock, private readonly events: StorageEvents) {}

  /** Number of values. */
  get count(): number {
    return this.#count;
  }

  /** What the values of others cost, in bytes. */
  get remoteBytes(): number {
    return this.#remoteBytes;
  }

  /** Number of values of others. */
  get remoteCount(): number {
    return this.#remoteCount;
  }

  /** Is anything kept under the key? */
  has(key: InfoHash): boolean {
    return this.#keys.has(key);
  }

  /** The values under a key that fulfil the conditions. */
  values(key: InfoHash, where: Where = {}): Value[] {
    const entries = this.#keys.get(key);
    if (!entries) return [];
    const named = where.id === undefined ? entries.values() : [entries.get(where.id)];
    return [...named].flatMap((entry) => entry && matches(entry.value, where) ? [entry.value] : []);
  }

  /**
   * Takes a value that another node put, if the policies allow.
   * @param created milliseconds since 1970; the future counts as now
   */
  async put(key: InfoHash, value: Value, source: string, created: number): Promise<StoreOutcome> {
    if (value.owner && !value.cypher && !await this.#verified(value)) return "refused";
    const old = this.#keys.get(key)?.get(value.id);
    if (old && isSame(old.value, value)) return this.#refresh(old);
    if (old ? !mayReplace(key, old.value, value) : !mayStore(key, value)) return "refused";
    const expires = Math.min(created, this.clock.now()) + lifetime(value);
    if (expires <= this.clock.now()) return "refused";
    if (!old && (this.#keys.get(key)?.size ?? 0) >= limit.MAX_VALUES_PER_KEY) return "refused";
    return this.#set(key, value, source, expires, old);
  }

  /** Takes a value that this node itself puts, whatever stood there before. `held`: until `release`. */
  putOwn(key: InfoHash, value: Value, held: boolean): StoreOutcome {
    const old = this.#keys.get(key)?.get(value.id);
    if (old && isSame(old.value, value)) {
      if (held) this.#hold(old);
      return this.#refresh(old);
    }
    const outcome = this.#set(key, value, null, this.clock.now() + lifetime(value), old);
    const entry = this.#keys.get(key)?.get(value.id);
    if (held && entry) this.#hold(entry);
    return outcome;
  }

  /** A permanent put has ended: the value lives for its lifetime from now. */
  release(key: InfoHash, id: bigint): void {
    const entry = this.#keys.get(key)?.get(id);
    if (!entry?.held) return;
    entry.held = false;
    entry.expires = this.clock.now() + lifetime(entry.value);
    this.#arm(entry);
  }

  /** Restarts the lifetime of a value. @returns false when nothing at all is kept under the key (2.3) */
  refresh(key: InfoHash, id: bigint): boolean {
    const entries = this.#keys.get(key);
    const entry = entries?.get(id);
    if (entry) this.#refresh(entry);
    return entries !== undefined;
  }

  async #verified(value: Value): Promise<boolean> {
    try {
      return await this.#verifying.run(() => verifyValue(value));
    } catch (error) {
      if (error instanceof LimitError) return false;
      throw error;
    }
  }

  #refresh(entry: Entry): StoreOutcome {
    entry.expires = this.clock.now() + lifetime(entry.value);
    this.events.refreshed(entry.key, entry.value);
    return "refreshed";
  }

  #set(key: InfoHash, value: Value, source: Source, expires: number, old: Entry | undefined): StoreOutcome {
    if (old) this.#forget(old);
    const bytes = valueSize(value) + limit.VALUE_OVERHEAD;
    const entry: Entry = { key, value, source, bytes, expires, held: false, cancelTimer: () => {} };
    const entries = this.#keys.get(key) ?? new Map<bigint, Entry>();
    this.#keys.set(key, entries);
    entries.set(value.id, entry);
    this.#count++;
    this.#arm(entry);
    this.events.stored(key, value);
    if (source !== null) this.#charge(source, entry);
    return old ? "changed" : "new";
  }

  #arm(entry: Entry): void {
    entry.cancelTimer();
    const wait = entry.expires - this.clock.now();
    entry.cancelTimer = this.clock.after(wait, () => {
      if (entry.held) return;
      if (entry.expires > this.clock.now()) this.#arm(entry);
      else this.#expire(entry);
    });
  }

  #hold(entry: Entry): void {
    entry.held = true;
    entry.cancelTimer();
  }

  #expire(entry: Entry): void {
    this.#forget(entry);
    this.events.expired(entry.key, entry.value);
  }

  #forget(entry: Entry): void {
    entry.cancelTimer();
    const entries = this.#keys.get(entry.key);
    entries?.delete(entry.value.id);
    if (entries?.size === 0) this.#keys.delete(entry.key);
    this.#count--;
    if (entry.source === null) return;
    this.#remoteBytes -= entry.bytes;
    this.#remoteCount--;
    const account = this.#sources.get(entry.source);
    if (!account) return;
    account.bytes -= entry.bytes;
    account.entries.delete(entry);
    if (account.entries.size === 0) this.#sources.delete(entry.source);
  }

  #charge(source: string, entry: Entry): void {
    const account = this.#sources.get(source) ?? { bytes: 0, entries: new Set() };
    this.#sources.set(source, account);
    account.bytes += entry.bytes;
    account.entries.add(entry);
    this.#remoteBytes += entry.bytes;
    this.#remoteCount++;
    if (this.#remoteBytes > limit.STORE_BYTES) this.#evict();
  }

  /** Frees a share of the quota: from the heaviest sources first, and of each what would expire first. */
  #evict(): void {
    const goal = limit.STORE_BYTES * (1 - limit.EVICT_SHARE);
    while (this.#remoteBytes > goal) {
      const heaviest = [...this.#sources.values()].sort((a, b) => b.bytes - a.bytes);
      for (let i = 0; i < heaviest.length && this.#remoteBytes > goal; i++) {
        this.#lighten(
          heaviest[i],
          Math.max(heaviest[i].bytes - (this.#remoteBytes - goal), heaviest[i + 1]?.bytes ?? 0),
        );
      }
    }
  }

  /** Expires at least one value of a source, and more until it has `target` bytes or less. */
  #lighten(account: { bytes: number; entries: Set<Entry> }, target: number): void {
    const soonest = [...account.entries].sort((a, b) => a.expires - b.expires);
    for (const entry of soonest) {
      this.#expire(entry);
      if (account.bytes <= target) return;
    }
  }
}
