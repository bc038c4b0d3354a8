/** New trees from old ones: a few paths change, everything else is shared. */

import { ProtocolError } from "../base/errors.ts";
import { buildTree, type GitObject, type Oid, type TreeEntry } from "./object.ts";
import { EMPTY_FOLDER, FILE_MODE, FOLDER_MODE, type TreeReader } from "./tree_view.ts";

/** What stands at a path afterwards: a file with this content, or (`null`) nothing. */
export type FileEdits = ReadonlyMap<string, Pick<TreeEntry, "oid" | "mode"> | null>;

/** A root tree and the tree objects that are new in it. */
export interface EditedTree {
  tree: Oid;
  objects: GitObject[];
}

/** An edit that puts a file with this content there. */
export function file(oid: Oid): Pick<TreeEntry, "oid" | "mode"> {
  return { oid, mode: FILE_MODE };
}

/**
 * The tree with the edits made. Folders that become empty disappear, as git has none.
 * @param root the old root tree, or `null` for nothing
 * @throws {ProtocolError} when a path needs a folder where a file is, or the other way round
 */
export async function editTree(trees: TreeReader, root: Oid | null, edits: FileEdits): Promise<EditedTree> {
  const objects: GitObject[] = [];
  const tree = await editFolder(trees, root, edits, objects) ?? buildTree([]);
  if (!objects.includes(tree) && tree.oid !== root) objects.push(tree);
  return { tree: tree.oid, objects };
}

/** @returns the new folder, or `null` when nothing is left of it */
async function editFolder(
  trees: TreeReader,
  folder: Oid | null,
  edits: FileEdits,
  out: GitObject[],
): Promise<GitObject | null> {
  const entries = new Map(folder === null ? EMPTY_FOLDER : await trees.folder(folder));
  for (const [name, below] of byFirstName(edits)) {
    const here = entries.get(name);
    const own = below.get("");
    if (own !== undefined) {
      if (below.size > 1 || here?.type === "tree") throw new ProtocolError("tree", "a file where a folder is");
      if (own === null) entries.delete(name);
      else entries.set(name, { ...own, path: name, type: "blob" });
      continue;
    }
    if (here?.type === "blob") throw new ProtocolError("tree", "a folder where a file is");
    const inner = await editFolder(trees, here?.oid ?? null, below, out);
    if (inner === null) entries.delete(name);
    else entries.set(name, { mode: FOLDER_MODE, path: name, oid: inner.oid, type: "tree" });
  }
  if (entries.size === 0) return null;
  const object = buildTree(entries.values());
  if (object.oid !== folder) out.push(object);
  return object;
}

/** The edits grouped by the first name of their path; the rest of a path that is only one name is "". */
function byFirstName(edits: FileEdits): Map<string, Map<string, Pick<TreeEntry, "oid" | "mode"> | null>> {
  const groups = new Map<string, Map<string, Pick<TreeEntry, "oid" | "mode"> | null>>();
  for (const [path, edit] of edits) {
    const [name] = path.split("/", 1);
    const group = groups.get(name) ?? new Map();
    groups.set(name, group.set(path.slice(name.length + 1), edit));
  }
  return groups;
}
