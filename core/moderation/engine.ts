/**
 * Feeds the protections with whatever newly comes into the groups, in the order of arrival and once: how far it got stands in the store. What a clone brings is
 * history, and no news.
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { KeyedMutex, LruMap } from "../base/limits.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Conversations } from "../relay/conversations.ts";
import type { Files } from "../relay/files.ts";
import type { CommitRow } from "../store/commits.ts";
import type { FileRecord } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { field, messageBody } from "../swarm/commit.ts";
import { Mode } from "../swarm/conversation_facts.ts";
import type { Oid } from "../swarm/object.ts";
import type { Consequences } from "./consequences.ts";
import { FILE_HEAD, GROUPS_WATCHED, JUDGED_AT_ONCE, REMEMBERED_COMMITS } from "./constants.ts";
import { happeningOf, saidBy } from "./happenings.ts";
import type { Context, Happening } from "./protection.ts";
import { Reports } from "./reports.ts";
import type { ProtectionSettings, SetProtection } from "./settings.ts";

const log = getLogger(["kituo", "moderation"]);

export interface EngineOptions {
  store: Store;
  clock: Clock;
  self: AccountId;
  conversations: Pick<Conversations, "get" | "all" | "on">;
  files: Pick<Files, "on" | "beginning">;
  settings: ProtectionSettings;
  consequences: Pick<Consequences, "act" | "touches">;
  reports: Reports;
}

/** What a protection has in mind of a group. */
type Memories = Map<string, unknown>;

export class Engine {
  #off: (() => void)[] = [];
  #turns = new KeyedMutex<Oid>();
  #running = new Set<Promise<void>>();
  #memories = new LruMap<Oid, Memories>(GROUPS_WATCHED);
  #stopped = false;

  constructor(private readonly options: EngineOptions) {}

