/** The protections of groups: how each is set, how far it has looked, what it did, and which files it holds back. */

import type { DatabaseSync } from "node:sqlite";
import { flagOf, integerOf, oneOf, optionalTextOf, type Row, textOf } from "./row.ts";

const MODES = ["off", "dry", "on"] as const;

/** "dry": it judges, and only notes what it would have done. */
export type ProtectionMode = typeof MODES[number];

const CONSEQUENCES = ["notify", "hold", "ban"] as const;

/** What follows from a finding. */
export type Consequence = typeof CONSEQUENCES[number];

/** How a protection is set. */
export interface ProtectionRow {
  name: string;
  mode: ProtectionMode;
  consequence: Consequence;
  /** hours that a ban lasts; 0 = until somebody ends it */
  banHours: number;
  /** JSON: what the protection itself understands */
  settings: string;
  /** the only groups that it looks at; empty = all */
  conversations: string[];
}

const OUTCOMES = ["noted", "done", "failed", "undone", "confirmed"] as const;

/**
 * "noted": dry, or a moderator was told; "done": the ban or hold stands; "failed": it could not be done, `detail` says why; "undone" and "confirmed":
 * by a moderator.
 */
export type ActionOutcome = typeof OUTCOMES[number];

/** What a protection did, or would have done. */
export interface ActionRow {
  id: number;
  /** ms */
  at: number;
  protection: string;
  conversation: string;
  /** Jami ID of whom it found */
  account: string;
  device: string;
  /** the commit that it found; "" = none */
  commit: string;
  consequence: Consequence;
  dry: boolean;
  /** without a word of what was said */
  reason: string;
  outcome: ActionOutcome;
  detail: string;
}

/** A file that is not served until a moderator has looked. */
export interface HeldFile {
  conversation: string;
  /** the commit that announces it */
  file: string;
  account: string;
  reason: string;
  /** ms */
  at: number;
}

/** Reads and writes how protections are set. */
export class Protections {
  readonly #put;
  readonly #get;
  readonly #scanned;
  readonly #setScanned;
  readonly #dropScan;

  constructor(db: DatabaseSync) {
    this.#put = db.prepare("INSERT OR REPLACE INTO protections VALUES (?, ?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM protections WHERE name = ?");
    this.#scanned = db.prepare("SELECT seq FROM protection_scans WHERE conversation = ?");
    this.#setScanned = db.prepare("INSERT OR REPLACE INTO protection_scans VALUES (?, ?)");
    this.#dropScan = db.prepare("DELETE FROM protection_scans WHERE conversation = ?");
  }

  put({ name, mode, consequence, banHours, settings, conversations }: ProtectionRow): void {
    this.#put.run(name, mode, consequence, banHours, settings, conversations.join(" "));
  }

  get(name: string): ProtectionRow | undefined {
    const row = this.#get.get(name);
    return row && {
      name: textOf(row, "name"),
      mode: oneOf(row, "mode", MODES),
      consequence: oneOf(row, "consequence", CONSEQUENCES),
      banHours: integerOf(row, "ban_hours"),
      settings: textOf(row, "settings"),
      conversations: textOf(row, "conversations").split(" ").filter((id) => id !== ""),
    };
  }

  /** The `seq` of the last commit of a conversation that was judged; undefined = it was never looked at. */
  scanned(conversation: string): number | undefined {
    const row = this.#scanned.get(conversation);
    return row && integerOf(row, "seq");
  }

  setScanned(conversation: string, seq: number): void {
    this.#setScanned.run(conversation, seq);
  }

  /** The conversation ended: when it comes back, its history is no news. */
  dropScan(conversation: string): void {
    this.#dropScan.run(conversation);
  }
}

/** Reads and writes what protections did: the newest so many are kept. */
export class ProtectionActions {
  readonly #add;
  readonly #trim;
  readonly #get;
  readonly #page;
  readonly #set;
  readonly #open;
  readonly #counts;

