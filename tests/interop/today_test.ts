/**
 * Kituo with peers of today's generation (tests/interop/today): they listen on the long key only, speak `msg:` and `swarm://`, and answer nobody who is
 * no contact. And with both generations in one group, which reach each other through Kituo alone.
 */

import assert from "node:assert/strict";
import { JamiDaemon } from "./driver/daemon.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import { type Host, Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { acceptRequest, askKituo, readyKituo, waitKituoMembers, waitKituoTexts } from "./driver/scenario.ts";
import { type TodayEvent, TodayPeer } from "./driver/today_peer.ts";

const AT_ONCE = 2_000; // ms: what "at once" allows for one message
const FOR_HUNDRED = 6_000; // ms, for 100 messages
const SILENCE = 8_000; // ms in which a message that must not come would have come: with Kituo it takes 1 s
const SETTLE = 2_000; // ms between "announced" and a first trust request of a 2023 daemon, which may get lost otherwise

interopTest("today's peers whose only contact is Kituo: contacts, messages, a group, and the relay", async (t) => {
  await using network = await Network.up();
  const kituo = await readyKituo(network);
  const [anna, ben] = await newPeers(network, [kituo.host], "anna", "ben");
  await using _kituo = kituo, _anna = anna, _ben = ben;
  let group = "";

  await t.step("a peer asks Kituo, its admin accepts, and they talk", async () => {
    await anna.addContact(kituo.jamiId);
    await acceptRequest(kituo, anna.uri);
    await talk(anna, kituo, await anna.conversationWith(kituo.jamiId));
  });

  await t.step("Kituo asks a peer, it accepts, and they talk", async () => {
    await kituo.api("POST", "/contacts", { jamiId: ben.uri });
    await talk(ben, kituo, await ben.acceptContact(kituo.jamiId));
  });

  await t.step("a member whom the founder cannot reach gets its invitation through Kituo", async () => {
    group = await groupOf(anna, kituo);
    await anna.invite(group, ben.uri);
    await ben.acceptGroup(group);
    await anna.waitMember(group, ben.uri);
    assert.deepEqual(new Set(await anna.connectedAccounts()), new Set([kituo.jamiId]));
    assert.deepEqual(new Set(await ben.connectedAccounts()), new Set([kituo.jamiId]));
    assert.deepEqual(await ben.overlay(group), await anna.overlay(group)); // Kituo, and nobody else
  });

  await t.step("a message passes through Kituo at once, in both directions", async () => {
    for (const [from, to] of [[anna, ben], [ben, anna]]) {
      const took = await passes(from, to, group, `from ${from.name}`);
      console.log(`from one peer through Kituo to another: ${took} ms`);
      assert.ok(took < AT_ONCE);
    }
  });

  for (const [count, limit] of [[1, AT_ONCE], [100, FOR_HUNDRED]]) {
    await t.step(
      `timezones: ${count} posted while a member was away, and the author is away when it comes back`,
      async () => {
        const { link, start } = await awayAndBack(anna, ben, kituo, group, count);
        console.log(`${count} to a contact: ${link} ms after the TLS link, ${start} ms after the start of its program`);
        assert.ok(link < limit);
        const since = anna.mark();
        await anna.start();
        await anna.waitConnected(kituo.jamiId, { since });
      },
    );
  }

  await t.step("what Kituo got by a bootstrap fetch is told to those who are connected", async () => {
    await anna.stop();
    await anna.start({ offline: true });
    await anna.post(group, "written on the train");
    const since = ben.mark(), sinceLink = anna.mark();
    await anna.online();
    const got = await ben.waitText(group, "written on the train", { since });
    const linked = await anna.waitConnected(kituo.jamiId, { since: sinceLink });
    console.log(`a bootstrap fetch, passed on: ${got.at - linked.at} ms after the author's TLS link`);
    assert.ok(got.at - linked.at < AT_ONCE);
  });

  await t.step("what a killed member missed it gets, too", async () => {
    await ben.kill();
    await anna.post(group, "after the crash");
    await waitKituoTexts(kituo, group, ["after the crash"]);
    const since = ben.mark();
    await ben.start();
    await ben.waitText(group, "after the crash", { since });
  });

  await assertSound(kituo, group);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("a today peer that has not Kituo as a contact dials it by itself, and gets what it missed", async () => {
  await using network = await Network.up();
  const kituo = await readyKituo(network);
  const [anna, ben] = await newPeers(network, [kituo.host], "anna", "ben");
  await using _kituo = kituo, _anna = anna, _ben = ben;
  await anna.addContact(kituo.jamiId);
  await acceptRequest(kituo, anna.uri);
  await anna.addContact(ben.uri);
  await ben.acceptContact(anna.uri);
  const group = await groupOf(anna, kituo);
  await anna.invite(group, ben.uri);
  await ben.acceptGroup(group);
  await waitKituoMembers(kituo, group, [anna.uri, ben.uri]);

  const { link, start } = await awayAndBack(anna, ben, kituo, group, 1);
  console.log(
    `1 to a member who is no contact: ${link} ms after the TLS link, ${start} ms after the start of its program`,
  );
  assert.ok(link < AT_ONCE);
  assert.equal((await ben.contacts())[kituo.jamiId], undefined);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest(
  "without Kituo, members who are no contacts never hear of each other: the test peer is as deaf as the daemon",
  async () => {
    await using network = await Network.up();
    const [anna, ben, ruth] = await newPeers(network, [], "anna", "ben", "ruth");
    await using _anna = anna, _ben = ben, _ruth = ruth;
    const group = await anna.startGroup();
    for (const other of [ben, ruth]) {
      await anna.addContact(other.uri);
      await other.acceptContact(anna.uri);
      await anna.invite(group, other.uri);
      await other.acceptGroup(group);
    }
    await ben.waitMember(group, ruth.uri);
    await ben.stop();
    await anna.post(group, "is anybody there?");
    await ruth.waitText(group, "is anybody there?");
    await anna.stop();
    const since = ben.mark();
    await ben.start();
    await assert.rejects(ben.waitText(group, "is anybody there?", { since, timeout: SILENCE }), {
      name: "DaemonTimeout",
    });
    await anna.start();
    await ben.waitText(group, "is anybody there?", { since });
  },
);

interopTest("a 2023 daemon and a today peer, who cannot reach each other, meet through Kituo", async (t) => {
  await using network = await Network.up();
  const [kituo, dave] = await Promise.all([readyKituo(network), oldPeer(network, "dave")]);
  const [anna] = await newPeers(network, [kituo.host], "anna");
  await using _kituo = kituo, _anna = anna, _dave = dave;
  await anna.addContact(kituo.jamiId);
  await acceptRequest(kituo, anna.uri);
  await askKituo(dave, kituo);
  const group = await groupOf(anna, kituo);

  await t.step("the invitation and the acceptance pass", async () => {
    await anna.invite(group, dave.uri);
    await dave.acceptGroup(group);
    await anna.waitMember(group, dave.uri);
  });

  await t.step("messages pass at once, in both directions", async () => {
    const since = dave.mark();
    const posted = performance.now();
    await anna.post(group, "hello, 2023");
    const old = await dave.waitText(group, "hello, 2023", { since });
    console.log(`from a today peer to a 2023 daemon: ${Math.round(old.at - posted)} ms`);
    assert.ok(old.at - posted < AT_ONCE);

    const sinceToday = anna.mark();
    const sent = Date.now();
    await dave.send(group, "hello, 2026");
    const today = await anna.waitText(group, "hello, 2026", { since: sinceToday });
    console.log(`from a 2023 daemon to a today peer: ${today.at - sent} ms`);
    assert.ok(today.at - sent < AT_ONCE);
    assert.deepEqual(new Set(await anna.connectedAccounts()), new Set([kituo.jamiId])); // nothing passed beside Kituo
  });

  await t.step("their trust requests arrive: Kituo publishes their certificates where each of them looks", async () => {
    await dave.addContact(anna.uri);
    await anna.acceptContact(dave.uri);
    await dave.until("the confirmation", async () => {
      return (await dave.contacts()).some(({ id, confirmed }) => id === anna.uri && confirmed === "true");
    });
  });

  await assertSound(kituo, group);
  assert.deepEqual(await errorsOf(kituo), []);
});

/** Announced peers, whose DHT nodes know each other and the neighbours. */
async function newPeers(network: Network, neighbours: Host[], ...names: string[]): Promise<TodayPeer[]> {
  const peers: TodayPeer[] = [];
  for (const name of names) {
    const known = [...neighbours, ...peers.map(({ host }) => host)];
    const peer = await TodayPeer.createAccount(network, name, { neighbours: known });
    await peer.waitAnnounced();
    peers.push(peer);
  }
  return peers;
}

async function oldPeer(network: Network, name: string): Promise<JamiDaemon> {
  const daemon = await JamiDaemon.start(network, name);
  await daemon.createAccount();
  await daemon.waitRegistered({ settle: SETTLE });
  return daemon;
}

/** A group of the peer's with Kituo, once both are in it. */
async function groupOf(peer: TodayPeer, kituo: KituoProcess): Promise<string> {
  const group = await peer.startGroup();
  await peer.invite(group, kituo.jamiId);
  await acceptRequest(kituo, group);
  await peer.waitMember(group, kituo.jamiId);
  return group;
}

/** Until both are in their conversation, then a message each way. */
async function talk(peer: TodayPeer, kituo: KituoProcess, conversation: string): Promise<void> {
  await peer.until("the conversation", async () => (await peer.conversations()).includes(conversation));
  await peer.waitMember(conversation, kituo.jamiId);
  await peer.post(conversation, "hello, node");
  await waitKituoTexts(kituo, conversation, ["hello, node"]);
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body: "hello, peer" });
  const { author } = await peer.waitText(conversation, "hello, peer");
  assert.equal(author, kituo.jamiId);
}

/** Posts a text; ms until the other peer has it. */
async function passes(from: TodayPeer, to: TodayPeer, group: string, text: string): Promise<number> {
  const since = to.mark(), posted = Date.now();
  await from.post(group, text);
  return (await to.waitText(group, text, { since })).at - posted;
}

let rounds = 0;

/** The reader goes, the author posts and goes, the reader comes back: ms from its TLS link with Kituo, and from its start, to the last text. */
async function awayAndBack(
  author: TodayPeer,
  reader: TodayPeer,
  kituo: KituoProcess,
  group: string,
  count: number,
): Promise<{ link: number; start: number }> {
  const texts = Array.from({ length: count }, (_, i) => `round ${rounds}, number ${i}`);
  rounds++;
  await reader.stop();
  for (const text of texts) await author.post(group, text);
  await waitKituoTexts(kituo, group, texts);
  await author.stop();
  const since = reader.mark(), begin = Date.now();
  await reader.start();
  const last: TodayEvent = await reader.waitText(group, texts[count - 1], { since });
  const linked = await reader.waitConnected(kituo.jamiId, { since });
  const isText = ({ event, body }: TodayEvent) => event === "commit" && texts.includes(`${body}`);
  assert.deepEqual(reader.events.slice(since).filter(isText).map(({ body }) => body), texts);
  return { link: last.at - linked.at, start: last.at - begin };
}
