/** A commit that breaks a rule. */

import { KituoError } from "../../base/errors.ts";
import type { AccountId } from "../../identity/ids.ts";
import type { Oid } from "../object.ts";

/**
 * The texts that daemons give for a refused commit (swarm-repository.md 5.2); operators compare them between programs.
 */
export const Reason = {
  commit: "Malformed commit",
  initial: "Malformed initial commit",
  merge: "Malformed merge commit",
  emptyType: "Malformed commit (empty type)",
  user: "Invalid user",
  vote: "Malformed vote",
  memberUri: "Invalid member URI",
  add: "Malformed add member commit",
  join: "Malformed join member commit",
  remove: "Malformed remove member commit",
  ban: "Malformed ban member commit",
  action: "Malformed member commit",
  profile: "Malformed profile updates commit",
  checkpoint: "Malformed checkpoint commit",
  edit: "Malformed edit commit",
  document: "Message commit in document repository",
} as const;

/** The texts for what only Kituo refuses (5.6), and for what is no rule of upstream's at all. */
export const OwnReason = {
  forgedDevice: "Device certificate not signed by its account",
  notTheConversation: "Initial commit of another conversation",
  initialSignature: "Initial commit not signed by its author",
  editFiles: "Edit commit changes files of others",
  removeOther: "Member removed by somebody else",
  removeFiles: "Leaving member changes more than its own files",
  banMove: "Ban or un-ban does not move the file of its target",
  fileMode: "File with an unusual mode",
  unreadable: "Unreadable object",
  missing: "Missing object",
  reverted: "Merge brings back what one side changed",
  descendant: "descends from a refused commit",
} as const;

/** What is known of a refused commit besides why. */
export interface Offence {
  /** Its type; "" = it cannot be read. */
  readonly type: string;
  /** Account of the author's device; `null` = unknown. */
  readonly author: AccountId | null;
  /** It is whole and signed by its author, and breaks nothing but a rule: the operator may accept it (5.6). */
  readonly overridable: boolean;
}

/** Thrown by the rules: the commit must not get into the conversation. */
export class RuleViolation extends KituoError {
  /**
   * @param commit the refused one
   * @param reason one of {@link Reason} or {@link OwnReason}
   * @param detail what exactly is wrong, for the operator
   */
  constructor(
    readonly commit: Oid,
    readonly reason: string,
    readonly detail = "",
    readonly offence: Offence = { type: "", author: null, overridable: false },
  ) {
    super(`commit ${commit} refused: ${reason}${detail && ` (${detail})`}`);
  }
}
