/**
 * One conversation on this node: its repository, the index of its commits in the store, and the one writer that moves its head. What it takes from peers
 * is checked first and durable before anybody hears of it: objects, then the ref, then the rows (swarm-repository.md 5.6, 7, 11).
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { CommitRow, DisplayPage, NewCommit } from "../store/commits.ts";
import type { Conversation as ConversationRecord } from "../store/conversations.ts";
import type { Store } from "../store/store.ts";
import { isMember } from "./access.ts";
import { historyNodes, type NodeLookup } from "./ancestry.ts";
import { addToIndex, renewSearch } from "./commit_index.ts";
import { type ConversationFacts, conversationFacts, readCommit } from "./conversation_facts.ts";
import { type Gap, gapsOf } from "./gaps.ts";
import { holds, lacking, type NodeSource, readingAhead } from "./graph.ts";
import { checkHistory, violationOf } from "./history.ts";
import { indexRow, indexRows } from "./index_rows.ts";
import { type Members, membersAt, treesOf } from "./members.ts";
import type { GitObject, ObjectReader, Oid } from "./object.ts";
import { type Profile, PROFILE_PATH } from "./profile.ts";
import { profileAt } from "./read_profile.ts";
import { OverlayReader } from "./overlay.ts";
import { readOverrides, writeOverrides } from "./override_file.ts";
import { missingObjects } from "./reachable.ts";
import type { Repository } from "./repository.ts";
import { type OpenVote, openVotes } from "./votes.ts";
import type { WriteContext, Written } from "./write.ts";
import { mergeHeads } from "./write_merge.ts";

const log = getLogger(["kituo", "swarm"]);

/** Characters of title and description that the record keeps for lists. */
const MAX_TITLE = 1_000;
const MAX_DESCRIPTION = 10_000;

/** The node may not write here: it is no member (any more). */
export class NotMember extends KituoError {}

/** It was closed: the node stops, or has left. */
export class ConversationClosed extends KituoError {}

export type ConversationEvents = {
  /** `main` moved. */
  moved: Moved;
};

/** How `main` moved. */
export interface Moved {
  /** The new commits, parents first. */
  added: NewCommit[];
  /** Did this node write them? */
  own: boolean;
  /** Where `main` stood before. */
  from: Oid;
  /** Devices that had not written here before. */
  newcomers: DeviceId[];
}

export interface ConversationDeps {
  store: Store;
  identity: Identity;
  clock: Clock;
  /** The name that own commits carry. */
  displayName(): string;
}

/** What a fetch brought: a head and the objects that came with it. */
export interface Fetched {
  head: Oid;
  objects: Map<Oid, GitObject>;
}

export class Conversation extends Emitter<ConversationEvents> {
  #mutex = new KeyedMutex<"write">();
  #isClosed = false;
  #head: Oid;
  #members: Members;
  /** The file that the record was made from. */
  #profile: Oid | null = null;
  readonly #graph: NodeSource;

