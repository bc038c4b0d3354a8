import assert from "node:assert/strict";
import { DECLINED_REPEAT_MS, REQUEST_RESEND_MS } from "../../../core/account/constants.ts";
import { Account } from "../../../core/account/account.ts";
import { UnknownContact } from "../../../core/account/contacts.ts";
import { inboxKey } from "../../../core/account/inbox.ts";
import { decodeTrustRequest, type TrustRequest } from "../../../core/account/trust_request.ts";
import { utf8 } from "../../../core/base/bytes.ts";
import { certificateKeys } from "../../../core/dht/certificate_value.ts";
import { decryptValue } from "../../../core/dht/value_crypto.ts";
import { x509 } from "../../../core/identity/x509.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { announced, peerOf, until } from "../../support/people.ts";
import {
  alice,
  announce,
  ask,
  bob,
  bobsPhone,
  carol,
  conversation,
  plainValue,
  publishChain,
  type Scene,
  withScene,
} from "./support.ts";

/** Alice's account, with a record of what it told. */
function accountOfAlice(scene: Scene, welcome: (account: string) => boolean = () => false) {
  let made = 0;
  const account = new Account({
    ...scene,
    dht: scene.table,
    identity: alice,
    welcome,
    hears: () => true,
    asksForGroup: (_, asked) => asked === GROUP,
    createConversation: () => Promise.resolve(conversation(1000 + ++made)),
  });
  const events: string[] = [];
  account.contacts.on("request", (e) => events.push(`request ${e.conversation}`));
  account.contacts.on("accepted", (e) => events.push(`accepted ${e.conversation}`));
  account.contacts.on("changed", () => events.push("changed"));
  account.start();
  return { account, contacts: account.contacts, events };
}

/** What lies in the inbox of a device, decrypted, oldest first. */
async function inboxOf(scene: Scene, device: Identity): Promise<TrustRequest[]> {
  const plain = await Promise.all(
    scene.table.values(inboxKey(device.shortId)).map((value) => decryptValue(value, device.key)),
  );
  return plain.flatMap((value) => value ? [decodeTrustRequest(value.data)] : []);
}

/** Resolves when so many requests were put into the inbox of each device. */
async function putInto(scene: Scene, devices: Identity[], count: number): Promise<void> {
  for (const { shortId } of devices) {
    await until(`${count} requests for ${shortId}`, () => scene.table.count("put", inboxKey(shortId)) >= count);
  }
}

const ALL = [bob, bobsPhone];

/** A group that requests may name. */
const GROUP = conversation(500);

/** Bob and his devices, as the DHT shows them. */
function bobIsThere({ table }: Scene): void {
  for (const device of [bob, bobsPhone]) {
    publishChain(table, device);
    announce(table, device);
  }
}

const request = (change: Partial<TrustRequest> = {}): TrustRequest => ({
  conversation: conversation(1),
  payload: new Uint8Array(),
  confirm: false,
  ...change,
});

Deno.test("account: it publishes certificate and announcement, keeps them, and stops with everything", () =>
  withScene(async (scene) => {
    const { account } = accountOfAlice(scene);
    await until("it was announced", () => account.announced);
    for (const place of certificateKeys(alice.key.publicKey)) assert.equal(scene.table.values(place).length, 1);
    const [first] = scene.table.values(alice.account);
    assert.ok(first.id !== 0n && first.priority === 1);
    account.stop();
    assert.equal(scene.table.listeners, 0);
    await scene.clock.advance(10 * 60_000);
    assert.deepEqual(scene.table.values(alice.account), []);
  }));

Deno.test("a stranger's request waits for the admin; accepting confirms to every device", () =>
  withScene(async (scene) => {
    const { contacts, events } = accountOfAlice(scene);
    bobIsThere(scene);
    await ask(scene.table, bob, alice, { payload: utf8("BEGIN:VCARD\nFN:bob\nEND:VCARD") });
    await until("the request came", () => events.length > 0);
    assert.deepEqual(events, [`request ${conversation(1)}`]);
    assert.equal(contacts.isContact(bob.account), false);
    assert.equal(scene.store.trustRequests.get(bob.account)?.device, bob.device);
    const contact = contacts.accept(bob.account);
    assert.deepEqual([contact.confirmed, contact.conversation], [true, conversation(1)]);
    assert.deepEqual(events.slice(1), ["changed", `accepted ${conversation(1)}`]);
    assert.equal(scene.store.trustRequests.get(bob.account), undefined);
    assert.throws(() => contacts.accept(bob.account), UnknownContact);
    await putInto(scene, ALL, 1);
    for (const device of [bob, bobsPhone]) {
      assert.deepEqual(await inboxOf(scene, device), [request({ confirm: true, invitedMs: 0 })]);
    }
  }));

Deno.test("a welcome account is accepted without asking", () =>
  withScene(async (scene) => {
    const { contacts, events } = accountOfAlice(scene, (account) => account === bob.account);
    bobIsThere(scene);
    contacts.onRequest(peerOf(bob), request());
    contacts.onRequest(peerOf(carol), request({ conversation: conversation(2) }));
    assert.deepEqual(events, ["changed", `accepted ${conversation(1)}`, `request ${conversation(2)}`]);
    await putInto(scene, ALL, 1);
  }));

