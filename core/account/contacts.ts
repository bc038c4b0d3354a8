/** Whom this account knows: trust requests in both directions and what becomes of them (account.md 6). */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import { type Clock, every } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import { UnderWay } from "../base/under_way.ts";
import type { Random } from "../base/random.ts";
import type { Dht } from "../dht/dht.ts";
import { encryptValue } from "../dht/value_crypto.ts";
import type { Peer } from "../identity/chain.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import type { Contact } from "../store/contacts.ts";
import type { Store } from "../store/store.ts";
import type { CertificateBook } from "./certificates.ts";
import { DECLINED_REPEAT_MS, REQUEST_RESEND_MS } from "./constants.ts";
import { findDevices } from "./devices.ts";
import { inboxKey } from "./inbox.ts";
import type { Presence } from "./presence.ts";
import { encodeTrustRequest, TRUST_REQUEST_TYPE, type TrustRequest } from "./trust_request.ts";

const log = getLogger(["kituo", "account"]);

export type ContactEvents = {
  /** A request waits for the admin's decision. */
  request: { account: AccountId; conversation: string };
  /** A contact was added, confirmed, removed or banned. */
  changed: { account: AccountId };
  /** A one-to-one conversation is to be cloned from this account's devices. */
  accepted: { account: AccountId; conversation: string };
  /** A request was declined. */
  declined: { account: AccountId; conversation: string };
};

/** Nothing is known of the account or request that was named. */
export class UnknownContact extends KituoError {}

/** The node keeps the account out: that must end first. */
export class BannedAccount extends KituoError {}

export interface ContactsOptions {
  dht: Pick<Dht, "get" | "put">;
  identity: Identity;
  store: Store;
  certificates: CertificateBook;
  presence: Presence;
  clock: Clock;
  random: Random;
  /** Is this account's request accepted without asking? */
  welcome(account: AccountId): boolean;
  /** Is a request about this conversation a wish to be let into a group of this node, and so treated as that? */
  asksForGroup(account: AccountId, conversation: string): boolean;
  /** Makes the one-to-one conversation with a new contact, or takes up the `earlier` one again; its id. */
  createConversation(account: AccountId, earlier?: string): Promise<string>;
}

export class Contacts extends Emitter<ContactEvents> {
  #off: (() => void)[] = [];
  #adding = new KeyedMutex<AccountId>();
  #added = new UnderWay("asking for contacts");

  constructor(private readonly options: ContactsOptions) {
    super();
  }

  /** Begins to repeat requests that were not answered (account.md 6.2). */
  start(): void {
    const { presence, clock } = this.options;
    this.#off = [
      presence.on("appeared", ({ account, device }) => {
        if (this.#unanswered(account)) this.#send(account, [device], this.#request(account));
      }),
      every(clock, REQUEST_RESEND_MS, () => this.#repeat()),
    ];
  }

  stop(): void {
    this.#off.forEach((off) => off());
  }

  /** Nobody is asked any more; waits for those who are noted together with their conversation. @returns whether that has ended */
  finish(): Promise<boolean> {
    return this.#added.end(this.options.clock);
  }

  /** Is the account a contact now? A ban of the node only suspends that: when it ends, all is as it was. */
  isContact(account: AccountId): boolean {
    const { store, clock } = this.options;
    return store.contacts.isActive(account) && !store.nodeBans.isBanned(account, clock.now());
  }

  /** Is the account, or this device of it, kept out: as a contact, by the node's bans, or by a list? */
  isBanned(account: AccountId, device?: DeviceId): boolean {
    const { store, clock } = this.options;
    const now = clock.now();
    return store.contacts.isBanned(account) || store.nodeBans.isBanned(account, now) ||
      (device !== undefined && store.nodeBans.isBanned(device, now));
  }

  /**
   * Asks an account to become a contact; asks again when it was asked before and has not answered.
   * @throws {UnknownContact} for the node's own account; {BannedAccount}
   */
  add(account: AccountId): Promise<Contact> {
    return this.#added.run(() => this.#adding.run(account, () => this.#add(account)));
  }

  async #add(account: AccountId): Promise<Contact> {
    const { store, clock, identity } = this.options;
    if (account === identity.account) throw new UnknownContact("this is the node's own account");
    if (store.nodeBans.isBanned(account, clock.now())) throw new BannedAccount("the account is banned from this node");
    if (store.trustRequests.get(account)) return this.accept(account);
    let contact = store.contacts.get(account);
    if (!contact || !this.isContact(account)) {
      const conversation = await this.options.createConversation(account, contact?.conversation || undefined);
      // a request of theirs may have come, and been accepted, meanwhile
      contact = store.contacts.get(account);
      if (!contact || !this.isContact(account)) {
        const confirmed = contact?.confirmed === true && contact.conversation === conversation;
        contact = { account, added: clock.now(), removed: 0, confirmed, banned: false, conversation };
        this.#put(contact);
        this.#sendToAll(account, this.#request(account));
      }
    } else if (!contact.confirmed) this.#sendToAll(account, this.#request(account));
    return contact;
  }

