/** What a protection is: one file below `protections/` each. It only judges; what follows is the business of `consequences.ts`. */

import type { z } from "zod";
import type { Bytes } from "../base/bytes.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { Consequence } from "../store/protections.ts";
import type { Oid } from "../swarm/object.ts";

/** Something that an account did in a group. */
export interface Happening {
  conversation: Oid;
  account: AccountId;
  device: DeviceId;
  /** the commit by which it happened */
  commit: Oid;
  /** when, ms: by the author's clock, but not later than it came here */
  at: number;
  /** when it came here, ms */
  arrived: number;
  what: What;
}

/** What happened. */
export type What =
  /** a text, or a new text in the place of an earlier one */
  | { kind: "text"; text: string }
  /** a file was announced: it is not here yet */
  | { kind: "file"; name: string; size: number }
  /** a file came in: its first bytes */
  | { kind: "content"; name: string; size: number; beginning: Bytes }
  /** the account joined */
  | { kind: "join" }
  /** a reaction, a call, or what this version does not know */
  | { kind: "other" };

/** Why an account should be stopped. */
export interface Finding {
  /** for moderators: in words, with nothing in it that somebody wrote */
  reason: string;
  /** what "hold for review" holds: the member, or the file alone */
  holds: "member" | "file";
  /** only this device of the member */
  device?: boolean;
  /** the finding is of this happening alone: others of the account are findings of their own */
  each?: boolean;
}

/** What a protection may ask while it judges. */
export interface Context<Settings, Memory> {
  settings: Settings;
  /** what it keeps in mind of this group: bounded by the protection itself; lost at a restart, and filled again from the newest commits */
  memory: Memory;
  /** When the account joined the group, ms: not before it was invited, whatever its clock said. 0 = it was always there. */
  memberSince(account: AccountId): number;
  /** How many texts and files the account had written here before this happening; counted up to `enough`. */
  written(enough: number): number;
}

/** A protection. */
export interface Protection<Settings extends object = object, Memory = unknown> {
  /** as in the address of its settings: "first-message" */
  name: string;
  /** what can be set, each with a default and a description */
  settings: z.ZodType<Settings>;
  watches: readonly What["kind"][];
  /** what follows unless something else is set */
  consequence: Consequence;
  /** Makes the memory of one group. */
  begin(): Memory;
  judge(happening: Happening, context: Context<Settings, Memory>): Finding | null;
}

/** Gives a protection its types; the engine, which has many, forgets them. */
export function protection<Settings extends object, Memory>(made: Protection<Settings, Memory>): Protection {
  // reason: the engine parses the settings by the protection's own schema, and gives back the memory that it made
  return made as unknown as Protection;
}