Deno.test("a banned account gets nothing, whatever it sends", () =>
  withScene((scene) => {
    const { contacts, events } = accountOfAlice(scene, () => true);
    contacts.remove(bob.account, true);
    events.length = 0;
    contacts.onRequest(peerOf(bob), request());
    contacts.onRequest(peerOf(bob), request({ confirm: true }));
    assert.deepEqual(events, []);
    assert.ok(contacts.isBanned(bob.account));
    assert.equal(scene.store.trustRequests.get(bob.account), undefined);
    return Promise.resolve();
  }));

Deno.test("blocking drops the pending request too", () =>
  withScene((scene) => {
    const { contacts } = accountOfAlice(scene);
    contacts.onRequest(peerOf(bob), request());
    contacts.remove(bob.account, true);
    assert.equal(scene.store.trustRequests.get(bob.account), undefined);
    assert.throws(() => contacts.remove(carol.account, false), UnknownContact);
    return Promise.resolve();
  }));

Deno.test("requests without conversation, of ourselves, and confirmations nobody waits for are ignored", () =>
  withScene((scene) => {
    const { contacts, events } = accountOfAlice(scene, () => true);
    contacts.onRequest(peerOf(bob), request({ conversation: "" }));
    contacts.onRequest(peerOf(alice), request());
    contacts.onRequest(peerOf(bob), request({ confirm: true }));
    assert.deepEqual(events, []);
    assert.equal(scene.store.contacts.get(bob.account), undefined);
    return Promise.resolve();
  }));

Deno.test("a contact's confirmation confirms, and is not answered", () =>
  withScene(async (scene) => {
    const { contacts, events } = accountOfAlice(scene);
    bobIsThere(scene);
    await contacts.add(bob.account);
    await putInto(scene, ALL, 1);
    const conversationId = scene.store.contacts.get(bob.account)?.conversation ?? "";
    contacts.onRequest(peerOf(bob), request({ conversation: conversationId, confirm: true }));
    assert.equal(scene.store.contacts.get(bob.account)?.confirmed, true);
    assert.deepEqual(events, ["changed", "changed"]);
    await scene.clock.advance(REQUEST_RESEND_MS);
    assert.equal(scene.table.count("put", inboxKey(bob.shortId)), 1, "neither answered nor repeated");
  }));

Deno.test("a contact's own request is confirmed with what it offers, which is cloned besides ours", () =>
  withScene(async (scene) => {
    const { contacts, events } = accountOfAlice(scene);
    bobIsThere(scene);
    const { conversation: ours } = await contacts.add(bob.account);
    await putInto(scene, ALL, 1);
    contacts.onRequest(peerOf(bob), request({ conversation: conversation(5) }));
    await putInto(scene, ALL, 2);
    assert.equal(scene.store.contacts.get(bob.account)?.confirmed, true);
    assert.ok(events.includes(`accepted ${conversation(5)}`));
    const requests = await inboxOf(scene, bob);
    assert.deepEqual(requests.map(({ confirm, conversation }) => [confirm, conversation]), [[false, ours], [
      true,
      conversation(5),
    ]]);
    // the same again: confirmed again, as the DHT may have lost the first answer
    contacts.onRequest(peerOf(bob), request({ conversation: conversation(5) }));
    await putInto(scene, ALL, 3);
  }));

Deno.test("a request that names a group is no contact request; of a contact it still says yes", () =>
  withScene(async (scene) => {
    const { contacts, events } = accountOfAlice(scene);
    bobIsThere(scene);
    contacts.onRequest(peerOf(bob), request({ conversation: GROUP }));
    assert.deepEqual([events, scene.store.trustRequests.all()], [[], []]);
    const { conversation: ours } = await contacts.add(bob.account);
    contacts.onRequest(peerOf(bob), request({ conversation: GROUP }));
    const { confirmed, conversation } = scene.store.contacts.get(bob.account) ?? {};
    assert.deepEqual([confirmed, conversation], [true, ours]);
    assert.deepEqual(events.filter((event) => event !== "changed"), []);
  }));

Deno.test("two who ask each other at the same time are contacts, with both conversations", () =>
  withScene(async (scene) => {
    bobIsThere(scene);
    publishChain(scene.table, alice);
    announce(scene.table, alice);
    const { contacts, events } = accountOfAlice(scene);
    const other = await Promise.all([
      contacts.add(bob.account),
      ask(scene.table, bob, alice, { conversation: conversation(7) }),
    ]);
    await until("bob's came", () => events.includes(`accepted ${conversation(7)}`));
    assert.equal(scene.store.contacts.get(bob.account)?.confirmed, true);
    assert.equal(scene.store.contacts.get(bob.account)?.conversation, other[0].conversation);
    await putInto(scene, ALL, 2);
    assert.equal(scene.store.trustRequests.get(bob.account), undefined);
  }));

