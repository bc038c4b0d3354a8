/** What differs between two trees, file by file; equal folders are never opened. */

import { ProtocolError } from "../base/errors.ts";
import { MAX_CHANGES, MAX_PATH_DEPTH } from "./history_limits.ts";
import type { Oid, TreeEntry } from "./object.ts";
import { EMPTY_FOLDER, type TreeReader } from "./tree_view.ts";

/** One file that differs. A move shows as two changes, a file that became a folder as a removal and additions. */
export interface Change {
  /** Full path. */
  path: string;
  before: TreeEntry | null;
  after: TreeEntry | null;
}

/** Are both entries the same content with the same mode, or both absent? */
export function sameEntry(a: TreeEntry | null | undefined, b: TreeEntry | null | undefined): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode;
}

/**
 * The files that differ between two root trees, in no promised order.
 * @param before root tree, or `null` for nothing
 * @throws {ProtocolError} when there are too many of them, or folders too deep
 */
export async function changedFiles(trees: TreeReader, before: Oid | null, after: Oid): Promise<Change[]> {
  const changes: Change[] = [];
  await compareFolders(trees, "", before, after, 1, changes);
  return changes;
}

async function compareFolders(
  trees: TreeReader,
  prefix: string,
  before: Oid | null,
  after: Oid | null,
  depth: number,
  out: Change[],
): Promise<void> {
  if (before === after) return;
  if (depth > MAX_PATH_DEPTH) throw new ProtocolError("tree", "folders too deep");
  const old = before === null ? EMPTY_FOLDER : await trees.folder(before);
  const now = after === null ? EMPTY_FOLDER : await trees.folder(after);
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const a = old.get(name) ?? null;
    const b = now.get(name) ?? null;
    if (sameEntry(a, b)) continue;
    const path = prefix + name;
    const fileA = a?.type === "blob" ? a : null;
    const fileB = b?.type === "blob" ? b : null;
    if (fileA !== null || fileB !== null) out.push({ path, before: fileA, after: fileB });
    if (out.length > MAX_CHANGES) throw new ProtocolError("tree", "too many changes");
    const folderA = a?.type === "tree" ? a.oid : null;
    const folderB = b?.type === "tree" ? b.oid : null;
    await compareFolders(trees, `${path}/`, folderA, folderB, depth + 1, out);
  }
}
