/** What can go wrong with the data folder and its database. */

import { KituoError } from "../base/errors.ts";

/** Why the store refused. */
export type StoreFault =
  /** the database was written by a newer Kituo */
  | "newer schema"
  /** the file is not a Kituo database, or is damaged */
  | "not a store"
  /** another running node uses the data folder */
  | "in use"
  /** a row does not have the form its table promises */
  | "bad row"
  /** the store was used in a way it does not allow: a fault of our own code */
  | "misuse";

/** What SQLite calls a damaged file and a file that is none of its own. */
const SQLITE_CORRUPT = 11, SQLITE_NOTADB = 26;

/** Does the error say that the database is damaged, whenever it was noticed? */
export function isDamage(error: unknown): boolean {
  if (error instanceof StoreError) return error.fault === "not a store";
  if (!(error instanceof Error && "errcode" in error)) return false;
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(Number(error.errcode) & 0xff);
}

/** The data folder or its database cannot be used. Never a peer's fault. */
export class StoreError extends KituoError {
  constructor(readonly fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
