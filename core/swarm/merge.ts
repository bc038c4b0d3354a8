/**
 * Merging two heads path by path, without renames (swarm-repository.md 7). Every path of the result is as in one of
 * the two heads: that is the rule for merges, and it heals splits that the daemons' own merge refuses.
 */

import { diverge, type NodeLookup } from "./ancestry.ts";
import { changedFiles, sameEntry } from "./diff.ts";
import { MAX_BASE_DEPTH } from "./history_limits.ts";
import { treesOf } from "./members.ts";
import { type GitObject, MissingObject, type ObjectReader, type Oid, type TreeEntry } from "./object.ts";
import { OverlayReader } from "./overlay.ts";
import { PROFILE_PATH } from "./profile.ts";
import { type EditedTree, editTree } from "./tree_edit.ts";
import { FILE_MODE } from "./tree_view.ts";

/** Two heads' merged tree. */
export interface MergedTree {
  tree: Oid;
  /** Tree objects that are in neither history. */
  objects: GitObject[];
  /**
   * Paths, the profile aside, that both sides changed differently: upstream refuses such a merge. We took the
   * deletion (a ban or a leave), else the file of the greater head; worth an alert.
   */
  conflicts: string[];
}

/** One side of a merge; the commit's id decides between two profiles. */
interface Side {
  readonly head: Oid;
  readonly tree: Oid;
}

/**
 * Merges the trees of two heads of one conversation. The result does not depend on their order.
 * @throws {MissingObject} when they have no common ancestor or an object is not there
 * @throws {ProtocolError} when trees cannot be read or do not fit; @throws {LimitError}
 */
export async function mergeTrees(
  reader: ObjectReader,
  nodes: NodeLookup,
  ours: Oid,
  theirs: Oid,
): Promise<MergedTree> {
  const made = new Map<Oid, GitObject>();
  const all = new OverlayReader(reader, made);
  const { bases } = await diverge(nodes, ours, theirs);
  const base = await virtualBase({ reader: all, made, nodes, tooDeep: "first" }, bases, 1);
  if (base === null) throw new MissingObject(theirs);
  return await mergeThree(all, base, await side(nodes, ours), await side(nodes, theirs));
}

async function side(nodes: NodeLookup, head: Oid): Promise<Side> {
  return { head, tree: (await nodes(head)).tree };
}

/**
 * Stands in a merged base where the bases disagree: like no file, so that both sides count as changed there, as they do
 * against the conflict that upstream leaves in its merged base. Never in a result.
 */
const UNDECIDED: TreeEntry = { mode: FILE_MODE, path: "", oid: "0".repeat(40), type: "blob" };

/** What a base is looked for with. */
interface BaseSearch {
  readonly reader: ObjectReader;
  /** Tree objects of merged bases, which the reader sees. */
  readonly made: Map<Oid, GitObject>;
  readonly nodes: NodeLookup;
  /** What stands for bases that lie too deep to be merged: the first of them (as with today's daemon), or doubt wherever they differ. */
  readonly tooDeep: "first" | "doubt";
}

/** The tree to compare with: the base's, or that of the bases merged with each other. `null` without a base. */
async function virtualBase(search: BaseSearch, bases: readonly Oid[], depth: number): Promise<Oid | null> {
  const { reader, made, nodes } = search;
  const [first, ...others] = bases;
  if (first === undefined) return null;
  let { tree } = await nodes(first);
  if (depth > MAX_BASE_DEPTH && search.tooDeep === "first") return tree;
  for (const other of others) {
    const merged = depth > MAX_BASE_DEPTH
      ? await doubted(reader, tree, (await nodes(other)).tree)
      : await mergeBases(search, { head: first, tree }, other, depth);
    if (merged === null) continue;
    for (const object of merged.objects) made.set(object.oid, object);
    tree = merged.tree;
  }
  return tree;
}

