import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Relay } from "../../../core/relay/relay.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { ban, createConversation, invite } from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { fsck } from "../../support/git_vectors.ts";
import { peerOf, type TestIdentity, testIdentity, until } from "../../support/people.ts";

const [alice, bob, carol] = await Promise.all([1, 2, 3].map(() => testIdentity(Date.now())));

interface TestNode {
  relay: Relay;
  store: Store;
  identity: TestIdentity;
}

/** One process, one DHT, real connections on loopback. */
class World {
  readonly table = new DhtTable(systemClock);
  readonly #nodes: TestNode[] = [];

  constructor(private readonly folder: string) {}

  /** Starts a node; with `data` of an earlier one, that one anew. */
  async node(identity: TestIdentity, welcome = true): Promise<TestNode> {
    const data = join(this.folder, identity.account);
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

async function withWorld(test: (world: World) => Promise<void>): Promise<void> {
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
async function conversationOf({ relay }: TestNode, id: string): Promise<Conversation> {
  await until(`${id} is there`, () => relay.conversations.get(id)?.joined ?? false);
  const conversation = relay.conversations.get(id);
  assert.ok(conversation);
  return conversation;
}

/** Posts at one node and waits for it at others. */
async function say(body: string, from: TestNode, id: string, ...to: TestNode[]): Promise<void> {
  const [{ id: commit }] = await (await conversationOf(from, id)).write((context) => writeText(context, body));
  for (const one of to) await until(`"${body}" came`, () => one.relay.conversations.get(id)?.has(commit) ?? false);
}

/** Makes a group at a node, and invites people into it. */
async function group({ relay, identity }: TestNode, ...invited: TestIdentity[]): Promise<string> {
  const written = await createConversation({ identity, displayName: "", now: Date.now() }, { mode: 2 });
  const id = written.head;
  relay.conversations.want(id, identity.account, 2);
  await relay.conversations.finishClone(id, { head: id, objects: new Map(written.objects.map((o) => [o.oid, o])) });
  for (const one of invited) await relay.conversations.get(id)?.write((context) => invite(context, one.account));
  return id;
}

Deno.test("two nodes: contact, one-to-one conversation, messages both ways, and again after a restart", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    let two = await world.node(bob);
    const { conversation: id } = await one.relay.account.contacts.add(bob.account);
    await conversationOf(two, id);
    await say("hello", one, id, two);
    await say("hello yourself", two, id, one);
    for (const [node, other] of [[one, two], [two, one]]) {
      const name = other.identity.account.slice(0, 8);
      await until(`${name} gave its profile`, () => node.store.profiles.name(other.identity.account) === name);
    }
    await until("alice knows that bob agreed", () => one.store.contacts.get(bob.account)?.confirmed ?? false);
    // what is posted while the other is away reaches it when it comes back, whoever of the two connects
    await world.stop(two);
    await say("are you there?", one, id);
    two = await world.node(bob);
    const conversation = await conversationOf(two, id);
    await until("it came", () => conversation.page({ limit: 1 })[0].body.includes("are you there?"));
    await until("alice knows that bob has it", () => {
      const hers = one.relay.conversations.get(id);
      return hers !== undefined && hers.countLacking(one.relay.delivery.held(hers, bob.device)) === 0;
    });
    assert.deepEqual(await fsck(conversation.repository.dir), []);
  }));

Deno.test("three nodes: members of a group that know only its founder get each other's messages, a banned one nothing", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    const two = await world.node(bob);
    const three = await world.node(carol);
    for (const { account } of [bob, carol]) await one.relay.account.contacts.add(account);
    await until("both are connected", () => one.relay.connections.connections().length >= 2);
    const id = await group(one, bob, carol);
    await conversationOf(two, id);
    await conversationOf(three, id);
    await say("from alice", one, id, two, three);
    await say("from bob", two, id, one, three);
    await say("from carol", three, id, one, two);
    const founders = await conversationOf(one, id);
    await founders.write((context) => ban(context, carol.account));
    await say("without carol", one, id, two);
    await until("bob knows of the ban", () => two.relay.conversations.get(id)?.isMember(carol.account) === false);
    assert.ok(!three.relay.conversations.get(id)?.has(founders.head));
    assert.equal(founders.mayFetch(carol), false);
  }));

Deno.test("two nodes: a request that nobody welcomes waits, and connects nobody", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    const two = await world.node(bob, false);
    const asked = two.relay.account.contacts.once("request");
    const { conversation: id } = await one.relay.account.contacts.add(bob.account);
    assert.equal((await asked).conversation, id);
    assert.equal(one.relay.connections.connections().length, 0);
    two.relay.account.contacts.accept(alice.account);
    await conversationOf(two, id);
  }));

Deno.test("two nodes: a contact request that names a group gets one into a public group, and never becomes a contact's", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    const asks = (conversation: string) =>
      one.relay.account.contacts.onRequest(peerOf(bob), { conversation, payload: new Uint8Array(), confirm: false });
    const open = await one.relay.groups.create(Mode.public);
    const closed = await one.relay.groups.create(Mode.invitesOnly);
    const left = await one.relay.groups.create(Mode.invitesOnly);
    await one.relay.groups.leave(left.id);
    const hers = await one.relay.conversations.oneToOne(carol.account);
    for (const id of [open.id, closed.id, left.id, hers]) asks(id);
    await until("bob is invited", () => open.isMember(bob.account));
    assert.equal(closed.isMember(bob.account), false);
    assert.equal(one.store.contacts.get(bob.account), undefined);
    assert.deepEqual(one.store.trustRequests.all(), []);
  }));

Deno.test("two nodes: stopped in the middle of everything they stop", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    const two = await world.node(bob);
    const { conversation: id } = await one.relay.account.contacts.add(bob.account);
    const hers = one.relay.conversations.get(id);
    assert.ok(hers);
    for (let n = 0; n < 20; n++) await hers.write((context) => writeText(context, `message ${n}`));
    await until("bob begins", () => two.relay.connections.connections().length > 0);
    await Promise.all([world.stop(one), world.stop(two)]);
  }));
