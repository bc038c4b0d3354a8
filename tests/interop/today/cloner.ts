/** Clones what was accepted: the first device of the inviter that opens `git://` serves it; after failures again, ever later (swarm-sync.md 2.3). */

import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { Fetched, GitClient } from "../../../core/swarm/fetch_pack.ts";
import type { Oid } from "../../../core/swarm/object.ts";
import { emptyReader } from "../../../core/swarm/overlay.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import { openGit } from "./fetcher.ts";

const FIRST_WAIT = 5_000; // ms
const LONGEST_WAIT = 12 * 60 * 60_000; // ms

export interface ClonerOptions {
  devices(account: AccountId): Promise<PublicKey[]>;
  connect(device: DeviceId, connType: string): Promise<Connection>;
  /** Keeps the clone. */
  settle(id: Oid, fetched: Fetched, from: DeviceId): Promise<void>;
  log(message: string): void;
}

interface Cloning {
  wait: number;
  cancel: () => void;
  busy: boolean;
}

export class Cloner {
  readonly #cloning = new Map<Oid, Cloning>();

  constructor(private readonly options: ClonerOptions) {}

  stop(): void {
    for (const { cancel } of this.#cloning.values()) cancel();
    this.#cloning.clear();
  }

  /** Clones from the devices of an account, now and until it works. */
  clone(id: Oid, from: AccountId): void {
    const cloning = this.#of(id);
    this.#attempt(id, async () => {
      const devices = await this.options.devices(from);
      return await Promise.any(devices.map(({ longId }) =>
        this.options.connect(longId, hint(id))
          .then(async (connection) => ({ connection, git: await openGit(id, connection) }))
      ));
    }).then((done) => {
      if (done || !this.#cloning.has(id)) return;
      cloning.cancel = systemClock.after(cloning.wait, () => this.clone(id, from));
      cloning.wait = Math.min(cloning.wait * 2, LONGEST_WAIT);
    });
  }

  /** Clones from a device that is connected. */
  cloneFrom(id: Oid, connection: Connection): void {
    this.#of(id);
    this.#attempt(id, async () => ({ connection, git: await openGit(id, connection) }));
  }

  #of(id: Oid): Cloning {
    const cloning = this.#cloning.get(id) ?? { wait: FIRST_WAIT, cancel: () => {}, busy: false };
    this.#cloning.set(id, cloning);
    return cloning;
  }

  async #attempt(id: Oid, open: () => Promise<{ connection: Connection; git: GitClient }>): Promise<boolean> {
    const cloning = this.#of(id);
    if (cloning.busy) return false;
    cloning.busy = true;
    try {
      const { connection, git } = await open();
      const fetched = await git.fetch({ have: [], known: () => false, base: emptyReader });
      git.close();
      if (!fetched) throw new Error("nothing to clone");
      cloning.cancel();
      await this.options.settle(id, fetched, connection.peer.device);
      this.#cloning.delete(id);
      return true;
    } catch (error) {
      this.options.log(`cloning ${id}: ${messageOf(error)}`);
      return false;
    } finally {
      cloning.busy = false;
    }
  }
}

function hint(id: Oid): string {
  return `application/im-gitmessage-id/${id}`;
}
