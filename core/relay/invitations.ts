/** Invitations into groups: kept until the admin (or the policy) decides, then until the conversation is cloned (swarm-sync.md 2.3). */

import type { Clock } from "../base/clock.ts";
import { KituoError } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Invite } from "../messaging/payload.ts";
import type { ConversationRequest } from "../store/requests.ts";
import type { Store } from "../store/store.ts";
import type { Oid } from "../swarm/object.ts";
import { INVITATION_TEXTS, MAX_INVITATION_TEXT } from "./constants.ts";
import type { Conversations } from "./conversations.ts";

/** There is no such invitation. */
export class UnknownInvitation extends KituoError {}

export type InvitationsEvents = {
  /** An invitation waits for the admin's decision. */
  invitation: { conversation: Oid; from: AccountId };
  /** An invitation was accepted: the conversation is to be cloned. */
  accepted: { conversation: Oid; from: AccountId };
  /** An invitation was declined. */
  declined: { conversation: Oid };
};

export interface InvitationsOptions {
  store: Store;
  clock: Clock;
  conversations: Conversations;
  /** Is this account's invitation accepted without asking? */
  welcome(account: AccountId): boolean;
}

export class Invitations extends Emitter<InvitationsEvents> {
  constructor(private readonly options: InvitationsOptions) {
    super();
  }

  /** Those that wait for a decision, oldest first. */
  pending(): ConversationRequest[] {
    const isOpen = ({ declined, accepted, metadatas }: ConversationRequest) =>
      declined === 0 && accepted === undefined && Object.keys(metadatas).length > 0;
    return this.options.store.conversationRequests.all().filter(isOpen);
  }

  /** A member invites us. Repeated invitations are normal. */
  onInvite(from: Peer, { conversation, metadatas }: Invite): void {
    const { store, clock, conversations } = this.options;
    const state = conversations.get(conversation)?.record.state;
    if (state !== undefined && state !== "leaving" || conversations.isWanted(conversation)) return;
    if (store.conversationRequests.get(conversation)?.declined) return;
    const texts = INVITATION_TEXTS.map((key) =>
      [key, metadatas.get(key)?.slice(0, MAX_INVITATION_TEXT) ?? ""] as const
    );
    store.conversationRequests.put({
      conversation,
      from: from.account,
      metadatas: { mode: metadatas.get("mode") ?? "2", ...Object.fromEntries(texts) },
      received: clock.now(),
      declined: 0,
    });
    // one that crossed our leaving must not undo it: only a person accepts it before that has ended
    if (state === "leaving") this.emit("invitation", { conversation, from: from.account });
    else this.#came(conversation, from.account);
  }

  /** An invitation stands noted: another own device told of it, or it came while we were leaving, and that has ended. */
  onNoted(conversation: Oid): void {
    const request = this.pending().find((pending) => pending.conversation === conversation);
    if (request) this.#came(conversation, request.from);
  }

  #came(conversation: Oid, from: AccountId): void {
    if (this.options.welcome(from)) this.accept(conversation);
    else this.emit("invitation", { conversation, from });
  }

  /** Accepts: the conversation is cloned as soon as a member is reached. @throws {UnknownInvitation} @throws {LimitError} */
  accept(conversation: Oid): void {
    const { store, clock, conversations } = this.options;
    const request = this.#request(conversation);
    conversations.want(conversation, request.from, Number(request.metadatas.mode) || 0, request.metadatas.title);
    store.conversationRequests.put({ ...request, accepted: clock.now() });
    this.emit("accepted", { conversation, from: request.from });
  }

  /** Declines: nothing is sent, and the invitation is not shown again. @throws {UnknownInvitation} */
  decline(conversation: Oid): void {
    const { store, clock } = this.options;
    store.conversationRequests.put({ ...this.#request(conversation), declined: clock.now() });
    this.emit("declined", { conversation });
  }

  #request(conversation: Oid): ConversationRequest {
    const request = this.pending().find((pending) => pending.conversation === conversation);
    if (!request) throw new UnknownInvitation(`no invitation into ${conversation}`);
    return request;
  }
}
