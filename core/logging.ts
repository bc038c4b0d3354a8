/** Where the log goes: standard error, readable on a terminal, one JSON object a line for machines. */

import {
  configure,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import { KituoError } from "./base/errors.ts";
import type { Config } from "./config.ts";
import { LogRing } from "./log_ring.ts";

/** How the log is written. */
type LogFormat = Config["logFormat"];

/** A warning or an error of the log. */
export interface LoggedWarning {
  /** seconds since 1970 */
  at: number;
  level: "warning" | "error";
  /** the room that wrote it */
  room: string;
  text: string;
}

/** Warnings that the console's first page shows. */
const WARNINGS_SHOWN = 20;

/** What this process has logged lately. */
export const logRing = new LogRing();

/** The newest warnings and errors of this process, the last one first. */
export function recentWarnings(): LoggedWarning[] {
  return logRing.page({ limit: WARNINGS_SHOWN, level: "warning" }).map(({ at, level, room, text }) => ({
    at: Math.floor(at),
    level: level === "error" ? level : "warning",
    room,
    text,
  }));
}

/** The form that the program that runs has chosen; null = nothing is logged, as in tests. */
let chosen: LogFormat | null = null;

/** Changes the least weight of what is logged, when anything is. */
export async function setLogLevel(level: LogLevel): Promise<void> {
  if (chosen !== null) await configureLogging(level, chosen);
}

/** Sends what weighs at least `level` to standard error. Called by the program that runs. */
export async function configureLogging(level: LogLevel, format: LogFormat = "auto"): Promise<void> {
  chosen = format;
  const isForPeople = format === "auto" ? Deno.stderr.isTerminal() : format === "text";
  const lineOf = isForPeople ? terminalLine : jsonLine;
  const encoder = new TextEncoder();
  const sink = (record: LogRecord) => {
    logRing.add(record);
    try {
      const line = encoder.encode(lineOf(record));
      // the system may take less than all of it at once
      for (let written = 0; written < line.length;) written += Deno.stderr.writeSync(line.subarray(written));
    } catch {
      // nobody reads standard error any more: the node goes on without its log
    }
  };
  await configure({
    reset: true,
    sinks: { stderr: sink },
    loggers: [
      { category: ["kituo"], sinks: ["stderr"], lowestLevel: level },
      // the library's own voice: its troubles, not its greetings
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

const toJson = getJsonLinesFormatter({ message: "rendered" });

/** One record as one line of JSON, its message readable as it stands. */
export const jsonLine: TextFormatter = formatting((record) =>
  toJson({
    ...record,
    message: [record.message.map((part) => typeof part === "string" ? part : Deno.inspect(part)).join("")],
  })
);

const terminalLine = formatting(getTextFormatter());

/** Errors become their messages before `format`; where one comes from (its stack) is told only of what {@link isTraced}. */
function formatting(format: TextFormatter): TextFormatter {
  return (record) => {
    const told = (value: unknown) => {
      if (!(value instanceof Error)) return value;
      return isTraced(value, record.level) ? value.stack ?? value.message : value.message;
    };
    const inMessage = (value: unknown) => value instanceof Error ? value.message : value;
    const properties = Object.entries(record.properties).map(([name, value]) => [name, told(value)]);
    return format({ ...record, message: record.message.map(inMessage), properties: Object.fromEntries(properties) });
  };
}

/** While debugging, and for faults of our own: not for what a peer, the network or the disk did. */
function isTraced(error: Error, level: LogLevel): boolean {
  if (level === "trace" || level === "debug") return true;
  if (level !== "error" && level !== "fatal") return false;
  return !(error instanceof KituoError) && !Object.values(Deno.errors).some((kind) => error instanceof kind);
}
