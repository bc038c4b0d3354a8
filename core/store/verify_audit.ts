/** Checks the audit trail of a database from outside, also while the node runs. */

import { DatabaseSync } from "node:sqlite";
import { Audit } from "./audit.ts";
import { BUSY_TIMEOUT } from "./constants.ts";

/** What was found: how many entries are sound, the hash of the last of them, and the first that is not. */
export type AuditVerdict = ReturnType<Audit["verify"]>;

/**
 * Goes through the whole trail; nothing is written.
 * @param path of the database
 * @throws what SQLite throws when it cannot be read
 */
export function verifyAudit(path: string): AuditVerdict {
  const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
  try {
    return new Audit(db).verify();
  } finally {
    db.close();
  }
}
