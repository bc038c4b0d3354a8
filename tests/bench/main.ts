/** `deno task bench [NAME...]`: Kituo and a headless jami-daemon side by side on the same work. Prints one table; see docs/benchmarks.md. */

import { missing } from "../interop/driver/requirements.ts";
import { clones } from "./clones.ts";
import { type Figure, table } from "./measure.ts";
import { memory } from "./memory.ts";
import { messages } from "./messages.ts";
import { startup } from "./startup.ts";

const all: Record<string, () => Promise<Figure[]>> = { startup, memory, messages, clones };

const wanting = await missing();
if (wanting.length) {
  console.error(`The benchmarks need ${wanting.join(", ")} (tests/setup.sh installs the programs).`);
  Deno.exit(1);
}
const chosen = Deno.args.length ? Deno.args : Object.keys(all);
const figures: Figure[] = [];
for (const name of chosen) {
  const measure = all[name];
  if (!measure) {
    console.error(`There is no benchmark ${name}: ${Object.keys(all).join(", ")}`);
    Deno.exit(2);
  }
  console.error(`measuring: ${name}`);
  figures.push(...await measure());
}
console.log(table(figures));
