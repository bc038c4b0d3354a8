import assert from "node:assert/strict";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { ban, createConversation, invite } from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { fsck } from "../../support/git_vectors.ts";
import { peerOf, type TestIdentity, testIdentity, until } from "../../support/people.ts";
import { conversationOf, say, type TestNode, withWorld } from "./world.ts";

const [alice, bob, carol] = await Promise.all([1, 2, 3].map(() => testIdentity(Date.now())));

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

Deno.test("two nodes: who is invited anew while leaving a group, and accepts, is in it again", () =>
  withWorld(async (world) => {
    const one = await world.node(alice);
    const two = await world.node(bob);
    await one.relay.account.contacts.add(bob.account);
    await until("both are connected", () => one.relay.connections.connections().length >= 1);
    const made = await one.relay.groups.create(Mode.invitesOnly);
    const { invitations, groups } = two.relay;
    const { id } = made;
    await one.relay.groups.invite(made, bob.account);
    await conversationOf(two, id);
    await Promise.all([1, 2, 3].map(() => groups.leave(id)));
    await until("alice knows that bob left", () => !made.isMember(bob.account));
    assert.equal(two.store.conversations.get(id)?.state, "leaving");
    await one.relay.groups.invite(made, bob.account);
    await until("the invitation", () => invitations.pending().some(({ conversation }) => conversation === id));
    invitations.accept(id);
    await conversationOf(two, id);
    await say("here again", two, id, one);
    await say("welcome back", one, id, two);
    assert.equal(two.store.conversations.get(id)?.state, "active");
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
