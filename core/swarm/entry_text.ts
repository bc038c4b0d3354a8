/** What an entry says now: its author's newest edit counts (swarm-repository.md 6). */

import type { CommitRow, Commits } from "../store/commits.ts";
import { type CommitBody, field, messageBody } from "./commit.ts";
import { MAX_SHOWN_EDITS } from "./entry_limits.ts";

/** The types whose commits can be edited, and the key that an edit replaces in each (2.2, 6). */
export const EDITED_KEY = {
  "text/plain": "body",
  "application/data-transfer+json": "tid",
  "application/collab-doc+json": "edit",
} as const;

/** Something an author wrote, and when (s). */
export interface Writing {
  text: string;
  timestamp: number;
}

/**
 * The values that the commit's author gave it: the first is what it was written with, the last what it is now. Of many
 * edits the newest are given.
 * @param key what an edit replaces; an edit without it replaces nothing
 */
export function writings(row: CommitRow, body: CommitBody | null, key: string, commits: Commits): Writing[] {
  const edits = commits.related(row.conversation, { kind: "edit", target: row.id }, MAX_SHOWN_EDITS, row.author);
  const given: Writing[] = [{ text: field(body, key), timestamp: row.timestamp }];
  for (const edit of edits.reverse()) {
    const says = messageBody(edit.body);
    if (says && Object.hasOwn(says, key)) given.push({ text: field(says, key), timestamp: edit.timestamp });
  }
  return given;
}

/** The text by which an entry is found; `null` when it has none: it was deleted, or is neither a text nor a file. */
export function searchedText(row: CommitRow, commits: Commits): string | null {
  if (row.hidden) return null;
  const { type } = row;
  if (type !== "text/plain" && type !== "application/data-transfer+json") return null;
  const body = messageBody(row.body);
  const now = writings(row, body, EDITED_KEY[type], commits).at(-1)?.text ?? "";
  if (now === "") return null;
  return type === "text/plain" ? now : field(body, "displayName");
}
