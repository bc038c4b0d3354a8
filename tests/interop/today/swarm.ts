/** One conversation of a today peer: its repository, and its history in memory. Commits are checked by today's rules before they get in. */

import { systemClock } from "../../../core/base/clock.ts";
import { KeyedMutex } from "../../../core/base/limits.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import type { AccountId } from "../../../core/identity/ids.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import { isMember } from "../../../core/swarm/access.ts";
import { field } from "../../../core/swarm/commit.ts";
import { type ConversationFacts, conversationFacts, readCommit } from "../../../core/swarm/conversation_facts.ts";
import type { Fetched } from "../../../core/swarm/fetch_pack.ts";
import { checkHistory, violationOf } from "../../../core/swarm/history.ts";
import { type Members, membersAt } from "../../../core/swarm/members.ts";
import type { ObjectReader, Oid } from "../../../core/swarm/object.ts";
import { linearNewestFirst, type OrderNode } from "../../../core/swarm/order.ts";
import { emptyReader, OverlayReader } from "../../../core/swarm/overlay.ts";
import { isReachable, missingObjects } from "../../../core/swarm/reachable.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import type { WriteContext, Written } from "../../../core/swarm/write.ts";
import { mergeHeads } from "../../../core/swarm/write_merge.ts";

/** A commit as its reader sees it. */
export interface Entry extends OrderNode {
  readonly type: string;
  readonly author: AccountId;
  readonly body: string;
  /** Of a `member` commit. */
  readonly action: string;
}

export class Swarm {
  readonly #entries = new Map<Oid, Entry>();
  readonly #mutex = new KeyedMutex<"write">();
  #head: Oid = "";
  #members: Members | null = null;

  private constructor(
    readonly facts: ConversationFacts,
    readonly repository: Repository,
    private readonly identity: Identity,
    private readonly name: string,
  ) {}

  /** Opens what is on disk. */
  static async open(id: Oid, dir: string, identity: Identity, name: string): Promise<Swarm> {
    const repository = await Repository.open(dir);
    const head = await repository.head();
    if (!head) throw new Error(`${dir} has no head`);
    const swarm = new Swarm(await conversationFacts(repository, id), repository, identity, name);
    await swarm.#move(head, await swarm.#check(repository, head));
    return swarm;
  }

  /** Puts a new or fetched history on disk, after the check. @throws {RuleViolation} nothing is kept then */
  static async settle(id: Oid, dir: string, { head, objects }: Fetched): Promise<void> {
    const reader = new OverlayReader(emptyReader, objects);
    await valid(reader, head, id, () => false);
    await Deno.remove(dir, { recursive: true }).catch(() => {}); // what a killed run left
    const repository = await Repository.create(dir);
    await repository.add(objects.values());
    await repository.setHead(head);
    await repository.close();
  }

  get id(): Oid {
    return this.facts.id;
  }

  get head(): Oid {
    return this.#head;
  }

  get members(): Members {
    if (!this.#members) throw new Error("not open");
    return this.#members;
  }

  has(commit: Oid): boolean {
    return this.#entries.has(commit);
  }

  /** All commits, newest first (swarm-repository.md 6). */
  history(): Entry[] {
    return linearNewestFirst(this.#head, this.#entries).flatMap((id) => this.#entries.get(id) ?? []);
  }

  /** Admins and members, without the invited. */
  isJoined(account: AccountId): boolean {
    const role = this.members.roles.get(account);
    return role === "admin" || role === "member";
  }

  /** May the peer open `git://` and `swarm://` here: swarm-sync.md 1.6? */
  authorised({ account, device }: Pick<Peer, "account" | "device">): boolean {
    return isMember(this.members, account, this.facts.initialMembers) && !this.members.bannedDevices.has(device);
  }

  /** Everybody who is not banned, without ourselves: invited ones and those of a one-to-one included. */
  others(): AccountId[] {
    const all = new Set([...this.members.roles.keys(), ...this.facts.initialMembers]);
    return [...all].filter((account) => account !== this.identity.account && isMember(this.members, account, [...all]));
  }

  /** Takes in what was fetched; the new commits, oldest first. @throws {RuleViolation} all of it is refused */
  take({ head, objects }: Fetched): Promise<Entry[]> {
    return this.#mutex.run("write", async () => {
      if (this.has(head)) return [];
      const reader = new OverlayReader(this.repository, objects);
      const added = await this.#check(reader, head);
      if (await isReachable(reader, this.#head, head)) return await this.#keep(reader, head, added);
      const merge = await mergeHeads(this.#context(reader), head);
      for (const object of merge.objects) objects.set(object.oid, object);
      return await this.#keep(reader, merge.head, await this.#check(reader, merge.head));
    });
  }

  /** Writes commits of our own; the new ones, oldest first. */
  write(what: (context: WriteContext) => Promise<Written>): Promise<Entry[]> {
    return this.#mutex.run("write", async () => {
      const written = await what(this.#context(this.repository));
      const reader = new OverlayReader(this.repository, new Map(written.objects.map((object) => [object.oid, object])));
      return await this.#keep(reader, written.head, await this.#check(reader, written.head));
    });
  }

  #context(reader: ObjectReader): WriteContext {
    const { identity, name } = this;
    return { reader, head: this.#head, identity, displayName: name, now: systemClock.now() };
  }

  #check(reader: ObjectReader, head: Oid): Promise<Entry[]> {
    return valid(reader, head, this.id, (commit) => this.has(commit));
  }

  async #keep(reader: ObjectReader, head: Oid, added: Entry[]): Promise<Entry[]> {
    const objects = [];
    for (const oid of await missingObjects(reader, head, [this.#head])) objects.push(await reader.read(oid));
    await this.repository.add(objects);
    await this.repository.setHead(head);
    await this.#move(head, added);
    return added;
  }

  async #move(head: Oid, added: Entry[]): Promise<void> {
    for (const entry of added) this.#entries.set(entry.id, entry);
    const { tree } = await readCommit(this.repository, head);
    this.#members = await membersAt(this.repository, tree);
    this.#head = head;
  }
}

async function valid(
  reader: ObjectReader,
  head: Oid,
  conversation: Oid,
  known: (commit: Oid) => boolean,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const verdict of checkHistory(reader, { head, known, conversation })) {
    if (!verdict.valid) throw violationOf(verdict);
    const { id, commit, author } = verdict;
    const { parents, timestamp, type, body } = commit;
    entries.push({ id, parents, timestamp, type, author, body: field(body, "body"), action: field(body, "action") });
  }
  return entries;
}