  constructor(db: DatabaseSync) {
    const columns = "at, protection, conversation, account, device, oid, consequence, dry, reason, outcome, detail";
    this.#add = db.prepare(
      `INSERT INTO protection_actions (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    );
    this.#trim = db.prepare("DELETE FROM protection_actions WHERE id <= ?");
    this.#get = db.prepare("SELECT * FROM protection_actions WHERE id = ?");
    this.#page = db.prepare(
      "SELECT * FROM protection_actions WHERE id < ?1 AND (?2 IS NULL OR protection = ?2) ORDER BY id DESC LIMIT ?3",
    );
    this.#set = db.prepare("UPDATE protection_actions SET outcome = ?, detail = ? WHERE id = ?");
    this.#open = db.prepare(
      `UPDATE protection_actions SET outcome = ?1 WHERE conversation = ?2 AND outcome = 'done' AND
         CASE WHEN ?4 THEN oid = ?3 AND consequence = 'hold' ELSE account = ?3 OR device = ?3 END`,
    );
    this.#counts = db.prepare(
      "SELECT protection, dry, count(*) AS n FROM protection_actions WHERE at >= ? GROUP BY protection, dry",
    );
  }

  /** Adds one; of all the newest `most` stay. @returns its number */
  add(action: Omit<ActionRow, "id">, most: number): number {
    const { at, protection, conversation, account, device, commit, consequence, dry, reason, outcome, detail } = action;
    const row = this.#add.get(
      at,
      protection,
      conversation,
      account,
      device,
      commit,
      consequence,
      Number(dry),
      reason,
      outcome,
      detail,
    );
    const id = row ? integerOf(row, "id") : 0;
    this.#trim.run(id - most);
    return id;
  }

  get(id: number): ActionRow | undefined {
    const row = this.#get.get(id);
    return row && actionOf(row);
  }

  /** Newest first. */
  page({ before = Number.MAX_SAFE_INTEGER, protection, limit }: ActionsPage): ActionRow[] {
    return this.#page.all(before, protection ?? null, limit).map(actionOf);
  }

  setOutcome(id: number, outcome: ActionOutcome, detail: string): void {
    this.#set.run(outcome, detail, id);
  }

  /** What stands of a target in a conversation was undone, or confirmed. @param target account, device, or commit of a file */
  settle(conversation: string, target: string, outcome: "undone" | "confirmed", isFile = false): void {
    this.#open.run(outcome, conversation, target, Number(isFile));
  }

  /** How much each did since `since` (ms), dry and in earnest. */
  counts(since: number): { protection: string; dry: boolean; count: number }[] {
    return this.#counts.all(since).map((row) => ({
      protection: textOf(row, "protection"),
      dry: flagOf(row, "dry"),
      count: integerOf(row, "n"),
    }));
  }
}

/** A part of what was done. */
export interface ActionsPage {
  /** only those with a lower number */
  before?: number;
  protection?: string;
  limit: number;
}

/** Reads and writes the files that are held back. */
export class HeldFiles {
  readonly #put;
  readonly #has;
  readonly #get;
  readonly #all;
  readonly #delete;
  readonly #drop;

  constructor(db: DatabaseSync) {
    const one = "conversation = ? AND file = ?";
    this.#put = db.prepare("INSERT OR IGNORE INTO held_files VALUES (?, ?, ?, ?, ?)");
    this.#has = db.prepare(`SELECT 1 FROM held_files WHERE ${one}`);
    this.#get = db.prepare(`SELECT * FROM held_files WHERE ${one}`);
    this.#all = db.prepare("SELECT * FROM held_files ORDER BY at DESC, conversation, file LIMIT ?");
    this.#delete = db.prepare(`DELETE FROM held_files WHERE ${one}`);
    this.#drop = db.prepare("DELETE FROM held_files WHERE conversation = ?");
  }

  put({ conversation, file, account, reason, at }: HeldFile): boolean {
    return this.#put.run(conversation, file, account, reason, at).changes > 0;
  }

  has(conversation: string, file: string): boolean {
    return this.#has.get(conversation, file) !== undefined;
  }

  get(conversation: string, file: string): HeldFile | undefined {
    const row = this.#get.get(conversation, file);
    return row && heldFileOf(row);
  }

  /** The newest first. */
  all(limit: number): HeldFile[] {
    return this.#all.all(limit).map(heldFileOf);
  }

  delete(conversation: string, file: string): boolean {
    return this.#delete.run(conversation, file).changes > 0;
  }

  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

function heldFileOf(row: Row): HeldFile {
  return {
    conversation: textOf(row, "conversation"),
    file: textOf(row, "file"),
    account: textOf(row, "account"),
    reason: textOf(row, "reason"),
    at: integerOf(row, "at"),
  };
}

function actionOf(row: Row): ActionRow {
  return {
    id: integerOf(row, "id"),
    at: integerOf(row, "at"),
    protection: textOf(row, "protection"),
    conversation: textOf(row, "conversation"),
    account: textOf(row, "account"),
    device: textOf(row, "device"),
    commit: optionalTextOf(row, "oid") ?? "",
    consequence: oneOf(row, "consequence", CONSEQUENCES),
    dry: flagOf(row, "dry"),
    reason: textOf(row, "reason"),
    outcome: oneOf(row, "outcome", OUTCOMES),
    detail: textOf(row, "detail"),
  };
}
