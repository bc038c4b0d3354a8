/**
 * `deno task fuzz [--minutes N] [--seed N]`: four real daemons and two nodes live through random joins, posts, bans, cuts and kills; in the end all histories
 * must be equal, and verify. The same seed gives the same steps. Exit code 0: all is well, 1: something is wrong, 2: it cannot run.
 */

import { parseArgs } from "node:util";
import { messageOf } from "../../core/base/errors.ts";
import { missing } from "../interop/driver/requirements.ts";
import { soak } from "./soak.ts";

const USAGE = "usage: fuzz [--minutes N] [--seed N]";

const began = performance.now();

function say(line: string): void {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} ${line}`);
}

function options(): { minutes: number; seed: number } | null {
  try {
    const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
    const minutes = Number(values.minutes ?? 10), seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    return minutes > 0 && Number.isSafeInteger(seed) ? { minutes, seed } : null;
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}

async function main(): Promise<number> {
  const chosen = options();
  if (!chosen) {
    console.error(USAGE);
    return 2;
  }
  const wanting = await missing();
  if (wanting.length) {
    console.error(`The soak needs ${wanting.join(", ")} (tests/setup.sh installs the programs).`);
    return 2;
  }
  const { minutes, seed } = chosen;
  say(`seed ${seed}, ${minutes} minutes`);
  const evidence = `${Deno.env.get("TMPDIR") ?? "/tmp"}/kituo-soak-${seed}`;
  const wrong = await soak({ minutes, seed, say, evidence }).catch((
    error,
  ) => [`the soak broke: ${error.stack ?? messageOf(error)}`]);
  for (const fault of wrong) say(`WRONG: ${fault}`);
  say(wrong.length ? `seed ${seed}: ${wrong.length} wrong, see ${evidence}` : `seed ${seed}: all is well`);
  return wrong.length ? 1 : 0;
}

Deno.exit(await main());
