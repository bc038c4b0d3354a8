/** Walks over the object graph: what a peer lacks, and what belongs to a history. */

import { strictText } from "../base/bytes.ts";
import { Breather } from "./breather.ts";
import { type GitObject, MissingObject, ObjectError, type ObjectReader, type Oid, parseTree } from "./object.ts";

/** What a commit refers to, and its time in seconds: all that walking needs (the rules read commits more closely). */
export interface CommitLinks {
  tree: Oid;
  parents: Oid[];
  time: number;
}

const HEADERS =
  /^tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author [^\n]*\ncommitter [^\n]*> (\d{1,15}) [+-]\d{4}\n/;
const BLANK_LINE = "\n\n";

/**
 * The links of a commit.
 * @throws {ObjectError} when it is malformed
 */
export function commitLinks(data: Uint8Array): CommitLinks {
  const text = strictText(data) ?? new TextDecoder("latin1").decode(data);
  const end = text.indexOf(BLANK_LINE);
  const match = HEADERS.exec(end < 0 ? text : text.slice(0, end + 1));
  if (!match) throw new ObjectError("a commit without its headers");
  const parents = match[2].split("\n").filter((line) => line !== "").map((line) => line.slice("parent ".length));
  return { tree: match[1], parents, time: Number(match[3]) };
}

/**
 * The objects that an object names itself.
 * @throws {ObjectError} when it is malformed
 */
export function referencesOf({ type, data }: GitObject): Oid[] {
  if (type === "tree") return parseTree(data).map((entry) => entry.oid);
  if (type !== "commit") return [];
  const { tree, parents } = commitLinks(data);
  return [tree, ...parents];
}

interface Node {
  oid: Oid;
  links: CommitLinks;
  /** Known to be on the other side already. */
  had: boolean;
  queued: boolean;
}

/** Is `a` visited before `b`? Of one second's commits the had ones come first, so that they spread in time. */
function comesFirst(a: Node, b: Node): boolean {
  return a.links.time > b.links.time || (a.links.time === b.links.time && a.had && !b.had);
}

/**
 * Commits from the newest backwards, as git walks them: by time, each once, `had` spreading to all ancestors.
 *
 * Clocks may lie (swarm-repository.md 2): then a commit is visited before one learns that the other side has it,
 * and is sent although it was not needed. Nothing needed is ever left out.
 */
class Walk {
  #nodes = new Map<Oid, Node>();
  /** Sorted by time, newest last. */
  #queue: Node[] = [];
  #wantedQueued = 0;

  constructor(private readonly reader: ObjectReader) {}

  async add(oid: Oid, had: boolean): Promise<void> {
    const known = this.#nodes.get(oid);
    if (known) {
      if (had) this.#spread(known);
      return;
    }
    const object = await this.#commit(oid, had);
    if (object === null) return;
    const node = { oid, links: commitLinks(object.data), had, queued: true };
    this.#nodes.set(oid, node);
    let at = this.#queue.length;
    while (at > 0 && comesFirst(this.#queue[at - 1], node)) at--;
    this.#queue.splice(at, 0, node);
    if (!had) this.#wantedQueued++;
  }

  /** The wanted commits, newest first, and the had ones next to them. */
  async run(): Promise<{ wanted: Node[]; edge: Node[] }> {
    const breather = new Breather();
    const visited: Node[] = [];
    while (this.#wantedQueued > 0) {
      const node = this.#queue.pop();
      if (!node) break;
      node.queued = false;
      if (!node.had) {
        this.#wantedQueued--;
        visited.push(node);
      }
      for (const parent of node.links.parents) await this.add(parent, node.had);
      await breather.pause();
    }
    const wanted = visited.filter((node) => !node.had);
    const edge = new Set<Node>();
    for (const parent of wanted.flatMap((node) => node.links.parents)) {
      const node = this.#nodes.get(parent);
      if (node?.had) edge.add(node);
    }
    return { wanted, edge: [...edge] };
  }

  /** What the other side has may be incomplete here: then it just excludes less. */
  async #commit(oid: Oid, had: boolean): Promise<GitObject | null> {
    try {
      const object = await this.reader.read(oid);
      if (object.type === "commit") return object;
      if (had) return null;
      throw new ObjectError("not a commit");
    } catch (error) {
      if (had && error instanceof MissingObject) return null;
      throw error;
    }
  }

  #spread(from: Node): void {
    const stack = [from];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.had) continue;
      node.had = true;
      if (node.queued) this.#wantedQueued--;
      for (const parent of node.links.parents) {
        const next = this.#nodes.get(parent);
        if (next) stack.push(next);
      }
    }
  }
}

/**
 * The objects of `want`'s history that somebody with the histories of `haves` lacks: commits newest first, each
 * followed by what is new in its tree. May contain a few objects too many, never one too few.
 * @throws {MissingObject} when the reader lacks an object of it
 */
export async function missingObjects(reader: ObjectReader, want: Oid, haves: Iterable<Oid>): Promise<Oid[]> {
  const walk = new Walk(reader);
  for (const have of haves) await walk.add(have, true);
  await walk.add(want, false);
  const { wanted, edge } = await walk.run();
  const seen = new Set<Oid>();
  for (const { links } of edge) await collect(reader, links.tree, seen, []);
  const out: Oid[] = [];
  const breather = new Breather();
  for (const { oid, links } of wanted) {
    out.push(oid);
    await collect(reader, links.tree, seen, out);
    await breather.pause();
  }
  return out;
}

/** Adds a tree and everything below it that was not seen yet. */
async function collect(reader: ObjectReader, tree: Oid, seen: Set<Oid>, out: Oid[]): Promise<void> {
  if (seen.has(tree)) return;
  seen.add(tree);
  out.push(tree);
  for (const entry of parseTree((await reader.read(tree)).data)) {
    if (entry.type === "tree") await collect(reader, entry.oid, seen, out);
    else if (!seen.has(entry.oid)) {
      seen.add(entry.oid);
      out.push(entry.oid);
    }
  }
}

/** Is `oid` the commit `tip` or an ancestor of it? */
export async function isReachable(reader: ObjectReader, oid: Oid, tip: Oid): Promise<boolean> {
  const breather = new Breather();
  const seen = new Set([tip]);
  const stack = [tip];
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next === oid) return true;
    for (const parent of commitLinks((await reader.read(next)).data).parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      stack.push(parent);
    }
    await breather.pause();
  }
  return false;
}
