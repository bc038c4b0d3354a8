/**
 * Commits of devices that their accounts have revoked. Peers go on accepting them, for nobody looks at revocation lists in a conversation, so they are
 * no violation here either (swarm-repository.md 4.0); but the admin hears of them, and may ban the device.
 */

import { getLogger } from "@logtape/logtape";
import { LruMap } from "../base/limits.ts";
import { Certificate } from "../identity/certificate.ts";
import type { AccountId } from "../identity/ids.ts";
import type { RevocationList } from "../identity/revocation.ts";
import type { NewCommit } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { REVOKED_WRITERS_TOLD } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

export class RevokedWriters {
  /** Whom the admin was told of, by conversation and device: once in each run is enough. */
  #told = new LruMap<string, true>(REVOKED_WRITERS_TOLD);

  constructor(private readonly store: Store, private readonly revocations: (account: AccountId) => RevocationList[]) {}

  /** New commits came in: tells of those whose writers are revoked. */
  look(rows: readonly NewCommit[]): void {
    for (const { conversation, id, author, device } of rows) {
      const key = `${conversation}/${device}`;
      if (author === "" || this.#told.has(key)) continue;
      const lists = this.revocations(author);
      const chain = lists.length > 0 ? this.store.certificates.byDevice(device)?.chainPem : undefined;
      if (chain === undefined) continue;
      const [certificate] = Certificate.listFromPem(chain);
      if (!lists.some((list) => list.revokes(certificate))) continue;
      this.#told.set(key, true);
      log.warn("{device}, which {author} has revoked, wrote {commit} in {id}", {
        device,
        author,
        commit: id,
        id: conversation,
      });
      const detail = `written by ${device}, which its account has revoked`;
      this.store.audit.append({
        actor: "system",
        address: "",
        action: "commit.alert",
        target: `${conversation}/${id}`,
        detail,
      });
    }
  }
}
