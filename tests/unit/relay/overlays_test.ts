import assert from "node:assert/strict";
import { CertificateBook } from "../../../core/account/certificates.ts";
import { seededRandom } from "../../../core/base/random.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import { encodeLease } from "../../../core/messaging/drt_message.ts";
import { Overlays } from "../../../core/relay/overlays.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { ban } from "../../../core/swarm/write_members.ts";
import { type Channel, ConnectError } from "../../../core/transport/channel.ts";
import { connectionPair, type MemoryConnection } from "../../support/channel_pair.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { peerOf, testIdentity } from "../../support/people.ts";
import { alice, bob, carol, inviteTo, NOW, type Place, withPlaces } from "./support.ts";

const dora = await testIdentity(NOW);

interface Scene {
  place: Place;
  /** A group of Alice's with Bob and Carol. */
  conversation: Conversation;
  overlays: Overlays;
  /** Devices that were connected to, and why. */
  dialled: [device: string, connType: string][];
  /** Who answers; the others are away. */
  there: Set<string>;
  live: MemoryConnection[];
  /** Channels that peers were asked for. */
  opened: Channel[];
  blocked: Set<string>;
}

function withOverlays(test: (scene: Scene) => Promise<void>): Promise<void> {
  return withPlaces([alice], async (place) => {
    const { clock, store, conversations } = place;
    const conversation = await conversations.create({ mode: 2 });
    for (const { account } of [bob, carol]) await inviteTo(conversation, clock, account);
    const table = new DhtTable(clock);
    const certificates = new CertificateBook(table, store, clock);
    for (const person of [bob, carol, dora]) certificates.remember(peerOf(person));
    const people = new Map([bob, carol, dora].map((person) => [person.device, person]));
    const [there, blocked] = [new Set<string>(), new Set<string>()];
    const [dialled, live, opened]: [Scene["dialled"], MemoryConnection[], Channel[]] = [[], [], []];
    const connect = (key: PublicKey, connType = "") => {
      dialled.push([key.longId, connType]);
      const person = people.get(key.longId);
      if (!person || !there.has(key.longId)) return Promise.reject(new ConnectError("away"));
      const [ours, theirs] = connectionPair(peerOf(alice), peerOf(person));
      theirs.accept = () => (channel) => opened.push(channel);
      live.push(ours);
      return Promise.resolve(ours);
    };
    const overlays = new Overlays({
      device: alice.device,
      clock,
      random: seededRandom(1),
      store,
      certificates,
      connections: { connect, connections: (device) => live.filter(({ peer }) => peer.device === device) },
      allows: ({ account }) => !blocked.has(account),
    });
    await test({ place, conversation, overlays, dialled, there, live, opened, blocked });
    overlays.stop();
    await Promise.all(opened.map(({ closed }) => closed));
    table.close();
  });
}

/** Lets the attempts that are under way come to their ends. */
async function settled({ clock }: Place): Promise<void> {
  for (let i = 0; i < 5; i++) await clock.advance(0);
}

Deno.test("overlays: a member's device is connected to, and its channel is opened on the connection there is", () =>
  withOverlays(async ({ place, conversation, overlays, dialled, there, opened }) => {
    const overlay = overlays.of(conversation);
    there.add(bob.device);
    overlay.node.propose(bob.device);
    await settled(place);
    assert.deepEqual(dialled, [[bob.device, ""]]);
    assert.deepEqual(opened.map(({ name }) => name), [`swarm://${conversation.id}`]);
    assert.deepEqual(overlay.connected, [bob.device]);
    opened[0].close();
    await opened[0].closed;
    await settled(place);
    assert.deepEqual(overlay.connected, []);
    await place.clock.advance(10_000);
    assert.equal(dialled.length, 1); // the connection stands
    assert.deepEqual(overlay.connected, [bob.device]);
  }));

Deno.test("overlays: strangers, blocked accounts, 2023's peers and unknown devices are not connected to, whoever names them", () =>
  withOverlays(async ({ place, conversation, overlays, dialled, there, blocked }) => {
    const { node } = overlays.of(conversation);
    there.add(dora.device).add(bob.device).add(carol.device);
    place.store.certificates.setGeneration(carol.device, "sip");
    blocked.add(bob.account);
    for (const device of [dora.device, "e".repeat(64), carol.device, bob.device]) {
      node.propose(device);
      await settled(place);
    }
    await place.clock.advance(60_000);
    assert.deepEqual(dialled, []);
    assert.deepEqual(node.connected, []);
    blocked.clear();
    await place.clock.advance(10 * 60_000);
    assert.deepEqual(dialled, [[bob.device, ""]]);
  }));

Deno.test("overlays: who is banned loses its channel", () =>
  withOverlays(async ({ place, conversation, overlays, there, opened }) => {
    there.add(bob.device).add(carol.device);
    const { node } = overlays.of(conversation);
    for (const { device } of [bob, carol]) node.propose(device);
    await settled(place);
    assert.equal(node.connected.length, 2);
    await place.clock.advance(1_000);
    await conversation.write((context) => ban(context, bob.account));
    overlays.enforce(conversation);
    await opened[0].closed;
    await settled(place);
    assert.deepEqual(node.connected, [carol.device]);
  }));

Deno.test("overlays: a phone that sleeps is woken for a commit, by one attempt at a time, also after a restart", () =>
  withOverlays(async ({ place, conversation, overlays, dialled, there }) => {
    const { store } = place;
    const issuedAt = place.clock.now() / 1000;
    const lease = encodeLease({
      formatVersion: 1,
      conversation: conversation.id,
      issuer: bob.account,
      device: bob.device,
      issuedAt,
      expiresAt: issuedAt + 86_400,
      signature: Uint8Array.of(1),
    });
    store.leases.put({ conversation: conversation.id, device: bob.device, lease });
    overlays.wake(conversation);
    overlays.wake(conversation);
    await settled(place);
    assert.deepEqual(dialled, [[bob.device, `application/im-gitmessage-id/${conversation.id}`]]);
    there.add(bob.device);
    overlays.wake(conversation);
    await settled(place);
    assert.equal(dialled.length, 2);
    await place.clock.advance(2 * 86_400_000);
    overlays.wake(conversation);
    await settled(place);
    assert.equal(dialled.length, 2); // the lease has run out
    overlays.drop(conversation.id);
    assert.deepEqual(store.leases.all(conversation.id), []);
  }));
