import assert from "node:assert/strict";
import { Delivery } from "../../../core/relay/delivery.ts";
import { Fetcher } from "../../../core/relay/fetcher.ts";
import { Overlays } from "../../../core/relay/overlays.ts";
import { Router } from "../../../core/relay/router.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { seededRandom } from "../../../core/base/random.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { Messenger } from "../../../core/messaging/messenger.ts";
import { ban, createConversation, join, leave } from "../../../core/swarm/write_members.ts";
import { serveGit } from "../../../core/swarm/upload_pack.ts";
import type { Written } from "../../../core/swarm/write.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { ConnectError } from "../../../core/transport/channel.ts";
import { connectionPair, type MemoryConnection } from "../../support/channel_pair.ts";
import { peerOf, secondDevice } from "../../support/people.ts";
import { alice, allOf, bob, bring, carol, inviteTo, NOW, opened, type Place, post, withPlaces } from "./support.ts";

/** What Alice's node lets peers do. */
function routerOf({ conversations, store }: Place, identity = alice) {
  // the system's time: what runs over channels waits in it
  const clock = systemClock;
  const delivery = new Delivery({
    store,
    clock,
    device: identity.device,
    live: () => undefined,
    notify: () => Promise.resolve(),
    generation: () => undefined,
    inviterIsThere: () => false,
    check: () => {},
  });
  const messenger = new Messenger({
    clock,
    random: seededRandom(1),
    identity,
    seen: () => false,
    generations: { get: () => undefined, set: () => {} },
  });
  const overlays = new Overlays({
    device: identity.device,
    clock,
    random: seededRandom(1),
    store,
    connections: { connect: () => Promise.reject(new ConnectError("nobody")), connections: () => [] },
    certificates: { known: () => null, findByDevice: () => Promise.resolve(null) },
    allows: () => true,
  });
  const router = new Router({
    device: identity.device,
    clock,
    messenger,
    conversations,
    delivery,
    files: { accept: () => () => {} },
    profiles: { accept: () => null, answer: () => null },
    overlays,
    ownDevices: { accept: () => null },
  });
  return { router, delivery, overlays };
}

/** A connection from `peer` to Alice's router; the peer's end. */
function dial(router: Router, peer: Identity): MemoryConnection {
  const [theirs, ours] = connectionPair(peerOf(peer), peerOf(alice));
  ours.accept = (name) => router.accept(ours, name);
  return theirs;
}

/** A group of Alice's with Bob, who joined. */
async function group(place: Place): Promise<string> {
  const { conversations, clock } = place;
  const written = await createConversation({ identity: alice, displayName: "alice", now: clock.now() }, { mode: 2 });
  const id = written.head;
  conversations.want(id, alice.account, 2);
  await conversations.finishClone(id, { head: id, objects: new Map(written.objects.map((o) => [o.oid, o])) });
  const conversation = opened(place, id);
  await inviteTo(conversation, clock, bob.account);
  await clock.advance(1_000);
  await take(conversation, await join({ ...contextOf(conversation, clock.now()), identity: bob }));
  return id;
}

type Opened = ReturnType<typeof opened>;

function contextOf({ repository, head }: Opened, now: number) {
  return { reader: repository, head, displayName: "", now };
}

async function take(conversation: Opened, { head, objects }: Written): Promise<void> {
  await conversation.take({ head, objects: new Map(objects.map((o) => [o.oid, o])) });
}