  /** Accepts a pending request. @throws {UnknownContact} when there is none */
  accept(account: AccountId): Contact {
    const { store, clock } = this.options;
    const request = store.trustRequests.get(account);
    if (!request) throw new UnknownContact(`no request of ${account}`);
    const { conversation } = request;
    const contact: Contact = { account, added: clock.now(), removed: 0, confirmed: true, banned: false, conversation };
    this.#put(contact);
    store.trustRequests.delete(account);
    this.#confirm(account, conversation);
    this.emit("accepted", { account, conversation });
    return contact;
  }

  /** Drops a pending request; nothing is sent. @throws {UnknownContact} when there is none */
  decline(account: AccountId): void {
    const { store, clock } = this.options;
    const request = store.trustRequests.get(account);
    if (!request) throw new UnknownContact(`no request of ${account}`);
    store.trustRequests.delete(account);
    store.conversationRequests.put({
      conversation: request.conversation,
      from: account,
      metadatas: {},
      received: request.received,
      declined: clock.now(),
    });
    this.emit("declined", { account, conversation: request.conversation });
  }

  /** Another own device has changed these contacts, and told of these requests: they are in the database. */
  onNoted(contacts: readonly AccountId[], requests: readonly AccountId[]): void {
    for (const account of contacts) this.emit("changed", { account });
    for (const account of requests) {
      const request = this.options.store.trustRequests.get(account);
      if (!request) continue;
      if (this.options.welcome(account)) this.accept(account);
      else this.emit("request", { account, conversation: request.conversation });
    }
  }

  /** Ends the contact; with `ban` its requests and connections are refused from now on. */
  remove(account: AccountId, ban: boolean): void {
    const { store, clock } = this.options;
    const old = store.contacts.get(account);
    if (!old && !ban) throw new UnknownContact(`${account} is no contact`);
    store.trustRequests.delete(account);
    const now = Math.max(clock.now(), old?.added ?? 0);
    // The conversation stays known: who is added again later goes on in it, as on the other side (account.md 6.4, 2023).
    const { added = 0, confirmed = false, conversation = "" } = old ?? {};
    this.#put({ account, added, removed: now, confirmed: confirmed && !ban, banned: ban, conversation });
  }

  /** The node keeps an account out: our other devices are told. Whom we both were contacts with is one again when that ends. */
  keepOut(account: AccountId): void {
    const { store, clock } = this.options;
    if (store.contacts.isBanned(account)) return;
    const old = store.contacts.get(account);
    const { added = 0, conversation = "" } = old ?? {};
    const confirmed = old?.confirmed === true && store.contacts.isActive(account);
    this.#put({ ...old, account, added, removed: Math.max(clock.now(), added), confirmed, banned: true, conversation });
  }

