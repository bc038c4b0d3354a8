/**
 * Histories that peers accepted and that break a rule here (swarm-repository.md 5.6). To refuse one is to part with those peers, so it is kept aside, durably
 * and within bounds, and the admin is told; when he accepts the commit that breaks the rule, what was kept is judged again and taken in.
 *
 * Each lies in a pack of its own beside the repositories, which stay as they are: nothing refused gets into them.
 */

import { getLogger } from "@logtape/logtape";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import type { Peer } from "../identity/chain.ts";
import type { RefusedHistory } from "../store/refused.ts";
import type { Store } from "../store/store.ts";
import type { Fetched } from "../swarm/conversation.ts";
import { renameDurably, syncFolder, writeFlushed } from "../swarm/durable_fs.ts";
import { MissingObject, type Oid } from "../swarm/object.ts";
import { emptyReader, OverlayReader } from "../swarm/overlay.ts";
import { buildPack } from "../swarm/pack_writer.ts";
import { parsePack } from "../swarm/parse_pack.ts";
import { RuleViolation } from "../swarm/rules/violation.ts";
import { MAX_REFUSED_HISTORIES, MAX_REFUSED_OF_CONVERSATION, type RefusedBound } from "./constants.ts";
import type { Conversations } from "./conversations.ts";

const log = getLogger(["kituo", "relay"]);

/** Nothing was refused for this commit. */
export class NothingRefused extends KituoError {}

/** It is no mere rule that the commit breaks: nobody can accept it. */
export class NotOverridable extends KituoError {}

export type RefusedHistoriesEvents = {
  /** A history was refused, or is refused for another commit now. */
  refused: RefusedHistory;
  /** A commit was accepted by the operator: peers may be asked for it again. */
  overridden: { conversation: Oid };
  /** What was refused is in the conversation now: others may lack it. */
  taken: { conversation: Oid };
};

export interface RefusedHistoriesOptions {
  /** Folder of the packs. */
  dir: string;
  store: Store;
  clock: Clock;
  conversations: Pick<Conversations, "get" | "isWanted" | "finishClone" | "on">;
}

export class RefusedHistories extends Emitter<RefusedHistoriesEvents> {
  #mutex = new KeyedMutex<"files">();

  constructor(private readonly options: RefusedHistoriesOptions) {
    super();
    const { conversations } = options;
    conversations.on("moved", ({ conversation }) => this.#forget(conversation.id, (head) => conversation.has(head)));
    conversations.on("closed", ({ id }) => this.#forget(id, () => true));
  }

  /** Sweeps away what a crash left without a record. */
  async start(): Promise<void> {
    const { dir, store } = this.options;
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    const known = new Set(store.refused.all().filter(({ bytes }) => bytes > 0).map((one) => this.#path(one)));
    for await (const { name } of Deno.readDir(dir)) {
      if (!known.has(join(dir, name))) await Deno.remove(join(dir, name));
    }
  }

  /** Waits for what is being written. */
  async stop(): Promise<void> {
    await this.#mutex.run("files", () => Promise.resolve());
  }

  /** The histories of a conversation, the oldest first. */
  list(conversation: Oid): RefusedHistory[] {
    return this.options.store.refused.forConversation(conversation);
  }

  /** Keeps a refused history aside, in place of those that it contains. Never rejects. */
  keep(conversation: Oid, peer: Pick<Peer, "account" | "device">, fetched: Fetched, why: RuleViolation): Promise<void> {
    return this.#mutex.run("files", () => this.#keep(conversation, peer, fetched, why)).catch((error) =>
      log.error("a refused history of {id} could not be kept: {error}", { id: conversation, error: messageOf(error) })
    );
  }

  /**
   * Accepts the commit for good, whoever brings it and whenever, and judges what was refused for it again.
   * @param reason the operator's
   * @returns the histories that are still refused, each for another commit now
   * @throws {NothingRefused} @throws {NotOverridable}
   */
  override(conversation: Oid, commit: Oid, reason: string): Promise<RefusedHistory[]> {
    return this.#mutex.run("files", async () => {
      const { store, clock, conversations } = this.options;
      const histories = this.#about(conversation, commit);
      const [{ reason: violated, overridable, detail }] = histories;
      if (!overridable) throw new NotOverridable(`this can never be accepted: ${violated} (${detail})`);
      store.overrides.put({ conversation, commit, violated, reason, at: clock.now() });
      await conversations.get(conversation)?.noteOverrides();
      this.emit("overridden", { conversation });
      const left: RefusedHistory[] = [];
      for (const history of histories) left.push(...await this.#judge(history));
      return left;
    });
  }

  /** Drops what was refused for the commit; peers who still have it may bring it again. @throws {NothingRefused} */
  drop(conversation: Oid, commit: Oid): Promise<void> {
    return this.#mutex.run("files", async () => {
      for (const history of this.#about(conversation, commit)) await this.#remove(history);
    });
  }

  #about(conversation: Oid, commit: Oid): RefusedHistory[] {
    const histories = this.list(conversation).filter((history) => history.commit === commit);
    if (histories.length === 0) throw new NothingRefused("nothing was refused for this commit");
    return histories;
  }

