/**
 * One row for each commit of each conversation: an index of the git repositories, which remain the truth. Two orders
 * are kept: `seq`, in which the commits came here, and `position`, in which they are displayed.
 */

import type { DatabaseSync } from "node:sqlite";
import { MAX_PAGE } from "./constants.ts";
import { StoreError } from "./errors.ts";
import { integerOf, optionalIntegerOf, type Row, textOf } from "./row.ts";

/** A commit as it is written. */
export interface NewCommit {
  conversation: string;
  /** commit id */
  id: string;
  /** ids of its parents, the first first */
  parents: string[];
  /** id of its tree */
  tree: string;
  /** Jami ID of the author */
  author: string;
  /** device id of the author */
  device: string;
  /** commit type (swarm-repository.md): "text/plain", "member", "merge", … */
  type: string;
  /** author's time, s */
  timestamp: number;
  /** the commit's message, JSON or text */
  body: string;
  /** did it pass the rules? Unset: not judged */
  valid?: boolean;
}

/** A commit as it is read. */
export interface CommitRow extends NewCommit {
  /** arrival order over all conversations: grows, never given twice */
  seq: number;
  /** rank in display order within the conversation, 0 = oldest */
  position: number;
}

/** How to ask for a page of commits in arrival order. */
export interface ArrivalPage {
  /** only those with a greater `seq`; 0 or unset = from the first */
  after?: number;
  limit: number;
}

/** How to ask for a page of commits in display order. */
export interface DisplayPage {
  limit: number;
  /** only those displayed before (older than) this commit */
  before?: string;
}

/** Reads and writes the index of commits. */
export class Commits {
  readonly #insert;
  readonly #has;
  readonly #get;
  readonly #count;
  readonly #nextPosition;
  readonly #byArrival;
  readonly #ofType;
  readonly #latest;
  readonly #newest;
  readonly #before;
  readonly #order;
  readonly #move;
  readonly #drop;

