/** What a today peer keeps over restarts, in one JSON file. */

import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";

/** A contact (account.md 6.4). */
export interface ContactState {
  added: number;
  confirmed: boolean;
  /** The one-to-one conversation. */
  conversation: string;
  /** When the invitation was first made, ms: the same in every repetition (6.1). */
  invitedMs: number;
}

/** A conversation that was created, or accepted. */
export interface ConversationState {
  /** Whose devices it is to be cloned from; empty when it was created here. */
  from: AccountId;
  /** Invited accounts, and when, ms: the same in every repetition (swarm-repository.md 4.1). */
  invited: Record<AccountId, number>;
}

interface Saved {
  contacts: Record<AccountId, ContactState>;
  /** Trust requests that wait for an answer. */
  requests: Record<AccountId, { conversation: string; invitedMs: number }>;
  /** Group invitations that wait for an answer. */
  invitations: Record<string, { from: AccountId; receivedMs: number }>;
  conversations: Record<string, ConversationState>;
  /** The commit to tell when a conversation's routing table gets its first node (swarm-sync.md 2.1). */
  untold: Record<string, string>;
  /** Certificate chains as PEM, leaf first. */
  chains: Record<DeviceId, string>;
  /** The DHT node's own memory. */
  dht: unknown;
  /** Ids of connection requests that were treated (connection.md 2.3). */
  treated: string[];
}

export class State implements Saved {
  contacts: Saved["contacts"] = {};
  requests: Saved["requests"] = {};
  invitations: Saved["invitations"] = {};
  conversations: Saved["conversations"] = {};
  untold: Saved["untold"] = {};
  chains: Saved["chains"] = {};
  dht: unknown = null;
  treated: string[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    try {
      const saved: Saved = JSON.parse(Deno.readTextFileSync(path));
      Object.assign(this, saved);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Call it after each change. */
  save(): void {
    Deno.writeTextFileSync(`${this.#path}.new`, JSON.stringify(this));
    Deno.renameSync(`${this.#path}.new`, this.#path);
  }
}
