/**
 * The index of the files that members announced: one row for each announcement, whether its content is here or not. Contents are kept once by their
 * hash, beside the database. What a conversation uses is counted once for each content.
 */

import type { DatabaseSync } from "node:sqlite";
import { MAX_PAGE } from "./constants.ts";
import { integerOf, oneOf, type Row, textOf } from "./row.ts";

const STATES = ["waiting", "partial", "stored", "too large", "deleted", "evicted"] as const;

/** `waiting`: nothing of it is here yet; `partial`: begun, and its whole size is reserved; `evicted`: given up for good. */
export type FileState = typeof STATES[number];

/** An announced file. */
export interface FileRecord {
  conversation: string;
  /** the commit that announces it */
  id: string;
  /** what peers ask for (swarm-sync.md 6.1) */
  fileId: string;
  /** Jami ID of who announced it */
  author: string;
  /** the device that did */
  device: string;
  /** for people to read; never a path */
  name: string;
  /** bytes */
  size: number;
  /** SHA3-512 of the content, 128 hex digits */
  sha3: string;
  state: FileState;
  /** by the author's clock but never later than it came here, ms */
  announced: number;
}

/** How many files are in a state, and how many bytes their contents have, each content counted once. */
export interface FileCount {
  state: FileState;
  files: number;
  bytes: number;
}

/** Reads and writes the index of files. */
export class Files {
  readonly #add;
  readonly #get;
  readonly #page;
  readonly #wanted;
  readonly #wanting;
  readonly #setTried;
  readonly #setState;
  readonly #isHeld;
  readonly #isHeldIn;
  readonly #isPartial;
  readonly #used;
  readonly #usedIn;
  readonly #uses;
  readonly #largest;
  readonly #oldest;
  readonly #older;
  readonly #olderIn;
  readonly #stored;
  readonly #limit;
  readonly #limitIn;
  readonly #counts;
  readonly #drop;
  readonly #scanned;
  readonly #setScanned;
  readonly #dropScan;

