/** Goes on trying to clone the conversations that we were invited to, until a member is reached (swarm-sync.md 2.3). */

import type { Clock } from "../base/clock.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Oid } from "../swarm/object.ts";
import type { Connection } from "../transport/channel.ts";
import { CLONE_FIRST_MS, CLONE_LONGEST_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";

export interface ClonesOptions {
  clock: Clock;
  /** The own account: its other devices may have anything. */
  self: AccountId;
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

  /** From whom what is still to be cloned may come: who invited us, and members that another own device named. */
  inviters(): AccountId[] {
    return this.options.conversations.wanted().flatMap(({ from }) => from);
  }

  /** Tries all connected devices of the inviter (and our own other ones) now, and again later. */
  async attempt(id: Oid): Promise<void> {
    const { conversations, connected, reach, fetch, clock, self } = this.options;
    const retry = this.#retries.get(id) ?? { wait: CLONE_FIRST_MS, cancel: () => {} };
    retry.cancel();
    this.#retries.set(id, retry);
    const from = conversations.wanted().find((wanted) => wanted.id === id)?.from ?? [];
    for (const account of new Set([self, ...from])) {
      const connections = connected(account);
      if (connections.length === 0 && account !== self) reach(account); // our own are always looked for
      for (const connection of connections) await fetch(id, connection);
    }
    if (!conversations.isWanted(id)) this.#retries.delete(id);
    if (this.#retries.get(id) !== retry) return;
    retry.cancel(); // of an attempt beside this one
    retry.cancel = clock.after(retry.wait, () => this.attempt(id));
    retry.wait = Math.min(retry.wait * 2, CLONE_LONGEST_MS);
  }

  /** A device was connected: clones what its account invited us to; our own may have anything. */
  onConnection(connection: Connection): void {
    const { account } = connection.peer;
    for (const { id, from } of this.options.conversations.wanted()) {
      if (account === this.options.self || from.includes(account)) this.options.fetch(id, connection);
    }
  }
}
