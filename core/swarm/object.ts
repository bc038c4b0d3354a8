/** The git object model: what an object is, how its name is computed, and the tree codec (swarm-repository.md 1). */

import { createHash } from "node:crypto";
import { type Bytes, concat, fromHex, hex, owned, strictText, utf8 } from "../base/bytes.ts";
import { KituoError, ProtocolError } from "../base/errors.ts";
import { isOid, type Oid } from "./oid.ts";

export type { Oid } from "./oid.ts";

/** The four kinds of object git knows. */
export type ObjectType = "commit" | "tree" | "blob" | "tag";

/** One object: `oid` is always the hash of `type` and `data`. */
export interface GitObject {
  oid: Oid;
  type: ObjectType;
  data: Bytes;
}

/** Where objects can be read from. */
export interface ObjectReader {
  /** @throws {MissingObject} when it is not there */
  read(oid: Oid): Promise<GitObject>;
  has(oid: Oid): Promise<boolean>;
}

/** An object that was asked for is not there. */
export class MissingObject extends KituoError {
  constructor(readonly oid: Oid) {
    super(`object ${oid} is missing`);
  }
}

/** The content of an object breaks git's form. */
export class ObjectError extends ProtocolError {
  constructor(message: string) {
    super("git object", message);
  }
}

/** The name of an object: SHA-1 of its header and content. */
export function hashObject(type: ObjectType, data: Uint8Array): Oid {
  return createHash("sha1").update(`${type} ${data.length}\0`).update(data).digest("hex");
}

/** The object with this content. */
export function gitObject(type: ObjectType, data: Uint8Array): GitObject {
  return { oid: hashObject(type, data), type, data: owned(data) };
}

/** The blob with this content. */
export function blob(data: Uint8Array): GitObject {
  return gitObject("blob", data);
}

/** One line of a tree: `path` is one name, without slashes. */
export interface TreeEntry {
  /** As git writes it: `100644`, `40000`, … */
  mode: string;
  path: string;
  oid: Oid;
  type: "tree" | "blob";
}

/** Modes git knows, without the submodule's: no swarm has one, and its object is nowhere. */
const TYPE_OF_MODE: ReadonlyMap<string, "tree" | "blob"> = new Map([
  ["40000", "tree"],
  ["100644", "blob"],
  ["100664", "blob"],
  ["100755", "blob"],
  ["120000", "blob"],
]);

const SPACE = 0x20;
const OID_BYTES = 20;

/**
 * The entries of a tree object, as strictly as `git fsck --strict`: known modes, proper names, sorted, none twice.
 * @throws {ObjectError} otherwise
 */
export function parseTree(data: Uint8Array): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  let before: string | null = null;
  while (at < data.length) {
    const space = data.indexOf(SPACE, at);
    const nul = data.indexOf(0, at);
    if (space < 0 || nul < space || nul + 1 + OID_BYTES > data.length) throw new ObjectError("a tree entry is cut");
    const mode = strictText(data.subarray(at, space)) ?? "";
    const path = strictText(data.subarray(space + 1, nul));
    const type = TYPE_OF_MODE.get(mode);
    if (type === undefined) throw new ObjectError("a tree entry has an unknown mode");
    // A byte order mark at the start would be lost in decoding: a name that does not come back is refused too.
    if (path === null || !isName(path) || utf8(path).length !== nul - space - 1) {
      throw new ObjectError("a tree entry has an impossible name");
    }
    const oid = hex(data.subarray(nul + 1, nul + 1 + OID_BYTES));
    const key = sortKey(path, type);
    if (names.has(path)) throw new ObjectError("a tree names an entry twice");
    if (before !== null && compareUtf8(before, key) >= 0) throw new ObjectError("a tree is not sorted");
    names.add(path);
    before = key;
    entries.push({ mode, path, oid, type });
    at = nul + 1 + OID_BYTES;
  }
  return entries;
}

/**
 * The tree with these entries, in any order.
 * @throws {ObjectError} when they cannot be in one tree: a bad mode, name or object name, or the same name twice
 */
export function buildTree(entries: Iterable<TreeEntry>): GitObject {
  const sorted = [...entries].sort((a, b) => compareUtf8(sortKey(a.path, a.type), sortKey(b.path, b.type)));
  const names = new Set<string>();
  const parts: Uint8Array[] = [];
  for (const { mode, path, oid, type } of sorted) {
    if (TYPE_OF_MODE.get(mode) !== type) throw new ObjectError(`mode ${mode} is not that of a ${type}`);
    if (!isName(path) || names.has(path)) throw new ObjectError("an impossible name in a tree");
    if (!isOid(oid)) throw new ObjectError("not an object name");
    names.add(path);
    parts.push(utf8(`${mode} ${path}\0`), fromHex(oid));
  }
  return gitObject("tree", concat(...parts));
}

/** Names that git can check out; anything else never gets into a repository of ours. */
function isName(path: string): boolean {
  return path !== "" && path !== "." && path !== ".." && !/[/\0]/.test(path) && path.isWellFormed() &&
    path.toLowerCase() !== ".git";
}

/** Git sorts a folder as if its name ended in a slash. */
function sortKey(path: string, type: "tree" | "blob"): string {
  return type === "tree" ? `${path}/` : path;
}

/** The order of the UTF-8 bytes of two texts, which is that of their code points. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** UTF-16 puts surrogates (code points above U+FFFF) before U+E000..U+FFFF; UTF-8 puts them after. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
