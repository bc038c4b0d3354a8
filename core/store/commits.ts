/**
 * One row for each commit of each conversation: an index of the git repositories, which remain the truth. Two orders
 * are kept: `seq`, in which the commits came here, and `position`, in which they are displayed.
 */

import type { DatabaseSync } from "node:sqlite";
import { MAX_PAGE } from "./constants.ts";
import { StoreError } from "./errors.ts";
import { flagOf, integerOf, oneOf, optionalIntegerOf, type Row, textOf } from "./row.ts";
import type { Search } from "./search.ts";

/** How a commit bears on what others show: `target` names a commit, for a call its id and host, for who has gone the uri. */
export interface Relation {
  kind: RelationKind;
  target: string;
}

/** "edit" and "reaction" of a commit, the end of a call, an account or device that was removed or banned. */
export type RelationKind = typeof RELATIONS[number];

const RELATIONS = ["edit", "reaction", "call-end", "gone"] as const;

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
  /** unset: it changes nothing else */
  relation?: Relation;
  /** has it no entry of its own in the display? */
  hidden?: boolean;
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
  /** only those next to, and newer than, this commit; not together with `before` */
  after?: string;
  /** without those that have no entry of their own */
  entriesOnly?: boolean;
}

/** What the display order of a commit depends on, and where it stands now. */
export interface OrderedCommit {
  id: string;
  parents: string[];
  timestamp: number;
  position: number;
}

/** A commit's place in the history. */
export interface CommitNode {
  id: string;
  parents: string[];
  seq: number;
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
  readonly #after;
  readonly #entriesAfter;
  readonly #newestEntries;
  readonly #entriesBefore;
  readonly #tail;
  readonly #node;
  readonly #arrivedUpTo;
  readonly #writtenBy;
  readonly #related;
  readonly #order;
  readonly #move;
  readonly #drop;

