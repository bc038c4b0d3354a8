/** Names of admins, passkeys and tokens. */

import { MAX_NAME } from "./constants.ts";
import { AccessError } from "./errors.ts";

/** Names that the audit trail uses for others (store/audit.ts). */
const TAKEN = ["admin", "system"];

/** A name as it is kept: NFKC without blanks around it. @throws {AccessError} "unfit" */
export function keptName(given: string): string {
  const name = given.normalize("NFKC").trim();
  if (name === "" || [...name].length > MAX_NAME || /\p{C}/u.test(name) || !name.isWellFormed()) {
    throw new AccessError("unfit", `A name has 1 to ${MAX_NAME} visible characters.`);
  }
  return name;
}

/** An admin's name as it is kept. @throws {AccessError} "unfit" */
export function keptAdminName(given: string): string {
  const name = keptName(given);
  if (name.includes(":") || TAKEN.includes(nameKey(name))) {
    throw new AccessError("unfit", "This name means something else here: choose another one.");
  }
  return name;
}

/** A name as it is compared. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").trim().toLowerCase();
}
