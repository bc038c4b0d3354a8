/** What a node leaves behind that tests look at from outside: its repositories, and its log. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { KituoProcess } from "./kituo.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Where the node keeps a conversation's repository. */
export function repositoryOf(kituo: KituoProcess, conversation: string): string {
  return `${kituo.data}/conversations/${conversation}.git`;
}

/** What git says about that repository, standard error included. @throws when git fails */
export async function gitOf(kituo: KituoProcess, conversation: string, ...args: string[]): Promise<string> {
  const where = ["-c", "safe.directory=*", "-C", repositoryOf(kituo, conversation)];
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...where, ...args] }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`git ${args.join(" ")}: ${said}`);
  return said.trim();
}

/** The repository is whole, all its history obeys the rules, and the index tells as many commits as git has. */
export async function assertSound(kituo: KituoProcess, conversation: string): Promise<void> {
  await assertClean(kituo, conversation);
  const { commits } = await kituo.api<{ commits: number }>("GET", `/conversations/${conversation}`);
  assert.equal(`${commits}`, await gitOf(kituo, conversation, "rev-list", "--count", "main"));
  const args = ["task", "verify", repositoryOf(kituo, conversation)];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const verdicts = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(verdicts.length, commits);
}

/** git finds nothing wrong with the repository. */
export async function assertClean(kituo: KituoProcess, conversation: string): Promise<void> {
  assert.equal(await gitOf(kituo, conversation, "fsck", "--strict", "--no-dangling", "--no-progress"), "");
}

/** What stands in the node's log as an error of its own, or was never caught. */
export async function errorsOf(kituo: KituoProcess): Promise<string[]> {
  const lines = (await kituo.logText()).split("\n").filter((line) => line !== "");
  return lines.filter((line) => !line.startsWith("{") || /"level":"(ERROR|FATAL)"/.test(line));
}
