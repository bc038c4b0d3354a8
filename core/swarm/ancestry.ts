/** How two heads of one conversation lie to each other: what they share last, and what to do about the rest (7). */

import { LimitError } from "../base/errors.ts";
import { LruMap } from "../base/limits.ts";
import { Breather } from "./breather.ts";
import { readCommit } from "./conversation_facts.ts";
import { CACHED_NODES, MAX_COMMITS } from "./history_limits.ts";
import { popNewest, pushNewest } from "./newest_first.ts";
import type { ObjectReader, Oid } from "./object.ts";
import type { OrderNode } from "./order.ts";

/** A commit as walks see it. */
export interface HistoryNode extends OrderNode {
  readonly tree: Oid;
}

/** Finds commits: in the repository ({@link historyNodes}) or in an index beside it. */
export type NodeLookup = (commit: Oid) => Promise<HistoryNode>;

/** Commits read from a repository, the last ones remembered. The lookup throws MissingObject or ProtocolError. */
export function historyNodes(reader: ObjectReader): NodeLookup {
  const known = new LruMap<Oid, HistoryNode>(CACHED_NODES);
  return async (commit) => {
    let node = known.get(commit);
    if (node === undefined) {
      const { id, parents, timestamp, tree } = await readCommit(reader, commit);
      known.set(commit, node = { id, parents, timestamp, tree });
    }
    return node;
  };
}

/** Where two heads part. */
export interface Divergence {
  /** Best common ancestors, sorted; none when the histories are unrelated. */
  readonly bases: Oid[];
  /** Commits only in the first history. With clocks in disorder some shared ones may be among them. */
  readonly ours: HistoryNode[];
  /** Likewise for the second. */
  readonly theirs: HistoryNode[];
}

const OURS = 1;
const THEIRS = 2;
const BOTH = OURS | THEIRS;
/** Below a commit that both share: no best ancestor. */
const STALE = 4;

/**
 * Paints both histories downwards, newest first, until everything left is shared. Times are only a hint (a peer
 * writes what it likes): when they leave several candidates, the painting goes on to the end, which is exact.
 * @throws {LimitError} after more commits than an honest conversation has
 */
export async function diverge(nodes: NodeLookup, ours: Oid, theirs: Oid): Promise<Divergence> {
  const painter = new Painter(nodes);
  await painter.paint(ours, OURS);
  await painter.paint(theirs, THEIRS);
  while (painter.undecided > 0) await painter.step();
  if (painter.bases().length > 1) { while (await painter.step()); }
  return { bases: painter.bases(), ours: painter.painted(OURS), theirs: painter.painted(THEIRS) };
}

class Painter {
  /** Queue entries whose commit may still be, or lead to, something not shared. */
  undecided = 0;
  #colours = new Map<Oid, number>();
  #queued = new Map<Oid, number>();
  #seen = new Map<Oid, HistoryNode>();
  #queue: HistoryNode[] = [];
  #breather = new Breather();

  constructor(private readonly nodes: NodeLookup) {}

  async paint(id: Oid, colour: number): Promise<void> {
    const before = this.#colours.get(id) ?? 0;
    const after = before | colour;
    if (after === before) return;
    if (this.#colours.size >= MAX_COMMITS) throw new LimitError("swarm history", "too many commits to compare");
    this.#colours.set(id, after);
    const queued = this.#queued.get(id) ?? 0;
    if ((before & STALE) === 0) this.undecided += (after & STALE) === 0 ? 1 : -queued;
    this.#queued.set(id, queued + 1);
    pushNewest(this.#queue, await this.nodes(id));
  }

  /** Hands one commit's colours on to its parents. @returns false when none is left */
  async step(): Promise<boolean> {
    const node = popNewest(this.#queue);
    if (node === undefined) return false;
    const colours = this.#colours.get(node.id) ?? 0;
    this.#seen.set(node.id, node);
    this.#queued.set(node.id, (this.#queued.get(node.id) ?? 1) - 1);
    if ((colours & STALE) === 0) this.undecided--;
    const shared = (colours & BOTH) === BOTH ? STALE : 0;
    await this.#breather.pause();
    for (const parent of node.parents) await this.paint(parent, colours | shared);
    return true;
  }

  bases(): Oid[] {
    return [...this.#seen.keys()].filter((id) => this.#colours.get(id) === BOTH).sort();
  }

  painted(colour: number): HistoryNode[] {
    return [...this.#seen.values()].filter((node) => this.#colours.get(node.id) === colour);
  }
}

/**
 * What to do with a fetched and checked head.
 * - `nothing`: we have all of it; - `fast-forward`: move `main` to it; - `merge`: write a merge commit;
 * - `keep`: both sides differ only in merges with the same tree, so merging would only make another merge (7);
 * - `unrelated`: no common commit, which a checked history of one conversation cannot have.
 */
export type Step = "nothing" | "fast-forward" | "merge" | "keep" | "unrelated";

/**
 * Decides that.
 * @throws {LimitError} see {@link diverge}; and what the lookup throws
 */
export async function nextStep(nodes: NodeLookup, local: Oid, remote: Oid): Promise<Step> {
  const { bases, ours, theirs } = await diverge(nodes, local, remote);
  if (bases.includes(remote)) return "nothing";
  if (bases.includes(local)) return "fast-forward";
  if (bases.length === 0) return "unrelated";
  const { tree } = await nodes(local);
  const isEmptyMerge = (node: HistoryNode) => node.parents.length > 1 && node.tree === tree;
  return [...ours, ...theirs].every(isEmptyMerge) ? "keep" : "merge";
}
