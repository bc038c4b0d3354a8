/** Join wave: many come into a group within a short time. Those who come first are no wave; whoever comes when it is one is found. */

import { z } from "zod";
import { protection } from "../protection.ts";

const settings = z.strictObject({
  joins: z.int().min(1).max(1_000).default(10).describe("Accounts that may come"),
  minutes: z.int().min(1).max(1_440).default(10).describe("within so many minutes"),
});

/** When somebody came the last times, ms. */
interface Memory {
  times: number[];
}

export const joinWave = protection({
  name: "join-wave",
  settings,
  watches: ["join"],
  consequence: "hold",
  begin: (): Memory => ({ times: [] }),
  judge({ arrived }, { settings: { joins, minutes }, memory }) {
    memory.times = [...memory.times.filter((time) => time > arrived - minutes * 60_000), arrived].slice(-joins - 1);
    if (memory.times.length <= joins) return null;
    return { reason: `joined when ${joins} others had within ${minutes} min`, holds: "member" };
  },
});
