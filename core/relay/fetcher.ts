/**
 * Fetching from peers: on their notifications, on each new link, and until a conversation that we were invited to is cloned (swarm-sync.md 2). One fetch at
 * a time for each device and conversation; what is asked for meanwhile makes it run once more.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { traced } from "../base/trace.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { Budget, LruMap } from "../base/limits.ts";
import { UnderWay } from "../base/under_way.ts";
import type { NewCommit } from "../store/commits.ts";
import type { Conversation, Fetched } from "../swarm/conversation.ts";
import { GitClient } from "../swarm/fetch_pack.ts";
import type { Oid } from "../swarm/object.ts";
import { emptyReader } from "../swarm/overlay.ts";
import { commitLinks } from "../swarm/reachable.ts";
import { RuleViolation } from "../swarm/rules/violation.ts";
import type { Connection } from "../transport/channel.ts";
import { MAX_HAVES, MAX_RECEIVING_BYTES, REFUSED_KEPT, REFUSED_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import type { RefusedHistories } from "./refused.ts";

const log = getLogger(["kituo", "relay"]);

export type FetcherEvents = {
  /** A device was seen to hold these commits, with all before them; `added` is what it had that was new. */
  fetched: { conversation: Conversation; connection: Connection; held: Oid[]; added: NewCommit[] };
  /** A peer offers a history that breaks the rules. */
  refused: { id: Oid; connection: Connection; violation: RuleViolation };
  /** A clone failed for good with this peer: we are not invited. */
  failed: { id: Oid; connection: Connection; error: unknown };
};

export class Fetcher extends Emitter<FetcherEvents> {
  #fetching = new UnderWay("fetching");
  /** Running fetches by connection and conversation: is there a reason to run once more? */
  #running = new Map<string, { again: boolean }>();
  /** Refused heads, by conversation and head, and until when. */
  #refused = new LruMap<string, number>(REFUSED_KEPT);
  #budget = new Budget("packs being received", MAX_RECEIVING_BYTES);
  #clients = new WeakMap<Connection, Map<Oid, Promise<GitClient>>>();

  /** @param aside where refused histories are kept, if anywhere */
  constructor(
    private readonly conversations: Conversations,
    private readonly clock: Clock,
    private readonly aside?: Pick<RefusedHistories, "keep">,
  ) {
    super();
  }

  /** What was refused may be fetched again: the operator accepted something. */
  retry(): void {
    this.#refused.clear();
  }

  /** Nothing is fetched any more; waits for what is, which may be on its way to the disk. @returns whether that has ended */
  finish(): Promise<boolean> {
    return this.#fetching.end(this.clock);
  }

  /** Fetches, or clones what is still to be cloned. Resolves when done; never rejects. */
  fetch(id: Oid, connection: Connection): Promise<void> {
    return this.#fetching.run(() => this.#fetch(id, connection)).catch((error) =>
      log.debug("{id} is not fetched: {error}", { id, error: messageOf(error) })
    );
  }

  async #fetch(id: Oid, connection: Connection): Promise<void> {
    const name = `${connection.id}/${id}`;
    const running = this.#running.get(name);
    if (running) return void (running.again = true);
    const mine = { again: true };
    this.#running.set(name, mine);
    while (mine.again) {
      mine.again = false;
      await traced("git.fetch", {}, () => this.#once(id, connection)).catch((error) =>
        this.#onError(id, connection, error)
      );
    }
    this.#running.delete(name);
  }

  async #once(id: Oid, connection: Connection): Promise<void> {
    const conversation = this.conversations.get(id);
    if (!conversation && !this.conversations.isWanted(id)) return;
    log.debug("fetching {id} from {device}", { id, device: connection.peer.device });
    const client = await this.#client(id, connection);
    let advertised: Oid | undefined;
    const fetched = await client.fetch({
      have: conversation?.haves(MAX_HAVES) ?? [],
      known: (oid) => conversation?.has(oid) || (this.#refused.get(`${id}/${oid}`) ?? 0) > this.clock.now(),
      base: conversation?.repository ?? emptyReader,
      onAdvertised: (head) => advertised = head,
      budget: this.#budget,
    });
    // we left it meanwhile, and may be about to clone it anew: what came is only what the earlier stay lacked
    if (conversation && this.conversations.get(id) !== conversation) return;
    try {
      await this.#takeIn(id, connection, fetched, advertised);
    } catch (error) {
      if (fetched && error instanceof RuleViolation) {
        this.#refused.set(`${id}/${fetched.head}`, this.clock.now() + REFUSED_MS);
        this.emit("refused", { id, connection, violation: error });
        await this.aside?.keep(id, connection.peer, fetched, error);
      }
      throw error;
    }
  }

  async #takeIn(id: Oid, connection: Connection, fetched: Fetched | null, advertised?: Oid): Promise<void> {
    const { device } = connection.peer;
    const conversation = this.conversations.get(id);
    if (conversation) {
      const added = fetched ? await conversation.take(fetched) : [];
      log.debug("{count} new commits of {id} from {device}", { count: added.length, id, device });
      const held = fetched ? knownTips(conversation, fetched) : advertised ? [advertised] : [];
      this.emit("fetched", { conversation, connection, held, added });
    } else if (fetched) {
      const cloned = await this.conversations.finishClone(id, fetched);
      if (cloned) this.emit("fetched", { conversation: cloned, connection, held: [fetched.head], added: [] });
    }
  }

  /** The client on the channel that is kept for all fetches of a conversation from a device (swarm-sync.md 1.1). */
  #client(id: Oid, connection: Connection): Promise<GitClient> {
    const clients = this.#clients.get(connection) ?? new Map<Oid, Promise<GitClient>>();
    this.#clients.set(connection, clients);
    const known = clients.get(id);
    if (known) return known;
    const opening = connection.open(`git://${connection.peer.device}/${id}`).then((channel) => {
      channel.closed.then(() => clients.delete(id));
      return new GitClient(channel, { conversation: id, device: connection.peer.device, clock: this.clock });
    });
    clients.set(id, opening);
    opening.catch(() => clients.delete(id));
    return opening;
  }

  #onError(id: Oid, connection: Connection, error: unknown): void {
    const { account, device } = connection.peer;
    log.info("fetching {id} from {device} of {account} failed: {error}", {
      id,
      device,
      account,
      error: messageOf(error),
    });
    if (!this.conversations.get(id)) this.emit("failed", { id, connection, error });
  }
}

/** The commits of ours that stand at the end of a fetched history: its head, or where merges that we did not keep begin. */
function knownTips(conversation: Conversation, { head, objects }: Fetched): Oid[] {
  const tips = new Set<Oid>();
  const open = [head];
  const seen = new Set(open);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (conversation.has(id)) {
      tips.add(id);
      continue;
    }
    const object = objects.get(id);
    for (const parent of object?.type === "commit" ? commitLinks(object.data).parents : []) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
  return [...tips];
}
