/** Goes on trying to clone the conversations that we were invited to, until a member is reached (swarm-sync.md 2.3). */

import type { Clock } from "../base/clock.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Oid } from "../swarm/object.ts";
import type { Connection } from "../transport/channel.ts";
import { CLONE_FIRST_MS, CLONE_LONGEST_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";

export interface ClonesOptions {
  clock: Clock;
  conversations: Conversations;
  /** Live connections with an account. */
  connected(account: AccountId): Connection[];
  /** Tries to reach the account's devices. */
  reach(account: AccountId): void;
  /** Fetches (and thereby clones) from a connection; never rejects. */
  fetch(id: Oid, connection: Connection): Promise<void>;
}

export class Clones {
  #retries = new Map<Oid, { wait: number; cancel: () => void }>();

  constructor(private readonly options: ClonesOptions) {}

  start(): void {
    for (const { id } of this.options.conversations.wanted()) this.attempt(id);
  }

  stop(): void {
    this.#retries.forEach(({ cancel }) => cancel());
    this.#retries.clear();
  }

  /** Who invited us into what is still to be cloned. */
  inviters(): AccountId[] {
    return this.options.conversations.wanted().flatMap(({ invitedBy }) => invitedBy ?? []);
  }

  /** Tries all connected devices of the inviter now, and again later. */
  async attempt(id: Oid): Promise<void> {
    const { conversations, connected, reach, fetch, clock } = this.options;
    const retry = this.#retries.get(id) ?? { wait: CLONE_FIRST_MS, cancel: () => {} };
    retry.cancel();
    this.#retries.set(id, retry);
    const inviter = conversations.wanted().find((wanted) => wanted.id === id)?.invitedBy;
    const connections = inviter ? connected(inviter) : [];
    if (inviter && connections.length === 0) reach(inviter);
    for (const connection of connections) await fetch(id, connection);
    if (!conversations.isWanted(id)) this.#retries.delete(id);
    if (this.#retries.get(id) !== retry) return;
    retry.cancel(); // of an attempt beside this one
    retry.cancel = clock.after(retry.wait, () => this.attempt(id));
    retry.wait = Math.min(retry.wait * 2, CLONE_LONGEST_MS);
  }

  /** A device was connected: clones what its account invited us to. */
  onConnection(connection: Connection): void {
    for (const { id, invitedBy } of this.options.conversations.wanted()) {
      if (invitedBy === connection.peer.account) this.options.fetch(id, connection);
    }
  }
}
