/** What a new device takes over from the archive beside keys, kept without any key until the database has it (account.md 2.3). */

import { type Archive, asRecords, type Records } from "./archive.ts";
import { base64, fromBase64 } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { RevocationList } from "./revocation.ts";

/** An inheritance that cannot be read. */
export class InheritanceError extends KituoError {}

/** The part of an archive that every device of the account has. */
export type Inheritance = Pick<Archive, "contacts" | "conversations" | "conversationRequests" | "revocations">;

/** The JSON text of an inheritance. */
export function formatInheritance(inheritance: Inheritance): string {
  const { contacts, conversations, conversationRequests, revocations } = inheritance;
  const crl = revocations ? base64(revocations.der) : null;
  return JSON.stringify({ contacts, conversations, conversationRequests, crl });
}

/** The inheritance of its JSON text. @throws {InheritanceError} */
export function parseInheritance(text: string): Inheritance {
  try {
    const fields: Record<"contacts" | "conversations" | "conversationRequests" | "crl", unknown> = JSON.parse(text);
    const crl = typeof fields.crl === "string" ? fromBase64(fields.crl) : null;
    const read = (records: unknown): Records => asRecords(records);
    return {
      contacts: read(fields.contacts),
      conversations: read(fields.conversations),
      conversationRequests: read(fields.conversationRequests),
      revocations: crl ? RevocationList.fromDer(crl) : null,
    };
  } catch (error) {
    throw new InheritanceError(messageOf(error), { cause: error });
  }
}