  async #keep(conversation: Oid, peer: Pick<Peer, "account" | "device">, fetched: Fetched, why: RuleViolation) {
    const { store, clock } = this.options;
    const { account, device } = peer;
    const { head } = fetched;
    const before = store.refused.get(conversation, head);
    if (before && before.commit === why.commit) return;
    const history = { conversation, head, ...about(why), account, device, received: clock.now(), bytes: 0 };
    const isContained = (other: Oid) => other !== head && fetched.objects.get(other)?.type === "commit";
    for (const old of this.list(conversation)) if (isContained(old.head)) await this.#remove(old);
    const bytes = history.overridable ? await this.#write(history, fetched) : 0;
    await this.#makeRoom({ ...history, bytes });
    store.refused.put({ ...history, bytes });
    this.emit("refused", { ...history, bytes });
  }

  /** @returns the size of the file; 0 when it would be larger than all of a conversation may be */
  async #write(history: RefusedHistory, { objects }: Fetched): Promise<number> {
    const path = this.#path(history);
    const reader = new OverlayReader(emptyReader, objects);
    let bytes = 0;
    const counted = async function* () {
      for await (const chunk of buildPack(reader, [...objects.keys()])) {
        bytes += chunk.length;
        if (bytes > MAX_REFUSED_OF_CONVERSATION.bytes) throw new LimitError("refused histories", "too large to keep");
        yield chunk;
      }
    };
    try {
      await writeFlushed(`${path}.new`, counted());
      await renameDurably(`${path}.new`, path);
      return bytes;
    } catch (error) {
      await Deno.remove(`${path}.new`).catch(() => {}); // reason: the first error is the one to tell
      if (!(error instanceof LimitError)) throw error;
      log.warn("a refused history of {conversation} is too large to be kept", { conversation: history.conversation });
      return 0;
    }
  }

  /** Removes others until the new one fits, in its conversation and in all: the oldest of the account that takes most room. */
  async #makeRoom(coming: RefusedHistory): Promise<void> {
    const { refused } = this.options.store;
    const others = (all: RefusedHistory[]) => all.filter(({ head }) => head !== coming.head);
    for (
      const [bound, kept] of [
        [MAX_REFUSED_OF_CONVERSATION, () => others(refused.forConversation(coming.conversation))],
        [MAX_REFUSED_HISTORIES, () => others(refused.all())],
      ] as const
    ) {
      for (let all = kept(); all.length > 0 && roomOf([...all, coming], bound) > 1; all = kept()) {
        await this.#remove(leastMissed([...all, coming], bound) ?? all[0]);
      }
    }
  }

  async #judge(history: RefusedHistory): Promise<RefusedHistory[]> {
    const { store, conversations } = this.options;
    const { conversation: id, head } = history;
    const conversation = conversations.get(id);
    if (history.bytes === 0 || !conversation && !conversations.isWanted(id)) {
      await this.#remove(history); // peers are asked for it anew
      return [];
    }
    const pack = await Deno.readFile(this.#path(history));
    const objects = await parsePack(pack, conversation?.repository ?? emptyReader);
    try {
      if (conversation) await conversation.take({ head, objects });
      else await conversations.finishClone(id, { head, objects });
    } catch (error) {
      if (error instanceof MissingObject) await this.#remove(history); // built on an earlier stay here
      if (!(error instanceof RuleViolation)) throw error;
      const now = { ...history, ...about(error) };
      store.refused.put(now);
      this.emit("refused", now);
      return [now];
    }
    await this.#remove(history);
    this.emit("taken", { conversation: id });
    return [];
  }

  /** Removes the records of a conversation whose heads are of no interest any more. */
  #forget(conversation: Oid, isOver: (head: Oid) => boolean): void {
    for (const history of this.list(conversation)) {
      if (!isOver(history.head)) continue;
      this.options.store.refused.delete(conversation, history.head);
      this.#removeFile(history).catch((error) =>
        log.warn("{path} stays: {error}", { path: this.#path(history), error: messageOf(error) })
      );
    }
  }

  /** The record first: a file without one is swept away. */
  async #remove(history: RefusedHistory): Promise<void> {
    this.options.store.refused.delete(history.conversation, history.head);
    await this.#removeFile(history);
  }

  async #removeFile(history: RefusedHistory): Promise<void> {
    if (history.bytes === 0) return;
    try {
      await Deno.remove(this.#path(history));
      await syncFolder(this.options.dir);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Both ids are hex: checked ones of a conversation that is here, and of a commit that was fetched. */
  #path({ conversation, head }: Pick<RefusedHistory, "conversation" | "head">): string {
    return join(this.options.dir, `${conversation}-${head}.pack`);
  }
}

function about({ commit, reason, detail, offence: { type, author, overridable } }: RuleViolation) {
  return { commit, reason, detail, type, ...author !== null && { author }, overridable };
}

/** How much of a bound these take: more than 1 is too much. */
function roomOf(histories: RefusedHistory[], bound: RefusedBound): number {
  const bytes = histories.reduce((sum, history) => sum + history.bytes, 0);
  return Math.max(histories.length / bound.count, bytes / bound.bytes);
}

/** The oldest kept one of the account whose histories take most: nobody pushes out what others brought. The last is the new one. */
function leastMissed(histories: RefusedHistory[], bound: RefusedBound): RefusedHistory | undefined {
  const coming = histories.at(-1);
  const of = new Map<string, RefusedHistory[]>();
  for (const history of histories) of.set(history.account, [...of.get(history.account) ?? [], history]);
  const [greatest = []] = [...of.values()].sort((a, b) => roomOf(b, bound) - roomOf(a, bound));
  return greatest.find((history) => history !== coming);
}
