/** Who is kept out: of the node, of one group (the history has no place for a reason or an end), and by lists of others. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, optionalIntegerOf, optionalTextOf, type Row, textOf } from "./row.ts";

/** Why somebody is kept out, since when and until when. */
export interface BanTerms {
  reason: string;
  /** name of the admin, or "system" */
  by: string;
  /** ms */
  at: number;
  /** ms; null = until somebody ends it */
  expires: number | null;
}

/** A ban for the whole node. */
export interface NodeBan extends BanTerms {
  /** Jami ID, or device id */
  target: string;
}

/** What is known of a ban in a group beyond the history. */
export interface ConversationBan extends BanTerms {
  conversation: string;
  /** Jami ID, or device id */
  target: string;
  /** is it only until a moderator has looked? */
  held: boolean;
}

/** A list of bans that somebody else keeps, or that was put in by hand. */
export interface BanList {
  /** 16 hex digits */
  id: string;
  name: string;
  /** where it is fetched from; null = put in by hand */
  url: string | null;
  /** may it come from an address of a private network? */
  allowPrivate: boolean;
  /** s between fetches */
  interval: number;
  /** what the server called the version that is here; "" = nothing */
  etag: string;
  /** ms, the last time it was taken in; 0 = never */
  fetched: number;
  /** ms, when it is fetched next; 0 = not any more */
  next: number;
  /** fetches that failed since */
  failures: number;
  /** why the last one failed; "" = it did not */
  error: string;
  added: number;
  addedBy: string;
}

/** One line of a list. */
export interface BanListEntry {
  /** Jami ID, or device id */
  target: string;
  reason: string;
  /** ms; null = never */
  expires: number | null;
}

/** Reads and writes the node's own bans. */
export class NodeBans {
  readonly #put;
  readonly #get;
  readonly #all;
  readonly #delete;
  readonly #over;
  readonly #live;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO node_bans VALUES (?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM node_bans WHERE target = ?");
    this.#all = db.prepare("SELECT * FROM node_bans ORDER BY at DESC, target");
    this.#delete = db.prepare("DELETE FROM node_bans WHERE target = ?");
    this.#over = db.prepare("SELECT * FROM node_bans WHERE expires <= ?");
    this.#live = db.prepare(
      `SELECT 1 FROM node_bans WHERE target = ?1 AND (expires IS NULL OR expires > ?2)
       UNION ALL SELECT 1 FROM ban_list_entries WHERE target = ?1 AND (expires IS NULL OR expires > ?2) LIMIT 1`,
    );
  }

  put({ target, reason, by, at, expires }: NodeBan): void {
    this.#put.run(target, reason, by, at, expires);
  }

  get(target: string): NodeBan | undefined {
    const row = this.#get.get(target);
    return row && nodeBanOf(row);
  }

  /** The newest first; those that are over included until they are deleted. */
  all(): NodeBan[] {
    return this.#all.all().map(nodeBanOf);
  }

  delete(target: string): boolean {
    return this.#delete.run(target).changes > 0;
  }

  /** Those that ended by `now` (ms). */
  over(now: number): NodeBan[] {
    return this.#over.all(now).map(nodeBanOf);
  }

  /** Is the account or device banned at `now` (ms), by an own ban or a list? */
  isBanned(target: string, now: number): boolean {
    return this.#live.get(target, now) !== undefined;
  }
}

/** Reads and writes what is known of bans in groups. */
export class ConversationBans {
  readonly #put;
  readonly #get;
  readonly #of;
  readonly #held;
  readonly #all;
  readonly #over;
  readonly #delete;
  readonly #drop;

  constructor(db: DatabaseSync) {
    const one = "conversation = ? AND target = ?";
    this.#put = db.prepare("INSERT OR REPLACE INTO conversation_bans VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#get = db.prepare(`SELECT * FROM conversation_bans WHERE ${one}`);
    this.#of = db.prepare("SELECT * FROM conversation_bans WHERE conversation = ? ORDER BY target");
    this.#held = db.prepare("SELECT * FROM conversation_bans WHERE held = 1 ORDER BY at DESC, conversation, target");
    this.#all = db.prepare("SELECT * FROM conversation_bans ORDER BY at DESC, conversation, target");
    this.#over = db.prepare("SELECT * FROM conversation_bans WHERE expires <= ?");
    this.#delete = db.prepare(`DELETE FROM conversation_bans WHERE ${one}`);
    this.#drop = db.prepare("DELETE FROM conversation_bans WHERE conversation = ?");
  }

  put({ conversation, target, held, reason, by, at, expires }: ConversationBan): void {
    this.#put.run(conversation, target, Number(held), reason, by, at, expires);
  }

  get(conversation: string, target: string): ConversationBan | undefined {
    const row = this.#get.get(conversation, target);
    return row && conversationBanOf(row);
  }

  of(conversation: string): ConversationBan[] {
    return this.#of.all(conversation).map(conversationBanOf);
  }

