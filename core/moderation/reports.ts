/**
 * What members report: the protocol has no message for it, so it is a text in the one-to-one conversation with the node that begins with "/report". Protections
 * that only notify tell in the same place.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import { writeText } from "../swarm/write_messages.ts";
import { MAX_REPORT, REPORT_BURST, REPORT_RATE, REPORTERS_RATED, REPORTS_KEPT } from "./constants.ts";

const log = getLogger(["kituo", "moderation"]);

/** How a report begins. */
const COMMAND = /^\s*\/report\b[\s:]*/i;

/** What the node answers: it does not know the member's language. */
const THANKS = "Your report was received; a moderator will look at it. · Signalement reçu, la modération va le lire.";
const EMPTY = "Write what happened after /report, and in which group. · Après /report, dites ce qui s’est passé et où.";

/** There is no such report, or it was resolved. */
export class NoReport extends KituoError {}

export type ReportsEvents = {
  /** Something came in, or was resolved. */
  changed: { id: number };
};

export class Reports extends Emitter<ReportsEvents> {
  #rates = new LruMap<AccountId, TokenBucket>(REPORTERS_RATED);

  constructor(private readonly options: { store: Store; clock: Clock }) {
    super();
  }

  /** Is it a text that reports something? */
  static isReport(text: string): boolean {
    return COMMAND.test(text.slice(0, 100));
  }

  /**
   * A member wrote a report.
   * @param also what is to be durable together with it
   * @returns what to answer; null = nothing, for too many come from this account
   */
  receive(account: AccountId, conversation: Oid, commit: Oid, text: string, also: () => void): string | null {
    const { store, clock } = this.options;
    const rate = this.#rates.get(account) ?? new TokenBucket(clock, REPORT_RATE, REPORT_BURST);
    this.#rates.set(account, rate);
    const said = text.replace(COMMAND, "").trim().slice(0, MAX_REPORT);
    if (!rate.take()) {
      log.info("too many reports of {account}", { account });
      return null;
    }
    if (said === "") return EMPTY;
    const report = { at: clock.now(), kind: "report" as const, account, conversation, commit, text: said };
    const id = store.transaction(() => {
      also();
      return store.reports.add(report, REPORTS_KEPT);
    });
    this.emit("changed", { id });
    return THANKS;
  }

  /** Says so in the conversation. Never rejects. */
  async answer(conversation: Conversation, text: string): Promise<void> {
    try {
      await conversation.write((context) => writeText(context, text));
    } catch (error) {
      log.warn("a report was not answered in {id}: {error}", { id: conversation.id, error: messageOf(error) });
    }
  }

  /** A protection tells of something. */
  tell(finding: { account: AccountId; conversation: Oid; commit: Oid; text: string }): void {
    const { store, clock } = this.options;
    const id = store.reports.add({ at: clock.now(), kind: "finding", ...finding }, REPORTS_KEPT);
    this.emit("changed", { id });
  }

  /** @throws {NoReport} */
  resolve(id: number, by: string, note: string): void {
    const { store, clock } = this.options;
    if (!store.reports.resolve(id, clock.now(), by, note)) throw new NoReport("there is no open report of this number");
    this.emit("changed", { id });
  }
}
