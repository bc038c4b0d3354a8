/** All conversations of this node: opened at start, created, cloned, left. */

import { getLogger } from "@logtape/logtape";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import { UnderWay } from "../base/under_way.ts";
import type { Identity } from "../identity/identity.ts";
import { type AccountId, isAccountId } from "../identity/ids.ts";
import { repositoryIds, repositoryPath } from "../store/places.ts";
import type { Store } from "../store/store.ts";
import { Conversation, type Fetched, type Moved } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import { renameDurably } from "../swarm/durable_fs.ts";
import { checkHistory, violationOf } from "../swarm/history.ts";
import type { GitObject, Oid } from "../swarm/object.ts";
import { emptyReader, OverlayReader } from "../swarm/overlay.ts";
import { missingObjects } from "../swarm/reachable.ts";
import { Repository } from "../swarm/repository.ts";
import { createConversation, join as joinCommit, type NewConversation } from "../swarm/write_members.ts";
import { MAX_WANTED_OF_ACCOUNT } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** A clone that shows we are not (or no more) invited. */
export class NotInvited extends KituoError {}

export type ConversationsEvents = {
  /** New commits in a conversation, wherever they came from. */
  moved: Moved & { conversation: Conversation };
  /** A conversation was opened, created or cloned. */
  opened: { conversation: Conversation };
  /** A conversation ended for us. */
  closed: { id: Oid };
  /** A conversation began, ended or was erased, as our other devices are to know. */
  changed: { id: Oid };
};

export interface ConversationsOptions {
  /** Folder of the repositories. */
  dir: string;
  store: Store;
  identity: Identity;
  clock: Clock;
  displayName(): string;
}

/** A conversation that is to be cloned. */
export interface Wanted {
  id: Oid;
  /** Whose devices to clone it from. */
  from: readonly AccountId[];
}

export class Conversations extends Emitter<ConversationsEvents> {
  #open = new Map<Oid, Conversation>();
  #wanted = new Map<Oid, Wanted>();
  /** Those whose repositories could not be opened. */
  #damaged = new Set<Oid>();
  #byAccount: Map<AccountId, Set<Conversation>> | null = null;
  #mutex = new KeyedMutex<Oid>();
  #making = new UnderWay("making conversations");
  /** Seconds in which a conversation of ours began: no two may (swarm-repository.md 3.1). */
  #begun = new Set<number>();

  constructor(private readonly options: ConversationsOptions) {
    super();
  }

