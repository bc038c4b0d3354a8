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

/** The data folder or its database cannot be used. Never a peer's fault. */
export class StoreError extends KituoError {
  constructor(readonly fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
