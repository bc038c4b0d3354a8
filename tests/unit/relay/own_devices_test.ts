import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../core/base/bytes.ts";
import { SYNC_BURST, SYNC_MAX_OUT } from "../../../core/messaging/constants.ts";
import { EMPTY_SYNC, encodeSync } from "../../../core/messaging/sync_message.ts";
import { signRevocations } from "../../../core/identity/revoke.ts";
import { OwnDevices } from "../../../core/relay/own_devices.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { channelPair, type MemoryChannel } from "../../support/channel_pair.ts";
import { peerOf, secondDevice, testIdentity, until } from "../../support/people.ts";
import { type Place, withPlaces } from "./support.ts";
import { conversationOf, say, type TestNode, withWorld } from "./world.ts";

const [alice, bob] = await Promise.all([1, 2].map(() => testIdentity(Date.now())));
const other = await secondDevice(alice, Date.now());

/** Two devices of alice's, once they are connected. */
async function twoDevices(world: Parameters<Parameters<typeof withWorld>[0]>[0]): Promise<[TestNode, TestNode]> {
  const one = await world.node(alice, false);
  const two = await world.node(other, false);
  await until("the devices are connected", () => one.store.ownDevices.all().some(({ name }) => name !== ""));
  return [one, two];
}

Deno.test("own devices: they find each other, say how they are called, and share contacts and a group with all that was said", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    const three = await world.node(bob);
    assert.deepEqual(two.store.ownDevices.all().map(({ device, name }) => [device, name]), [[
      alice.device,
      "Somebody",
    ]]);
    const { conversation } = await one.relay.account.contacts.add(bob.account);
    await until("the contact is at the other", () => two.store.contacts.get(bob.account)?.confirmed ?? false);
    await conversationOf(two, conversation);
    const group = await one.relay.groups.create(Mode.invitesOnly, { title: "Sisters" });
    await conversationOf(two, group.id);
    await say("from the first", one, group.id, two);
    await say("from the second", two, group.id, one);
    await one.relay.groups.invite(group, bob.account);
    three.relay.invitations.on("invitation", ({ conversation }) => three.relay.invitations.accept(conversation));
    await conversationOf(three, group.id);
    // what comes while the first is away, it gets from the second
    await world.stop(one);
    await say("bob alone", three, group.id, two);
    await world.stop(three);
    const again = await world.node(alice, false);
    const mine = await conversationOf(again, group.id);
    await until("it came from the second", () => mine.page({ limit: 1 })[0].body.includes("bob alone"));
  }));

Deno.test("own devices: a ban, a request answered, and a group left on one reach the other, also when it was away", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    const asks = (node: TestNode, conversation: string) =>
      node.relay.account.contacts.onRequest(peerOf(bob), { conversation, payload: new Uint8Array(), confirm: false });
    asks(one, "a".repeat(40));
    await until("the request is at the other", () => two.store.trustRequests.get(bob.account) !== undefined);
    two.relay.account.contacts.remove(bob.account, true);
    await until("the ban is at the first", () => one.store.contacts.isBanned(bob.account));
    assert.equal(one.store.trustRequests.get(bob.account), undefined);
    const group = await one.relay.groups.create(Mode.invitesOnly);
    await conversationOf(two, group.id);
    await world.stop(two);
    await one.relay.groups.leave(group.id);
    const again = await world.node(other, false);
    await until("it has ended there", () => again.store.conversations.get(group.id)?.state === "left");
  }));

Deno.test("own devices: whom one keeps out the other keeps out, and readmits; a contact is one again on both", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    const contact = { account: bob.account, added: Date.now() - 5_000, removed: 0, confirmed: true, banned: false };
    one.store.contacts.put({ ...contact, conversation: "" });
    const stranger = "5".repeat(40);
    for (const account of [bob.account, stranger]) {
      one.relay.account.contacts.keepOut(account);
      await until("the ban is at the other", () => two.store.contacts.isBanned(account));
      assert.ok(!one.relay.account.contacts.isContact(account));
      assert.ok(one.relay.account.contacts.readmit(account));
      await until("its end is, too", () => !two.store.contacts.isBanned(account));
      const isContact = account === bob.account;
      assert.deepEqual([one, two].map(({ store }) => store.contacts.isActive(account)), [isContact, isContact]);
    }
  }));

Deno.test("own devices: a contact that was removed and is added again goes on in its conversation, on both", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    await world.node(bob);
    const { conversation } = await one.relay.account.contacts.add(bob.account);
    await conversationOf(two, conversation);
    one.relay.account.contacts.remove(bob.account, false);
    one.relay.conversations.leave(conversation);
    await until("it ended on the other", () => two.store.conversations.get(conversation)?.state === "left");
    assert.ok(!two.relay.account.contacts.isContact(bob.account));
    assert.equal((await one.relay.account.contacts.add(bob.account)).conversation, conversation);
    await conversationOf(two, conversation);
    await until("the contact is back", () => two.relay.account.contacts.isContact(bob.account));
  }));

