/** Leaving (swarm-repository.md 4, 5.2 `remove`, 5.6). */

import { isAccountId } from "../../identity/ids.ts";
import { ownerAt } from "../author.ts";
import { field } from "../commit.ts";
import type { Change } from "../diff.ts";
import type { Oid } from "../object.ts";
import type { RuleContext } from "./context.ts";
import { OwnReason, Reason } from "./violation.ts";

const DEVICE = /^devices\/([0-9a-f]{64})\.crt$/;

/**
 * The author takes its own files away (upstream lets anybody remove anybody, and add files under these names).
 * The author's rights are looked up in the parent: after the commit they are gone.
 */
export async function checkRemove(context: RuleContext, parent: Oid): Promise<void> {
  const { commit } = context;
  const uri = field(commit.body, "uri");
  if (!isAccountId(uri)) context.refuse(Reason.remove, "not an account");
  const lists = [`admins/${uri}.crt`, `members/${uri}.crt`, `CRLs/${uri}`, `invited/${uri}`];
  for (const change of context.changes) {
    const device = DEVICE.exec(change.path)?.[1];
    if (!lists.includes(change.path) && device === undefined) {
      context.refuse(Reason.remove, `not allowed: ${change.path}`);
    }
    if (device !== undefined && !context.isOwnDevice(change.path)) {
      if (change.before === null || await ownerAt(context.trees, parent, device) !== uri) {
        context.refuse(Reason.remove, `not the member's: ${change.path}`);
      }
    }
  }
  if (uri !== await context.knownOwner(Reason.remove)) {
    context.refuse(OwnReason.removeOther, "not the author's account");
  }
  for (const change of context.changes) {
    if (!await onlyRemovesOrRenews(context, change, uri)) context.refuse(OwnReason.removeFiles, change.path);
  }
}

/** Gone, or (a daemon renews expired certificates with any commit) still there with the same key. */
async function onlyRemovesOrRenews(context: RuleContext, change: Change, uri: string): Promise<boolean> {
  if (change.after === null) return true;
  if (context.isOwnDevice(change.path)) return await context.isDeviceOf(uri, change);
  return change.before !== null && /^(admins|members)\//.test(change.path) && await context.isAccountOf(uri, change);
}
