/** What tests with real daemons need of the machine; without it they are skipped, loudly, and never in CI. */

import { JAMID } from "./daemon_process.ts";

const PROGRAMS = ["ip", "flock", "sysctl", "dhtnode", "dbus-daemon", "git", "nft", JAMID];

/** What is missing here, in words; empty when the tests can run. */
export async function missing(): Promise<string[]> {
  const gone: string[] = [];
  for (const program of PROGRAMS) {
    if (!await succeeds("sh", "-c", 'command -v "$0"', program)) gone.push(`the program ${program}`);
  }
  if (Deno.uid() !== 0) gone.push("root");
  else if (!await succeeds("unshare", "--net", "true")) gone.push("the right to make network namespaces");
  return gone;
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" });
  return (await command.output()).success;
}

const wanting = await missing();
const reason = `missing: ${wanting.join(", ")} (tests/setup.sh installs the programs)`;

/**
 * A test that needs network namespaces and a real daemon. Where they are missing it prints why and counts as ignored; with CI set in the
 * environment it fails.
 */
export function interopTest(name: string, run: (context: Deno.TestContext) => Promise<void>): void {
  if (wanting.length === 0) return Deno.test(name, run);
  if (Deno.env.get("CI")) {
    return Deno.test(name, () => {
      throw new Error(reason);
    });
  }
  console.log(`SKIPPED: ${name}: ${reason}`);
  Deno.test({ name, ignore: true, fn: run });
}
