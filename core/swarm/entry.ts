/**
 * A commit as an entry of the display, with what later commits made of it: edits, deletions, reactions, the end of a
 * call (swarm-repository.md 2.2, 6).
 */

import { isAccountId, isDeviceId } from "../identity/ids.ts";
import type { CommitRow, Commits } from "../store/commits.ts";
import { type CommitBody, field, messageBody } from "./commit.ts";
import { modeOf } from "./conversation_facts.ts";
import { MAX_FORMER_TEXT, MAX_REACTION_TEXT, MAX_SHOWN_REACTIONS } from "./entry_limits.ts";
import { EDITED_KEY, type Writing, writings } from "./entry_text.ts";
import { fileIdOf } from "./file_message.ts";
import { isOid, type Oid } from "./oid.ts";
import { callKey } from "./relation.ts";

/** What a commit shows. Ids of others are as the author wrote them: they need not exist. */
export type Entry =
  | TextEntry
  | FileEntry
  | { kind: "member"; member: MemberChange }
  | { kind: "call"; call: CallState }
  | { kind: "document"; document: { documentId: string; name: string; mimeType: string; removed: boolean } }
  /** An admin's vote on an account or a device. */
  | { kind: "vote"; vote: { jamiId: string | null; deviceId: string | null } }
  /** The group's profile was changed. */
  | { kind: "profile" }
  | { kind: "initial"; mode: number | null }
  | { kind: "merge" }
  /** Changes another entry, which shows it; no entry of its own. `text` "": a deletion. */
  | { kind: "edit"; target: Oid; text: string }
  /** As before; `body` "": it was taken back. */
  | { kind: "reaction"; target: Oid; body: string }
  /** A type that this version does not know, or a commit that makes no sense. */
  | { kind: "unknown" };

/** A text message. */
export interface TextEntry {
  kind: "text";
  /** As it stands now; "" when it was deleted. */
  text: string;
  edited: boolean;
  deleted: boolean;
  /** What it said before, the oldest first. */
  history: Writing[];
  replyTo: Oid | null;
  reactions: Reaction[];
}

/** A file that was announced. */
export interface FileEntry {
  kind: "file";
  file: {
    /** By this it is asked for; "" when it was deleted. */
    fileId: string;
    /** As the sender called it: for the eye, never a path. */
    name: string;
    /** Bytes; `null`: not told. */
    size: number | null;
    /** SHA3-512, hex. */
    sha3: string;
    deleted: boolean;
  };
  replyTo: Oid | null;
  reactions: Reaction[];
}

/** Somebody's reaction; `id` is its commit. */
export interface Reaction {
  id: Oid;
  author: string;
  body: string;
}

/** Somebody came, went, or was made to go: an account, or one device of it. */
export interface MemberChange {
  action: string;
  jamiId: string | null;
  deviceId: string | null;
}

/** A call: of two people, told when it is over, or of the group, told at its start and at its end. */
export interface CallState {
  /** Milliseconds; `null`: not over, or not told. */
  duration: number | null;
  /** Goes on, as far as the history says. */
  active: boolean;
  /** Group: whose device hosts it. */
  host: string | null;
  device: string | null;
  confId: string | null;
  /** Two people: who was called, and why it failed. */
  to: string | null;
  reason: string | null;
}

/** Makes the entry of a commit. */
export function entryOf(row: CommitRow, commits: Commits): Entry {
  const body = messageBody(row.body);
  const { relation } = row;
  if (relation?.kind === "edit") return { kind: "edit", target: relation.target, text: field(body, "body") };
  if (relation?.kind === "reaction") {
    return { kind: "reaction", target: relation.target, body: reactionText(row, body, commits) };
  }
  switch (row.type) {
    case "text/plain":
      return textEntry(row, body, commits);
    case "application/data-transfer+json":
      return fileEntry(row, body, commits);
    case "application/collab-doc+json":
      return documentEntry(row, body, commits);
    case "application/call-history+json":
      return { kind: "call", call: callState(row, body, commits) };
    case "member":
      return { kind: "member", member: { action: field(body, "action"), ...whom(body) } };
    case "vote":
      return { kind: "vote", vote: whom(body) };
    case "application/update-profile":
      return { kind: "profile" };
    case "initial":
      return { kind: "initial", mode: modeOf(body) };
    case "merge":
      return { kind: "merge" };
    default:
      return { kind: "unknown" };
  }
}

