/** Keeps a connection to every present device of the accounts that are served (swarm-sync.md 8.2, items 1, 2 and 6). */

import { getLogger } from "@logtape/logtape";
import type { Presence } from "../account/presence.ts";
import type { Clock } from "../base/clock.ts";
import { traced } from "../base/trace.ts";
import { messageOf } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import type { Connection } from "../transport/channel.ts";
import type { ConnectionManager } from "../transport/connection_manager.ts";
import { PARALLEL_CONNECTS, RETRY_FIRST_MS, RETRY_LONGEST_MS } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** The attempts to reach a device that has no connection; with one, there is no link. */
interface Link {
  account: AccountId;
  device: PublicKey;
  /** An attempt is under way. */
  busy: boolean;
  /** The device announced itself during the attempt: try again at once. */
  again: boolean;
  /** The wait after the next failure, ms. */
  wait: number;
  cancel: () => void;
}

export interface LinksOptions {
  connections: Pick<ConnectionManager, "connect" | "connections" | "on">;
  presence: Pick<Presence, "devices" | "isPresent" | "on">;
  clock: Clock;
  random: Pick<Random, "float">;
  /** Is this device served? */
  wanted(account: AccountId, device: DeviceId): boolean;
}

export class Links {
  #links = new Map<DeviceId, Link>();
  #slots = new Semaphore("connects", PARALLEL_CONNECTS);
  #off: (() => void)[] = [];
  #stopped = false;

  constructor(private readonly options: LinksOptions) {}

  start(): void {
    const { presence, connections } = this.options;
    this.#off = [
      presence.on("appeared", ({ account, device }) => this.#appeared(account, device)),
      connections.on("closed", ({ connection }) => this.#closed(connection)),
    ];
  }

  stop(): void {
    this.#stopped = true;
    this.#off.forEach((off) => off());
    this.#links.forEach((link) => link.cancel());
    this.#links.clear();
  }

  /** A live connection to the device, the newest one. */
  live(device: DeviceId): Connection | undefined {
    return this.options.connections.connections(device).at(-1);
  }

  /** Tries at once to reach the present devices of an account that has become of interest. */
  reach(account: AccountId): void {
    for (const device of this.options.presence.devices(account)) this.#appeared(account, device);
  }

  #appeared(account: AccountId, device: PublicKey): void {
    if (this.#stopped || !this.options.wanted(account, device.longId)) return;
    const link = this.#link(account, device);
    link.wait = RETRY_FIRST_MS;
    if (link.busy) link.again = true;
    else this.#try(link);
  }

  /** A device that announces itself anew may have restarted, and its old connection be dead without our knowing. */
  async #alive(device: DeviceId): Promise<boolean> {
    const live = this.live(device);
    return live !== undefined && await live.beacon();
  }

  #closed({ peer }: Connection): void {
    const device = peer.chain[0].publicKey;
    if (this.#stopped || this.live(peer.device) || !this.options.presence.isPresent(peer.account, peer.device)) return;
    this.#later(this.#link(peer.account, device));
  }

  #link(account: AccountId, device: PublicKey): Link {
    const known = this.#links.get(device.longId);
    if (known) return known;
    const link: Link = { account, device, busy: false, again: false, wait: RETRY_FIRST_MS, cancel: () => {} };
    this.#links.set(device.longId, link);
    return link;
  }

  #later(link: Link): void {
    link.cancel();
    const wait = link.wait * (0.75 + this.options.random.float() / 2);
    link.wait = Math.min(link.wait * 2, RETRY_LONGEST_MS);
    link.cancel = this.options.clock.after(wait, () => {
      const { presence, wanted } = this.options;
      if (wanted(link.account, link.device.longId) && presence.isPresent(link.account, link.device.longId)) {
        this.#try(link);
      } else this.#links.delete(link.device.longId);
    });
  }

  async #try(link: Link): Promise<void> {
    link.cancel();
    if (link.busy || this.#stopped) return;
    link.busy = true;
    link.again = false;
    const device = link.device.longId;
    try {
      if (!await this.#alive(device)) await this.#slots.run(() => this.#connect(link));
    } catch (error) {
      log.debug("no connection to {device}: {error}", { device, error: messageOf(error) });
    }
    link.busy = false;
    link.cancel();
    if (this.#stopped) return;
    if (this.live(device)) this.#links.delete(device);
    else if (link.again) this.#try(link);
    else this.#later(link);
  }

  async #connect({ account, device }: Link): Promise<void> {
    const { connections, presence, wanted } = this.options;
    // it may have waited for its turn for long
    if (this.#stopped || !wanted(account, device.longId) || !presence.isPresent(account, device.longId)) return;
    await traced("peer.connect", {}, () => connections.connect(device, "application/im-gitmessage-id"));
  }
}
