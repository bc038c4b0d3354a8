/** All conversations of this node: opened at start, created, cloned, left. */

import { getLogger } from "@logtape/logtape";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import type { Identity } from "../identity/identity.ts";
import { type AccountId, isAccountId } from "../identity/ids.ts";
import type { NewCommit } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { Conversation, type Fetched } from "../swarm/conversation.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import { checkHistory } from "../swarm/history.ts";
import { type GitObject, MissingObject, type ObjectReader, type Oid } from "../swarm/object.ts";
import { OverlayReader } from "../swarm/overlay.ts";
import { missingObjects } from "../swarm/reachable.ts";
import { Repository } from "../swarm/repository.ts";
import { RuleViolation } from "../swarm/rules/violation.ts";
import { createConversation, join as joinCommit } from "../swarm/write_members.ts";

const log = getLogger(["kituo", "relay"]);

/** A clone that shows we are not (or no more) invited. */
export class NotInvited extends KituoError {}

export type ConversationsEvents = {
  /** New commits in a conversation, wherever they came from. */
  moved: { conversation: Conversation; added: NewCommit[]; own: boolean };
  /** A conversation was opened, created or cloned. */
  opened: { conversation: Conversation };
  /** A conversation ended for us. */
  closed: { id: Oid };
};

export interface ConversationsOptions {
  /** Folder of the repositories. */
  dir: string;
  store: Store;
  identity: Identity;
  clock: Clock;
  displayName(): string;
}

/** What a reader of nothing says: the base of a clone's objects. */
const NOTHING: ObjectReader = {
  read: (oid) => Promise.reject(new MissingObject(oid)),
  has: () => Promise.resolve(false),
};

export class Conversations extends Emitter<ConversationsEvents> {
  #open = new Map<Oid, Conversation>();
  #byAccount: Map<AccountId, Set<Conversation>> | null = null;
  #mutex = new KeyedMutex<Oid>();
  #lastCreated = 0;

  constructor(private readonly options: ConversationsOptions) {
    super();
  }

  /** Opens what is on disk; a damaged repository is reported and left alone. */
  async start(): Promise<void> {
    const { store, dir } = this.options;
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    for (const { id, state } of store.conversations.all()) {
      if (state === "left") continue;
      try {
        await this.#openStored(id, state === "cloning");
      } catch (error) {
        log.error("conversation {id} cannot be opened: {error}", { id, error: messageOf(error) });
      }
    }
  }

  /** Closes all repositories. */
  async stop(): Promise<void> {
    for (const conversation of this.#open.values()) await conversation.repository.close();
    this.#open.clear();
  }

  get(id: Oid): Conversation | undefined {
    return this.#open.get(id);
  }

  all(): Conversation[] {
    return [...this.#open.values()];
  }

  /** The conversations in which the account takes part. */
  of(account: AccountId): Conversation[] {
    return [...this.#index().get(account) ?? []];
  }

  /** Everybody who takes part in something here. */
  accounts(): Set<AccountId> {
    return new Set(this.#index().keys());
  }

  /** Ids of conversations that are to be cloned yet, with who invited us. */
  wanted(): { id: Oid; invitedBy?: AccountId }[] {
    return this.options.store.conversations.all().filter(({ id, state }) => state === "cloning" && !this.#open.has(id));
  }

  isWanted(id: Oid): boolean {
    return !this.#open.has(id) && this.options.store.conversations.get(id)?.state === "cloning";
  }

  /** Notes that a conversation is to be cloned. */
  want(id: Oid, invitedBy: AccountId, mode: number, title = ""): void {
    const { store, clock } = this.options;
    if (this.#open.has(id)) return;
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
  }

  /** Creates the one-to-one conversation with an account; its id. */
  async createOneToOne(account: AccountId): Promise<Oid> {
    const { store, identity, clock, displayName } = this.options;
    // Two initial commits of one second and mode could be the same conversation (swarm-repository.md 3.1).
    const now = Math.max(clock.now(), this.#lastCreated + 1_000);
    this.#lastCreated = now;
    const context = { identity, displayName: displayName(), now };
    const written = await createConversation(context, { mode: Mode.oneToOne, invited: account });
    const id = written.head;
    await this.#settle(id, written.objects, written.head);
    store.conversations.put({
      id,
      mode: Mode.oneToOne,
      created: clock.now(),
      removed: 0,
      erased: 0,
      state: "active",
      title: "",
      head: written.head,
    });
    await this.#openStored(id, false);
    return id;
  }

  /**
   * Keeps a fetched conversation and joins it.
   * @throws {RuleViolation} when its history breaks the rules; {NotInvited} when we are not in it
   */
  finishClone(id: Oid, { head, objects }: Fetched): Promise<Conversation | undefined> {
    return this.#mutex.run(id, async () => {
      if (!this.isWanted(id)) return this.#open.get(id);
      const reader = new OverlayReader(NOTHING, objects);
      await this.#checkClone(id, reader, head);
      const kept: GitObject[] = [];
      for (const oid of await missingObjects(reader, head, [])) kept.push(await reader.read(oid));
      await this.#settle(id, kept, head);
      return await this.#openStored(id, true);
    });
  }

  /** Ends our part in a conversation: it is served and followed no more, its data stays. */
  leave(id: Oid): void {
    this.#open.delete(id);
    this.#byAccount = null;
    this.options.store.conversations.setState(id, "left");
    this.emit("closed", { id });
  }

  async #checkClone(id: Oid, reader: OverlayReader, head: Oid): Promise<void> {
    let last;
    for await (const checked of checkHistory(reader, { head, known: () => false, conversation: id })) {
      const { valid, reason, detail } = checked;
      if (!valid) throw new RuleViolation(checked.id, reason ?? "refused", detail ?? "");
      last = checked;
    }
    const role = last?.members?.roles.get(this.options.identity.account);
    if (!role || role === "banned") throw new NotInvited(`not invited to conversation ${id}`);
  }

  /** Writes a new repository aside and moves it to its place when it is whole. */
  async #settle(id: Oid, objects: Iterable<GitObject>, head: Oid): Promise<void> {
    const place = this.#dir(id);
    const aside = `${place}.new`;
    await Deno.remove(aside, { recursive: true }).catch(() => {});
    const repository = await Repository.create(aside);
    await repository.add(objects);
    await repository.setHead(head);
    await repository.close();
    await Deno.remove(place, { recursive: true }).catch(() => {});
    await Deno.rename(aside, place);
  }

  async #openStored(id: Oid, isClone: boolean): Promise<Conversation | undefined> {
    const { store, identity, clock, displayName } = this.options;
    const place = this.#dir(id);
    if (isClone && !await Deno.stat(place).catch(() => null)) return undefined;
    const repository = await Repository.open(place);
    const conversation = await Conversation.open(id, repository, { store, identity, clock, displayName });
    if (isClone) {
      store.conversations.setState(id, "active");
      store.conversationRequests.delete(id);
    }
    this.#open.set(id, conversation);
    this.#byAccount = null;
    conversation.on("moved", ({ added, own }) => {
      if (added.some(({ type }) => type === "member" || type === "merge")) this.#byAccount = null;
      this.emit("moved", { conversation, added, own });
    });
    if (!conversation.joined && conversation.members.roles.get(identity.account) === "invited") {
      await conversation.write((context) => joinCommit(context));
    }
    this.emit("opened", { conversation });
    return conversation;
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

  #dir(id: Oid): string {
    if (!isAccountId(id)) throw new NotInvited("not the id of a conversation"); // it becomes a path: 40 hex digits only
    return join(this.options.dir, `${id}.git`);
  }
}