  private constructor(
    readonly facts: ConversationFacts,
    readonly repository: Repository,
    private readonly deps: ConversationDeps,
    head: Oid,
    members: Members,
  ) {
    super();
    this.#head = head;
    this.#members = members;
    const { commits } = deps.store;
    this.#graph = {
      node: (id) => commits.node(facts.id, id),
      upTo: (seq, limit) => commits.arrivedUpTo(facts.id, seq, limit),
    };
  }

  /**
   * Opens a conversation whose repository has a checked head; rows that a crash kept from the index are added.
   * @throws {KituoError} when the repository has no head or is damaged
   */
  static async open(id: Oid, repository: Repository, deps: ConversationDeps): Promise<Conversation> {
    const head = await repository.head();
    if (!head) throw new NotMember(`conversation ${id} has no history yet`);
    const facts = await conversationFacts(repository, id);
    const { tree } = await readCommit(repository, head);
    const conversation = new Conversation(facts, repository, deps, head, await membersAt(repository, tree));
    await conversation.#importOverrides();
    await conversation.#catchUp();
    await renewSearch(deps.store, id);
    await conversation.#noteProfile(tree);
    return conversation;
  }

  get id(): Oid {
    return this.facts.id;
  }

  get head(): Oid {
    return this.#head;
  }

  get members(): Members {
    return this.#members;
  }

  get record(): ConversationRecord {
    const record = this.deps.store.conversations.get(this.id);
    if (!record) throw new NotMember(`conversation ${this.id} is unknown`);
    return record;
  }

  /** Accounts that take part: admins, members and invited, and the initial members of a one-to-one conversation. */
  participants(): AccountId[] {
    const named = [...this.#members.roles.keys(), ...this.facts.initialMembers];
    return [...new Set(named)].filter((account) => this.isMember(account));
  }

  isMember(account: AccountId): boolean {
    return isMember(this.#members, account, this.facts.initialMembers);
  }

  /** Is this node a full member, who may write? */
  get joined(): boolean {
    const role = this.#members.roles.get(this.deps.identity.account);
    return role === "admin" || role === "member";
  }

  /** Title, description and so on, as of now (swarm-repository.md 9). */
  async profile(): Promise<Profile> {
    return await profileAt(this.repository, (await readCommit(this.repository, this.#head)).tree);
  }

  /** What admins vote on, as of now. */
  async votes(): Promise<OpenVote[]> {
    const { tree } = await readCommit(this.repository, this.#head);
    return await openVotes(treesOf(this.repository), tree);
  }

  /** May the peer fetch (swarm-sync.md 1.6)? To be asked at every request. */
  mayFetch(peer: { account: AccountId; device: DeviceId }): boolean {
    return this.isMember(peer.account) && !this.#members.bannedDevices.has(peer.device);
  }

  /** Is the peer a full member (not merely invited), by a device that is not banned? Those may have files (swarm-sync.md 6.3). */
  isJoined(peer: { account: AccountId; device: DeviceId }): boolean {
    const role = this.#members.roles.get(peer.account);
    return (role === "admin" || role === "member") && this.mayFetch(peer);
  }

  /** Is the commit in our history? */
  has(commit: Oid): boolean {
    return this.#graph.node(commit) !== undefined;
  }

  /** Is `ancestor` in the history of `head`? */
  holds(head: Oid, ancestor: Oid): boolean {
    return holds(this.#graph, head, ancestor);
  }

  /** The newest commit, merges aside, that one who holds `held` lacks. Merges alone are not worth telling (swarm-repository.md 7). */
  newestLacking(held: Iterable<Oid>): Oid | undefined {
    for (const node of lacking(this.#graph, this.#head, held)) if (node.parents.length < 2) return node.id;
  }

  /** How many commits, merges aside, one who holds `held` lacks; counts to `limit`. */
  countLacking(held: Iterable<Oid>, limit = 10_000): number {
    return this.gapsOf([[...held]], limit)[0].count;
  }

  /** How much each of these lacks: found in one walk, which ends after `limit` commits. */
  gapsOf(helds: readonly (readonly Oid[])[], limit = 10_000): Gap[] {
    return gapsOf(readingAhead(this.#graph), this.#head, helds, limit);
  }

  /** Our commits, latest arrival first, to tell a server what we have. */
  haves(limit: number): Oid[] {
    return this.deps.store.commits.latest(this.id, limit);
  }

  /** Commits in display order, newest first (swarm-repository.md 6). */
  page(options: DisplayPage): CommitRow[] {
    return this.deps.store.commits.page(this.id, options);
  }

  /**
   * Takes in what was fetched from a peer: checks every commit that is new, keeps them, and moves `main` forward or merges.
   * @returns the commits that were new, parents first; none when all was known or only merges differ
   * @throws {RuleViolation} the whole fetch is refused, nothing was kept
   */
  take(fetched: Fetched): Promise<NewCommit[]> {
    return this.#inTurn(() => this.#take(fetched));
  }

  /** Writes one commit (or several) of our own on top of `main`. @throws {NotMember} */
  write(what: (context: WriteContext) => Promise<Written>): Promise<NewCommit[]> {
    return this.#inTurn(async () => {
      if (!this.isMember(this.deps.identity.account)) throw new NotMember(`not a member of ${this.id}`);
      const written = await what(this.#context(this.repository));
      if (written.commits.length === 0) return [];
      const reader = new OverlayReader(this.repository, new Map(written.objects.map((object) => [object.oid, object])));
      return await this.#keep(reader, written.head, await this.#check(reader, written.head), true);
    });
  }

  /** Writes the operator's overrides beside the objects, for who has no database. */
  async noteOverrides(): Promise<void> {
    await writeOverrides(this.repository.gitdir, this.deps.store.overrides.forConversation(this.id));
  }

  /** Waits for what is being taken in or written, then closes the repository. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#mutex.run("write", () => this.repository.close());
  }

  /** One writer at a time. @throws {ConversationClosed} */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(new ConversationClosed(`${this.id} is closed`));
    return this.#mutex.run("write", work);
  }

  async #take({ head, objects }: Fetched): Promise<NewCommit[]> {
    if (this.has(head)) return [];
    const reader = new OverlayReader(this.repository, objects);
    const rows = await this.#check(reader, head);
    if (rows.every(({ parents }) => parents.length > 1)) return [];
    if (rows.some(({ parents }) => parents.includes(this.#head))) return await this.#keep(reader, head, rows);
    if (!this.joined) throw new NotMember("histories differ, and only members can merge them");
    const merge = await mergeHeads(this.#context(reader), head, this.#nodes(reader));
    for (const object of merge.objects) objects.set(object.oid, object);
    return await this.#keep(reader, merge.head, await this.#check(reader, merge.head, rows));
  }

  /** Commits from the index, and new ones from what brought them. */
  #nodes(reader: ObjectReader): NodeLookup {
    const fresh = historyNodes(reader);
    return async (id) => this.deps.store.commits.get(this.id, id) ?? await fresh(id);
  }

  #context(reader: ObjectReader): WriteContext {
    const { identity, displayName, clock } = this.deps;
    return { reader, head: this.#head, identity, displayName: displayName(), now: clock.now() };
  }

  /** The rows of all that is new below `head`, `checked` ones first. @throws {RuleViolation} at the first commit refused */
  async #check(reader: ObjectReader, head: Oid, checked: readonly NewCommit[] = []): Promise<NewCommit[]> {
    const rows = [...checked];
    const done = new Set(checked.map(({ id }) => id));
    const known = (id: Oid) => done.has(id) || this.has(id);
    const overrides = this.deps.store.overrides.commits(this.id);
    const options = { head, known, conversation: this.id, overrides, nodes: this.#nodes(reader) };
    for await (const verdict of checkHistory(reader, options)) {
      if (!verdict.valid) throw violationOf(verdict);
      rows.push(indexRow(this.id, verdict.commit, verdict.members));
    }
    return rows;
  }

  /** Durable first, visible then. A crash in between is made good by `#catchUp`. */
  async #keep(reader: ObjectReader, head: Oid, rows: NewCommit[], own = false): Promise<NewCommit[]> {
    const { store } = this.deps;
    const objects: GitObject[] = [];
    for (const oid of await missingObjects(reader, head, [this.#head])) objects.push(await reader.read(oid));
    await this.repository.add(objects);
    await this.repository.setHead(head);
    addToIndex(store, this.id, head, rows);
    const [from, before] = [this.#head, this.#members.devices];
    this.#head = head;
    const { tree } = rows[rows.length - 1];
    this.#members = await membersAt(this.repository, tree);
    await this.#noteProfile(tree);
    const newcomers = [...this.#members.devices.keys()].filter((device) => !before.has(device));
    this.emit("moved", { added: rows, own, from, newcomers });
    await this.repository.repack().catch((error) =>
      log.error("packing {id} failed: {error}", { id: this.id, error: messageOf(error) })
    );
    return rows;
  }

  /** Makes database and repository agree on the overrides: either may have been lost, or a crash came between them. */
  async #importOverrides(): Promise<void> {
    const { overrides } = this.deps.store;
    const noted = await readOverrides(this.repository.gitdir);
    for (const note of noted) overrides.put({ conversation: this.id, ...note });
    if (overrides.forConversation(this.id).length > noted.length) await this.noteOverrides();
  }

  /** Adds to the index what the repository has and the index lacks: everything there was checked before the ref moved. */
  async #catchUp(): Promise<void> {
    const { store } = this.deps;
    if (store.conversations.get(this.id)?.head === this.#head && this.has(this.#head)) return;
    const rows = await indexRows(this.repository, this.id, this.#head, (id) => this.has(id));
    if (rows.length) log.debug("{count} commits of {id} come into the index", { count: rows.length, id: this.id });
    addToIndex(store, this.id, this.#head, rows);
  }

  /** The record names the conversation as its profile does, if it has one. */
  async #noteProfile(tree: Oid): Promise<void> {
    const file = await treesOf(this.repository).file(tree, PROFILE_PATH);
    if (file === null || file.oid === this.#profile) return;
    const { title, description } = await profileAt(this.repository, tree);
    this.deps.store.conversations.setProfile(this.id, {
      title: title.slice(0, MAX_TITLE),
      description: description.slice(0, MAX_DESCRIPTION),
    });
    this.#profile = file.oid;
  }
}
