/**
 * Full-text search over what the conversations show. The words of each commit's present text are kept (SQLite FTS5);
 * who writes the commits also says what their text is now.
 */

import type { DatabaseSync } from "node:sqlite";
import { commitOf, type CommitRow } from "./commits.ts";
import { MAX_PAGE, MAX_SEARCH_WORDS, MAX_SEARCHED_TEXT } from "./constants.ts";
import { indexedWords, soughtPhrases } from "./words.ts";

/** What is looked for: all conditions must hold. One that was left is searched only when it is named. */
export interface Wanted {
  /** what a user typed: each word of it must begin a word of the text, or stand anywhere where no spaces part them */
  text: string;
  /** only in this conversation */
  conversation?: string;
  /** only of this Jami ID */
  author?: string;
  /** only commits of this type */
  type?: string;
  /** only commits written at this time (s) or later */
  after?: number;
  /** only commits written earlier than this (s) */
  before?: number;
  /** how many at most, the newest first */
  limit: number;
}

/** Reads and writes the words. */
export class Search {
  readonly #put;
  readonly #remove;
  readonly #drop;
  readonly #find;
  readonly #isDue;
  readonly #done;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO search (rowid, text) VALUES (?, ?)");
    this.#remove = db.prepare("DELETE FROM search WHERE rowid = ?");
    this.#drop = db.prepare("DELETE FROM search WHERE rowid IN (SELECT seq FROM commits WHERE conversation = ?)");
    this.#isDue = db.prepare("SELECT 1 FROM search_due WHERE conversation = ?");
    this.#done = db.prepare("DELETE FROM search_due WHERE conversation = ?");
    // First the numbers of what is found, then its rows: else the bodies of all that matches would be sorted.
    this.#find = db.prepare(
      `SELECT * FROM commits WHERE seq IN (
         SELECT seq FROM search JOIN commits ON seq = search.rowid
         WHERE search MATCH :query AND (:conversation IS NULL OR conversation = :conversation)
           AND (:author IS NULL OR author = :author) AND (:type IS NULL OR type = :type)
           AND (:conversation IS NOT NULL OR conversation NOT IN (SELECT id FROM conversations WHERE state = 'left'))
           AND (:after IS NULL OR timestamp >= :after) AND (:before IS NULL OR timestamp < :before)
         ORDER BY timestamp DESC, position DESC LIMIT :limit
       ) ORDER BY timestamp DESC, position DESC`,
    );
  }

  /** Says what the text of a commit is now; `null`: it has none, and is not found. */
  set(seq: number, text: string | null): void {
    if (text === null) this.#remove.run(seq);
    else this.#put.run(seq, indexedWords(text, MAX_SEARCHED_TEXT));
  }

  /** Forgets the texts of a conversation; to be called before its commits are dropped. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
    this.#done.run(conversation);
  }

  /** Must the words of the conversation's texts be put here again, for they were cut in another way before? */
  isDue(conversation: string): boolean {
    return this.#isDue.get(conversation) !== undefined;
  }

  /** Notes that this was done. */
  renewed(conversation: string): void {
    this.#done.run(conversation);
  }

  /** The commits found, newest first. */
  find({ text, conversation, author, type, after, before, limit }: Wanted): CommitRow[] {
    const query = ftsQuery(text);
    if (query === "") return [];
    return this.#find.all({
      query,
      conversation: conversation ?? null,
      author: author ?? null,
      type: type ?? null,
      after: after ?? null,
      before: before ?? null,
      limit: Math.min(MAX_PAGE, limit),
    }).map(commitOf);
  }
}

/** What a user typed as a query of FTS5 in which nothing has a special meaning: quoted phrases, each the beginning of one. */
function ftsQuery(text: string): string {
  return soughtPhrases(text, MAX_SEARCH_WORDS).map((phrase) => `"${phrase}"*`).join(" ");
}