  constructor(db: DatabaseSync, private readonly transaction: <T>(work: () => T) => T) {
    this.#insert = db.prepare(
      `INSERT INTO commits (conversation, id, position, parents, tree, author, device, type, timestamp, body, valid)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, id) DO NOTHING`,
    );
    this.#has = db.prepare("SELECT 1 FROM commits WHERE conversation = ? AND id = ?");
    this.#get = db.prepare("SELECT * FROM commits WHERE conversation = ? AND id = ?");
    this.#count = db.prepare("SELECT count(*) AS n FROM commits WHERE conversation = ?");
    this.#nextPosition = db.prepare("SELECT ifnull(max(position), -1) + 1 AS n FROM commits WHERE conversation = ?");
    this.#byArrival = db.prepare("SELECT * FROM commits WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#ofType = db.prepare("SELECT * FROM commits WHERE conversation = ? AND type = ? ORDER BY seq");
    this.#latest = db.prepare("SELECT id FROM commits WHERE conversation = ? ORDER BY seq DESC LIMIT ?");
    this.#newest = db.prepare("SELECT * FROM commits WHERE conversation = ? ORDER BY position DESC LIMIT ?");
    this.#before = db.prepare(
      `SELECT * FROM commits WHERE conversation = ?1 AND position <
         (SELECT position FROM commits WHERE conversation = ?1 AND id = ?2) ORDER BY position DESC LIMIT ?3`,
    );
    this.#order = db.prepare(
      "SELECT id, position FROM commits WHERE conversation = ? AND position >= ? ORDER BY position",
    );
    this.#move = db.prepare("UPDATE commits SET position = ? WHERE conversation = ? AND id = ?");
    this.#drop = db.prepare("DELETE FROM commits WHERE conversation = ?");
  }

  /**
   * Adds commits, in the order given, all or none. Those already there are left as they are. Each new one is displayed
   * as the newest of its conversation until {@link reorder} says otherwise.
   * @returns how many were new
   */
  insertMany(commits: readonly NewCommit[]): number {
    return this.transaction(() => {
      const next = new Map<string, number>();
      let added = 0;
      for (const commit of commits) {
        const position = next.get(commit.conversation) ?? numberOf(this.#nextPosition.get(commit.conversation));
        const isNew = this.#insertOne(commit, position);
        next.set(commit.conversation, position + Number(isNew));
        added += Number(isNew);
      }
      return added;
    });
  }

  /** Puts `commits`, oldest in display order first, in place of all that the conversation had: for a reindex. */
  replaceAll(conversation: string, commits: readonly NewCommit[]): void {
    this.transaction(() => {
      this.drop(conversation);
      for (const commit of commits) {
        if (commit.conversation !== conversation) throw new StoreError("misuse", "a commit of another conversation");
      }
      this.insertMany(commits);
    });
  }

  /** Is the commit there? */
  has(conversation: string, id: string): boolean {
    return this.#has.get(conversation, id) !== undefined;
  }

  /** One commit. */
  get(conversation: string, id: string): CommitRow | undefined {
    const row = this.#get.get(conversation, id);
    return row && commitOf(row);
  }

  /** How many commits the conversation has. */
  count(conversation: string): number {
    return numberOf(this.#count.get(conversation));
  }

  /** A page in the order of arrival, earliest first. */
  byArrival(conversation: string, { after = 0, limit }: ArrivalPage): CommitRow[] {
    return this.#byArrival.all(conversation, after, pageSize(limit)).map(commitOf);
  }

  /** All of one type, in the order of arrival, earliest first. */
  ofType(conversation: string, type: string): CommitRow[] {
    return this.#ofType.all(conversation, type).map(commitOf);
  }

  /** The ids of those that came last, the last one first. */
  latest(conversation: string, limit: number): string[] {
    return this.#latest.all(conversation, pageSize(limit)).map((row) => textOf(row, "id"));
  }

  /** A page in display order, newest first; empty when `before` is unknown. */
  page(conversation: string, { limit, before }: DisplayPage): CommitRow[] {
    const size = pageSize(limit);
    const rows = before === undefined
      ? this.#newest.all(conversation, size)
      : this.#before.all(conversation, before, size);
    return rows.map(commitOf);
  }

  /** The commit displayed last. */
  newest(conversation: string): CommitRow | undefined {
    return this.page(conversation, { limit: 1 })[0];
  }

  /**
   * Sets the display order. Only rows whose rank changes are written, so a commit merged in near the end costs little.
   * @param idsOldestFirst the ids from place `unchanged` on, every one of them
   * @param unchanged how many of the oldest are known to keep their rank: they are not even read
   * @throws {StoreError} "misuse" when the ids are not exactly those of the conversation from there on
   */
  reorder(conversation: string, idsOldestFirst: readonly string[], unchanged = 0): void {
    this.transaction(() => {
      const ranks = new Map<string, number>();
      for (const row of this.#order.all(conversation, unchanged)) {
        ranks.set(textOf(row, "id"), integerOf(row, "position"));
      }
      idsOldestFirst.forEach((id, i) => {
        const rank = ranks.get(id);
        if (rank === undefined) {
          throw new StoreError("misuse", `reorder: ${id} is unknown, repeated or before the part`);
        }
        ranks.delete(id);
        if (rank !== unchanged + i) this.#move.run(unchanged + i, conversation, id);
      });
      if (ranks.size > 0) {
        throw new StoreError("misuse", `reorder: ${ranks.size} commits of the conversation are missing`);
      }
    });
  }

  /** Forgets all commits of a conversation; returns how many there were. */
  drop(conversation: string): number {
    return Number(this.#drop.run(conversation).changes);
  }

  #insertOne(commit: NewCommit, position: number): boolean {
    return this.#insert.run(
      commit.conversation,
      commit.id,
      position,
      commit.parents.join(" "),
      commit.tree,
      commit.author,
      commit.device,
      commit.type,
      commit.timestamp,
      commit.body,
      commit.valid === undefined ? null : Number(commit.valid),
    ).changes > 0;
  }
}

function pageSize(limit: number): number {
  return Math.max(0, Math.min(MAX_PAGE, Math.trunc(limit)));
}

function numberOf(row: Row | undefined): number {
  return row ? integerOf(row, "n") : 0;
}

function commitOf(row: Row): CommitRow {
  const parents = textOf(row, "parents");
  const valid = optionalIntegerOf(row, "valid");
  return {
    seq: integerOf(row, "seq"),
    position: integerOf(row, "position"),
    conversation: textOf(row, "conversation"),
    id: textOf(row, "id"),
    parents: parents === "" ? [] : parents.split(" "),
    tree: textOf(row, "tree"),
    author: textOf(row, "author"),
    device: textOf(row, "device"),
    type: textOf(row, "type"),
    timestamp: integerOf(row, "timestamp"),
    body: textOf(row, "body"),
    ...valid !== undefined && { valid: valid !== 0 },
  };
}
