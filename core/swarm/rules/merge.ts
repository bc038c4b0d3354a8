/** Commits with several parents (swarm-repository.md 5.2 step 2, 5.6, 7). */

import { changedFiles } from "../diff.ts";
import { broughtBack } from "../merge.ts";
import type { Oid } from "../object.ts";
import type { RuleContext } from "./context.ts";
import { OwnReason, Reason } from "./violation.ts";

/**
 * Exactly two parents, and every path is as in one of them. Kituo: as in the one that changed it, so that nobody undoes a ban by merging the head
 * with a commit from before it.
 * @param second root tree of the second parent; the context has the changes against the first
 */
export async function checkMerge(context: RuleContext, second: Oid): Promise<void> {
  const { commit, changes, nodes, reader, trees } = context;
  await context.requireValidUser(commit.tree, Reason.commit);
  if (commit.parents.length !== 2) context.refuse(Reason.merge, "not two parents");
  const [ours, theirs] = commit.parents;
  const paths = new Set((await changedFiles(trees, second, commit.tree)).map((change) => change.path));
  const foreign = changes.find((change) => paths.has(change.path));
  if (foreign) context.refuse(Reason.merge, `as in neither parent: ${foreign.path}`);
  if (changes.length === 0 && paths.size === 0) return;
  const path = await broughtBack(reader, nodes, [ours, theirs], commit.tree);
  if (path !== null) context.refuse(OwnReason.reverted, path);
}