Deno.test("router: who may open what", () =>
  withPlaces([alice], async (place) => {
    const id = await group(place);
    const { router, overlays } = routerOf(place);
    const bobsTablet = await secondDevice(bob, NOW);
    const git = `git://${alice.device}/${id}`;
    const may = (peer: Identity, name: string) => {
      const [, ours] = connectionPair(peerOf(peer), peerOf(alice));
      return router.accept(ours, name) !== null;
    };
    const everybody: [string, boolean][] = [
      ["sip", true],
      [`msg:${alice.device}`, true],
      [`msg:${bob.device}`, false],
      ["svcdisc://query", true],
      [`sync://${alice.device}`, false],
      [`data-transfer://${id}/${alice.device}/x_1`, false],
      ["", false],
      ["git://", false],
      [`git://${alice.device}/${id}/../x`, false],
      ["x".repeat(600), false],
    ];
    for (const peer of [bob, carol]) {
      for (const [name, expected] of everybody) assert.equal(may(peer, name), expected, name);
    }
    const ofMembers = [git, `swarm://${id}`];
    const expectMay = (peer: Identity, expected: boolean, why: string) => {
      for (const name of ofMembers) assert.equal(may(peer, name), expected, `${why}: ${name}`);
    };
    expectMay(bob, true, "a member");
    expectMay(bobsTablet, true, "another device of a member");
    expectMay(carol, false, "a stranger who knows the id");
    assert.equal(may(bob, `git://${bob.device}/${id}`), false, "another device's name");
    assert.equal(may(bob, `git://${alice.device}/${"0".repeat(40)}`), false, "another conversation");
    const conversation = opened(place, id);
    await inviteTo(conversation, place.clock, carol.account);
    expectMay(carol, true, "the invited, to clone");
    await place.clock.advance(1_000);
    await conversation.write((context) => ban(context, carol.account));
    expectMay(carol, false, "a banned invited");
    await place.clock.advance(1_000);
    await take(conversation, await leave({ ...contextOf(conversation, place.clock.now()), identity: bob }));
    expectMay(bob, false, "who left");
    overlays.stop();
  }));

Deno.test("router: a banned member and a banned device lose what they have open", () =>
  withPlaces([alice], async (place) => {
    const id = await group(place);
    const conversation = opened(place, id);
    const { router, delivery, overlays } = routerOf(place);
    const tablet = await secondDevice(bob, NOW);
    await place.clock.advance(1_000);
    await take(
      conversation,
      await writeText({ ...contextOf(conversation, place.clock.now()), identity: tablet }, "from the tablet"),
    );
    const name = `git://${alice.device}/${id}`;
    const ends = [];
    const ours = [];
    for (const device of [bob, tablet]) {
      const [theirs, mine] = connectionPair(peerOf(device), peerOf(alice));
      mine.accept = (name) => router.accept(mine, name);
      ours.push(mine);
      ends.push({
        git: await theirs.open(name),
        swarm: await theirs.open(`swarm://${id}`),
        file: await theirs.open(`data-transfer://${id}/${device.device}/${id}_1.txt`),
        sip: await theirs.open("sip"),
      });
    }
    await place.clock.advance(1_000);
    await conversation.write((context) => ban(context, tablet.device));
    router.enforce(conversation, ours);
    await Promise.all([ends[1].git.closed, ends[1].swarm.closed, ends[1].file.closed]);
    assert.deepEqual(
      ours[0].channels.map(({ name }) => name.split(":")[0]).sort(),
      ["data-transfer", "git", "sip", "swarm"],
      "bob's other device keeps all",
    );
    assert.deepEqual(ours[1].channels.map(({ name }) => name), ["sip"]);
    await place.clock.advance(1_000);
    await conversation.write((context) => ban(context, bob.account));
    router.enforce(conversation, ours);
    await Promise.all([ends[0].git.closed, ends[0].swarm.closed, ends[0].file.closed]);
    for (const { sip } of ends) sip.close();
    await Promise.all(ends.map(({ sip }) => sip.closed));
    delivery.stop();
    overlays.stop();
  }));

Deno.test("fetcher and router: clone, fetch, and what each learns of the other", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await group(atAlice);
    const { router, delivery, overlays } = routerOf(atAlice);
    const connection = dial(router, bob);
    const fetcher = new Fetcher(atBob.conversations, systemClock);
    const fetched: string[] = [];
    fetcher.on("fetched", ({ held, added }) => fetched.push(`${held} +${added.length}`));
    await fetcher.fetch(id, connection);
    assert.deepEqual(fetched, [], "nobody wants it");
    atBob.conversations.want(id, alice.account, 2);
    const { head } = opened(atAlice, id);
    await fetcher.fetch(id, connection);
    assert.deepEqual(fetched, [`${head} +0`]);
    assert.deepEqual(delivery.held(opened(atAlice, id), bob.device), [head]);
    // up to date: nothing new, but known to hold it
    await fetcher.fetch(id, connection);
    assert.deepEqual(fetched, [`${head} +0`, `${head} +0`]);
    const text = await post(opened(atAlice, id), atAlice.clock, "hello");
    await fetcher.fetch(id, connection);
    assert.deepEqual(fetched.at(-1), `${text} +1`);
    assert.equal(opened(atBob, id).head, text);
    assert.deepEqual(delivery.held(opened(atAlice, id), bob.device), [text]);
    assert.equal(connection.channels.length, 1, "all over one channel");
    await connection.close("the end");
    delivery.stop();
    overlays.stop();
  }));

