/**
 * Which devices of which accounts are announced on the DHT now (account.md 7). A device is present while one of its announcements is alive; an account is
 * online while one of its devices is.
 */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Dht } from "../dht/dht.ts";
import type { Value } from "../dht/value.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import { readAnnouncement } from "./announcement.ts";
import { type CertificateBook, readRevocationValue } from "./certificates.ts";
import { MAX_ANNOUNCEMENTS, MAX_DEVICES_PER_ACCOUNT } from "./constants.ts";

const log = getLogger(["kituo", "account"]);

export type PresenceEvents = {
  /** A device announced itself: it started, or came back. */
  appeared: { account: AccountId; device: PublicKey };
  /** The last announcement of a device is gone. */
  vanished: { account: AccountId; device: DeviceId };
};

interface Watched {
  stop(): void;
  /** Device by the id of the DHT value that announces it. */
  announcements: Map<bigint, PublicKey>;
  /** Values that are being checked, by id: one may end before that is done. */
  checking: Map<bigint, Value>;
}

export class Presence extends Emitter<PresenceEvents> {
  #watched = new Map<AccountId, Watched>();

  constructor(private readonly dht: Pick<Dht, "listen">, private readonly certificates: CertificateBook) {
    super();
  }

  /** Follows exactly these accounts from now on. */
  watchOnly(accounts: ReadonlySet<AccountId>): void {
    for (const account of this.#watched.keys()) if (!accounts.has(account)) this.#unwatch(account);
    for (const account of accounts) if (!this.#watched.has(account)) this.#watch(account);
  }

  /** The devices of the account that are present. */
  devices(account: AccountId): PublicKey[] {
    const announcements = this.#watched.get(account)?.announcements.values() ?? [];
    return [...new Map([...announcements].map((key) => [key.longId, key])).values()];
  }

  isPresent(account: AccountId, device: DeviceId): boolean {
    return this.devices(account).some((key) => key.longId === device);
  }

  isOnline(account: AccountId): boolean {
    return (this.#watched.get(account)?.announcements.size ?? 0) > 0;
  }

  stop(): void {
    this.watchOnly(new Set());
  }

  #watch(account: AccountId): void {
    const watched: Watched = { stop: () => {}, announcements: new Map(), checking: new Map() };
    this.#watched.set(account, watched); // first: values that our own node stores are told before `listen` returns
    const listening = this.dht.listen(account, (value, expired) => {
      this.#onValue(account, value, expired).catch((error) =>
        log.warn("presence of {account}: {error}", { account, error: messageOf(error) })
      );
    });
    watched.stop = () => listening.stop();
  }

  #unwatch(account: AccountId): void {
    this.#watched.get(account)?.stop();
    this.#watched.delete(account);
  }

  async #onValue(account: AccountId, value: Value, expired: boolean): Promise<void> {
    if (expired) return this.#onExpired(account, value.id);
    const revocations = readRevocationValue(value);
    if (revocations) return this.certificates.learnRevocations(account, revocations);
    const watched = this.#watched.get(account);
    if (!watched || value.owner?.id !== account || watched.checking.size >= MAX_ANNOUNCEMENTS) return;
    watched.checking.set(value.id, value);
    const key = await this.#announced(account, value);
    if (watched.checking.get(value.id) !== value) return; // it ended, or was replaced
    watched.checking.delete(value.id);
    if (!key || this.#watched.get(account) !== watched) return;
    const present = this.devices(account);
    if (present.length >= MAX_DEVICES_PER_ACCOUNT && !present.some((d) => d.longId === key.longId)) return;
    if (watched.announcements.size >= MAX_ANNOUNCEMENTS) return;
    watched.announcements.set(value.id, key);
    log.debug("{device} is announced", { device: key.longId });
    this.emit("appeared", { account, device: key });
  }

  /** The device that the value announces. */
  async #announced(account: AccountId, value: Value): Promise<PublicKey | null> {
    const announcement = await readAnnouncement(account, value);
    if (!announcement) return null;
    if (announcement.key) return announcement.key;
    return (await this.certificates.findByShortId(announcement.shortId, account))?.[0].publicKey ?? null;
  }

  #onExpired(account: AccountId, id: bigint): void {
    const watched = this.#watched.get(account);
    watched?.checking.delete(id);
    const key = watched?.announcements.get(id);
    if (!watched || !key) return;
    watched.announcements.delete(id);
    if (!this.isPresent(account, key.longId)) this.emit("vanished", { account, device: key.longId });
  }
}