function textEntry(row: CommitRow, body: CommitBody | null, commits: Commits): TextEntry {
  const former = writings(row, body, EDITED_KEY["text/plain"], commits);
  const text = former.pop()?.text ?? "";
  const edited = former.length > 0;
  const deleted = edited && text === "";
  return {
    kind: "text",
    text,
    edited,
    deleted,
    history: former.map((one) => ({ ...one, text: one.text.slice(0, MAX_FORMER_TEXT) })),
    ...around(row, body, deleted, commits),
  };
}

function fileEntry(row: CommitRow, body: CommitBody | null, commits: Commits): FileEntry {
  const tid = writings(row, body, EDITED_KEY["application/data-transfer+json"], commits).at(-1)?.text ?? "";
  const name = field(body, "displayName");
  const deleted = tid === "";
  return {
    kind: "file",
    file: {
      fileId: deleted ? "" : fileIdOf(row.id, tid, name),
      name,
      size: wholeNumber(field(body, "totalSize")),
      sha3: field(body, "sha3sum"),
      deleted,
    },
    ...around(row, body, deleted, commits),
  };
}

function documentEntry(row: CommitRow, body: CommitBody | null, commits: Commits): Entry {
  const removed = writings(row, body, EDITED_KEY["application/collab-doc+json"], commits).length > 1;
  return {
    kind: "document",
    document: {
      documentId: field(body, "uri"),
      name: field(body, "displayName"),
      mimeType: field(body, "mimeType"),
      removed,
    },
  };
}

/** What stands around a message: what it answers, and how others reacted. */
function around(
  row: CommitRow,
  body: CommitBody | null,
  deleted: boolean,
  commits: Commits,
): { replyTo: Oid | null; reactions: Reaction[] } {
  const replyTo = field(body, "reply-to");
  return { replyTo: isOid(replyTo) ? replyTo : null, reactions: deleted ? [] : reactionsTo(row, commits) };
}

function reactionsTo({ conversation, id }: CommitRow, commits: Commits): Reaction[] {
  const rows = commits.related(conversation, { kind: "reaction", target: id }, MAX_SHOWN_REACTIONS);
  return rows.reverse()
    .map((row) => ({ id: row.id, author: row.author, body: reactionText(row, messageBody(row.body), commits) }))
    .filter(({ body }) => body !== "");
}

/** A reaction is changed, or taken back with an empty text, by an edit of its own commit. */
function reactionText(row: CommitRow, body: CommitBody | null, commits: Commits): string {
  const text = writings(row, body, "body", commits).at(-1)?.text ?? "";
  return text.slice(0, MAX_REACTION_TEXT).toWellFormed();
}

function callState(row: CommitRow, body: CommitBody | null, commits: Commits): CallState {
  const key = callKey(row.type, body);
  const state: CallState = {
    duration: wholeNumber(field(body, "duration")),
    active: false,
    host: key === null ? null : field(body, "uri"),
    device: key === null ? null : field(body, "device"),
    confId: key === null ? null : field(body, "confId"),
    to: field(body, "to") || null,
    reason: field(body, "reason") || null,
  };
  if (key === null || row.relation?.kind === "call-end") return state;
  const end = later(row, { kind: "call-end", target: key }, commits);
  if (end) return { ...state, duration: wholeNumber(field(messageBody(end.body), "duration")) };
  const gone = [state.host, state.device].some((who) => who && later(row, { kind: "gone", target: who }, commits));
  return { ...state, active: !gone };
}

/** The newest commit with that relation, if it is displayed after `row`. */
function later(row: CommitRow, relation: NonNullable<CommitRow["relation"]>, commits: Commits): CommitRow | undefined {
  return commits.related(row.conversation, relation, 1).find(({ position }) => position > row.position);
}

function whom(body: CommitBody | null): { jamiId: string | null; deviceId: string | null } {
  const uri = field(body, "uri");
  return { jamiId: isAccountId(uri) ? uri : null, deviceId: isDeviceId(uri) ? uri : null };
}

/** By what the file of an announcement is asked for (2.2): the extension is what follows the name's last dot. */
function wholeNumber(text: string): number | null {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}
