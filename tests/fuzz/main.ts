/**
 * `deno task fuzz [--minutes N] [--codecs SECONDS] [--seed N]`: every codec reads damaged bytes for some seconds (default 20); then four real daemons and two nodes live through random joins, posts, bans, cuts and kills; in the end all histories
 * must be equal, and verify (`--minutes 0`: not this part). The same seed gives the same steps. Exit code 0: all is well, 1: something is wrong, 2: it cannot run.
 */

import { parseArgs } from "node:util";
import { missing } from "../interop/driver/requirements.ts";
import { fuzzCodecs } from "./codecs.ts";
import { soak } from "./soak.ts";

const USAGE = "usage: fuzz [--minutes N] [--codecs SECONDS] [--seed N]";

const began = performance.now();

function say(line: string): void {
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} ${line}`);
}

interface Options {
  minutes: number;
  codecs: number;
  seed: number;
}

function options(): Options | null {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({ options: { minutes: text, codecs: text, seed: text } });
    const [minutes, codecs] = [Number(values.minutes ?? 10), Number(values.codecs ?? 20)];
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    return minutes >= 0 && codecs >= 0 && Number.isSafeInteger(seed) ? { minutes, codecs, seed } : null;
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
  const { minutes, codecs, seed } = chosen;
  const wanting = minutes ? await missing() : [];
  if (wanting.length) {
    console.error(`The soak needs ${wanting.join(", ")} (tests/setup.sh installs the programs).`);
    return 2;
  }
  say(`seed ${seed}: ${codecs} seconds of codecs, ${minutes} minutes of soak`);
  const evidence = `${Deno.env.get("TMPDIR") ?? "/tmp"}/kituo-soak-${seed}`;
  const wrong = await fuzzCodecs(codecs, seed, say);
  if (minutes) wrong.push(...await soak({ minutes, seed, say, evidence }).catch(broken));
  for (const fault of wrong) say(`WRONG: ${fault}`);
  say(wrong.length ? `seed ${seed}: ${wrong.length} wrong, see ${evidence}` : `seed ${seed}: all is well`);
  return wrong.length ? 1 : 0;
}

function broken(error: unknown): string[] {
  return [`the soak broke: ${error instanceof Error ? error.stack : error}`];
}

Deno.exit(await main());
