/** Goes through the whole audit trail while others get their turns. */

import { type Audit, type AuditCheck, VERIFY_FROM } from "../store/audit.ts";
import { CHECK_STEP } from "./constants.ts";

/** @returns how many entries are sound, and the first that is not */
export async function checkAudit(audit: Audit): Promise<AuditCheck> {
  let check = VERIFY_FROM;
  while (check.broken === null) {
    const { rows } = check;
    check = audit.verifyOn(check, CHECK_STEP);
    if (check.rows < rows + CHECK_STEP) break;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return check;
}
