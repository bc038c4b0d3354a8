/** Histories of the vectors, and written by hand, in the index of a store. */

import { addToIndex } from "../../../core/swarm/commit_index.ts";
import { type Entry, entryOf } from "../../../core/swarm/entry.ts";
import { indexRows } from "../../../core/swarm/index_rows.ts";
import type { ObjectReader, Oid } from "../../../core/swarm/object.ts";
import { isHidden, relationOf } from "../../../core/swarm/relation.ts";
import type { NewCommit } from "../../../core/store/commits.ts";
import type { Store } from "../../../core/store/store.ts";
import { jsonMessage, type MessageValue } from "../../../core/swarm/commit.ts";
import { id } from "../store/support.ts";
import { readBundle } from "../swarm_rules/support.ts";

/** A bundle's history up to one ref, oldest first in display order. */
export async function historyOf(file: string, ref: string): Promise<{ head: Oid; rows: NewCommit[] }> {
  const { reader, refs } = await readBundle(file);
  return await historyBelow(reader, refs.get(ref) ?? "");
}

/** The history of one commit. */
export async function historyBelow(reader: ObjectReader, head: Oid): Promise<{ head: Oid; rows: NewCommit[] }> {
  return { head, rows: await indexRows(reader, CONVERSATION, head, () => false) };
}

/** The conversation of everything in these tests. */
export const CONVERSATION = id(0xc0);

/** Says that the conversation is there. */
export function openIn(store: Store, conversation = CONVERSATION): void {
  store.conversations.put({
    id: conversation,
    mode: 2,
    created: 1,
    removed: 0,
    erased: 0,
    state: "active",
    title: "",
    head: "",
  });
}

/** The entries of the display, oldest first, with who wrote them. */
export function entriesIn(store: Store, entriesOnly = true): { id: Oid; author: string; entry: Entry }[] {
  return store.commits.page(CONVERSATION, { limit: 1_000, entriesOnly }).reverse()
    .map((row) => ({ id: row.id, author: row.author, entry: entryOf(row, store.commits) }));
}

/** An entry in one line, for lists of what is expected. */
export function line(entry: Entry): string {
  const short = (text: string | null) => text?.slice(0, 4);
  const around = (reactions: { author: string; body: string }[], replyTo: string | null) =>
    (replyTo === null ? "" : ` > ${short(replyTo)}`) +
    reactions.map(({ author, body }) => ` ${body}${short(author)}`).join("");
  switch (entry.kind) {
    case "text": {
      const { text, edited, deleted, history, replyTo, reactions } = entry;
      const was = history.map((former) => ` was "${former.text}"`).join("");
      return `${deleted ? "deleted" : edited ? "edited" : "text"} "${text}"${was}${around(reactions, replyTo)}`;
    }
    case "file": {
      const { file: { name, size, fileId, deleted }, replyTo, reactions } = entry;
      return `${deleted ? "deleted " : ""}file "${name}" ${size} ${fileId.slice(40)}${around(reactions, replyTo)}`;
    }
    case "member":
      return `${entry.member.action} ${short(entry.member.jamiId ?? entry.member.deviceId)}`;
    case "vote":
      return `vote ${short(entry.vote.jamiId ?? entry.vote.deviceId)}`;
    case "call": {
      const { duration, active, host, to, reason } = entry.call;
      const who = host === null ? `to ${short(to)}` : `of ${short(host)}`;
      return `call ${who} ${duration}${active ? " active" : ""}${reason === null ? "" : ` ${reason}`}`;
    }
    case "document":
      return `document "${entry.document.name}" ${entry.document.documentId}${
        entry.document.removed ? " removed" : ""
      }`;
    case "initial":
      return `initial ${entry.mode}`;
    case "edit":
      return `edit of ${short(entry.target)} "${entry.text}"`;
    case "reaction":
      return `reaction to ${short(entry.target)} "${entry.body}"`;
    default:
      return entry.kind;
  }
}

/** A history written by hand: each commit on the one before, one second later. */
export class Script {
  head: Oid = "";
  #written: NewCommit[] = [];
  #made = 0;

  constructor(private readonly store: Store, private readonly conversation = CONVERSATION) {
    openIn(store, conversation);
  }

  /** Writes a commit, and keeps it; its id. */
  say(
    author: string,
    body: Record<string, MessageValue>,
    at: { id?: Oid; parents?: Oid[]; timestamp?: number } = {},
  ): Oid {
    const row = this.row(author, body, at);
    this.keep(row.id, [row]);
    return row.id;
  }

  /** The row of a commit that is not kept yet. */
  row(author: string, body: Record<string, MessageValue>, at: { id?: Oid; parents?: Oid[]; timestamp?: number } = {}) {
    const n = ++this.#made;
    const parents = at.parents ?? (this.head === "" ? [] : [this.head]);
    const type = parents.length > 1 ? "merge" : String(body.type ?? "text/plain");
    const relation = relationOf({ type, body });
    const row: NewCommit = {
      conversation: this.conversation,
      id: at.id ?? id(parseInt(this.conversation.slice(-2), 16) * 0x10000 + n),
      parents,
      tree: id(1),
      author,
      device: "d".repeat(64),
      type,
      timestamp: at.timestamp ?? 1_790_000_000 + n,
      body: jsonMessage({ type, ...body }),
      valid: true,
      ...relation && { relation },
      ...isHidden(type, relation) && { hidden: true },
    };
    this.#written.push(row);
    return row;
  }

  /** Takes in what was written elsewhere. */
  keep(head: Oid, rows: readonly NewCommit[]): void {
    addToIndex(this.store, this.conversation, head, rows);
    this.head = head;
  }

  /** All that was written. */
  get written(): readonly NewCommit[] {
    return this.#written;
  }
}
