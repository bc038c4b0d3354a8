/** Commits as what happened in a group, in the words of the protections. */

import type { CommitRow } from "../store/commits.ts";
import { field, messageBody } from "../swarm/commit.ts";
import { FILE_TYPE, readFileMessage } from "../swarm/file_message.ts";
import type { Happening, What } from "./protection.ts";

/** Types of commits by which nobody says anything. */
const SILENT: ReadonlySet<string> = new Set(["initial", "merge", "vote", "application/update-profile"]);

/** What happened by a commit; null = nothing that a protection watches. @param arrived ms */
export function happeningOf(row: CommitRow, arrived: number): Happening | null {
  const what = whatOf(row);
  if (!what) return null;
  const { conversation, author: account, device, id: commit, timestamp } = row;
  return { conversation, account, device, commit, at: Math.min(timestamp * 1_000, arrived), arrived, what };
}

function whatOf({ id, type, body, relation }: CommitRow): What | null {
  if (SILENT.has(type)) return null;
  if (type === "member") return field(messageBody(body), "action") === "join" ? { kind: "join" } : null;
  if (type === FILE_TYPE) {
    const message = readFileMessage(id, body);
    return message?.kind === "announcement"
      ? { kind: "file", name: message.name, size: message.size }
      : { kind: "other" };
  }
  const text = saidBy({ type, body, relation });
  return text === "" ? { kind: "other" } : { kind: "text", text };
}

/** The text that a commit says, first or in the place of another; "" = none. */
export function saidBy({ type, body, relation }: Pick<CommitRow, "type" | "body" | "relation">): string {
  const isText = type === "text/plain" || type === "application/edited-message";
  return isText && relation?.kind !== "reaction" ? field(messageBody(body), "body") : "";
}