Deno.test("adding who has asked already accepts", () =>
  withScene(async (scene) => {
    const { contacts } = accountOfAlice(scene);
    contacts.onRequest(peerOf(bob), request());
    assert.deepEqual((await contacts.add(bob.account)).conversation, conversation(1));
    await assert.rejects(contacts.add(alice.account), UnknownContact);
  }));

Deno.test("adding twice at once makes one conversation", () =>
  withScene(async (scene) => {
    const { contacts } = accountOfAlice(scene);
    const [a, b] = await Promise.all([contacts.add(bob.account), contacts.add(bob.account)]);
    assert.equal(a.conversation, b.conversation);
    assert.equal(scene.store.contacts.get(bob.account)?.conversation, a.conversation);
  }));

Deno.test("a declined request is not shown again when it is repeated, a new one is", () =>
  withScene(async (scene) => {
    const { contacts, events, account } = accountOfAlice(scene);
    const invitedMs = scene.clock.now() - 1_000;
    contacts.onRequest(peerOf(bob), request({ invitedMs }));
    contacts.decline(bob.account);
    assert.throws(() => contacts.decline(bob.account), UnknownContact);
    events.length = 0;
    contacts.onRequest(peerOf(bob), request({ invitedMs })); // the DHT tells it again
    await scene.clock.advance(DECLINED_REPEAT_MS + 1_000);
    contacts.onRequest(peerOf(bob), request({ invitedMs })); // bob's node does, each time we appear
    assert.deepEqual(events, []);
    contacts.onRequest(peerOf(bob), request({ invitedMs: scene.clock.now() }));
    assert.deepEqual(events, [`request ${conversation(1)}`]);
    // 2023's do not say when they asked: their request counts as new after a while
    contacts.decline(bob.account);
    await scene.clock.advance(DECLINED_REPEAT_MS);
    contacts.onRequest(peerOf(bob), request());
    assert.deepEqual(events, [`request ${conversation(1)}`, `request ${conversation(1)}`]);
    account.stop();
  }));

Deno.test("a request is sent again when the contact appears, and every ten minutes while it is there", () =>
  withScene(async (scene) => {
    const { contacts, account } = accountOfAlice(scene);
    const { conversation: ours, added } = await contacts.add(bob.account);
    await until("nobody was found", () => scene.table.count("get", bob.account) === 1);
    account.presence.watchOnly(new Set([bob.account]));
    await scene.clock.advance(REQUEST_RESEND_MS);
    assert.equal(scene.table.count("put", inboxKey(bob.shortId)), 0);
    publishChain(scene.table, bob);
    scene.table.keep(bob.account, announced(bob, 3n));
    await putInto(scene, [bob], 1);
    assert.deepEqual(await inboxOf(scene, bob), [request({ conversation: ours, invitedMs: added })]);
    await scene.clock.advance(REQUEST_RESEND_MS);
    await putInto(scene, [bob], 2);
    contacts.onRequest(peerOf(bob), request({ conversation: ours, confirm: true }));
    await scene.clock.advance(3 * REQUEST_RESEND_MS);
    assert.equal(scene.table.count("put", inboxKey(bob.shortId)), 2);
    account.stop();
  }));

Deno.test("after the stop nothing is sent any more", () =>
  withScene(async (scene) => {
    const { contacts, account } = accountOfAlice(scene);
    await contacts.add(bob.account);
    await until("bob was looked for", () => scene.table.count("get", bob.account) === 1);
    account.stop();
    publishChain(scene.table, bob);
    announce(scene.table, bob);
    await scene.clock.advance(3 * REQUEST_RESEND_MS);
    assert.equal(scene.table.count("put", inboxKey(bob.shortId)), 0);
  }));

Deno.test("who was removed can be added again, with a new conversation", () =>
  withScene(async (scene) => {
    const { contacts } = accountOfAlice(scene);
    const first = await contacts.add(bob.account);
    contacts.remove(bob.account, false);
    assert.equal(contacts.isContact(bob.account), false);
    assert.equal(contacts.isBanned(bob.account), false);
    contacts.onRequest(peerOf(bob), request({ conversation: first.conversation, confirm: true }));
    assert.equal(contacts.isContact(bob.account), false, "an answer to what we no longer stand by");
    await scene.clock.advance(1);
    const again = await contacts.add(bob.account);
    assert.ok(contacts.isContact(bob.account));
    assert.notEqual(again.conversation, first.conversation);
  }));

Deno.test("an account learns that its own device was revoked", () =>
  withScene(async (scene) => {
    const { account } = accountOfAlice(scene);
    const told = account.certificates.once("revoked");
    const list = await x509.X509CrlGenerator.create({
      issuer: new x509.Name(alice.chain[1].subject),
      thisUpdate: new Date(scene.clock.now()),
      nextUpdate: new Date(scene.clock.now() + 86_400_000),
      signingKey: await alice.accountKey.signer("SHA-512"),
      signingAlgorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
      entries: [{ serialNumber: alice.chain[0].serial, revocationDate: new Date(scene.clock.now()) }],
    });
    scene.table.put(alice.account, plainValue(new Uint8Array(list.rawData)));
    assert.ok((await told).list.revokes(alice.chain[0]));
    assert.ok(scene.store.revocations.get(alice.account));
  }));
