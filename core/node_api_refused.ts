/** Histories that members have and the node refuses (swarm-repository.md 5.6). */

import type { Doer } from "./node_api.ts";
import type { Refusers } from "./swarm/rules/refused_by.ts";

/** A history that a peer has and this node refuses, for a commit that breaks a rule. */
export interface RefusedInfo {
  /** the first commit that breaks a rule */
  commit: string;
  /** the newest commit of the history */
  head: string;
  /** who offered it */
  from: { jamiId: string; deviceId: string };
  /** which rule, in the words of today's daemons or Kituo's own */
  reason: string;
  /** what exactly is wrong */
  detail: string;
  /** type of the commit; "" = it cannot be read */
  type: string;
  /** Jami ID of its author; null = unknown */
  author: string | null;
  received: number;
  /** may it be accepted? Not when bytes are missing or the signature is not its author's */
  overridable: boolean;
  /** Which daemons refuse it as well: accepted here, they refuse everything from this node from then on. */
  refusedBy: Refusers;
}

/** What an override came to. */
export interface OverrideResult {
  /** histories that are refused for yet another commit */
  refused: RefusedInfo[];
}

/** What an admin may do about them. Every promise may reject with NodeError. */
export interface RefusedApi {
  /** The histories of others that are refused, the oldest first. @throws {NodeError} "not found" */
  list(conversationId: string): Promise<RefusedInfo[]>;
  /**
   * Accepts a commit that breaks a rule, for good, and takes in what was refused for it.
   * @param reason for the audit trail and `deno task verify`
   * @throws {NodeError} "not found"; "conflict" when it is no mere rule that the commit breaks
   */
  override(conversationId: string, commit: string, reason: string, doer: Doer): Promise<OverrideResult>;
  /** Drops what was refused for a commit. @throws {NodeError} "not found" */
  drop(conversationId: string, commit: string, doer: Doer): Promise<void>;
}
