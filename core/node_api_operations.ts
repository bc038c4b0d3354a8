/** What the HTTP face asks of a node for those who run it: its log and its numbers. */

import type { LogEntry, LogQuery } from "./log_ring.ts";

export type { LogEntry, LoggedLevel, LogQuery } from "./log_ring.ts";
export { LOGGED_LEVELS } from "./log_ring.ts";

/** The newest records of the log. */
export interface LogsApi {
  /** The newest records that fit, the last one first. */
  page(query: LogQuery): LogEntry[];
  /** Calls `listener` for each new record until the returned function is called. It must not log. */
  subscribe(listener: (entry: LogEntry) => void): () => void;
}

/** A request that was answered. */
export interface AnsweredRequest {
  /** what was asked for, of a few kinds: a path would make a number of each */
  kind: "api" | "page" | "asset" | "events" | "health" | "join" | "other";
  status: number;
  /** until the answer began */
  seconds: number;
}

/** The numbers of the node, for Prometheus. */
export interface MetricsApi {
  /** All of them in Prometheus' text format. */
  text(): Promise<string>;
  /** Counts a request of the HTTP face. */
  answered(request: AnsweredRequest): void;
}
