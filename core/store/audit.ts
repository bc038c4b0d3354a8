/**
 * The audit trail: who did what. Rows are only ever added, and each holds the hash of the one before, so that a row
 * changed, removed or put in later shows. (Rows cut off at the end do not: keep the newest hash elsewhere.)
 */

import { createHash } from "node:crypto";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** Something that was done. */
export interface AuditEvent {
  /** "system" for what Kituo did by itself, "admin" for the holder of the admin token, else the admin's name */
  actor: string;
  /** from which network address; "" = none, it was Kituo itself */
  address: string;
  /** `noun.verb`, for example "member.ban" */
  action: string;
  /** to what: ids and names, never content */
  target: string;
  /** the reason, or what else should be known; "" = nothing. Neither content nor secrets */
  detail: string;
}

/** An event in the trail. */
export interface AuditRow extends AuditEvent {
  /** from 1, without gaps */
  seq: number;
  /** ms since 1970 */
  at: number;
  /** SHA-256 over this row and the hash of the one before, hex */
  hash: string;
}

/** Which rows are wanted; absent = all. */
export interface AuditFilter {
  /** those before this number */
  before?: number;
  actor?: string;
  /** this one, or all of a noun: "member." */
  action?: string;
  /** has this in it */
  target?: string;
  /** at this time or later, ms */
  from?: number;
  /** earlier than this, ms */
  to?: number;
}

/** How far a check of the trail has come. */
export interface AuditCheck {
  /** how many rows are sound */
  rows: number;
  /** the hash of the last of them */
  head: string;
  /** the number of the first that is not; null = none was found */
  broken: number | null;
}

/** What stands before the first row. */
const START = "0".repeat(64);

/** Where a check begins. */
export const VERIFY_FROM: AuditCheck = { rows: 0, head: START, broken: null };

const COLUMNS = "seq, at, actor, address, action, target, detail, hash";

/** Reads and lengthens the trail. */
export class Audit {
  readonly #db: DatabaseSync;
  readonly #last;
  readonly #insert;
  readonly #after;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#last = db.prepare(`SELECT ${COLUMNS} FROM audit ORDER BY seq DESC LIMIT 1`);
    this.#insert = db.prepare(`INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#after = db.prepare(`SELECT ${COLUMNS} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`);
  }

  /** Adds an event. @param at ms since 1970 */
  append(event: AuditEvent, at = Date.now()): AuditRow {
    const last = this.#last.get();
    const row = { ...event, seq: last ? integerOf(last, "seq") + 1 : 1, at };
    const hash = hashOf(row, last ? textOf(last, "hash") : START);
    this.#insert.run(row.seq, at, row.actor, row.address, row.action, row.target, row.detail, hash);
    return { ...row, hash };
  }

  /** Newest first. */
  list({ before, actor, action, target, from, to }: AuditFilter, limit: number): AuditRow[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, value: SQLInputValue | undefined) => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    where("seq < ?", before);
    where("actor = ?", actor);
    where(action?.endsWith(".") ? "instr(action, ?) = 1" : "action = ?", action);
    where("instr(target, ?) > 0", target);
    where("at >= ?", from);
    where("at < ?", to);
    const all = conditions.length ? `WHERE ${conditions.join(" AND ")}` : "";
    return this.#db.prepare(`SELECT ${COLUMNS} FROM audit ${all} ORDER BY seq DESC LIMIT ?`).all(...values, limit)
      .map(auditRow);
  }

  /** Goes through the whole trail at once. */
  verify(): AuditCheck {
    return this.verifyOn(VERIFY_FROM, Infinity);
  }

  /** Goes on with a check by so many rows at most; it is over when there were none, or one is broken. */
  verifyOn({ rows, head }: AuditCheck, most: number): AuditCheck {
    const limit = Number.isFinite(most) ? most : -1;
    const after = rows === 0 ? Number.MIN_SAFE_INTEGER : rows; // what somebody put before the first row is found, too
    for (const raw of this.#after.iterate(after, limit)) {
      const row = auditRow(raw);
      if (row.seq !== rows + 1 || row.hash !== hashOf(row, head)) return { rows, head, broken: row.seq };
      rows++;
      head = row.hash;
    }
    return { rows, head, broken: null };
  }
}

function hashOf({ seq, at, actor, address, action, target, detail }: Omit<AuditRow, "hash">, before: string): string {
  const text = JSON.stringify([before, seq, at, actor, address, action, target, detail]);
  return createHash("sha256").update(text).digest("hex");
}

function auditRow(row: Row): AuditRow {
  return {
    seq: integerOf(row, "seq"),
    at: integerOf(row, "at"),
    actor: textOf(row, "actor"),
    address: textOf(row, "address"),
    action: textOf(row, "action"),
    target: textOf(row, "target"),
    detail: textOf(row, "detail"),
    hash: textOf(row, "hash"),
  };
}
