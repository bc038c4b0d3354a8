/**
 * The one place where protections have consequences: each finding comes through here, so that a dry run, who is never touched, how many bans may come of it,
 * and what is noted, are the same for all.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { AccountId } from "../identity/ids.ts";
import type { ActionOutcome, ProtectionRow } from "../store/protections.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Bans } from "./bans.ts";
import {
  ACTIONS_KEPT,
  BAN_BURST,
  BAN_RATE,
  FINDING_EVERY_MS,
  FINDINGS_REMEMBERED,
  GROUPS_RATED,
  NODE_BAN_BURST,
  NODE_BAN_RATE,
} from "./constants.ts";
import type { Finding, Happening } from "./protection.ts";
import type { Reports } from "./reports.ts";

const log = getLogger(["kituo", "moderation"]);

const HOUR_MS = 3_600_000;

export type ConsequencesEvents = {
  /** A protection did something, or would have. */
  acted: { id: number };
  /** A file is held back, or no longer. */
  file: { conversation: Oid; file: Oid };
};

export interface ConsequencesOptions {
  store: Store;
  clock: Clock;
  self: AccountId;
  bans: Pick<Bans, "ban">;
  reports: Pick<Reports, "tell">;
  /** Accounts that no protection touches. */
  isAllowed(account: AccountId): boolean;
}

/** What came of a finding. */
interface Came {
  outcome: ActionOutcome;
  detail: string;
}

export class Consequences extends Emitter<ConsequencesEvents> {
  #found = new LruMap<string, number>(FINDINGS_REMEMBERED);
  #groups = new LruMap<Oid, TokenBucket>(GROUPS_RATED);
  readonly #node: TokenBucket;

  constructor(private readonly options: ConsequencesOptions) {
    super();
    this.#node = new TokenBucket(options.clock, NODE_BAN_RATE, NODE_BAN_BURST);
  }

  /** May a protection judge this account here at all? Never the node, an admin of the group, who is allowed, or who is out already. */
  touches(conversation: Conversation, account: AccountId): boolean {
    const { self, isAllowed } = this.options;
    const { roles, bannedAccounts } = conversation.members;
    const role = roles.get(account);
    return (role === "member" || role === "invited") && !bannedAccounts.has(account) && account !== self &&
      !isAllowed(account);
  }

  /** Lets happen what follows from a finding. Never rejects. */
  async act(conversation: Conversation, happening: Happening, finding: Finding, set: ProtectionRow): Promise<void> {
    if (set.mode === "off" || !this.touches(conversation, happening.account)) return;
    if (!this.#isNews(happening, finding, set.name)) return;
    const came = set.mode === "dry"
      ? { outcome: "noted" as const, detail: "" }
      : await this.#carryOut(conversation, happening, finding, set);
    this.#note(happening, finding, set, came);
  }

  /** One flood is one finding; files are looked at one by one. */
  #isNews({ conversation, account, commit }: Happening, { each }: Finding, name: string): boolean {
    const now = this.options.clock.now();
    const key = [name, conversation, account, ...each ? [commit] : []].join();
    const last = this.#found.get(key);
    if (last !== undefined && now - last < FINDING_EVERY_MS) return false;
    this.#found.set(key, now);
    return true;
  }

  async #carryOut(
    conversation: Conversation,
    happening: Happening,
    finding: Finding,
    set: ProtectionRow,
  ): Promise<Came> {
    const { consequence } = set;
    if (consequence === "notify") return this.#tell(happening, finding, set, { outcome: "noted", detail: "" });
    if (consequence === "hold" && finding.holds === "file") return this.#holdFile(happening, finding);
    const failed = (detail: string) => this.#tell(happening, finding, set, { outcome: "failed", detail });
    if (conversation.members.roles.get(this.options.self) !== "admin") {
      return failed("this node is no admin of the group");
    }
    if (!this.#mayBan(conversation.id)) return failed("too many were banned lately: somebody should look");
    try {
      const { bans, clock } = this.options;
      const expires = consequence === "ban" && set.banHours > 0 ? clock.now() + set.banHours * HOUR_MS : null;
      const reason = `${set.name}: ${finding.reason}`;
      const target = finding.device ? happening.device : happening.account;
      await bans.ban(conversation, target, { reason, by: "system", expires }, consequence === "hold");
      return { outcome: "done", detail: "" };
    } catch (error) {
      return failed(messageOf(error));
    }
  }

  #holdFile({ conversation, commit, account }: Happening, { reason }: Finding): Came {
    const { store, clock } = this.options;
    store.heldFiles.put({ conversation, file: commit, account, reason, at: clock.now() });
    this.emit("file", { conversation, file: commit });
    return { outcome: "done", detail: "" };
  }

  #tell({ account, conversation, commit }: Happening, { reason }: Finding, { name }: ProtectionRow, came: Came): Came {
    const text = [`${name}: ${reason}`, ...came.detail ? [came.detail] : []].join("; ");
    this.options.reports.tell({ account, conversation, commit, text });
    return came;
  }

  #mayBan(id: Oid): boolean {
    const group = this.#groups.get(id) ?? new TokenBucket(this.options.clock, BAN_RATE, BAN_BURST);
    this.#groups.set(id, group);
    return group.take() && this.#node.take();
  }

  #note(happening: Happening, { reason }: Finding, { name, mode, consequence }: ProtectionRow, came: Came): void {
    const { store, clock } = this.options;
    const { conversation, account, device, commit } = happening;
    const dry = mode === "dry";
    const what = { protection: name, conversation, account, device, commit, consequence, dry, reason, ...came };
    const id = store.transaction(() => {
      store.audit.append({
        actor: "system",
        address: "",
        action: dry ? "protection.dry" : `protection.${consequence}`,
        target: `${conversation}/${account}`,
        detail: [`${name}: ${reason}`, ...came.outcome === "failed" ? [`failed: ${came.detail}`] : []].join("; "),
      }, clock.now());
      return store.protectionActions.add({ at: clock.now(), ...what }, ACTIONS_KEPT);
    });
    log.info("{protection} found {account} in {conversation}: {reason}; {consequence}, {outcome}", {
      ...what,
      outcome: dry ? "dry run" : came.outcome,
    });
    this.emit("acted", { id });
  }
}
