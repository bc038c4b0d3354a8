/** What the console's first page asks: how the node does, and did. */

import type { LoggedWarning } from "./logging.ts";
import type { NodeInfo, Readiness, StorageInfo, WaitingInfo } from "./node_api.ts";

/** How the node does, in numbers. */
export interface OverviewNow {
  node: NodeInfo;
  ready: Readiness;
  /** what is relayed to whom; `people` and `online` without the node itself */
  totals: { conversations: number; people: number; online: number; requests: number };
  waiting: WaitingInfo;
  storage: StorageInfo;
  /** the newest warnings and errors of the log, the last one first */
  warnings: LoggedWarning[];
  sample: Sample;
}

/** One moment of the node. */
export interface Sample {
  at: number;
  connections: number;
  /** messages that wait for devices */
  waiting: number;
  /** ms: the longest that the event loop was late since the sample before */
  loopDelay: number;
  /** bytes that the process takes */
  memory: number;
  /** bytes a second on all connections with peers */
  bytesIn: number;
  bytesOut: number;
}

/** How the node does, and did in the last hour. */
export interface Overview extends OverviewNow {
  /** oldest first */
  samples: Sample[];
}

/** A device that lacks messages. */
export interface WaitingDevice {
  conversationId: string;
  /** of the conversation; "" = none */
  title: string;
  /** whose device it is, as {@link MemberInfo} tells it */
  jamiId: string;
  name: string;
  registeredName: string;
  deviceId: string;
  /** how many it lacks */
  messages: number;
  /** when the oldest of these was written; null = unknown */
  since: number | null;
  online: boolean;
}

/** The devices that lack something, who waits longest first. */
export interface WaitingDevices {
  items: WaitingDevice[];
  /** how many there are in all */
  total: number;
}

/** Devices that one answer tells of. */
export const MAX_WAITING_LIMIT = 200;

/** What the overview has besides its numbers. */
export interface OverviewApi {
  /** The last day, a point every five minutes, oldest first. */
  day(): Sample[];
  /** Which devices wait. @param limit 1 to {@link MAX_WAITING_LIMIT} */
  waiting(limit: number): WaitingDevices;
}