  /** Opens what is on disk; a damaged repository is reported and left alone. */
  async start(): Promise<void> {
    const { store, dir } = this.options;
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    await this.#lookAround();
    for (const { id, state, invitedBy } of store.conversations.all()) {
      if (state === "left") continue;
      if (state === "cloning") this.#wanted.set(id, { id, from: this.#sources(id, invitedBy) });
      try {
        if (state !== "cloning" || await isThere(this.#dir(id))) await this.#openStored(id);
      } catch (error) {
        this.#damaged.add(id);
        log.error("conversation {id} cannot be opened: {error}", { id, error: messageOf(error) });
      }
    }
  }

  /** Removes repositories that a crash kept from their places, and tells of those that the database does not know. */
  async #lookAround(): Promise<void> {
    const { store, dir } = this.options;
    for await (const { name } of Deno.readDir(dir)) {
      if (/^[0-9a-f]{40}\.git\.new$/.test(name)) await Deno.remove(join(dir, name), { recursive: true });
    }
    const unknown = (await repositoryIds(dir)).filter((id) => !store.conversations.get(id));
    if (unknown.length === 0) return;
    log.warn(
      "{count} repositories are not in the database: `deno task reindex` takes them up (with the node stopped)",
      {
        count: unknown.length,
      },
    );
  }

  /** Nothing is made, cloned or erased any more; waits for what is. @returns whether that has ended */
  finish(): Promise<boolean> {
    return this.#making.end(this.options.clock);
  }

  /** Ends what is under way, then closes all repositories. */
  async stop(): Promise<void> {
    await this.finish();
    const open = this.all();
    this.#open.clear();
    this.#byAccount = null;
    await Promise.all(open.map((conversation) => conversation.close()));
  }

  get(id: Oid): Conversation | undefined {
    return this.#open.get(id);
  }

  all(): Conversation[] {
    return [...this.#open.values()];
  }

  /** The conversations in which the account takes part; our own: all. */
  of(account: AccountId): Conversation[] {
    return account === this.options.identity.account ? this.all() : [...this.#index().get(account) ?? []];
  }

  /** Everybody who takes part in something here. */
  accounts(): Set<AccountId> {
    return new Set(this.#index().keys());
  }

  /** What is to be cloned yet. */
  wanted(): Wanted[] {
    return [...this.#wanted.values()];
  }

  /** Is it one of ours whose repository cannot be opened? */
  isDamaged(id: Oid): boolean {
    return this.#damaged.has(id);
  }

  isWanted(id: Oid): boolean {
    return this.#wanted.has(id);
  }

  /**
   * Notes that a conversation is to be cloned. One that we are leaving ends with that: who invites us anew knows that we have left.
   * @throws {LimitError} when too many of this account's are wanted already
   */
  want(id: Oid, invitedBy: AccountId, mode: number, title = ""): void {
    const { store, clock } = this.options;
    const open = this.#open.get(id);
    if (open && open.record.state !== "leaving") return;
    const others = this.wanted().filter((wanted) => wanted.id !== id && wanted.from.includes(invitedBy));
    if (others.length >= MAX_WANTED_OF_ACCOUNT) {
      throw new LimitError("conversations to clone", "too many of one account");
    }
    this.#wanted.set(id, { id, from: [invitedBy] });
    store.conversations.put({
      id,
      mode,
      created: clock.now(),
      removed: 0,
      erased: 0,
      state: "cloning",
      title,
      head: "",
      invitedBy,
    });
    this.#close(id);
    if (open) this.emit("closed", { id }); // it is wanted already: the connection with its inviter stays
    this.emit("changed", { id });
  }

  /** Takes up what is noted as to be cloned because another own device has it. */
  takeUp(id: Oid): void {
    const record = this.options.store.conversations.get(id);
    if (record?.state !== "cloning" || this.#open.has(id)) return;
    this.#wanted.set(id, { id, from: this.#sources(id, record.invitedBy) });
  }

  #sources(id: Oid, invitedBy: AccountId | undefined): AccountId[] {
    return [...invitedBy === undefined ? [] : [invitedBy], ...this.options.store.cloneSources.all(id)];
  }

  /** The one-to-one conversation with an account, made if there is none; its id. @param earlier the one that was left */
  oneToOne(account: AccountId, earlier?: Oid): Promise<Oid> {
    return this.#making.run(() => this.#oneToOne(account, earlier));
  }

  async #oneToOne(account: AccountId, earlier?: Oid): Promise<Oid> {
    const known = this.of(account).find(({ facts, joined }) => facts.mode === Mode.oneToOne && joined);
    if (known) return known.id;
    if (
      earlier && this.options.store.conversations.get(earlier)?.state === "left" && await isThere(this.#dir(earlier))
    ) {
      const conversation = await this.#openStored(earlier);
      if (conversation.joined && conversation.isMember(account)) return earlier;
      this.leave(earlier);
    }
    return (await this.#create({ mode: Mode.oneToOne, invited: account })).id;
  }

  /** Makes a new conversation, with this node as its admin. */
  create(conversation: NewConversation): Promise<Conversation> {
    return this.#making.run(() => this.#create(conversation));
  }

  async #create(conversation: NewConversation): Promise<Conversation> {
    const { store, identity, clock, displayName } = this.options;
    let written;
    do {
      const now = this.#freeSecond() * 1_000;
      written = await createConversation({ identity, displayName: displayName(), now }, conversation);
    } while (store.conversations.get(written.head)); // of the same second, before a restart
    const id = written.head;
    this.#making.check(); // of many at once those that have not come to the disk are left for the next start
    await this.#settle(id, written.objects, id);
    store.conversations.put({
      id,
      mode: conversation.mode,
      created: clock.now(),
      removed: 0,
      erased: 0,
      state: "active",
      title: "",
      head: id,
    });
    return await this.#openStored(id);
  }

  /**
   * Keeps a fetched conversation and joins it.
   * @throws {RuleViolation} when its history breaks the rules; {NotInvited} when we are not in it
   */
  finishClone(id: Oid, { head, objects }: Fetched): Promise<Conversation | undefined> {
    return this.#inTurn(id, async () => {
      if (!this.isWanted(id)) return this.#open.get(id);
      const { commits, ledger } = this.options.store;
      const reader = new OverlayReader(emptyReader, objects);
      await this.#checkClone(id, reader, head);
      const kept: GitObject[] = [];
      for (const oid of await missingObjects(reader, head, [])) kept.push(await reader.read(oid));
      // of an earlier stay: nothing of it may remain beside the new history
      commits.drop(id);
      ledger.drop(id);
      await this.#settle(id, kept, head);
      return await this.#openStored(id);
    });
  }

  /** Notes that we have left: the conversation is served until somebody knows. */
  leaving(id: Oid): void {
    const { store, clock } = this.options;
    const record = store.conversations.get(id);
    if (record) store.conversations.put({ ...record, state: "leaving", removed: clock.now() });
    this.emit("changed", { id });
  }

  /** Ends our part in a conversation: it is served and followed no more, its data stays. */
  leave(id: Oid): void {
    const { store, clock } = this.options;
    this.#wanted.delete(id);
    const record = store.conversations.get(id);
    if (record) store.conversations.put({ ...record, state: "left", removed: record.removed || clock.now() });
    store.cloneSources.drop(id);
    this.#close(id);
    this.emit("closed", { id });
    this.emit("changed", { id });
  }

  #close(id: Oid): void {
    const conversation = this.#open.get(id);
    this.#open.delete(id);
    this.#byAccount = null;
    conversation?.close().catch((error) => log.warn("closing {id} failed: {error}", { id, error: messageOf(error) }));
  }

  /**
   * Deletes what is here of a conversation that was left: its history, its index, its repository. That it was here stays known.
   * @returns whether there was such a one
   */
  erase(id: Oid): Promise<boolean> {
    return this.#inTurn(id, async () => {
      const { store, clock } = this.options;
      const record = store.conversations.get(id);
      if (record?.state !== "left" || this.#open.has(id)) return false;
      store.transaction(() => {
        store.commits.drop(id);
        store.ledger.drop(id);
        store.fileRules.put(id, { quota: null, retentionDays: null });
        store.preferences.drop(id);
        store.messageStatuses.drop(id);
        store.conversations.put({ ...record, title: "", description: undefined, head: "", erased: clock.now() });
      });
      if (await isThere(this.#dir(id))) await Deno.remove(this.#dir(id), { recursive: true });
      this.emit("changed", { id });
      return true;
    });
  }

  #inTurn<T>(id: Oid, work: () => Promise<T>): Promise<T> {
    return this.#making.run(() => this.#mutex.run(id, work));
  }

  async #checkClone(id: Oid, reader: OverlayReader, head: Oid): Promise<void> {
    let last;
    const overrides = this.options.store.overrides.commits(id);
    for await (const checked of checkHistory(reader, { head, known: () => false, conversation: id, overrides })) {
      if (!checked.valid) throw violationOf(checked);
      last = checked;
    }
    const role = last?.members?.roles.get(this.options.identity.account);
    if (!role || role === "banned") throw new NotInvited(`not invited to conversation ${id}`);
  }

  /** The newest second in which nothing began: never one to come, for whoever makes many at once would be shown times ahead. */
  #freeSecond(): number {
    let second = Math.floor(this.options.clock.now() / 1_000);
    while (this.#begun.has(second)) second--;
    this.#begun.add(second);
    return second;
  }

  /** Writes a new repository aside and moves it to its place when it is whole. */
  async #settle(id: Oid, objects: Iterable<GitObject>, head: Oid): Promise<void> {
    const place = this.#dir(id);
    const aside = `${place}.new`;
    if (await isThere(aside)) await Deno.remove(aside, { recursive: true });
    const repository = await Repository.create(aside);
    await repository.add(objects);
    await repository.setHead(head);
    await repository.close();
    if (await isThere(place)) await Deno.remove(place, { recursive: true });
    await renameDurably(aside, place);
  }

