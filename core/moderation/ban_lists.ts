/** Lists of bans that others keep, applied to the node as they are: fetched again and again, each entry by the list it came from. */

import { getLogger } from "@logtape/logtape";
import { type Clock, every } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { BanList, BanListEntry } from "../store/bans.ts";
import type { Store } from "../store/store.ts";
import { fetchList, type Resolve, unfitUrl } from "./ban_list_fetch.ts";
import { ListError, type ReadList } from "./ban_list_format.ts";
import {
  LIST_PATIENCE_MS,
  LIST_RETRY_FIRST_MS,
  LIST_RETRY_LONGEST_MS,
  LISTS_EVERY_MS,
  MAX_LISTS,
} from "./constants.ts";

const log = getLogger(["kituo", "moderation"]);

/** There is no such list. */
export class NoList extends KituoError {}

/** A list that is to be fetched. */
export interface Subscription {
  url: string;
  allowPrivate: boolean;
  /** s */
  interval: number;
}

export type BanListsEvents = {
  /** A list came, changed, failed or went. */
  changed: { id: string };
};

export interface BanListsOptions {
  store: Store;
  clock: Clock;
  random: Pick<Random, "bytes">;
  /** Is it the node itself, or an account that nothing automatic touches? */
  spares(target: string): boolean;
  /** Those who are kept out changed. */
  enforce(): void;
  /** How names of servers are looked up; only tests give one. */
  resolve?: Resolve;
}

export class BanLists extends Emitter<BanListsEvents> {
  #stopWatch = () => {};
  #fetching = new KeyedMutex<string>();
  /** Lists that are being fetched. */
  #running = new Map<Promise<unknown>, string>();
  #stopped = false;

  constructor(private readonly options: BanListsOptions) {
    super();
  }

  start(): void {
    this.#stopWatch = every(this.options.clock, LISTS_EVERY_MS, () => this.#fetchDue());
    this.#fetchDue();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWatch();
    await Promise.allSettled(this.#running.keys());
  }

  /** Subscribes to a list, and fetches it at once: what comes of that stands in the list. @throws {ListError} */
  async subscribe({ url, allowPrivate, interval }: Subscription, by: string): Promise<BanList> {
    const unfit = unfitUrl(url, allowPrivate);
    if (unfit) throw new ListError(unfit);
    const { store } = this.options;
    if (store.banLists.all().some((list) => list.url === url)) {
      throw new ListError("this list is subscribed to already");
    }
    const list = this.#made({ name: "", url, allowPrivate, interval }, by);
    store.banLists.put(list);
    await this.refresh(list.id);
    return this.#get(list.id);
  }

  /** Puts in a list by hand. @throws {ListError} */
  put({ name, entries }: ReadList, by: string): BanList {
    const list = {
      ...this.#made({ name, url: null, allowPrivate: false, interval: 0 }, by),
      fetched: this.options.clock.now(),
    };
    this.#take(list, entries);
    return list;
  }

  /** Ends a list: what only it banned is banned no more. @throws {NoList} */
  remove(id: string): void {
    const { store, enforce } = this.options;
    if (!store.banLists.delete(id)) throw new NoList("there is no such list");
    enforce();
    this.emit("changed", { id });
  }

  /** Fetches a list now; a failure is noted in it, also one that comes after the answer. @throws {NoList} */
  async refresh(id: string): Promise<BanList> {
    this.#get(id);
    const work = this.#fetching.run(id, () => this.#fetch(id)).finally(() => this.#running.delete(work));
    this.#running.set(work, id);
    await this.#patiently(work);
    return this.#get(id);
  }

  /** Waits for a fetch, though not for a server that keeps us waiting: the fetch goes on. */
  async #patiently(work: Promise<unknown>): Promise<void> {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const cancel = this.options.clock.after(LIST_PATIENCE_MS, resolve);
    try {
      await Promise.race([work, enough]);
    } finally {
      cancel();
    }
  }

  /** Whom lists may not touch changed: each is taken in anew. */
  again(): void {
    const { store } = this.options;
    for (const list of store.banLists.all()) {
      const entries = store.banLists.entries(list.id, Number.MAX_SAFE_INTEGER);
      const fits = entries.filter(({ target }) => !this.options.spares(target));
      if (fits.length < entries.length) this.#take(list, fits);
      // and who is spared no more comes with the next fetch
      if (list.url !== null) store.banLists.put({ ...list, etag: "", next: this.options.clock.now() });
    }
  }

  #made(given: Pick<BanList, "name" | "url" | "allowPrivate" | "interval">, by: string): BanList {
    const { store, clock, random } = this.options;
    if (store.banLists.all().length >= MAX_LISTS) throw new ListError(`at most ${MAX_LISTS} lists`);
    const nothing = { etag: "", fetched: 0, next: 0, failures: 0, error: "" };
    return { id: random.bytes(8).toHex(), ...given, ...nothing, added: clock.now(), addedBy: by };
  }

  #get(id: string): BanList {
    const list = this.options.store.banLists.get(id);
    if (!list) throw new NoList("there is no such list");
    return list;
  }

  #fetchDue(): void {
    const { store, clock } = this.options;
    for (const { id, url, next } of store.banLists.all()) {
      if (url === null || next > clock.now() || [...this.#running.values()].includes(id)) continue;
      this.refresh(id).catch((error) => log.warn("list {id}: {error}", { id, error: messageOf(error) }));
    }
  }

  async #fetch(id: string): Promise<void> {
    const { store, clock, resolve } = this.options;
    const list = store.banLists.get(id);
    if (!list || list.url === null || this.#stopped) return;
    try {
      const came = await fetchList({ ...list, url: list.url }, clock, resolve);
      const now = clock.now();
      const well = { fetched: now, next: now + list.interval * 1_000, failures: 0, error: "" };
      if (this.#stopped || !store.banLists.get(id)) return; // unsubscribed meanwhile
      if (came === "unchanged") store.banLists.put({ ...list, ...well });
      else this.#take({ ...list, ...well, name: came.name || list.name, etag: came.etag }, came.entries);
    } catch (error) {
      const wait = Math.min(LIST_RETRY_FIRST_MS * 2 ** list.failures, LIST_RETRY_LONGEST_MS);
      log.warn("the list at {url} was not fetched: {error}", { url: list.url, error: messageOf(error) });
      if (this.#stopped || !store.banLists.get(id)) return;
      // what it said the last time goes on
      const failed = { failures: list.failures + 1, error: messageOf(error).slice(0, 500), next: clock.now() + wait };
      store.banLists.put({ ...list, ...failed });
    }
    this.emit("changed", { id });
  }

  #take(list: BanList, entries: readonly BanListEntry[]): void {
    const { store, spares, enforce } = this.options;
    store.banLists.replace(list, entries.filter(({ target }) => !spares(target)));
    enforce();
    this.emit("changed", { id: list.id });
  }
}
