/** Commits with several parents (swarm-repository.md 5.2 step 2, 5.6). */

import { changedFiles } from "../diff.ts";
import type { Oid } from "../object.ts";
import type { RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/**
 * Exactly two parents, and every path is as in one of them.
 * @param second root tree of the second parent; the context has the changes against the first
 */
export async function checkMerge(context: RuleContext, second: Oid): Promise<void> {
  await context.requireValidUser(context.commit.tree, Reason.commit);
  if (context.commit.parents.length !== 2) context.refuse(Reason.merge, "not two parents");
  if (context.changes.length === 0 || second === context.commit.tree) return;
  const fromSecond = await changedFiles(context.trees, second, context.commit.tree);
  const paths = new Set(fromSecond.map((change) => change.path));
  const foreign = context.changes.find((change) => paths.has(change.path));
  if (foreign) context.refuse(Reason.merge, `as in neither parent: ${foreign.path}`);
}
