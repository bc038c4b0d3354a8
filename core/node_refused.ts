/** Histories that are refused: shown, accepted by an owner's override, dropped; with traces in the audit trail. */

import type { Doer, OverrideResult, RefusedApi, RefusedInfo } from "./node_api.ts";
import { knownConversation } from "./node_groups.ts";
import { refusing } from "./node_refusals.ts";
import { refusedInfo } from "./node_view.ts";
import type { RefusedHistories } from "./relay/refused.ts";
import type { Store } from "./store/store.ts";

export class NodeRefused implements RefusedApi {
  constructor(
    private readonly store: Store,
    private readonly refused: Pick<RefusedHistories, "list" | "override" | "drop">,
  ) {}

  async list(id: string): Promise<RefusedInfo[]> {
    return await refusing(() => this.refused.list(knownConversation(this.store, id).id).map(refusedInfo));
  }

  async override(id: string, commit: string, reason: string, doer: Doer): Promise<OverrideResult> {
    return await refusing(async () => {
      const kept = await this.refused.override(knownConversation(this.store, id).id, commit, reason);
      this.store.audit.append({ ...doer, action: "commit.override", target: `${id}/${commit}`, detail: reason });
      return { refused: kept.map(refusedInfo) };
    });
  }

  async drop(id: string, commit: string, doer: Doer): Promise<void> {
    await refusing(() => this.refused.drop(knownConversation(this.store, id).id, commit));
    this.store.audit.append({ ...doer, action: "commit.drop", target: `${id}/${commit}`, detail: "" });
  }
}
