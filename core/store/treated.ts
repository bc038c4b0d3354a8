/** Ids of what was treated already (connection requests, messages), so that a repetition is recognised, also after a restart. */

import type { DatabaseSync } from "node:sqlite";
import { MAX_TREATED, TREATED_AGE, TREATED_PRUNE_EVERY } from "./constants.ts";

/** Remembers the newest {@link MAX_TREATED} ids of each kind for {@link TREATED_AGE}. */
export class Treated {
  readonly #has;
  readonly #add;
  readonly #dropOld;
  readonly #dropMany;
  /** additions since the last pruning, by kind */
  readonly #added = new Map<string, number>();

  constructor(db: DatabaseSync, private readonly most = MAX_TREATED, private readonly age = TREATED_AGE) {
    this.#has = db.prepare("SELECT 1 FROM treated WHERE kind = ? AND id = ?");
    this.#add = db.prepare("INSERT INTO treated VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    this.#dropOld = db.prepare("DELETE FROM treated WHERE kind = ? AND at < ?");
    this.#dropMany = db.prepare(
      `DELETE FROM treated WHERE kind = ?1 AND id IN
         (SELECT id FROM treated WHERE kind = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)`,
    );
  }

  /** Was the id treated (and not yet forgotten)? */
  has(kind: string, id: string): boolean {
    return this.#has.get(kind, id) !== undefined;
  }

  /**
   * Notes an id as treated at `at` (ms).
   * @returns false when it already was: the first note stands
   */
  add(kind: string, id: string, at: number): boolean {
    const isNew = this.#add.run(kind, id, at).changes > 0;
    const added = (this.#added.get(kind) ?? 0) + Number(isNew);
    this.#added.set(kind, added % TREATED_PRUNE_EVERY);
    if (added === TREATED_PRUNE_EVERY) this.prune(kind, at);
    return isNew;
  }

  /** Drops what is too old at `now` (ms) or too much; `add` does so by itself now and then. */
  prune(kind: string, now: number): void {
    this.#dropOld.run(kind, now - this.age);
    this.#dropMany.run(kind, this.most);
  }
}
