/**
 * The form of a list of bans, as it is fetched, put in and given away: `{ "name": …, "entries": [{ "jamiId" or "deviceId": …, "reason": …, "expires"?: … }] }`,
 * `expires` in seconds since 1970.
 */

import { z } from "zod";
import { KituoError } from "../base/errors.ts";
import type { BanListEntry } from "../store/bans.ts";
import { MAX_LIST_ENTRIES } from "./constants.ts";

/** It is not a list of bans. */
export class ListError extends KituoError {}

const MAX_NAME = 100;
const MAX_REASON = 500;

const hex = (digits: number) =>
  z.string().regex(new RegExp(`^(?:jami:)?[0-9a-f]{${digits}}$`, "i"), `must be ${digits} hex digits`)
    .transform((id) => id.slice(-digits).toLowerCase());

const schema = z.object({
  name: z.string().trim().max(MAX_NAME).default(""),
  entries: z.array(
    z.object({
      jamiId: hex(40).optional(),
      deviceId: hex(64).optional(),
      reason: z.string().default("").transform((reason) => reason.slice(0, MAX_REASON)),
      expires: z.number().min(0).max(8e12).nullish(),
    }).refine(({ jamiId, deviceId }) => (jamiId === undefined) !== (deviceId === undefined), {
      message: "must have either jamiId or deviceId",
    }),
  ).max(MAX_LIST_ENTRIES),
});

/** A list that was read. */
export interface ReadList {
  name: string;
  entries: BanListEntry[];
}

/** @param given the parsed JSON. @throws {ListError} */
export function readList(given: unknown): ReadList {
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new ListError(`not a list of bans: ${[...path.map(String), message].join(" ")}`);
  }
  const entries = parsed.data.entries.map(({ jamiId, deviceId, reason, expires }) => ({
    target: jamiId ?? deviceId ?? "",
    reason,
    expires: typeof expires === "number" ? Math.floor(expires * 1_000) : null,
  }));
  return { name: parsed.data.name, entries };
}

/** The list as it is given away. */
export interface WrittenList {
  name: string;
  entries: { jamiId?: string; deviceId?: string; reason: string; expires?: number }[];
}

export function writeList(name: string, entries: readonly BanListEntry[]): WrittenList {
  return {
    name,
    entries: entries.map(({ target, reason, expires }) => ({
      ...target.length === 40 ? { jamiId: target } : { deviceId: target },
      reason,
      ...expires !== null && { expires: Math.floor(expires / 1_000) },
    })),
  };
}