  /** Opens what stands in the conversation's place. */
  async #openStored(id: Oid): Promise<Conversation> {
    const { store, identity, clock, displayName } = this.options;
    const repository = await Repository.open(this.#dir(id));
    const conversation = await Conversation.open(id, repository, { store, identity, clock, displayName });
    const { record, facts } = conversation;
    if (this.isWanted(id) && !conversation.isMember(identity.account)) {
      await conversation.close();
      throw new NotInvited("what is here is of an earlier stay that has ended");
    }
    const state = record.state === "leaving" ? "leaving" : "active";
    // one that was left and is taken up again began anew: other own devices go by these times
    const isAgain = state === "active" && record.removed > 0;
    const times = isAgain ? { created: Math.max(clock.now(), record.removed + 1), removed: 0 } : {};
    store.conversations.put({ ...record, ...times, mode: facts.mode ?? record.mode, state });
    if (state === "active") store.conversationRequests.delete(id); // while we leave, it is a new invitation
    store.cloneSources.drop(id);
    this.#wanted.delete(id);
    this.#damaged.delete(id);
    this.#open.set(id, conversation);
    this.#byAccount = null;
    conversation.on("moved", (moved) => {
      if (this.#open.get(id) !== conversation) return;
      if (moved.added.some(({ type }) => type === "member" || type === "merge")) this.#byAccount = null;
      this.emit("moved", { conversation, ...moved });
    });
    this.emit("opened", { conversation });
    if (state === "active") await this.#join(conversation);
    this.emit("changed", { id });
    return conversation;
  }

  /** Takes up an invitation; without success everything else goes on, and the next start tries again. */
  async #join(conversation: Conversation): Promise<void> {
    const { id, joined, members } = conversation;
    if (joined || members.roles.get(this.options.identity.account) !== "invited") return;
    try {
      await conversation.write((context) => joinCommit(context));
    } catch (error) {
      log.error("joining {id} failed: {error}", { id, error: messageOf(error) });
    }
  }

  #index(): Map<AccountId, Set<Conversation>> {
    if (this.#byAccount) return this.#byAccount;
    const index = new Map<AccountId, Set<Conversation>>();
    for (const conversation of this.#open.values()) {
      for (const account of conversation.participants()) {
        if (account === this.options.identity.account) continue;
        const set = index.get(account) ?? new Set();
        index.set(account, set.add(conversation));
      }
    }
    return this.#byAccount = index;
  }

  /** @throws {NotInvited} when the id is none: it becomes a path */
  #dir(id: Oid): string {
    if (!isAccountId(id)) throw new NotInvited("not the id of a conversation");
    return repositoryPath(this.options.dir, id);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
