/**
 * The check of a history before anything of it is merged or served (swarm-repository.md 5.1, 5.6): exactly the commits
 * reachable from a head and not yet had, parents first.
 *
 * Commits do not wait for each other's verdict, so several are examined at a time; verdicts still come out in order.
 */

import { LimitError } from "../base/errors.ts";
import type { AccountId } from "../identity/ids.ts";
import { historyNodes, type NodeLookup } from "./ancestry.ts";
import { authorOf } from "./author.ts";
import { Breather } from "./breather.ts";
import type { Commit } from "./commit.ts";
import { type ConversationFacts, conversationFacts, isPeersFault, readCommit } from "./conversation_facts.ts";
import { CHECKS_IN_FLIGHT, MAX_ANCESTORS_ASKED, MAX_COMMITS } from "./history_limits.ts";
import { type Members, membersAt, treesOf } from "./members.ts";
import { MissingObject, type ObjectReader, type Oid } from "./object.ts";
import { linearNewestFirst, type OrderNode } from "./order.ts";
import { isOverridable } from "./rules/envelope.ts";
import { checkCommit, OwnReason, Reason, RuleViolation } from "./rules/index.ts";

export { RuleViolation } from "./rules/index.ts";

/** What the caller throws when it refuses a history for one commit of it. */
export function violationOf({ id, reason, detail, commit, author, overridable }: RefusedCommit): RuleViolation {
  return new RuleViolation(id, reason, detail, { type: commit?.type ?? "", author, overridable });
}

/** What to check. */
export interface HistoryOptions {
  head: Oid;
  /** Is the commit validated and in our history already? Nothing beyond it is looked at. */
  known: (commit: Oid) => boolean | Promise<boolean>;
  /** Conversation id. The only commit without parents that is accepted. */
  conversation: Oid;
  /** Commits that the operator accepts although they break a rule (5.6). */
  overrides?: ReadonlySet<Oid>;
  /** Where merges find their ancestors; the reader unless told. */
  nodes?: NodeLookup;
  /** At most so many new commits; {@link MAX_COMMITS} unless told. */
  maxCommits?: number;
}

/** A commit that may be merged and served. */
export interface CheckedCommit {
  readonly id: Oid;
  readonly commit: Commit;
  /** Account of the author's device. */
  readonly author: AccountId;
  /** Members by the tree of the commit. */
  readonly members: Members;
  readonly valid: true;
  /** `null`, or the rule that it breaks and the operator overrode. */
  readonly reason: string | null;
  readonly detail: string | null;
}

/** A commit that must not get in. What cannot be read of it is `null`. */
export interface RefusedCommit {
  readonly id: Oid;
  readonly commit: Commit | null;
  readonly author: AccountId | null;
  readonly members: Members | null;
  readonly valid: false;
  /** A text of section 5.2 or of Kituo's own ({@link Reason}, {@link OwnReason}). */
  readonly reason: string;
  /** What exactly is wrong, for the operator. */
  readonly detail: string;
  /** May the operator accept it nevertheless (5.6)? */
  readonly overridable: boolean;
}

/** What is said of one commit. */
export type Verdict = CheckedCommit | RefusedCommit;

/** What the walk remembers of a commit; `tree` is `null` when it cannot be read. */
interface Node extends OrderNode {
  readonly tree: Oid | null;
  readonly problem: string | null;
}

/**
 * Checks the commits reachable from `head` and not known, parents before children (display order backwards).
 * A refused commit refuses all that descends from it; the caller refuses the whole fetch then.
 * @throws {LimitError} when there is more than any honest history has
 */
export async function* checkHistory(reader: ObjectReader, options: HistoryOptions): AsyncGenerator<Verdict> {
  treesOf(reader).renewBudget();
  const nodes = await collect(reader, options);
  const order = linearNewestFirst(options.head, nodes).reverse();
  // null: the initial commit is unreadable, so every commit is refused
  const facts = order.length === 0 ? null : await orNull(conversationFacts(reader, options.conversation));
  const ancestors = bounded(options.nodes ?? historyNodes(reader));
  const refused = new Set<Oid>();
  const running: Promise<Verdict>[] = [];
  const breather = new Breather();
  let next = 0;
  while (next < order.length || running.length > 0) {
    while (next < order.length && running.length < CHECKS_IN_FLIGHT) {
      const node = nodes.get(order[next++]);
      if (node === undefined) continue;
      const verdict = judge(reader, facts, node, nodes, ancestors);
      verdict.catch(() => {}); // reported when its turn comes; a caller that stops early must not crash the program
      running.push(verdict);
    }
    await breather.pause();
    const verdict = await running.shift();
    if (verdict === undefined) break;
    yield settle(verdict, refused, options.overrides);
  }
}

