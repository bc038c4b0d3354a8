/** An invited account becomes a member (swarm-repository.md 4, 5.2 `join`, 5.6). */

import { field } from "../commit.ts";
import { devicePath } from "../author.ts";
import type { RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/** The author's own invitation becomes its own certificate; nobody joins for another. */
export async function checkJoin(context: RuleContext): Promise<void> {
  const { commit } = context;
  const bad = (detail: string): never => context.refuse(Reason.join, detail);
  const uri = field(commit.body, "uri");
  const owner = await context.knownOwner(Reason.join);
  if (uri !== owner) bad("the author joins for another");
  const invitation = `invited/${uri}`;
  const membership = `members/${uri}.crt`;
  for (const change of context.changes) {
    if (context.isOwnDevice(change.path)) {
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
    } else if (change.path === membership) {
      if (!await context.isAccountOf(owner, change)) bad("not the account's certificate");
    } else if (change.path !== invitation) bad(`not allowed: ${change.path}`);
  }
  if (await context.parentFile(invitation) === null || await context.file(invitation) !== null) {
    bad("the invitation is not used up");
  }
  if (await context.parentFile(membership) !== null || await context.file(membership) === null) {
    bad("not a new member");
  }
  if (await context.file(devicePath(commit.device)) === null) bad("no device");
}