Deno.test("own devices: an invitation declined on one is gone on the other", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    const conversation = "b".repeat(40);
    const metadatas = new Map([["mode", "2"], ["title", "Come in"]]);
    one.relay.invitations.onInvite(peerOf(bob), { kind: "invite", conversation, metadatas });
    await until("it is at the other", () => two.relay.invitations.pending().length === 1);
    assert.equal(two.relay.invitations.pending()[0].metadatas.title, "Come in");
    two.relay.invitations.decline(conversation);
    await until("it is gone at the first", () => one.relay.invitations.pending().length === 0);
    one.relay.invitations.onInvite(peerOf(bob), { kind: "invite", conversation, metadatas });
    assert.deepEqual(one.relay.invitations.pending(), []);
  }));

/** The end of a sync channel at a device of alice's that has just been opened by `peer`, or null when it is declined. */
async function channelFrom(
  peer: typeof alice,
  test: (theirs: MemoryChannel, place: Place) => Promise<void>,
): Promise<boolean> {
  let isTaken = false;
  await withPlaces([alice], async (place) => {
    const { store, clock, conversations } = place;
    const own = new OwnDevices({
      identity: alice,
      store,
      clock,
      conversations,
      certificates: { known: () => null, findByDevice: () => Promise.resolve(null) },
      name: () => "First",
    });
    const [theirs, mine] = channelPair(peerOf(peer), peerOf(alice), `sync://${alice.device}`);
    const take = own.accept({ device: alice.device }, mine.connection);
    isTaken = take !== null;
    if (!take) return;
    take(mine);
    await test(theirs, place);
    own.stop();
  });
  return isTaken;
}

Deno.test("own devices: strangers and devices of other accounts get no channel", async () => {
  assert.equal(await channelFrom(bob, () => Promise.resolve()), false);
  assert.equal(await channelFrom(alice, () => Promise.resolve()), false, "not even we ourselves");
  assert.equal(await channelFrom(other, () => Promise.resolve()), true);
});

Deno.test("own devices: garbage and floods end their channel, and nothing else", async () => {
  const flood = encodeSync(EMPTY_SYNC, 6);
  const hostile: Bytes[][] = [
    [new Uint8Array([0xc1])],
    [utf8("GET / HTTP/1.1\r\n\r\n")],
    [new Uint8Array([0xdd, 0x7f, 0xff, 0xff, 0xff])],
    [new Uint8Array([0x96, 1, 2, 3, 4, 5, 6])],
    Array.from({ length: SYNC_BURST + 1 }, () => flood),
  ];
  for (const frames of hostile) {
    await channelFrom(other, async (theirs, { store }) => {
      const writer = theirs.writable.getWriter();
      for (const frame of frames) await writer.write(frame).catch(() => {}); // reason: it may have been closed meanwhile
      await theirs.closed;
      assert.deepEqual(store.contacts.all(), []);
    });
  }
});

Deno.test("own devices: state of any size goes into frames that each hold one message", () =>
  withPlaces([alice], (place) => {
    const { store, clock, conversations } = place;
    for (let n = 0; n < 1_500; n++) {
      const account = n.toString(16).padStart(40, "0");
      store.contacts.put({ account, added: n + 1, removed: 0, confirmed: true, banned: false, conversation: "" });
    }
    const own = new OwnDevices({
      identity: alice,
      store,
      clock,
      conversations,
      certificates: { known: () => null, findByDevice: () => Promise.resolve(null) },
      name: () => "First",
    });
    for (const form of [4, 6] as const) {
      const messages = own.state.messages(form);
      assert.ok(messages.length > 1);
      assert.ok(messages.every((message) => encodeSync(message, form).length <= SYNC_MAX_OUT));
      const told = messages.flatMap(({ deviceSync }) => [...deviceSync.peers.keys()]);
      assert.equal(new Set(told).size, 1_500);
    }
    return Promise.resolve();
  }));

Deno.test("own devices: one that is revoked ends its part, is connected with nobody, and the others are told by the DHT", () =>
  withWorld(async (world) => {
    const [one, two] = await twoDevices(world);
    const three = await world.node(bob);
    await one.relay.account.contacts.add(bob.account);
    await until("bob is connected with both", () => three.relay.connections.connections().length >= 2);
    const entries = new Map([[other.chain[0].serial, Date.now()]]);
    const signers = { accountKey: alice.accountKey, accountChain: alice.chain.slice(1) };
    const list = await signRevocations(signers, { number: 1n, now: Date.now(), entries });
    const retired = two.relay.once("retired");
    one.relay.account.certificates.learnRevocations(alice.account, list.der);
    await retired;
    assert.ok(two.relay.revoked && !one.relay.revoked);
    const isTwo = ({ peer }: { peer: { device: string } }) => peer.device === other.device;
    await until(
      "nobody is connected with it",
      () => ![...one.relay.connections.connections(), ...three.relay.connections.connections()].some(isTwo),
    );
    assert.deepEqual(two.relay.connections.connections(), []);
    await world.stop(two);
    const again = await world.node(other, false);
    assert.ok(again.relay.revoked);
    assert.ok(!again.relay.account.announced);
    // one that revokes itself tells others before it goes
    const both = new Map([...entries, [alice.chain[0].serial, Date.now()]]);
    const last = await signRevocations(signers, { number: 2n, now: Date.now(), entries: both });
    const gone = one.relay.once("retired");
    one.relay.account.certificates.learnRevocations(alice.account, last.der);
    await gone;
    await until("bob knows", () => three.relay.account.certificates.revocations(alice.account)[0]?.number === 2n);
  }));
