/** What moderators are to look at: what members report, and what protections tell of. Bounded: what is resolved gives way first. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, oneOf, optionalIntegerOf, optionalTextOf, type Row, textOf } from "./row.ts";

const KINDS = ["report", "finding"] as const;

/** Something for a moderator. */
export interface Report {
  id: number;
  /** ms */
  at: number;
  /** of a member, or of a protection */
  kind: typeof KINDS[number];
  /** "report": who reports; "finding": whom it is about */
  account: string;
  /** "report": the one-to-one conversation it came in; "finding": the group */
  conversation: string;
  /** the commit that it came in, or is about; "" = none */
  commit: string;
  /** "report": what the member wrote; "finding": what was found, without a word of what was said */
  text: string;
  /** ms; null = it waits */
  resolved: number | null;
  resolvedBy: string;
  note: string;
}

/** Reads and writes reports. */
export class Reports {
  readonly #add;
  readonly #trim;
  readonly #get;
  readonly #open;
  readonly #resolved;
  readonly #resolve;
  readonly #count;

  constructor(db: DatabaseSync) {
    this.#add = db.prepare(
      "INSERT INTO reports (at, kind, account, conversation, oid, text) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    );
    this.#trim = db.prepare(
      `DELETE FROM reports WHERE id IN
         (SELECT id FROM reports ORDER BY resolved IS NULL DESC, id DESC LIMIT -1 OFFSET ?)`,
    );
    this.#get = db.prepare("SELECT * FROM reports WHERE id = ?");
    const page = (which: string) =>
      db.prepare(`SELECT * FROM reports WHERE resolved ${which} AND id < ? ORDER BY id DESC LIMIT ?`);
    this.#open = page("IS NULL");
    this.#resolved = page("IS NOT NULL");
    this.#resolve = db.prepare(
      "UPDATE reports SET resolved = ?, resolved_by = ?, note = ? WHERE id = ? AND resolved IS NULL",
    );
    this.#count = db.prepare("SELECT count(*) AS n FROM reports WHERE resolved IS NULL");
  }

  /** Adds one; of all, `most` stay. @returns its number */
  add(report: Pick<Report, "at" | "kind" | "account" | "conversation" | "commit" | "text">, most: number): number {
    const { at, kind, account, conversation, commit, text } = report;
    const row = this.#add.get(at, kind, account, conversation, commit, text);
    this.#trim.run(most);
    return row ? integerOf(row, "id") : 0;
  }

  get(id: number): Report | undefined {
    const row = this.#get.get(id);
    return row && reportOf(row);
  }

  /** The newest first, those with a lower number than `before`. */
  page(state: "open" | "resolved", limit: number, before = Number.MAX_SAFE_INTEGER): Report[] {
    return (state === "open" ? this.#open : this.#resolved).all(before, limit).map(reportOf);
  }

  /** @param at ms @returns was it open? */
  resolve(id: number, at: number, by: string, note: string): boolean {
    return this.#resolve.run(at, by, note, id).changes > 0;
  }

  /** How many wait. */
  waiting(): number {
    const row = this.#count.get();
    return row ? integerOf(row, "n") : 0;
  }
}

function reportOf(row: Row): Report {
  return {
    id: integerOf(row, "id"),
    at: integerOf(row, "at"),
    kind: oneOf(row, "kind", KINDS),
    account: textOf(row, "account"),
    conversation: textOf(row, "conversation"),
    commit: textOf(row, "oid"),
    text: textOf(row, "text"),
    resolved: optionalIntegerOf(row, "resolved") ?? null,
    resolvedBy: optionalTextOf(row, "resolved_by") ?? "",
    note: optionalTextOf(row, "note") ?? "",
  };
}
