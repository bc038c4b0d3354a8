/** Flood: more messages of one account, or of one device, than somebody types. */

import { z } from "zod";
import { LruMap } from "../../base/limits.ts";
import { ACCOUNTS_IN_MIND } from "../constants.ts";
import { protection } from "../protection.ts";

const settings = z.strictObject({
  messages: z.int().min(2).max(500).default(10).describe("Messages"),
  seconds: z.int().min(1).max(3_600).default(30).describe("within so many seconds"),
  backlog: z.int().min(10).max(10_000).default(300).describe(
    "Messages that may arrive in that time when they were written earlier, without a connection",
  ),
  per: z.enum(["account", "device"]).default("account").describe("Who is counted, and stopped"),
});

/** When the newest messages of one were written, and when they came here, ms. */
interface Recent {
  written: number[];
  arrived: number[];
}

export const flood = protection({
  name: "flood",
  settings,
  watches: ["text", "file", "other"],
  consequence: "ban",
  begin: () => new LruMap<string, Recent>(ACCOUNTS_IN_MIND),
  judge({ account, device, at, arrived }, { settings: { messages, seconds, backlog, per }, memory }) {
    const window = seconds * 1_000;
    const who = per === "account" ? account : device;
    const recent = memory.get(who) ?? { written: [], arrived: [] };
    // messages of a time without a connection come at once: so their own times count, and only then their number
    recent.written = newest([...recent.written, at], Math.max(...recent.written, at) - window, messages + 1);
    recent.arrived = newest([...recent.arrived, arrived], arrived - window, backlog + 1);
    memory.set(who, recent);
    if (recent.written.length <= messages && recent.arrived.length <= backlog) return null;
    memory.delete(who);
    const many = recent.written.length > messages ? messages : backlog;
    return { reason: `more than ${many} messages within ${seconds} s`, holds: "member", device: per === "device" };
  },
});

/** The last `most` of those later than `since`. */
function newest(times: number[], since: number, most: number): number[] {
  return times.filter((time) => time > since).slice(-most);
}