  /** Ends the ban of an account, later than it began: our other devices end it, too. @returns was it banned? */
  readmit(account: AccountId): boolean {
    const { store, clock } = this.options;
    const contact = store.contacts.get(account);
    if (!contact || !store.contacts.isBanned(account)) return false;
    const now = Math.max(clock.now(), contact.removed + 1);
    this.#put({ ...contact, banned: false, ...contact.confirmed ? { added: now } : { removed: now } });
    return true;
  }

  /** A trust request arrived in the inbox, from a peer whose certificates were checked. */
  onRequest(from: Peer, request: TrustRequest): void {
    const { store, clock, identity } = this.options;
    const { account } = from;
    if (account === identity.account || request.conversation === "" || this.isBanned(account, from.device)) return;
    const contact = store.contacts.get(account);
    const isContact = contact !== undefined && this.isContact(account);
    if (isContact && !contact.confirmed) this.#put({ ...contact, confirmed: true });
    if (this.options.asksForGroup(account, request.conversation)) return;
    if (isContact) return this.#onContactsRequest(contact, request);
    if (request.confirm) return; // the answer to a request we no longer stand by
    if (this.#wasDeclined(request)) return;
    store.trustRequests.put({
      account,
      device: from.device,
      conversation: request.conversation,
      payload: request.payload,
      received: clock.now(),
    });
    if (this.options.welcome(account)) this.accept(account);
    else this.emit("request", { account, conversation: request.conversation });
  }

  /** Was this very request declined? The DHT tells it again, and its sender repeats it (account.md 6.2, 6.3). */
  #wasDeclined({ conversation, invitedMs }: TrustRequest): boolean {
    const declined = this.options.store.conversationRequests.get(conversation)?.declined ?? 0;
    if (!declined) return false;
    return this.options.clock.now() - declined < DECLINED_REPEAT_MS || (invitedMs ? invitedMs <= declined : false);
  }

  #onContactsRequest(contact: Contact, request: TrustRequest): void {
    if (!request.confirm) this.#confirm(contact.account, request.conversation);
    // Who asked each other at the same time has two conversations: the node serves both.
    if (request.conversation !== contact.conversation) {
      this.emit("accepted", { account: contact.account, conversation: request.conversation });
    }
  }

  #put(contact: Contact): void {
    this.options.store.contacts.put(contact);
    this.emit("changed", { account: contact.account });
  }

  #unanswered(account: AccountId): boolean {
    return this.isContact(account) && this.options.store.contacts.get(account)?.confirmed === false;
  }

  #repeat(): void {
    for (const { account } of this.options.store.contacts.all()) {
      if (this.#unanswered(account) && this.options.presence.isOnline(account)) {
        this.#send(account, this.options.presence.devices(account), this.#request(account));
      }
    }
  }

  #request(account: AccountId): TrustRequest {
    const contact = this.options.store.contacts.get(account);
    return {
      conversation: contact?.conversation ?? "",
      payload: new Uint8Array(),
      confirm: false,
      invitedMs: contact?.added ?? 0,
    };
  }

  #confirm(account: AccountId, conversation: string): void {
    this.#sendToAll(account, { conversation, payload: new Uint8Array(), confirm: true, invitedMs: 0 });
  }

  #sendToAll(account: AccountId, request: TrustRequest): void {
    findDevices(account, this.options)
      .then((devices) => this.#send(account, devices, request))
      .catch((error) => log.warn("no devices of {account}: {error}", { account, error: messageOf(error) }));
  }

  #send(account: AccountId, devices: PublicKey[], request: TrustRequest): void {
    for (const device of devices) {
      this.#deliver(device, encodeTrustRequest(request)).catch((error) =>
        log.warn("a request to {account} was not sent: {error}", { account, error: messageOf(error) })
      );
    }
  }

  async #deliver(to: PublicKey, data: Bytes): Promise<void> {
    const { dht, identity, random } = this.options;
    const value = await encryptValue({ id: random.id(), type: TRUST_REQUEST_TYPE, data }, identity.key, to);
    await dht.put(inboxKey(to.id), value);
  }
}
