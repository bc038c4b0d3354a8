/** The newest records of the log, kept in memory for the console. */

import type { LogLevel, LogRecord } from "@logtape/logtape";

/** A record of the log as the console shows it. Rooms log ids and numbers, never what people say, and no secrets. */
export interface LogEntry {
  /** 1 is the first since start */
  number: number;
  /** seconds since 1970, with fractions */
  at: number;
  level: LoggedLevel;
  /** the room that wrote it */
  room: string;
  text: string;
}

/** By weight. */
export const LOGGED_LEVELS = ["debug", "info", "warning", "error"] as const;
export type LoggedLevel = typeof LOGGED_LEVELS[number];

/** Which records are wanted. */
export interface LogQuery {
  limit: number;
  /** at least of this weight */
  level?: LoggedLevel;
  /** with these words in the text or the room, in any case */
  q?: string;
  /** only records before this number */
  before?: number;
}

/** Records kept: an hour of a busy node, a few days of a quiet one. */
const KEPT = 5_000;
/** Characters of a text that are kept: longer ones are traces. All together stay below 20 MB, and mostly below one. */
const MAX_TEXT = 2_000;

/** Warnings and errors are kept beside, so that chatter does not push them out. */
const SERIOUS_KEPT = 500;

/** Keeps the newest records; whoever listens hears of each as it comes. */
export class LogRing {
  #entries: LogEntry[] = [];
  #serious: LogEntry[] = [];
  #last = 0;
  readonly #counts: Record<LoggedLevel, number> = { debug: 0, info: 0, warning: 0, error: 0 };
  readonly #listeners = new Set<(entry: LogEntry) => void>();

  constructor(private readonly size = KEPT) {}

  add(record: LogRecord): void {
    const text = plainText(record);
    const entry: LogEntry = {
      number: ++this.#last,
      at: record.timestamp / 1000,
      level: levelOf(record.level),
      room: record.category.slice(1).join("."),
      text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text,
    };
    this.#counts[entry.level]++;
    this.#entries = kept(this.#entries, entry, this.size);
    if (isSerious(entry.level)) this.#serious = kept(this.#serious, entry, SERIOUS_KEPT);
    for (const listener of this.#listeners) listener(entry);
  }

  /** How many records of each level there were since the start. */
  get counts(): Readonly<Record<LoggedLevel, number>> {
    return this.#counts;
  }

  /** The newest records that fit, the last one first. */
  page({ limit, level = "debug", q = "", before = Infinity }: LogQuery): LogEntry[] {
    const found: LogEntry[] = [];
    const fits = filterOf({ level, q }), entries = isSerious(level) ? this.#serious : this.#entries;
    for (let i = entries.length - 1; i >= 0 && found.length < limit; i--) {
      const entry = entries[i];
      if (entry.number < before && fits(entry)) found.push(entry);
    }
    return found;
  }

  /** Calls `listener` for each record until the returned function is called. It must not log. */
  subscribe(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** With one more; the oldest go a tenth at a time, for moving thousands for each record would be felt. */
function kept(entries: LogEntry[], entry: LogEntry, size: number): LogEntry[] {
  entries.push(entry);
  return entries.length >= size * 1.1 ? entries.slice(-size) : entries;
}

function isSerious(level: LoggedLevel): boolean {
  return level === "warning" || level === "error";
}

/** Does an entry fit a query? */
export function filterOf({ level = "debug", q = "" }: Pick<LogQuery, "level" | "q">): (entry: LogEntry) => boolean {
  const least = LOGGED_LEVELS.indexOf(level), words = q.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (entry) => {
    if (LOGGED_LEVELS.indexOf(entry.level) < least) return false;
    const text = `${entry.room} ${entry.text}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function levelOf(level: LogLevel): LoggedLevel {
  if (level === "trace") return "debug";
  return level === "fatal" ? "error" : level;
}

/** The message as one text; errors are told by their message. */
function plainText({ message }: LogRecord): string {
  const told = (part: unknown) => part instanceof Error ? part.message : Deno.inspect(part);
  return message.map((part) => typeof part === "string" ? part : told(part)).join("");
}