  constructor(
    db: DatabaseSync,
    private readonly transaction: <T>(work: () => T) => T,
    private readonly search: Search,
  ) {
    this.#insert = db.prepare(
      `INSERT INTO commits (conversation, id, position, parents, tree, author, device, type, timestamp, body, valid,
         relation, target, hidden)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, id) DO NOTHING`,
    );
    this.#has = db.prepare("SELECT 1 FROM commits WHERE conversation = ? AND id = ?");
    this.#get = db.prepare("SELECT * FROM commits WHERE conversation = ? AND id = ?");
    this.#count = db.prepare("SELECT count(*) AS n FROM commits WHERE conversation = ?");
    this.#nextPosition = db.prepare("SELECT ifnull(max(position), -1) + 1 AS n FROM commits WHERE conversation = ?");
    this.#byArrival = db.prepare("SELECT * FROM commits WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ?");
    this.#ofType = db.prepare("SELECT * FROM commits WHERE conversation = ? AND type = ? ORDER BY seq");
    this.#latest = db.prepare("SELECT id FROM commits WHERE conversation = ? ORDER BY seq DESC LIMIT ?");
    const newest = (which = "") =>
      db.prepare(`SELECT * FROM commits WHERE conversation = ? ${which} ORDER BY position DESC LIMIT ?`);
    const before = (which = "") =>
      db.prepare(
        `SELECT * FROM commits WHERE conversation = ?1 ${which} AND position <
           (SELECT position FROM commits WHERE conversation = ?1 AND id = ?2) ORDER BY position DESC LIMIT ?3`,
      );
    const after = (which = "") =>
      db.prepare(
        `SELECT * FROM commits WHERE conversation = ?1 ${which} AND position >
           (SELECT position FROM commits WHERE conversation = ?1 AND id = ?2) ORDER BY position LIMIT ?3`,
      );
    this.#after = after();
    this.#entriesAfter = after("AND hidden = 0");
    this.#newest = newest();
    this.#before = before();
    this.#newestEntries = newest("AND hidden = 0");
    this.#entriesBefore = before("AND hidden = 0");
    this.#tail = db.prepare(
      `SELECT id, parents, timestamp, position FROM commits WHERE conversation = ? ORDER BY position DESC LIMIT ?`,
    );
    this.#node = db.prepare("SELECT id, parents, seq FROM commits WHERE conversation = ? AND id = ?");
    this.#arrivedUpTo = db.prepare(
      "SELECT id, parents, seq FROM commits WHERE conversation = ? AND seq <= ? ORDER BY seq DESC LIMIT ?",
    );
    this.#writtenBy = db.prepare(
      `SELECT count(*) AS n FROM (SELECT 1 FROM commits WHERE conversation = ? AND author = ? AND seq < ? AND hidden = 0
         AND type IN ('text/plain', 'application/data-transfer+json') ORDER BY seq DESC LIMIT ?)`,
    );
    this.#related = db.prepare(
      `SELECT * FROM commits WHERE conversation = ?1 AND target = ?2 AND relation = ?3 AND (?4 IS NULL OR author = ?4)
       ORDER BY position DESC LIMIT ?5`,
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

  /** A commit's place in the history: a small part of the row, for walks over many. */
  node(conversation: string, id: string): CommitNode | undefined {
    const row = this.#node.get(conversation, id);
    return row && nodeOf(row);
  }

  /** The places of those that came with or before number `seq`, the last one first. */
  arrivedUpTo(conversation: string, seq: number, limit: number): CommitNode[] {
    return this.#arrivedUpTo.all(conversation, seq, pageSize(limit)).map(nodeOf);
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

  /** How many texts and files of an author came before number `seq`; counted up to `limit`. */
  writtenBy(conversation: string, author: string, seq: number, limit: number): number {
    return numberOf(this.#writtenBy.get(conversation, author, seq, limit));
  }

  /** The ids of those that came last, the last one first. */
  latest(conversation: string, limit: number): string[] {
    return this.#latest.all(conversation, pageSize(limit)).map((row) => textOf(row, "id"));
  }

  /** A page in display order, newest first; empty when `before` or `after` is unknown. */
  page(conversation: string, { limit, before, after, entriesOnly = false }: DisplayPage): CommitRow[] {
    const size = pageSize(limit);
    if (after !== undefined) {
      const newer = entriesOnly ? this.#entriesAfter : this.#after;
      return newer.all(conversation, after, size).map(commitOf).reverse();
    }
    const [newest, older] = entriesOnly ? [this.#newestEntries, this.#entriesBefore] : [this.#newest, this.#before];
    const rows = before === undefined ? newest.all(conversation, size) : older.all(conversation, before, size);
    return rows.map(commitOf);
  }

  /** The newest `count` in display order, newest first: all of them, however many, but only what the order depends on. */
  tail(conversation: string, count: number): OrderedCommit[] {
    return this.#tail.all(conversation, count).map((row) => ({
      id: textOf(row, "id"),
      parents: idsOf(row, "parents"),
      timestamp: integerOf(row, "timestamp"),
      position: integerOf(row, "position"),
    }));
  }

  /** The commits with this relation, the newest in display order first. @param author only those of this Jami ID */
  related(conversation: string, { kind, target }: Relation, limit: number, author?: string): CommitRow[] {
    return this.#related.all(conversation, target, kind, author ?? null, pageSize(limit)).map(commitOf);
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

  /** Forgets all commits of a conversation and their searchable texts; returns how many there were. */
  drop(conversation: string): number {
    return this.transaction(() => {
      this.search.drop(conversation);
      return Number(this.#drop.run(conversation).changes);
    });
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
      commit.relation?.kind ?? null,
      commit.relation?.target ?? null,
      Number(commit.hidden ?? false),
    ).changes > 0;
  }
}

function pageSize(limit: number): number {
  return Math.max(0, Math.min(MAX_PAGE, Math.trunc(limit)));
}

function numberOf(row: Row | undefined): number {
  return row ? integerOf(row, "n") : 0;
}

/** A row of the table as a commit. */
export function commitOf(row: Row): CommitRow {
  const valid = optionalIntegerOf(row, "valid");
  return {
    seq: integerOf(row, "seq"),
    position: integerOf(row, "position"),
    conversation: textOf(row, "conversation"),
    id: textOf(row, "id"),
    parents: idsOf(row, "parents"),
    tree: textOf(row, "tree"),
    author: textOf(row, "author"),
    device: textOf(row, "device"),
    type: textOf(row, "type"),
    timestamp: integerOf(row, "timestamp"),
    body: textOf(row, "body"),
    ...valid !== undefined && { valid: valid !== 0 },
    ...row.relation !== null && {
      relation: { kind: oneOf(row, "relation", RELATIONS), target: textOf(row, "target") },
    },
    ...flagOf(row, "hidden") && { hidden: true },
  };
}

function nodeOf(row: Row): CommitNode {
  return { id: textOf(row, "id"), parents: idsOf(row, "parents"), seq: integerOf(row, "seq") };
}

function idsOf(row: Row, column: string): string[] {
  const ids = textOf(row, column);
  return ids === "" ? [] : ids.split(" ");
}
