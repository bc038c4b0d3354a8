/** Whole relays in one process, for tests. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Relay } from "../../../core/relay/relay.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { type TestIdentity, until } from "../../support/people.ts";

/** A running relay. */
export interface TestNode {
  relay: Relay;
  store: Store;
  identity: TestIdentity;
}

/** One process, one DHT, real connections on loopback. */
export class World {
  readonly table = new DhtTable(systemClock);
  readonly #nodes: TestNode[] = [];

  constructor(private readonly folder: string) {}

  /** Starts a node; with `data` of an earlier one, that one anew. */
  async node(identity: TestIdentity, welcome = true): Promise<TestNode> {
    const data = join(this.folder, identity.device);
    await Deno.mkdir(data, { recursive: true });
    const store = openStore(join(data, "kituo.db"));
    const relay = new Relay({
      identity,
      store,
      dht: this.table,
      clock: systemClock,
      random: systemRandom,
      conversationsDir: join(data, "conversations"),
      refusedDir: join(data, "refused"),
      filesDir: join(data, "files"),
      fileLimits: { maxFile: 1_000_000, total: 2_000_000, perConversation: 1_500_000, retentionDays: 0 },
      peerPort: 0,
      addresses: () => ["127.0.0.1"],
      publicAddresses: () => [],
      displayName: () => "Somebody",
      vcard: writeVcard(identity.account.slice(0, 8)),
      welcome: () => welcome,
      openToAll: () => false,
      offerContact: false,
      enforceModes: true,
    });
    const node = { relay, store, identity };
    this.#nodes.push(node);
    await relay.start();
    return node;
  }

  async stop(node: TestNode): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await node.relay.stop();
    node.store.close();
  }

  async close(): Promise<void> {
    for (const node of [...this.#nodes]) await this.stop(node);
    this.table.close();
  }
}

/** Runs `test`, stops all nodes, and asks that nothing failed unheard. */
export async function withWorld(test: (world: World) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-two-" });
  const world = new World(folder);
  const uncaught: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    uncaught.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", note);
  try {
    await test(world);
    await world.close();
    assert.deepEqual(uncaught, []);
  } finally {
    globalThis.removeEventListener("unhandledrejection", note);
    await Deno.remove(folder, { recursive: true });
  }
}

/** The conversation, as soon as the node has it. */
export async function conversationOf({ relay }: TestNode, id: string): Promise<Conversation> {
  await until(`${id} is there`, () => relay.conversations.get(id)?.joined ?? false);
  const conversation = relay.conversations.get(id);
  assert.ok(conversation);
  return conversation;
}

/** Posts at one node and waits for it at others. */
export async function say(body: string, from: TestNode, id: string, ...to: TestNode[]): Promise<void> {
  const [{ id: commit }] = await (await conversationOf(from, id)).write((context) => writeText(context, body));
  for (const one of to) await until(`"${body}" came`, () => one.relay.conversations.get(id)?.has(commit) ?? false);
}
