/** Fetches from devices, one at a time for each conversation and device; of the notifications meanwhile the last is kept (swarm-sync.md 1.7, 2.1). */

import { messageOf } from "../../../core/base/errors.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import type { DeviceId } from "../../../core/identity/ids.ts";
import { GitClient } from "../../../core/swarm/fetch_pack.ts";
import type { Oid } from "../../../core/swarm/object.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import type { Entry, Swarm } from "./swarm.ts";

export interface FetcherOptions {
  /** @param notified the commit that a notification named; null for a bootstrap fetch */
  fetched(swarm: Swarm, connection: Connection, notified: Oid | null, added: Entry[]): void;
  log(message: string): void;
}

interface Client {
  conversation: Oid;
  peer: Peer;
  git: GitClient;
}

export class Fetcher {
  /** One client channel for each device and conversation, kept for later fetches. */
  readonly #clients = new Map<string, Client>();
  /** Fetches that run, and the notification that waits for their end. */
  readonly #running = new Map<string, Oid | null>();

  constructor(private readonly options: FetcherOptions) {}

  /** The devices at which we have a client channel. */
  devices(conversation: Oid): DeviceId[] {
    const open = [...this.#clients.values()].filter((client) => client.conversation === conversation);
    return open.filter(({ git }) => !git.closed).map(({ peer }) => peer.device);
  }

  /** Ends client channels. */
  close(conversation: Oid, test: (peer: Peer) => boolean): void {
    for (const client of this.#clients.values()) {
      if (client.conversation === conversation && test(client.peer)) client.git.close();
    }
  }

  async fetch(swarm: Swarm, connection: Connection, notified: Oid | null): Promise<void> {
    const name = `${connection.peer.device}/${swarm.id}`;
    if (this.#running.has(name)) return void (notified && this.#running.set(name, notified));
    this.#running.set(name, null);
    try {
      const added = await this.#once(name, swarm, connection);
      this.options.fetched(swarm, connection, notified, added);
    } catch (error) {
      this.options.log(`fetching ${swarm.id} from ${connection.peer.device}: ${messageOf(error)}`);
    }
    const next = this.#running.get(name);
    this.#running.delete(name);
    if (next && !swarm.has(next)) this.fetch(swarm, connection, next);
  }

  async #once(name: string, swarm: Swarm, connection: Connection): Promise<Entry[]> {
    const { peer } = connection;
    if (!swarm.authorised(peer)) throw new Error("the server is no member");
    const client = this.#clients.get(name);
    const git = client && !client.git.closed ? client.git : await openGit(swarm.id, connection);
    this.#clients.set(name, { conversation: swarm.id, peer, git });
    const fetched = await git.fetch({
      have: swarm.history().map(({ id }) => id),
      known: (commit) => swarm.has(commit),
      base: swarm.repository,
    });
    return fetched ? await swarm.take(fetched) : [];
  }
}

/** A client on a new `git://` channel. */
export async function openGit(conversation: Oid, connection: Connection): Promise<GitClient> {
  const { device } = connection.peer;
  return new GitClient(await connection.open(`git://${device}/${conversation}`), { conversation, device });
}
