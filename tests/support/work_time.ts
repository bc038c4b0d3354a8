/** How long the processor worked for something: on a machine that is busy with other things the clock runs on meanwhile. */

import { cpuUsage } from "node:process";

/** Begins to measure. @returns milliseconds of work since then; never more than the clock says, for several threads may work at once */
export function workTime(): () => number {
  const [start, before] = [performance.now(), cpuUsage()];
  return () => {
    const { user, system } = cpuUsage(before);
    return Math.min(performance.now() - start, (user + system) / 1_000);
  };
}
