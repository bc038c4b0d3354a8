/** What the console asks of the node while somebody sets it up. */

import type { ImportStep } from "./identity/import.ts";
import type { Doer, NodeSettings } from "./node_api.ts";

/** What is asked after the first admin is made, in this order. */
export const SETUP_STEPS = ["node", "account", "policy", "add"] as const;
export type SetupStep = typeof SETUP_STEPS[number];

/** Why an archive could not be imported. */
export type ImportFault =
  | "wrong password"
  | "password needed"
  | "too large"
  | "malformed"
  /** its certificates do not hold, and cannot be renewed */
  | "not valid"
  /** something else; the log says what */
  | "failed";

/** How the import of an archive stands. */
export type ImportState =
  | { state: "none" }
  /** "restart": all is written, the node starts again as a device of that account */
  | { state: "running"; step: ImportStep | "restart" }
  | { state: "done"; jamiId: string }
  | { state: "failed"; fault: ImportFault };

/** What of the settings the set-up shows. */
export interface SetupSettings {
  name: string;
  acceptRequests: "manual" | "allowlist" | "anyone";
  allowlist: string[];
}

/** What a step may change; the picture in base64. */
export interface SetupChanges extends Pick<NodeSettings, "name" | "acceptRequests" | "allowlist"> {
  picture?: string;
}

/** The facet of the node. */
export interface SetupApi {
  /** What comes next; null = nothing any more, or it was never begun here. */
  readonly step: SetupStep | null;
  readonly settings: SetupSettings;
  /** The first admin is being made by a page: the other steps are to follow. */
  begin(): void;
  /** Takes what a step says, and goes on to the next. Told twice it changes nothing. @throws {NodeError} */
  finish(step: SetupStep, changes: SetupChanges): Promise<SetupStep | null>;
  readonly importing: ImportState;
  /** May another account take the place of the present one? Not once somebody knows the node. */
  readonly mayImport: boolean;
  /**
   * Becomes one more device of the account in an archive. It goes on after this returns: see {@link importing}.
   * @throws {NodeError} "conflict" when it may not be, or another import is under way
   */
  importArchive(file: Uint8Array, password: string, by: Doer): void;
}