async function mergeBases(search: BaseSearch, first: Side, other: Oid, depth: number): Promise<MergedTree | null> {
  const { reader, nodes } = search;
  const below = await diverge(nodes, first.head, other);
  const base = await virtualBase(search, below.bases, depth + 1);
  return base === null ? null : await mergeThree(reader, base, first, await side(nodes, other), () => UNDECIDED);
}

/** The one tree, undecided wherever the other differs. */
async function doubted(reader: ObjectReader, tree: Oid, other: Oid): Promise<EditedTree> {
  const trees = treesOf(reader);
  const changes = await changedFiles(trees, tree, other);
  return await editTree(trees, tree, new Map(changes.map(({ path }) => [path, UNDECIDED])));
}

/** Decides on a path that both sides changed differently. */
type Choice = (own: TreeEntry | null, other: TreeEntry | null, otherIsGreater: boolean) => TreeEntry | null;

async function mergeThree(
  reader: ObjectReader,
  base: Oid,
  ours: Side,
  theirs: Side,
  choose: Choice = deletionOrGreater,
): Promise<MergedTree> {
  if (ours.tree === theirs.tree || theirs.tree === base) return { tree: ours.tree, objects: [], conflicts: [] };
  if (ours.tree === base) return { tree: theirs.tree, objects: [], conflicts: [] };
  const trees = treesOf(reader);
  const mine = new Map((await changedFiles(trees, base, ours.tree)).map((change) => [change.path, change.after]));
  const edits: Map<string, TreeEntry | null> = new Map();
  const conflicts: string[] = [];
  for (const { path, after } of await changedFiles(trees, base, theirs.tree)) {
    const own = mine.get(path);
    if (own !== undefined && sameEntry(own, after)) continue;
    if (own === undefined) edits.set(path, after);
    else {
      if (path !== PROFILE_PATH) conflicts.push(path);
      edits.set(path, choose(own, after, theirs.head > ours.head));
    }
  }
  return { ...await editTree(trees, ours.tree, edits), conflicts };
}

function deletionOrGreater(own: TreeEntry | null, other: TreeEntry | null, otherIsGreater: boolean): TreeEntry | null {
  if (own === null || other === null) return null;
  return otherIsGreater ? other : own;
}

/**
 * A path of a merge that brings back what one side changed since both sides parted: no merge of anybody's ends so. What only one side changed is as
 * that side has it, and what one side deleted and the other changed is gone; where both changed it, or the histories cross so often that their base
 * is in doubt, either will do. `null` when there is none.
 * @param merged root tree of the merge, each path of which is as in one of the two heads
 * @throws {MissingObject} @throws {ProtocolError} when histories or trees cannot be read; @throws {LimitError}
 */
export async function broughtBack(
  reader: ObjectReader,
  nodes: NodeLookup,
  [first, second]: readonly [Oid, Oid],
  merged: Oid,
): Promise<string | null> {
  const made = new Map<Oid, GitObject>();
  const all = new OverlayReader(reader, made);
  const { bases } = await diverge(nodes, first, second);
  const base = await virtualBase({ reader: all, made, nodes, tooDeep: "doubt" }, bases, 1);
  if (base === null) throw new MissingObject(second);
  const trees = treesOf(all);
  const changesOf = async (tree: Oid) =>
    new Map((await changedFiles(trees, base, tree)).map((change) => [change.path, change]));
  const sides = [await changesOf((await nodes(first)).tree), await changesOf((await nodes(second)).tree)];
  const result = await changesOf(merged);
  for (const [i, side] of sides.entries()) {
    const otherSide = sides[1 - i];
    for (const [path, { before, after }] of side) {
      if (before?.oid === UNDECIDED.oid) continue;
      const other = otherSide.get(path);
      const isHere = result.has(path) ? sameEntry(result.get(path)?.after, after) : sameEntry(before, after);
      if (!isHere && (other === undefined || before !== null && after === null)) return path;
    }
  }
  return null;
}
