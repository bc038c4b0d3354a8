/**
 * Who may read messages. A person at the console sees that something was said, by whom and when, but not what, until they
 * say why they must: then for some minutes, in that conversation, and the audit trail tells of it.
 */

import type { Clock } from "../core/base/clock.ts";
import { LruMap } from "../core/base/limits.ts";
import type { Entry, FileInfo, MessageInfo, NodeEvent, ReportInfo } from "../core/node_api.ts";
import type { Caller } from "./caller.ts";
import { MAX_REVEALS, REVEAL_MS } from "./constants.ts";

/** `Kind` with nothing in it that somebody wrote. */
type Veiled<Kind> = Kind extends { kind: "text" }
  ? Omit<Kind, "text" | "history" | "reactions"> & { text: string | null; history: []; reactions: VeiledReaction[] }
  : Kind extends { kind: "file"; file: infer File } ? Omit<Kind, "file" | "reactions"> & {
      file: Omit<File, "name"> & { name: string | null };
      reactions: VeiledReaction[];
    }
  : Kind extends { kind: "document"; document: infer Document }
    ? { kind: "document"; document: Omit<Document, "name"> & { name: string | null } }
  : Kind extends { kind: "edit" } ? Omit<Kind, "text"> & { text: string | null }
  : Kind extends { kind: "reaction" } ? Omit<Kind, "body"> & { body: string | null }
  : Kind;

interface VeiledReaction {
  id: string;
  author: string;
  body: string | null;
}

/** An entry as the API gives it: what somebody wrote is null for who may not read it. */
export type ShownEntry = Entry | Veiled<Entry>;

/** A message as the API gives it. */
export interface ShownMessage extends Omit<MessageInfo, "body" | "entry"> {
  body: string | null;
  entry: ShownEntry;
}

/** A file as the API gives it. */
export interface ShownFile extends Omit<FileInfo, "name"> {
  name: string | null;
}

/** A report as the API gives it. */
export interface ShownReport extends Omit<ReportInfo, "text"> {
  text: string | null;
}

/** Knows who may read what, until when. */
export class Privacy {
  readonly #until = new LruMap<string, number>(MAX_REVEALS);

  /** @param blind nobody may, ever */
  constructor(private readonly clock: Clock, readonly blind: boolean) {}

  /** Lets a session read a conversation from now on. @returns until when, ms */
  reveal(caller: Caller, conversation: string): number {
    const until = this.clock.now() + REVEAL_MS;
    this.#until.set(keyOf(caller, conversation), until);
    return until;
  }

  /** Takes that back. */
  hide(caller: Caller, conversation: string): void {
    this.#until.delete(keyOf(caller, conversation));
  }

  /** Until when a session may read a conversation, ms; null = it may not. */
  until(caller: Caller, conversation: string): number | null {
    const until = this.#until.get(keyOf(caller, conversation)) ?? 0;
    return !this.blind && until > this.clock.now() ? until : null;
  }

  /** May they read it? Scripts with an owner's token always may, but on a blind node. */
  mayRead(caller: Caller, conversation: string): boolean {
    return !this.blind && (isScriptOfOwner(caller) || this.until(caller, conversation) !== null);
  }

  /** The message as `caller` may see it. */
  message(caller: Caller, conversation: string, message: MessageInfo): ShownMessage {
    return this.mayRead(caller, conversation) ? message : { ...message, body: null, entry: veil(message.entry) };
  }

  /** The file as `caller` may see it: its name may say as much as a text. */
  file(caller: Caller, conversation: string, file: FileInfo): ShownFile {
    return this.mayRead(caller, conversation) ? file : { ...file, name: null };
  }

  /** The report as `caller` may see it: what a member wrote is a message like others, what a protection found has nothing of one. */
  report(caller: Caller, report: ReportInfo): ShownReport {
    const isOpen = report.kind === "finding" || this.mayRead(caller, report.conversationId);
    return isOpen ? report : { ...report, text: null };
  }

  /** What an event tells `caller`. */
  eventData(caller: Caller, event: NodeEvent): unknown {
    if (event.type === "message") {
      const { conversationId, message } = event.data;
      return { conversationId, message: this.message(caller, conversationId, message) };
    }
    if (event.type === "file") {
      const { conversationId, file } = event.data;
      return { conversationId, file: this.file(caller, conversationId, file) };
    }
    return event.data;
  }
}

function isScriptOfOwner({ kind, role }: Caller): boolean {
  return kind === "token" && role === "owner";
}

function keyOf({ kind, id }: Caller, conversation: string): string {
  return `${kind} ${id}/${conversation}`;
}

function veil(entry: Entry): Veiled<Entry> {
  switch (entry.kind) {
    case "text":
      return { ...entry, text: null, history: [], reactions: veilReactions(entry.reactions) };
    case "file":
      return { ...entry, file: { ...entry.file, name: null }, reactions: veilReactions(entry.reactions) };
    case "document":
      return { ...entry, document: { ...entry.document, name: null } };
    case "edit":
      return { ...entry, text: null };
    case "reaction":
      return { ...entry, body: null };
    default:
      return entry;
  }
}

function veilReactions(reactions: VeiledReaction[]): VeiledReaction[] {
  return reactions.map(({ id, author }) => ({ id, author, body: null }));
}