Deno.test("fetcher: what is asked for during a fetch makes one more, however often, also when the fetch fails", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await group(atAlice);
    const { router, delivery, overlays } = routerOf(atAlice);
    atBob.conversations.want(id, alice.account, 2);
    await atBob.conversations.finishClone(id, await allOf(opened(atAlice, id)));
    const [theirs, ours] = connectionPair(peerOf(bob), peerOf(alice));
    let asked = 0;
    ours.accept = (name) => asked++ === 0 ? null : router.accept(ours, name);
    const fetcher = new Fetcher(atBob.conversations, systemClock);
    let fetched = 0;
    fetcher.on("fetched", () => fetched++);
    const text = await post(opened(atAlice, id), atAlice.clock, "hello");
    await Promise.all([1, 2, 3, 4].map(() => fetcher.fetch(id, theirs)));
    assert.deepEqual([asked, fetched], [2, 1]);
    assert.equal(opened(atBob, id).head, text);
    await theirs.close("the end");
    delivery.stop();
    overlays.stop();
  }));

Deno.test("fetcher: a refused history is reported, leaves nothing, and is not fetched again at once", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await group(atAlice);
    atBob.conversations.want(id, alice.account, 2);
    await atBob.conversations.finishClone(id, await allOf(opened(atAlice, id)));
    // Alice's repository gets a commit that Carol signed in her name
    const evil = opened(atAlice, id);
    const forged = await writeText(
      { ...contextOf(evil, atAlice.clock.now()), identity: { ...alice, key: carol.key } },
      "forged",
    );
    await evil.repository.add(forged.objects);
    await evil.repository.setHead(forged.head);
    const [connection, ours] = connectionPair(peerOf(bob), peerOf(alice));
    ours.accept = () => (channel) => void serveGit(channel, { repository: evil.repository, authorize: () => true });
    const fetcher = new Fetcher(atBob.conversations, systemClock);
    const refused: string[] = [];
    fetcher.on("refused", ({ violation }) => refused.push(violation.commit));
    fetcher.on("fetched", ({ added }) => refused.push(`took ${added.length}`));
    const before = opened(atBob, id).head;
    await fetcher.fetch(id, connection);
    await fetcher.fetch(id, connection);
    assert.deepEqual(refused, [forged.head, "took 0"]);
    assert.equal(opened(atBob, id).head, before);
    assert.equal(await opened(atBob, id).repository.has(forged.head), false);
    await connection.close("the end");
  }));

Deno.test("fetcher: of a head that only merges what we have, the heads below are learned and nothing is kept", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await group(atAlice);
    atBob.conversations.want(id, alice.account, 2);
    await atBob.conversations.finishClone(id, await allOf(opened(atAlice, id)));
    const [hers, his] = [opened(atAlice, id), opened(atBob, id)];
    const one = await post(hers, atAlice.clock, "hers");
    const two = await post(his, atBob.clock, "his");
    const fork = await allOf(hers);
    await bring(his, hers); // Alice merges
    await his.take(fork); // and so does Bob
    assert.notEqual(hers.head, his.head);
    const { router, delivery, overlays } = routerOf(atAlice);
    const connection = dial(router, bob);
    const fetcher = new Fetcher(atBob.conversations, systemClock);
    const merged = his.head;
    const learned = fetcher.once("fetched");
    await fetcher.fetch(id, connection);
    const { held, added } = await learned;
    assert.deepEqual([held.sort(), added], [[one, two].sort(), []]);
    assert.equal(his.head, merged);
    await connection.close("the end");
    delivery.stop();
    overlays.stop();
  }));