  /** Of all groups, the newest first. */
  all(): ConversationBan[] {
    return this.#all.all().map(conversationBanOf);
  }

  /** Who waits for a moderator, the newest first. */
  held(): ConversationBan[] {
    return this.#held.all().map(conversationBanOf);
  }

  /** Those that ended by `now` (ms). */
  over(now: number): ConversationBan[] {
    return this.#over.all(now).map(conversationBanOf);
  }

  delete(conversation: string, target: string): boolean {
    return this.#delete.run(conversation, target).changes > 0;
  }

  /** Forgets those of a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

/** Reads and writes the lists of bans and their entries. */
export class BanLists {
  readonly #put;
  readonly #get;
  readonly #all;
  readonly #delete;
  readonly #add;
  readonly #clear;
  readonly #entries;
  readonly #naming;
  readonly #count;

  constructor(db: DatabaseSync, private readonly transaction: <T>(work: () => T) => T) {
    this.#put = db.prepare(
      `INSERT INTO ban_lists VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,
       etag = excluded.etag, fetched = excluded.fetched, next = excluded.next, failures = excluded.failures,
       error = excluded.error`,
    );
    this.#get = db.prepare("SELECT * FROM ban_lists WHERE id = ?");
    this.#all = db.prepare("SELECT * FROM ban_lists ORDER BY added, id");
    this.#delete = db.prepare("DELETE FROM ban_lists WHERE id = ?");
    this.#add = db.prepare("INSERT OR REPLACE INTO ban_list_entries VALUES (?, ?, ?, ?)");
    this.#clear = db.prepare("DELETE FROM ban_list_entries WHERE list = ?");
    this.#entries = db.prepare("SELECT * FROM ban_list_entries WHERE list = ? ORDER BY target LIMIT ? OFFSET ?");
    this.#naming = db.prepare(
      "SELECT list FROM ban_list_entries WHERE target = ? AND (expires IS NULL OR expires > ?) ORDER BY list",
    );
    this.#count = db.prepare("SELECT count(*) AS n FROM ban_list_entries WHERE list = ?");
  }

  put(list: BanList): void {
    this.#put.run(
      list.id,
      list.name,
      list.url,
      Number(list.allowPrivate),
      list.interval,
      list.etag,
      list.fetched,
      list.next,
      list.failures,
      list.error,
      list.added,
      list.addedBy,
    );
  }

  get(id: string): BanList | undefined {
    const row = this.#get.get(id);
    return row && banListOf(row);
  }

  /** The oldest first. */
  all(): BanList[] {
    return this.#all.all().map(banListOf);
  }

  /** Forgets a list with all its entries. */
  delete(id: string): boolean {
    return this.#delete.run(id).changes > 0;
  }

  /** Puts `entries` in the place of those that the list had. */
  replace(list: BanList, entries: readonly BanListEntry[]): void {
    this.transaction(() => {
      this.put(list);
      this.#clear.run(list.id);
      for (const { target, reason, expires } of entries) this.#add.run(list.id, target, reason, expires);
    });
  }

  /** A page of a list's entries, by target. */
  entries(id: string, limit: number, offset = 0): BanListEntry[] {
    return this.#entries.all(id, limit, offset).map((row) => ({
      target: textOf(row, "target"),
      reason: textOf(row, "reason"),
      expires: optionalIntegerOf(row, "expires") ?? null,
    }));
  }

  /** Ids of the lists that name an account or device at `now` (ms). */
  naming(target: string, now: number): string[] {
    return this.#naming.all(target, now).map((row) => textOf(row, "list"));
  }

  count(id: string): number {
    const row = this.#count.get(id);
    return row ? integerOf(row, "n") : 0;
  }
}

function termsOf(row: Row): BanTerms {
  return {
    reason: textOf(row, "reason"),
    by: textOf(row, "made_by"),
    at: integerOf(row, "at"),
    expires: optionalIntegerOf(row, "expires") ?? null,
  };
}

function nodeBanOf(row: Row): NodeBan {
  return { target: textOf(row, "target"), ...termsOf(row) };
}

function conversationBanOf(row: Row): ConversationBan {
  return {
    conversation: textOf(row, "conversation"),
    target: textOf(row, "target"),
    held: integerOf(row, "held") !== 0,
    ...termsOf(row),
  };
}

function banListOf(row: Row): BanList {
  return {
    id: textOf(row, "id"),
    name: textOf(row, "name"),
    url: optionalTextOf(row, "url") ?? null,
    allowPrivate: integerOf(row, "allow_private") !== 0,
    interval: integerOf(row, "interval"),
    etag: textOf(row, "etag"),
    fetched: integerOf(row, "fetched"),
    next: integerOf(row, "next"),
    failures: integerOf(row, "failures"),
    error: textOf(row, "error"),
    added: integerOf(row, "added"),
    addedBy: textOf(row, "added_by"),
  };
}
