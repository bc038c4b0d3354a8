/** The conversations this node takes part in, or did. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, oneOf, optionalTextOf, type Row, textOf } from "./row.ts";

const STATES = ["cloning", "active", "leaving", "left"] as const;

/** Where a conversation stands in its life here. */
export type ConversationState = typeof STATES[number];

/** One conversation. */
export interface Conversation {
  /** id of its initial commit */
  id: string;
  /** 0 one-to-one, 1 admin invites only, 2 invites only, 3 public (swarm-repository.md) */
  mode: number;
  /** when it came to be here, ms */
  created: number;
  /** when it was left, ms; 0 = not */
  removed: number;
  /** when its data was deleted, ms; 0 = not */
  erased: number;
  state: ConversationState;
  /** "" = none */
  title: string;
  description?: string;
  /** commit of `refs/heads/main`; "" = nothing cloned yet */
  head: string;
  /** Jami ID of who invited us: whom to clone from first */
  invitedBy?: string;
}

/** Reads and writes conversations. */
export class Conversations {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #setHead;
  readonly #setState;
  readonly #setProfile;
  readonly #delete;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT * FROM conversations ORDER BY id");
    this.#get = db.prepare("SELECT * FROM conversations WHERE id = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#setHead = db.prepare("UPDATE conversations SET head = ? WHERE id = ?");
    this.#setState = db.prepare("UPDATE conversations SET state = ? WHERE id = ?");
    this.#setProfile = db.prepare("UPDATE conversations SET title = ?, description = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM conversations WHERE id = ?");
  }

  /** All, by id. */
  all(): Conversation[] {
    return this.#all.all().map(conversationOf);
  }

  /** One of them. */
  get(id: string): Conversation | undefined {
    const row = this.#get.get(id);
    return row && conversationOf(row);
  }

  /** Writes a conversation in place of the earlier record. */
  put(conversation: Conversation): void {
    this.#put.run(
      conversation.id,
      conversation.mode,
      conversation.created,
      conversation.removed,
      conversation.erased,
      conversation.state,
      conversation.title,
      conversation.description ?? null,
      conversation.head,
      conversation.invitedBy ?? null,
    );
  }

  /** Notes that `main` moved; false when the conversation is unknown. */
  setHead(id: string, head: string): boolean {
    return this.#setHead.run(head, id).changes > 0;
  }

  /** Notes a step in the conversation's life; false when it is unknown. */
  setState(id: string, state: ConversationState): boolean {
    return this.#setState.run(state, id).changes > 0;
  }

  /** Notes what the conversation is called; false when it is unknown. */
  setProfile(id: string, { title, description }: { title: string; description: string }): boolean {
    return this.#setProfile.run(title, description, id).changes > 0;
  }

  /** Forgets the record (not its commits). */
  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }
}

function conversationOf(row: Row): Conversation {
  const description = optionalTextOf(row, "description");
  const invitedBy = optionalTextOf(row, "invited_by");
  return {
    id: textOf(row, "id"),
    mode: integerOf(row, "mode"),
    created: integerOf(row, "created"),
    removed: integerOf(row, "removed"),
    erased: integerOf(row, "erased"),
    state: oneOf(row, "state", STATES),
    title: textOf(row, "title"),
    ...description !== undefined && { description },
    head: textOf(row, "head"),
    ...invitedBy !== undefined && { invitedBy },
  };
}
