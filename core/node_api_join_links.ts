/** Join links: whoever has one may have an account invited into its group. */

import type { Doer } from "./node_api.ts";

/** The join link of a group, without its secret. */
export interface JoinLinkInfo {
  created: number;
  expires: number;
  /** how many may be invited by it */
  maxUses: number;
  /** how many were */
  uses: number;
}

/** A join link that was just made. */
export interface NewJoinLink extends JoinLinkInfo {
  /** what opens it: told this once, and kept nowhere */
  secret: string;
}

/** What to make a join link of. */
export interface JoinLinkTerms {
  /** seconds */
  expiresIn: number;
  maxUses: number;
}

/** What somebody who has a join link may know. */
export interface JoinOffer {
  /** of the group; "" = none */
  title: string;
  description: string;
  /** Jami ID and name of the node that will invite */
  jamiId: string;
  name: string;
}

/** The join links of groups. Every promise may reject with NodeError. */
export interface JoinLinksApi {
  /** The join link of a group. @throws {NodeError} "not found": there is none, or no such conversation */
  get(conversationId: string): JoinLinkInfo;
  /**
   * Makes the join link of a group; an earlier one ends.
   * @throws {NodeError} "conflict" for a one-to-one conversation, "forbidden" where the node could not invite
   */
  create(conversationId: string, terms: JoinLinkTerms, doer: Doer): Promise<NewJoinLink>;
  /** Ends the join link of a group. @throws {NodeError} "not found" */
  revoke(conversationId: string, doer: Doer): Promise<void>;
  /** Where a join link leads. @throws {NodeError} "not found" when it does not work, or not any more */
  offer(secret: string): Promise<JoinOffer>;
  /**
   * Invites the account as the holder of a join link wishes.
   * @param address of the holder, for the audit trail
   * @returns is it a member already, or invited?
   * @throws {NodeError} "not found": the link does not work; "forbidden": the account is banned; "too many"
   */
  join(secret: string, jamiId: string, address: string): Promise<"invited" | "member">;
}
