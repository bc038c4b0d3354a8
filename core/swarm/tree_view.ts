/**
 * Trees by path: what a commit's tree holds, read entry by entry and remembered by object id.
 *
 * A conversation's trees change rarely and share their folders, so nearly every question is answered from memory
 * (swarm-repository.md 11 a). What is remembered is bounded by entries, not by trees: a peer chooses their size.
 */

import type { Bytes } from "../base/bytes.ts";
import { LimitError, ProtocolError } from "../base/errors.ts";
import { CACHED_TREE_ENTRIES, MAX_PARSED_ENTRIES, MAX_TREE_BYTES } from "./history_limits.ts";
import { type ObjectReader, type Oid, parseTree, type TreeEntry } from "./object.ts";

/** The one mode of files in a swarm (1). */
export const FILE_MODE = "100644";

/** The mode of a folder. */
export const FOLDER_MODE = "40000";

/** The entries of one folder by name. */
export type Folder = ReadonlyMap<string, TreeEntry>;

/** A folder with nothing in it, which git has no object for. */
export const EMPTY_FOLDER: Folder = new Map();

/** Reads trees and files of one repository. */
export class TreeReader {
  #folders = new Map<Oid, Folder>();
  #kept = 0;
  #parsed = 0;

  constructor(readonly objects: ObjectReader) {}

  /** Starts counting parsed entries anew: at the start of each piece of work on what a peer sent. */
  renewBudget(): void {
    this.#parsed = 0;
  }

  /**
   * The entries of a tree object.
   * @throws {MissingObject} @throws {ProtocolError} when it is no tree, or one beyond the limits
   * @throws {LimitError} when more entries were parsed since {@link renewBudget} than any honest history has
   */
  async folder(oid: Oid): Promise<Folder> {
    const known = this.#folders.get(oid);
    if (known !== undefined) {
      this.#folders.delete(oid);
      this.#folders.set(oid, known);
      return known;
    }
    const object = await this.objects.read(oid);
    if (object.type !== "tree") throw new ProtocolError("tree", "not a tree");
    if (object.data.length > MAX_TREE_BYTES) throw new ProtocolError("tree", "too large");
    const folder = new Map(parseTree(object.data).map((entry) => [entry.path, entry]));
    this.#parsed += folder.size + 1;
    if (this.#parsed > MAX_PARSED_ENTRIES) throw new LimitError("swarm trees", "too many entries to look at");
    this.#keep(oid, folder);
    return folder;
  }

  /** The folder at `path` ("a" or "a/b") below a root tree; empty when there is none. */
  async folderAt(root: Oid, path: string): Promise<Folder> {
    const entry = await this.entry(root, path);
    return entry?.type === "tree" ? await this.folder(entry.oid) : EMPTY_FOLDER;
  }

  /** The entry at `path` below a root tree. */
  async entry(root: Oid, path: string): Promise<TreeEntry | null> {
    let folder = await this.folder(root);
    const names = path.split("/");
    for (const [depth, name] of names.entries()) {
      const entry = folder.get(name);
      if (entry === undefined) return null;
      if (depth === names.length - 1) return entry;
      if (entry.type !== "tree") return null;
      folder = await this.folder(entry.oid);
    }
    return null;
  }

  /** The file at `path` below a root tree: `null` when there is none or it is a folder. */
  async file(root: Oid, path: string): Promise<TreeEntry | null> {
    const entry = await this.entry(root, path);
    return entry?.type === "blob" ? entry : null;
  }

  /**
   * The content of a file of at most `limit` bytes.
   * @throws {MissingObject} @throws {ProtocolError} when it is larger, or no file
   */
  async content(oid: Oid, limit: number): Promise<Bytes> {
    const object = await this.objects.read(oid);
    if (object.type !== "blob") throw new ProtocolError("tree", "not a file");
    if (object.data.length > limit) throw new ProtocolError("tree", "file too large");
    return object.data;
  }

  #keep(oid: Oid, folder: Folder): void {
    if (this.#folders.has(oid)) return;
    this.#folders.set(oid, folder);
    this.#kept += folder.size + 1;
    for (const [oldest, entries] of this.#folders) {
      if (this.#kept <= CACHED_TREE_ENTRIES || oldest === oid) break;
      this.#folders.delete(oldest);
      this.#kept -= entries.size + 1;
    }
  }
}
