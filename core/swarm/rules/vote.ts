/** Votes of admins to ban or un-ban (swarm-repository.md 4, 5.2 `vote`). */

import { devicePath } from "../author.ts";
import type { RuleContext } from "./context.ts";
import { EMPTY_BLOB } from "./context.ts";
import { Reason } from "./violation.ts";

const VOTE = /^votes\/(ban|unban)\/(members|devices|admins|invited)\/([0-9a-f]{40}|[0-9a-f]{64})\/([0-9a-f]{40})$/;

/** One new, empty vote file of the author, who is admin, about somebody else; with it perhaps the author's device. */
export async function checkVote(context: RuleContext): Promise<void> {
  const { commit, changes } = context;
  const bad = (detail: string): never => context.refuse(Reason.vote, detail);
  if (changes.length === 0) return;
  if (changes.length > 2) bad("too many files");
  const owner = await context.knownOwner(Reason.vote);
  if (await context.parentFile(`admins/${owner}.crt`) === null) bad("the author is no admin");
  let votes = 0;
  for (const change of changes) {
    if (context.isOwnDevice(change.path)) {
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
      continue;
    }
    const match = VOTE.exec(change.path) ?? bad(`not allowed: ${change.path}`);
    const [, action, kind, target, voter] = match;
    if (voter !== owner) bad("a vote in another's name");
    if (change.before !== null || change.after?.oid !== EMPTY_BLOB) bad("not a new and empty file");
    if (target === (kind === "devices" ? commit.device : owner)) bad("a vote against oneself");
    // about a device also to end its ban, when it is in no parent of the head any more: see device_unban_vote.ts
    const mustBeThere = action === "ban" || kind === "devices";
    if (mustBeThere && !await isThere(context, kind, target)) bad("the target is not there");
    votes++;
  }
  if (votes !== 1) bad("not one vote");
}

async function isThere(context: RuleContext, kind: string, target: string): Promise<boolean> {
  const paths = kind === "devices"
    ? [devicePath(target)]
    : [`members/${target}.crt`, `admins/${target}.crt`, `invited/${target}`];
  for (const path of paths) if (await context.parentFile(path) !== null) return true;
  return false;
}
