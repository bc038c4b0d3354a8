/** One Jami account on the network: it announces its device and certificates, and listens for requests and presence (account.md 4, 6, 7). */

import type { Clock } from "../base/clock.ts";
import { Emitter } from "../base/events.ts";
import { within } from "../base/limits.ts";
import { encode } from "../base/msgpack.ts";
import type { Random } from "../base/random.ts";
import { certificateKeys, certificateValue } from "../dht/certificate_value.ts";
import type { Dht, Kept } from "../dht/dht.ts";
import { unpackValue } from "../dht/value.ts";
import type { Identity } from "../identity/identity.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import { CertificateBook, readRevocationValue } from "./certificates.ts";
import { LOOKUP_TIMEOUT_MS } from "./constants.ts";
import { Contacts } from "./contacts.ts";
import { Inbox } from "./inbox.ts";
import { Presence } from "./presence.ts";

export interface AccountOptions {
  identity: Identity;
  dht: Pick<Dht, "get" | "put" | "keep" | "listen">;
  store: Store;
  clock: Clock;
  random: Random;
  welcome(account: AccountId): boolean;
  /** Are this peer's messages in the inbox of interest? */
  hears(peer: Peer): boolean;
  asksForGroup(account: AccountId, conversation: string): boolean;
  createConversation(account: AccountId, earlier?: string): Promise<string>;
}

export class Account extends Emitter<{ announced: null }> {
  readonly certificates: CertificateBook;
  readonly presence: Presence;
  readonly contacts: Contacts;
  readonly inbox: Inbox;
  #published: { stop(): void }[] = [];
  #revocations: Pick<Kept, "done" | "stop"> | null = null;
  #announced = false;

  constructor(private readonly options: AccountOptions) {
    super();
    const { dht, store, clock } = options;
    this.certificates = new CertificateBook(dht, store, clock);
    this.presence = new Presence(dht, this.certificates);
    this.contacts = new Contacts({ ...options, certificates: this.certificates, presence: this.presence });
    this.inbox = new Inbox({ ...options, certificates: this.certificates });
    this.inbox.on("request", ({ from, request }) => this.contacts.onRequest(from, request));
  }

  /** Has a DHT node confirmed that it holds our announcement? */
  get announced(): boolean {
    return this.#announced;
  }

  /**
   * Publishes certificate and announcement, and begins to listen. The announcement gets a new id at each start, which is how peers notice that the
   * device came back (account.md 4).
   */
  start(): void {
    const { dht, identity, random } = this.options;
    const certificate = certificateValue(identity.chainPem);
    this.#published = certificateKeys(identity.key.publicKey).map((key) => dht.keep(key, certificate));
    const announcement = dht.keep(identity.account, {
      ...unpackValue(identity.announcement),
      id: random.id(),
      priority: 1,
    });
    announcement.done.then(({ acknowledged }) => {
      this.#announced = acknowledged > 0;
      if (this.#announced) this.emit("announced", null);
    }, () => {});
    this.#published.push(announcement, this.#followOwnRevocations());
    this.#publishRevocations();
    this.certificates.on("revoked", ({ account }) => {
      if (account === identity.account && this.#published.length > 0) this.#publishRevocations();
    });
    this.inbox.start();
    this.contacts.start();
  }

  /** Keeps the lists of the own account: a revoked device does not start again (account.md 3, 5). */
  #followOwnRevocations(): { stop(): void } {
    const { dht, identity } = this.options;
    this.certificates.remember(identity);
    return dht.listen(identity.account, (value, expired) => {
      const der = expired ? null : readRevocationValue(value);
      if (der) this.certificates.learnRevocations(identity.account, der);
    });
  }

  /** Every device of an account publishes whom it has revoked (account.md 5). */
  #publishRevocations(): void {
    const { dht, identity, random } = this.options;
    this.#revocations?.stop();
    const [list] = this.certificates.revocations(identity.account);
    if (!list) return;
    this.#revocations = dht.keep(identity.account, { id: random.id(), type: 0, data: encode(list.der), priority: 1 });
  }

  /** Until other nodes have our list of revoked devices, or that takes too long. */
  async tellRevocations(): Promise<void> {
    const done: Promise<unknown> = this.#revocations?.done ?? Promise.resolve();
    await within(this.options.clock, LOOKUP_TIMEOUT_MS, "publishing a revocation list", done).catch(() => {}); // it is tried again by others
  }

  stop(): void {
    this.#revocations?.stop();
    this.#revocations = null;
    this.contacts.stop();
    this.inbox.stop();
    this.presence.stop();
    this.certificates.stop();
    this.#published.forEach((put) => put.stop());
    this.#published = [];
  }
}
