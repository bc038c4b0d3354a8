/** A soak: the steps of a plan for some minutes, then peace, and a judgement of what everybody has. */

import { sleep, systemClock } from "../../core/base/clock.ts";
import { Network } from "../interop/driver/network.ts";
import { conversationsOf, type Difference, differences, faults } from "./judge.ts";
import { Plan } from "./plan.ts";
import { CAST, makeWorld, type World } from "./world.ts";

const ACCEPT_EVERY = 1_000; // ms
const LOOK_EVERY = 2_000; // ms
const PEACE_TIMEOUT = 240_000; // ms: a dead link is noticed after up to a minute, and attempts to connect come more and more seldom

export interface SoakOptions {
  minutes: number;
  seed: number;
  say(line: string): void;
  /** Where what everybody has is copied when something is wrong. */
  evidence: string;
}

/** What is wrong in the end; nothing when all is well. */
export async function soak({ minutes, seed, say, evidence }: SoakOptions): Promise<string[]> {
  await using network = await Network.up();
  await using world = await makeWorld(network, say);
  const plan = new Plan(seed, CAST);
  const end = performance.now() + minutes * 60_000;
  const accepting = new AbortController();
  const accepted = acceptAll(world, accepting.signal);
  try {
    while (performance.now() < end) {
      const { number, pause, actions } = plan.next();
      await sleep(systemClock, pause);
      say(`step ${number}`);
      for (const action of actions) await world.run(action);
    }
    say("peace");
    for (const action of plan.finish()) await world.run(action);
    const left = await settle(world, say);
    const wrong = [...left.map(({ conversation, what }) => `${conversation}: ${what}`), ...await faults(world)];
    if (wrong.length) await new Deno.Command("cp", { args: ["-r", network.folder, evidence] }).output();
    return wrong;
  } finally {
    accepting.abort();
    await accepted;
  }
}

/** Waits until all histories are equal; what differs for ever. */
async function settle(world: World, say: (line: string) => void): Promise<Difference[]> {
  const began = performance.now();
  for (let told = "";;) {
    const conversations = await conversationsOf(world);
    const all: Difference[] = [];
    for (const conversation of conversations) all.push(...await differences(world, conversation));
    const took = performance.now() - began;
    if (all.length === 0) say(`all of ${conversations.length} conversations are equal after ${Math.round(took)} ms`);
    if (all.length === 0 || took > PEACE_TIMEOUT) return all;
    const now = all.map(({ conversation, what }) => `${conversation.slice(0, 8)}: ${what}`).join("; ");
    if (now !== told) say(now);
    told = now;
    await sleep(systemClock, LOOK_EVERY);
  }
}

async function acceptAll(world: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await world.accept();
    await sleep(systemClock, ACCEPT_EVERY, signal).catch(() => {}); // ended
  }
}
