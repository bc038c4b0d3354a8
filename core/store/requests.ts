/** What others ask of us and nobody has answered yet: to be contacts, and to join groups. Both lists are bounded. */

import type { DatabaseSync } from "node:sqlite";
import type { Bytes } from "../base/bytes.ts";
import { MAX_CONVERSATION_REQUESTS, MAX_TRUST_REQUESTS } from "./constants.ts";
import { StoreError } from "./errors.ts";
import { bytesOf, integerOf, optionalIntegerOf, type Row, textOf } from "./row.ts";

/** A pending contact request (account.md 6.3). One for each account. */
export interface TrustRequest {
  /** Jami ID of who asks */
  account: string;
  /** the device that asked */
  device: string;
  /** the one-to-one conversation offered */
  conversation: string;
  /** vCard bytes, maybe empty */
  payload: Bytes;
  /** ms */
  received: number;
}

/** An invitation into a conversation (swarm-sync.md 2.3), kept until the conversation is cloned. */
export interface ConversationRequest {
  conversation: string;
  /** Jami ID of the inviter */
  from: string;
  /** "mode", "title", "description" and the like */
  metadatas: Record<string, string>;
  /** ms */
  received: number;
  /** when it was declined, ms; 0 = not */
  declined: number;
  /** when it was accepted, ms */
  accepted?: number;
}

/** Pending contact requests: at most {@link MAX_TRUST_REQUESTS}, the oldest give way. */
export class TrustRequests {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #delete;
  readonly #prune;

  constructor(db: DatabaseSync, private readonly most = MAX_TRUST_REQUESTS) {
    this.#all = db.prepare("SELECT * FROM trust_requests ORDER BY received, account");
    this.#get = db.prepare("SELECT * FROM trust_requests WHERE account = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO trust_requests VALUES (?, ?, ?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM trust_requests WHERE account = ?");
    this.#prune = db.prepare(
      "DELETE FROM trust_requests WHERE rowid IN (SELECT rowid FROM trust_requests ORDER BY received DESC, rowid DESC LIMIT -1 OFFSET ?)",
    );
  }

  /** All, oldest first. */
  all(): TrustRequest[] {
    return this.#all.all().map(trustRequestOf);
  }

  /** The request of an account. */
  get(account: string): TrustRequest | undefined {
    const row = this.#get.get(account);
    return row && trustRequestOf(row);
  }

  /** Keeps a request in place of the account's earlier one; drops the oldest when there are too many. */
  put(request: TrustRequest): void {
    this.#put.run(request.account, request.device, request.conversation, request.payload, request.received);
    this.#prune.run(this.most);
  }

  /** Forgets the request of an account; false when there was none. */
  delete(account: string): boolean {
    return this.#delete.run(account).changes > 0;
  }
}

/**
 * Invitations into conversations: at most {@link MAX_CONVERSATION_REQUESTS}. When there are too many, declined ones give
 * way first, then the oldest; accepted ones never do, for they are work in progress.
 */
export class ConversationRequests {
  readonly #all;
  readonly #get;
  readonly #put;
  readonly #delete;
  readonly #prune;

  constructor(db: DatabaseSync, private readonly most = MAX_CONVERSATION_REQUESTS) {
    this.#all = db.prepare("SELECT * FROM conversation_requests ORDER BY received, conversation");
    this.#get = db.prepare("SELECT * FROM conversation_requests WHERE conversation = ?");
    this.#put = db.prepare("INSERT OR REPLACE INTO conversation_requests VALUES (?, ?, ?, ?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM conversation_requests WHERE conversation = ?");
    this.#prune = db.prepare(
      `DELETE FROM conversation_requests WHERE rowid IN (SELECT rowid FROM conversation_requests WHERE accepted IS NULL
       ORDER BY declined > 0, received DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    );
  }

  /** All, oldest first, declined and accepted ones too. */
  all(): ConversationRequest[] {
    return this.#all.all().map(conversationRequestOf);
  }

  /** The request about a conversation. */
  get(conversation: string): ConversationRequest | undefined {
    const row = this.#get.get(conversation);
    return row && conversationRequestOf(row);
  }

  /** Keeps a request in place of the conversation's earlier one. */
  put(request: ConversationRequest): void {
    const { conversation, from, metadatas, received, declined, accepted } = request;
    this.#put.run(conversation, from, JSON.stringify(metadatas), received, declined, accepted ?? null);
    this.#prune.run(this.most);
  }

  /** Forgets the request about a conversation; false when there was none. */
  delete(conversation: string): boolean {
    return this.#delete.run(conversation).changes > 0;
  }
}

function trustRequestOf(row: Row): TrustRequest {
  return {
    account: textOf(row, "account"),
    device: textOf(row, "device"),
    conversation: textOf(row, "conversation"),
    payload: bytesOf(row, "payload"),
    received: integerOf(row, "received"),
  };
}

function conversationRequestOf(row: Row): ConversationRequest {
  const accepted = optionalIntegerOf(row, "accepted");
  return {
    conversation: textOf(row, "conversation"),
    from: textOf(row, "inviter"),
    metadatas: textsOf(textOf(row, "metadatas")),
    received: integerOf(row, "received"),
    declined: integerOf(row, "declined"),
    ...accepted !== undefined && { accepted },
  };
}

/** A JSON object of texts, as `put` wrote it. */
function textsOf(json: string): Record<string, string> {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== "object" || parsed === null) throw new StoreError("bad row", "metadatas is not an object");
  return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
}