/** The same look-up, until it was asked more often than any honest history makes necessary. @throws {LimitError} then */
function bounded(nodes: NodeLookup): NodeLookup {
  let left = MAX_ANCESTORS_ASKED;
  return (id) => {
    if (left-- === 0) throw new LimitError("swarm history", "its merges cross too often");
    return nodes(id);
  };
}

/** Gives a verdict its place in the history: after a refused parent, or with the operator's override. */
function settle(verdict: Verdict, refused: Set<Oid>, overrides?: ReadonlySet<Oid>): Verdict {
  const { id, commit, author, members } = verdict;
  const ancestor = commit?.parents.find((parent) => refused.has(parent));
  if (ancestor !== undefined) {
    refused.add(id);
    return { ...verdict, valid: false, reason: OwnReason.descendant, detail: `of ${ancestor}`, overridable: false };
  }
  if (verdict.valid) return verdict;
  const { reason, detail, overridable } = verdict;
  if (overridable && overrides?.has(id) && commit !== null && author !== null && members !== null) {
    return { id, commit, author, members, valid: true, reason, detail };
  }
  refused.add(id);
  return verdict;
}

async function collect(reader: ObjectReader, options: HistoryOptions): Promise<Map<Oid, Node>> {
  const limit = options.maxCommits ?? MAX_COMMITS;
  const nodes = new Map<Oid, Node>();
  const open = [options.head];
  const seen = new Set(open);
  const breather = new Breather();
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    await breather.pause();
    if (await options.known(id)) continue;
    if (nodes.size === limit) throw new LimitError("swarm history", "too many commits");
    const node = await readNode(reader, id);
    nodes.set(id, node);
    for (const parent of node.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
  return nodes;
}

async function readNode(reader: ObjectReader, id: Oid): Promise<Node> {
  try {
    const { parents, timestamp, tree } = await readCommit(reader, id);
    return { id, parents, timestamp, tree, problem: null };
  } catch (error) {
    if (!isPeersFault(error)) throw error;
    const problem = error instanceof MissingObject ? OwnReason.missing : Reason.commit;
    return { id, parents: [], timestamp: 0, tree: null, problem };
  }
}

async function judge(
  reader: ObjectReader,
  facts: ConversationFacts | null,
  node: Node,
  nodes: ReadonlyMap<Oid, Node>,
  ancestors: NodeLookup,
): Promise<Verdict> {
  const { id, problem } = node;
  if (problem !== null) {
    const nothing = { commit: null, author: null, members: null, overridable: false };
    return { id, ...nothing, valid: false, reason: problem, detail: "the commit" };
  }
  const commit = await readCommit(reader, id);
  const members = await orNull(membersAt(reader, commit.tree));
  let author: AccountId | null = null;
  let parents: Oid[] = [];
  try {
    if (facts === null) throw new RuleViolation(id, OwnReason.missing, "the initial commit");
    parents = await Promise.all(commit.parents.map((parent) => treeOf(reader, commit, parent, nodes)));
    author = await orNull(authorOf(treesOf(reader), commit, parents[0] ?? null));
    await checkCommit(reader, facts, commit, parents, ancestors);
    if (author === null || members === null) throw new RuleViolation(id, OwnReason.unreadable, "author or members");
    return { id, commit, author, members, valid: true, reason: null, detail: null };
  } catch (error) {
    if (!(error instanceof RuleViolation)) throw error;
    const { reason, detail } = error;
    const overridable = author !== null && members !== null && await isOverridable(reader, commit, parents, reason);
    return { id, commit, author, members, valid: false, reason, detail, overridable };
  }
}

/** What cannot be read, by the fault of who sent it, is `null`: the rules say so too. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isPeersFault(error)) return null;
    throw error;
  }
}

async function treeOf(
  reader: ObjectReader,
  commit: Commit,
  parent: Oid,
  nodes: ReadonlyMap<Oid, Node>,
): Promise<Oid> {
  const node = nodes.get(parent) ?? await readNode(reader, parent);
  if (node.tree === null) throw new RuleViolation(commit.id, OwnReason.missing, `parent ${parent}`);
  return node.tree;
}