  /** Goes on where it ended: what came in since, before a crash, is judged now. */
  start(): void {
    const { conversations, files, store } = this.options;
    this.#off = [
      // cloned, or taken up again: its history is no news
      conversations.on("opened", ({ conversation: { id } }) => store.protections.setScanned(id, this.#newest(id))),
      conversations.on("moved", ({ conversation }) => this.#look(conversation)),
      conversations.on("closed", ({ id }) => {
        store.protections.dropScan(id);
        store.heldFiles.drop(id);
        this.#memories.delete(id);
      }),
      files.on("changed", ({ file }) => {
        if (file.state === "stored") this.#lookAtFile(file);
      }),
    ];
    for (const conversation of conversations.all()) this.#begin(conversation);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#off.forEach((off) => off());
    await Promise.all(this.#running);
  }

  /** The settings of a protection changed: what it had in mind is of no use to it. */
  forget(name: string): void {
    for (const memories of this.#memories.values()) memories.delete(name);
  }

  #begin(conversation: Conversation): void {
    const { protections } = this.options.store;
    if (protections.scanned(conversation.id) === undefined) {
      protections.setScanned(conversation.id, this.#newest(conversation.id));
    } else this.#look(conversation);
  }

  #newest(id: Oid): number {
    const { commits } = this.options.store;
    const [last] = commits.latest(id, 1);
    return last === undefined ? 0 : commits.node(id, last)?.seq ?? 0;
  }

  /** One turn after the other in each conversation; a failure is logged and ends only its turn. */
  #turn(id: Oid, work: () => Promise<void>): void {
    const running = this.#turns.run(id, work)
      .catch((error) => log.error("protections in {id}: {error}", { id, error: messageOf(error) }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #look(conversation: Conversation): void {
    this.#turn(conversation.id, async () => {
      const { store, clock } = this.options;
      const { id } = conversation;
      for (let at = store.protections.scanned(id) ?? 0; !this.#stopped;) {
        const page = store.commits.byArrival(id, { after: at, limit: JUDGED_AT_ONCE });
        if (page.length === 0) return;
        for (const row of page) {
          at = row.seq;
          if (row.author === this.options.self) continue;
          if (conversation.facts.mode === Mode.oneToOne) await this.#onPrivate(conversation, row);
          else {
            const happening = happeningOf(row, clock.now());
            if (happening) await this.#judge(conversation, happening, row.seq);
          }
        }
        store.protections.setScanned(id, at);
        await new Promise<void>((resolve) => setTimeout(resolve)); // others have their turn
      }
    });
  }

  /** A text to the node itself may be a report. */
  async #onPrivate(conversation: Conversation, row: CommitRow): Promise<void> {
    const { reports, store } = this.options;
    const text = saidBy(row);
    if (row.relation || !Reports.isReport(text)) return;
    const also = () => store.protections.setScanned(conversation.id, row.seq);
    const answer = reports.receive(row.author, conversation.id, row.id, text, also);
    if (answer !== null) await reports.answer(conversation, answer);
  }

  #lookAtFile(file: FileRecord): void {
    const { conversations, clock, store, files } = this.options;
    const { id, conversation: of, author: account, device, name, size, announced } = file;
    if (!this.#watching(of, "content").length) return;
    this.#turn(of, async () => {
      const conversation = conversations.get(of);
      const beginning = await files.beginning(file, FILE_HEAD);
      const seq = store.commits.node(of, id)?.seq;
      if (!conversation || !beginning || seq === undefined || account === this.options.self) return;
      // reason: it is a buffer of its own, made by `beginning`
      const what = { kind: "content" as const, name, size, beginning: beginning as Bytes };
      const happening = { conversation: of, account, device, commit: id, at: announced, arrived: clock.now(), what };
      await this.#judge(conversation, happening, seq);
    });
  }

  #watching(id: Oid, kind: Happening["what"]["kind"]): SetProtection[] {
    return this.options.settings.all().filter(({ protection, row: { mode, conversations } }) =>
      mode !== "off" && protection.watches.includes(kind) && (conversations.length === 0 || conversations.includes(id))
    );
  }

  /** @param seq of the commit by which it happened */
  async #judge(conversation: Conversation, happening: Happening, seq: number): Promise<void> {
    const { consequences } = this.options;
    if (!consequences.touches(conversation, happening.account)) return;
    for (const set of this.#watching(conversation.id, happening.what.kind)) {
      const memory = this.#memory(conversation, set, seq);
      const finding = set.protection.judge(happening, this.#context(conversation, set, memory, happening, seq));
      if (finding) await consequences.act(conversation, happening, finding, set.row);
    }
  }

  /** What a protection has in mind; after a restart it looks at the newest commits again, and nothing follows from that. */
  #memory(conversation: Conversation, set: SetProtection, seq: number): unknown {
    const { store, self } = this.options;
    const { id } = conversation;
    const memories: Memories = this.#memories.get(id) ?? new Map();
    this.#memories.set(id, memories);
    if (memories.has(set.protection.name)) return memories.get(set.protection.name);
    const memory = set.protection.begin();
    memories.set(set.protection.name, memory);
    for (const { id: commit } of store.commits.arrivedUpTo(id, seq - 1, REMEMBERED_COMMITS).reverse()) {
      const row = store.commits.get(id, commit);
      const happening = row && row.author !== self ? happeningOf(row, row.timestamp * 1_000) : null;
      if (!row || !happening || !set.protection.watches.includes(happening.what.kind)) continue;
      set.protection.judge(happening, this.#context(conversation, set, memory, happening, row.seq));
    }
    return memory;
  }

  #context(
    { id }: Conversation,
    { settings }: SetProtection,
    memory: unknown,
    happening: Happening,
    seq: number,
  ): Context<object, unknown> {
    const { commits } = this.options.store;
    return {
      settings,
      memory,
      memberSince: (account) => memberSince(commits.ofType(id, "member"), account),
      written: (enough) => enough === 0 ? 0 : commits.writtenBy(id, happening.account, seq, enough),
    };
  }
}

/** Its own clock may say that it joined long ago: the one who invited it knows better. */
function memberSince(rows: CommitRow[], account: AccountId): number {
  let since = 0, invited = 0;
  for (const { author, body, timestamp } of rows) {
    const said = messageBody(body);
    const action = field(said, "action");
    if (field(said, "uri") !== account) continue;
    if (action === "add") invited = timestamp * 1_000;
    else if (action === "join" && author === account) since = Math.max(timestamp * 1_000, invited);
  }
  return since;
}
