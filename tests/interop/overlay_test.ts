/**
 * The always-on node's part in a conversation's overlay (`swarm://`), with peers of today's generation (tests/interop/today: an implementation of its own):
 * they come and go, in order and by a crash, and Kituo is there.
 */

import assert from "node:assert/strict";
import { errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { acceptRequest, readyKituo, waitKituoMembers } from "./driver/scenario.ts";
import { TodayPeer } from "./driver/today_peer.ts";

const IN_OVERLAY = 10_000; // ms, from a peer's start or Kituo's announcement: DHT, ICE and TLS take about one second
const AT_ONCE = 2_000; // ms: what "at once" allows for one message

interopTest("Kituo stays in the overlay of a group whose peers come and go", async (t) => {
  await using network = await Network.up();
  const kituo = await readyKituo(network);
  await using _kituo = kituo;
  const { deviceId } = await kituo.api<{ deviceId: string }>("GET", "/node");
  const peers: TodayPeer[] = [];
  for (const name of ["anna", "ben", "carl", "dora"]) {
    const neighbours = [kituo.host, ...peers.map(({ host }) => host)];
    const peer = await TodayPeer.createAccount(network, name, { neighbours });
    peers.push(peer);
    await peer.waitAnnounced();
    await peer.addContact(kituo.jamiId);
    await acceptRequest(kituo, peer.uri);
  }
  const [anna, ben, carl, dora] = peers;
  await using _anna = anna, _ben = ben, _carl = carl, _dora = dora;
  const group = await groupOf(anna, [ben, carl, dora], kituo);

  await t.step("everybody has Kituo in the routing table, and a message reaches all", async () => {
    for (const peer of peers) await waitInOverlay(peer, group, deviceId);
    await spreads(ben, peers, group, "all are here");
  });

  await t.step("those who leave, or crash, find it again; those who stay never lose it", async () => {
    const since = anna.mark();
    for (const [round, peer] of [ben, carl, dora, ben].entries()) {
      await (round % 2 === 0 ? peer.kill() : peer.stop());
      await spreads(anna, peers.filter((one) => one !== peer), group, `without ${peer.name}, round ${round}`);
      const began = Date.now();
      await peer.start();
      const took = await waitInOverlay(peer, group, deviceId, began);
      console.log(`${peer.name} has Kituo in its overlay again: ${took} ms after its start`);
      assert.ok(took < IN_OVERLAY);
      await peer.waitText(group, `without ${peer.name}, round ${round}`);
      await spreads(peer, peers, group, `${peer.name} is back, round ${round}`);
    }
    const lost = anna.events.slice(since).filter(({ event, connected }) => event === "overlay" && connected === false);
    assert.deepEqual(lost, []);
  });

  await t.step("peers who may connect to each other may do so, and Kituo stays with each of them", async () => {
    await ben.addContact(carl.uri); // today's peers answer contacts only
    const conversation = await carl.acceptContact(ben.uri);
    await carl.waitEvent("ready", (event) => event.conversation === conversation); // it would not survive a crash before
    await Promise.all([anna.stop(), dora.stop(), ben.stop()]);
    await ben.start();
    // Whom of those it knows a peer of today tries first is chance, and with one neighbour it stops looking: so nobody asks for Carl here.
    await waitInOverlay(ben, group, deviceId);
    await spreads(ben, [ben, carl], group, "ben is back");
    await carl.kill();
    await ben.until("the dead one is gone", async () => !(await ben.overlay(group)).includes(carl.device));
    assert.deepEqual(await ben.overlay(group), [deviceId]);
    await carl.start();
    await carl.until("a neighbour again", async () => (await carl.overlay(group)).length > 0);
    await spreads(ben, [ben, carl], group, "carl is back");
  });

  await t.step("when all have gone and come back, they are together again", async () => {
    await Promise.all(peers.map((peer) => peer.stop()));
    await Promise.all(peers.map((peer) => peer.start()));
    for (const peer of peers) await waitInOverlay(peer, group, deviceId);
    await spreads(dora, peers, group, "all are back");
  });

  await t.step("Kituo crashes, and is in everybody's overlay soon after its start", async () => {
    await kituo.kill();
    for (const peer of peers) {
      await peer.until("Kituo is gone", async () => !(await peer.overlay(group)).includes(deviceId));
    }
    await kituo.start();
    await kituo.waitReady();
    const ready = Date.now();
    for (const peer of peers) {
      const took = await waitInOverlay(peer, group, deviceId, ready);
      console.log(`${peer.name} has Kituo in its overlay again: ${took} ms after Kituo was ready`);
      assert.ok(took < IN_OVERLAY);
    }
    await spreads(anna, peers, group, "after Kituo's crash");
  });

  assert.deepEqual(await errorsOf(kituo), []);
});

/** A group of the founder's with Kituo and the others, once all are in it. */
async function groupOf(founder: TodayPeer, others: TodayPeer[], kituo: KituoProcess): Promise<string> {
  const group = await founder.startGroup();
  await founder.invite(group, kituo.jamiId);
  await acceptRequest(kituo, group);
  await founder.waitMember(group, kituo.jamiId);
  for (const other of others) {
    await founder.invite(group, other.uri);
    await other.acceptGroup(group);
  }
  await waitKituoMembers(kituo, group, others.map(({ uri }) => uri));
  return group;
}

/** Until Kituo is in the peer's routing table; ms since `began`. */
async function waitInOverlay(peer: TodayPeer, group: string, device: string, began = Date.now()): Promise<number> {
  await peer.until("Kituo in the overlay", async () => (await peer.overlay(group)).includes(device));
  return Date.now() - began;
}

/** Posts a text: all who are there get it at once. */
async function spreads(from: TodayPeer, to: TodayPeer[], group: string, text: string): Promise<void> {
  const marks = to.map((peer) => peer.mark());
  const posted = Date.now();
  await from.post(group, text);
  const got = await Promise.all(to.map((peer, i) => peer.waitText(group, text, { since: marks[i] })));
  const took = Math.max(...got.map(({ at }) => at - posted));
  assert.ok(took < AT_ONCE, `${text}: ${took} ms`);
}
