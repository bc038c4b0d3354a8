/** Contacts and trust requests by today's rules (account.md 6). */

import type { TrustRequest } from "../../../core/account/trust_request.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { Emitter } from "../../../core/base/events.ts";
import type { AccountId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { Account } from "./account.ts";
import type { ContactState, State } from "./state.ts";
import type { Swarms } from "./swarms.ts";

export type ContactsEvents = {
  /** A trust request waits for an answer. */
  request: { account: AccountId; conversation: string };
  confirmed: { account: AccountId };
  removed: { account: AccountId };
};

export interface ContactsOptions {
  state: State;
  account: Account;
  swarms: Swarms;
  log(message: string): void;
}

export class Contacts extends Emitter<ContactsEvents> {
  readonly #watches = new Map<AccountId, () => void>();

  constructor(private readonly options: ContactsOptions) {
    super();
    options.account.on("request", ({ from, request }) => this.#onRequest(from, request));
  }

  start(): void {
    for (const account of Object.keys(this.options.state.contacts)) this.#watch(account);
  }

  stop(): void {
    for (const account of this.#watches.keys()) this.#unwatch(account);
  }

  /** Adds a contact and asks it: the request goes to the devices that are announced, and to those that appear until it is answered (6.2). */
  async add(account: AccountId): Promise<void> {
    const { state, swarms } = this.options;
    if (state.contacts[account]) return;
    const now = systemClock.now();
    const conversation = await swarms.createOneToOne(account);
    this.#put(account, { added: now, confirmed: false, conversation, invitedMs: now });
    this.#watch(account);
  }

  /** A contact, asked with a group for its conversation. No client does that, but nothing in the value forbids it. */
  async askForGroup(account: AccountId, conversation: string): Promise<void> {
    const now = systemClock.now();
    const contact = { added: now, confirmed: false, conversation, invitedMs: now };
    this.#put(account, contact);
    this.#ask(await this.options.account.devices(account), contact);
  }

  /** Accepts a trust request: confirms it, and clones the conversation (6.3). */
  accept(account: AccountId): void {
    const { state, swarms } = this.options;
    const request = state.requests[account];
    if (!request) throw new Error(`no trust request of ${account}`);
    delete state.requests[account];
    const now = systemClock.now();
    this.#put(account, { added: now, confirmed: true, conversation: request.conversation, invitedMs: 0 });
    this.#confirm(account, request.conversation);
    swarms.clone(request.conversation, account);
  }

  /** Ends a contact: its connections are closed, its one-to-one conversation goes. Nothing is sent. */
  remove(account: AccountId): void {
    const { state, swarms } = this.options;
    const contact = state.contacts[account];
    if (!contact) return;
    delete state.contacts[account];
    state.save();
    this.#unwatch(account);
    swarms.drop(contact.conversation);
    this.emit("removed", { account });
  }

  #onRequest(account: AccountId, { conversation, confirm, invitedMs = 0 }: TrustRequest): void {
    const { state, swarms } = this.options;
    const contact = state.contacts[account];
    if (!contact) return this.#keep(account, conversation, invitedMs, confirm);
    const wasConfirmed = contact.confirmed;
    this.#put(account, { ...contact, confirmed: true });
    this.#unwatch(account);
    this.emit("confirmed", { account });
    if (confirm) return;
    this.#confirm(account, conversation); // always, with the offered id
    if (!wasConfirmed || conversation === contact.conversation) return;
    this.#put(account, { ...contact, confirmed: true, conversation });
    swarms.clone(conversation, account);
  }

  /** A later invitation replaces an older one; a confirmation by a stranger is kept without notice. */
  #keep(account: AccountId, conversation: string, invitedMs: number, confirm: boolean): void {
    const { state } = this.options;
    const when = invitedMs || systemClock.now();
    if (conversation === "" || (state.requests[account]?.invitedMs ?? 0) >= when) return;
    state.requests[account] = { conversation, invitedMs: when };
    state.save();
    if (!confirm) this.emit("request", { account, conversation });
  }

  #put(account: AccountId, contact: ContactState): void {
    this.options.state.contacts[account] = contact;
    this.options.state.save();
  }

  /** A contact that has not answered is asked each time it appears. */
  #watch(account: AccountId): void {
    if (this.options.state.contacts[account]?.confirmed !== false || this.#watches.has(account)) return;
    this.#watches.set(
      account,
      this.options.account.watch(account, (device) => {
        const contact = this.options.state.contacts[account];
        if (contact?.confirmed === false) this.#ask([device], contact);
      }),
    );
  }

  #unwatch(account: AccountId): void {
    this.#watches.get(account)?.();
    this.#watches.delete(account);
  }

  #ask(devices: PublicKey[], { conversation, invitedMs }: ContactState): void {
    this.#send(devices, { conversation, payload: new Uint8Array(), confirm: false, invitedMs });
  }

  #confirm(account: AccountId, conversation: string): void {
    const confirmation = { conversation, payload: new Uint8Array(), confirm: true, invitedMs: 0 };
    this.options.account.devices(account).then(
      (devices) => this.#send(devices, confirmation),
      (error) => this.options.log(`no devices of ${account}: ${messageOf(error)}`),
    );
  }

  #send(devices: PublicKey[], request: TrustRequest): void {
    this.options.account.send(devices, request).catch((error) =>
      this.options.log(`a trust request was not sent: ${messageOf(error)}`)
    );
  }
}
