/** What can go wrong with a back-up. */

import { KituoError } from "../base/errors.ts";

/** Why. */
export type BackupFault =
  /** it is no back-up file, or one of a newer Kituo */
  | "not a back-up"
  /** the passphrase is another one, or cannot be used at all */
  | "passphrase"
  /** the file was changed, or is not whole */
  | "damaged"
  /** the folder cannot be used: it is none, is not empty, or is in use */
  | "folder";

/** A back-up cannot be made or restored. The message is for the person who wanted it. */
export class BackupError extends KituoError {
  constructor(readonly fault: BackupFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