  constructor(db: DatabaseSync) {
    const kept = "state IN ('stored', 'partial')";
    const contents = `SELECT DISTINCT conversation, sha3, size FROM files WHERE ${kept}`;
    this.#add = db.prepare("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING");
    this.#get = db.prepare("SELECT * FROM files WHERE conversation = ? AND id = ?");
    this.#page = db.prepare("SELECT * FROM files WHERE conversation = ? AND id > ? ORDER BY id LIMIT ?");
    this.#wanted = db.prepare(
      `SELECT * FROM files WHERE conversation = ? AND state IN ('waiting', 'partial')
       ORDER BY tried, announced DESC, id LIMIT ?`,
    );
    this.#wanting = db.prepare("SELECT DISTINCT conversation FROM files WHERE state IN ('waiting', 'partial')");
    this.#setTried = db.prepare("UPDATE files SET tried = ? WHERE conversation = ? AND id = ?");
    this.#setState = db.prepare("UPDATE files SET state = ? WHERE conversation = ? AND id = ?");
    this.#isHeld = db.prepare("SELECT 1 FROM files WHERE sha3 = ? AND state = 'stored' LIMIT 1");
    this.#isHeldIn = db.prepare(
      "SELECT 1 FROM files WHERE sha3 = ? AND size = ? AND state = 'stored' AND conversation = ? LIMIT 1",
    );
    this.#isPartial = db.prepare("SELECT 1 FROM files WHERE id = ? AND state = 'partial' LIMIT 1");
    this.#used = db.prepare(
      `SELECT ifnull(sum(size), 0) AS n FROM (SELECT DISTINCT sha3, size FROM files WHERE ${kept})`,
    );
    this.#usedIn = db.prepare(`SELECT ifnull(sum(size), 0) AS n FROM (${contents} AND conversation = ?)`);
    const uses = `SELECT conversation, sum(size) AS n FROM (${contents}) GROUP BY conversation`;
    this.#uses = db.prepare(uses);
    this.#largest = db.prepare(`${uses} ORDER BY n DESC, conversation LIMIT 1`);
    this.#oldest = db.prepare(
      `SELECT * FROM files WHERE conversation = ? AND ${kept} ORDER BY announced, id LIMIT 1`,
    );
    const old = "SELECT * FROM files WHERE state IN ('stored', 'partial', 'waiting') AND announced < ?";
    const ruled = (rule: string) => `conversation IN (SELECT conversation FROM file_rules WHERE ${rule} IS NOT NULL)`;
    this.#older = db.prepare(`${old} AND NOT ${ruled("retention_days")} LIMIT ?`);
    this.#olderIn = db.prepare(`${old} AND conversation = ? LIMIT ?`);
    this.#stored = db.prepare(
      "SELECT * FROM files WHERE state = 'stored' AND (conversation, id) > (?, ?) ORDER BY conversation, id LIMIT ?",
    );
    const refuse = "UPDATE files SET state = 'too large' WHERE state IN ('waiting', 'partial') AND size > ?";
    const readmit = "UPDATE files SET state = 'waiting' WHERE state = 'too large' AND size <= ?";
    this.#limit = [refuse, readmit].map((update) => db.prepare(`${update} AND NOT ${ruled("quota")}`));
    this.#limitIn = [refuse, readmit].map((update) => db.prepare(`${update} AND conversation = ?`));
    this.#counts = db.prepare(
      `SELECT state, sum(files) AS files, sum(size) AS bytes FROM
         (SELECT state, sha3, size, count(*) AS files FROM files GROUP BY state, sha3, size) GROUP BY state`,
    );
    this.#drop = db.prepare("DELETE FROM files WHERE conversation = ?");
    this.#scanned = db.prepare("SELECT seq FROM file_scans WHERE conversation = ?");
    this.#setScanned = db.prepare("INSERT OR REPLACE INTO file_scans VALUES (?, ?)");
    this.#dropScan = db.prepare("DELETE FROM file_scans WHERE conversation = ?");
  }

  /** Notes an announcement; one already there is left as it is. Returns whether it was new. */
  add(file: FileRecord): boolean {
    const { conversation, id, fileId, author, device, name, size, sha3, state, announced } = file;
    return this.#add.run(conversation, id, fileId, author, device, name, size, sha3, state, announced).changes > 0;
  }

  /** The file that a commit announces. */
  get(conversation: string, id: string): FileRecord | undefined {
    const row = this.#get.get(conversation, id);
    return row && fileOf(row);
  }

  /** A page of a conversation's files, by id. */
  page(conversation: string, { limit, after = "" }: { limit: number; after?: string }): FileRecord[] {
    return this.#page.all(conversation, after, Math.min(limit, MAX_PAGE + 1)).map(fileOf);
  }

  /** Files that are to be fetched: those never asked for in vain first and of them the newest, then those asked for longest ago. */
  wanted(conversation: string, limit: number): FileRecord[] {
    return this.#wanted.all(conversation, Math.min(limit, MAX_PAGE)).map(fileOf);
  }

  /** The conversations of which files are to be fetched. */
  wanting(): string[] {
    return this.#wanting.all().map((row) => textOf(row, "conversation"));
  }

  /** Notes that somebody was asked for the file in vain at `at` (ms). */
  setTried(conversation: string, id: string, at: number): void {
    this.#setTried.run(at, conversation, id);
  }

  /** Notes a step in the file's life. */
  setState(conversation: string, id: string, state: FileState): void {
    this.#setState.run(state, conversation, id);
  }

  /** Does any conversation keep this content? */
  isHeld(sha3: string): boolean {
    return this.#isHeld.get(sha3) !== undefined;
  }

  /** Does this conversation keep this content? */
  isHeldIn(conversation: string, sha3: string, size: number): boolean {
    return this.#isHeldIn.get(sha3, size, conversation) !== undefined;
  }

  /** Was the file that this commit announces begun? */
  isPartial(id: string): boolean {
    return this.#isPartial.get(id) !== undefined;
  }

  /** Bytes kept or reserved, in all or in one conversation. */
  used(conversation?: string): number {
    return numberOf(conversation === undefined ? this.#used.get() : this.#usedIn.get(conversation));
  }

  /** The conversations that keep something, and how many bytes. */
  uses(): { conversation: string; bytes: number }[] {
    return this.#uses.all().map(useOf);
  }

  /** The conversation that uses most, and how many bytes. */
  largest(): { conversation: string; bytes: number } | undefined {
    const row = this.#largest.get();
    return row && useOf(row);
  }

  /** The file announced longest ago of those that take room in a conversation. */
  oldest(conversation: string): FileRecord | undefined {
    const row = this.#oldest.get(conversation);
    return row && fileOf(row);
  }

  /** Files announced before `announced` (ms) that are here or wanted, of conversations without a rule about it, or of one. */
  older(announced: number, limit: number, conversation?: string): FileRecord[] {
    const rows = conversation === undefined
      ? this.#older.all(announced, limit)
      : this.#olderIn.all(announced, conversation, limit);
    return rows.map(fileOf);
  }

  /** Stored files in the order of conversation and id, those after `after`. */
  stored(after: { conversation: string; id: string }, limit: number): FileRecord[] {
    return this.#stored.all(after.conversation, after.id, limit).map(fileOf);
  }

  /** Applies a limit on the size to what is not stored yet, where no rule says another, or in one conversation: it may be another than it was. */
  limitSize(most: number, conversation?: string): void {
    if (conversation === undefined) this.#limit.forEach((update) => update.run(most));
    else this.#limitIn.forEach((update) => update.run(most, conversation));
  }

  /** How many files are in which state. */
  counts(): FileCount[] {
    return this.#counts.all().map((row) => ({
      state: oneOf(row, "state", STATES),
      files: integerOf(row, "files"),
      bytes: integerOf(row, "bytes"),
    }));
  }

  /** The `seq` of the last commit of a conversation that was searched for files; 0 = none. */
  scanned(conversation: string): number {
    const row = this.#scanned.get(conversation);
    return row ? integerOf(row, "seq") : 0;
  }

  /** Notes how far a conversation was searched. */
  setScanned(conversation: string, seq: number): void {
    this.#setScanned.run(conversation, seq);
  }

  /** Forgets all files of a conversation, and that it was searched. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
    this.#dropScan.run(conversation);
  }
}

function useOf(row: Row): { conversation: string; bytes: number } {
  return { conversation: textOf(row, "conversation"), bytes: integerOf(row, "n") };
}

function numberOf(row: Row | undefined): number {
  return row ? integerOf(row, "n") : 0;
}

function fileOf(row: Row): FileRecord {
  return {
    conversation: textOf(row, "conversation"),
    id: textOf(row, "id"),
    fileId: textOf(row, "file_id"),
    author: textOf(row, "author"),
    device: textOf(row, "device"),
    name: textOf(row, "name"),
    size: integerOf(row, "size"),
    sha3: textOf(row, "sha3"),
    state: oneOf(row, "state", STATES),
    announced: integerOf(row, "announced"),
  };
}
