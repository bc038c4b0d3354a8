import assert from "node:assert/strict";
import { MAX_ANNOUNCEMENTS, MAX_DEVICES_PER_ACCOUNT } from "../../../core/account/constants.ts";
import { findDevices } from "../../../core/account/devices.ts";
import { Presence } from "../../../core/account/presence.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { fromHex } from "../../../core/base/bytes.ts";
import { signValue } from "../../../core/dht/value_crypto.ts";
import { x509 } from "../../../core/identity/x509.ts";
import { announced, announcementOf, peerOf, until } from "../../support/people.ts";
import { quickKey } from "../identity/hostile.ts";
import { alice, announce, bob, bobsPhone, plainValue, publishChain, type Scene, vector, withScene } from "./support.ts";

/** Presence with a record of what it told. */
function watching({ table, certificates }: Scene, ...accounts: string[]) {
  const presence = new Presence(table, certificates);
  const events: string[] = [];
  presence.on("appeared", ({ device }) => events.push(`+${device.longId}`));
  presence.on("vanished", ({ device }) => events.push(`-${device}`));
  presence.watchOnly(new Set(accounts));
  return { presence, events };
}

Deno.test("presence: a device appears with its announcement and vanishes with the last one", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, bob.account);
    assert.equal(presence.isOnline(bob.account), false);
    announce(scene.table, bob, 1n);
    await until("bob appeared", () => events.length === 1);
    // a restart: a second announcement of the same device
    announce(scene.table, bob, 2n);
    await until("bob came back", () => events.length === 2);
    assert.deepEqual(presence.devices(bob.account).map(({ longId }) => longId), [bob.device]);
    scene.table.expire(bob.account, 1n);
    await scene.clock.advance(0);
    assert.ok(presence.isPresent(bob.account, bob.device));
    scene.table.expire(bob.account, 2n);
    await scene.clock.advance(0);
    assert.equal(presence.isOnline(bob.account), false);
    assert.deepEqual(events, [`+${bob.device}`, `+${bob.device}`, `-${bob.device}`]);
  }));

Deno.test("presence: ten minutes after the last refresh a device is gone", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, bob.account);
    announce(scene.table, bob);
    announce(scene.table, bobsPhone);
    await until("both appeared", () => events.length === 2);
    assert.equal(presence.devices(bob.account).length, 2);
    await scene.clock.advance(10 * 60_000);
    assert.deepEqual(presence.devices(bob.account), []);
    assert.equal(events.length, 4);
  }));

Deno.test("presence: only what the account signed counts, also without the device's key", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, bob.account);
    const { table } = scene;
    table.put(bob.account, announced(alice, 1n)); // alice at bob's key
    table.put(bob.account, { ...announced(bob, 2n), signature: announced(alice, 2n).signature });
    table.put(bob.account, plainValue(vector("account/crl.der"), 3n));
    publishChain(table, bob);
    table.put(bob.account, { ...await announcementOf(bob.key.publicKey, bob.accountKey, { pk: false }), id: 4n });
    await until("bob appeared", () => events.length > 0);
    assert.deepEqual(events, [`+${bob.device}`]);
    assert.equal(presence.isOnline(alice.account), false);
  }));

Deno.test("presence: an announcement that ends while it is checked leaves nothing behind", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, bob.account);
    announce(scene.table, bob, 1n);
    scene.table.expire(bob.account, 1n);
    announce(scene.table, bobsPhone, 2n);
    await until("the phone appeared", () => events.length > 0);
    assert.deepEqual(events, [`+${bobsPhone.device}`]);
    assert.deepEqual(presence.devices(bob.account).map(({ longId }) => longId), [bobsPhone.device]);
  }));

Deno.test("presence: exactly the named accounts are followed", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, alice.account, bob.account);
    assert.equal(scene.table.listeners, 2);
    announce(scene.table, alice);
    await until("alice appeared", () => events.length === 1);
    presence.watchOnly(new Set([bob.account]));
    assert.equal(presence.isOnline(alice.account), false);
    assert.equal(scene.table.listeners, 1);
    announce(scene.table, alice);
    announce(scene.table, bob);
    await until("bob appeared", () => events.length === 2);
    presence.stop();
    assert.equal(scene.table.listeners, 0);
    assert.equal(presence.isOnline(bob.account), false);
  }));

Deno.test("presence: devices and announcements of one account are bounded", () =>
  withScene(async (scene) => {
    const { presence, events } = watching(scene, bob.account);
    // the account signs what it likes: devices by made-up keys of the same size as a real one
    const real = await quickKey();
    const made = async (n: number) => {
      const spki = real.publicKey.spki.slice();
      spki[40] ^= n & 0xff;
      spki[41] ^= n >> 8;
      const dev = fromHex(await sha1(spki));
      return await signValue({ id: 0n, type: 0, data: encode({ dev, pk: spki }) }, bob.accountKey);
    };
    for (let n = 1; n <= MAX_DEVICES_PER_ACCOUNT + 5; n++) scene.table.put(bob.account, await made(n));
    await until("the first devices appeared", () => events.length >= MAX_DEVICES_PER_ACCOUNT);
    for (let n = 0; n < MAX_ANNOUNCEMENTS; n++) scene.table.put(bob.account, await made(1));
    await until("one appeared again and again", () => events.length >= MAX_ANNOUNCEMENTS);
    assert.equal(presence.devices(bob.account).length, MAX_DEVICES_PER_ACCOUNT);
    assert.equal(events.length, MAX_ANNOUNCEMENTS);
  }));

async function sha1(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes)).toHex();
}

Deno.test("devices of an account: announced, certified by it, not revoked, each once", () =>
  withScene(async (scene) => {
    const { table, certificates, clock } = scene;
    const find = async (account: string) =>
      (await findDevices(account, { dht: table, certificates, clock })).map(({ longId }) => longId);
    assert.deepEqual(await find(bob.account), []);
    for (let i = 0; i < MAX_ANNOUNCEMENTS + 10; i++) table.put(bob.account, plainValue(new Uint8Array(3))); // anybody can
    announce(table, bob);
    announce(table, bob);
    announce(table, bobsPhone);
    table.put(bob.account, announced(alice, 9n));
    publishChain(table, alice);
    assert.deepEqual(await find(bob.account), [], "nobody knows their certificates");
    publishChain(table, bob);
    assert.deepEqual(await find(bob.account), [bob.device]);
    publishChain(table, bobsPhone);
    assert.deepEqual((await find(bob.account)).sort(), [bob.device, bobsPhone.device].sort());
  }));

Deno.test("devices of an account: a list at the same key takes out the revoked", () =>
  withScene(async (scene) => {
    const { table, certificates, clock } = scene;
    const [leaf, account] = bobsPhone.chain;
    const list = await x509.X509CrlGenerator.create({
      issuer: new x509.Name(account.subject),
      thisUpdate: new Date(clock.now()),
      nextUpdate: new Date(clock.now() + 86_400_000),
      signingKey: await bob.accountKey.signer("SHA-512"),
      signingAlgorithm: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
      entries: [{ serialNumber: leaf.serial, revocationDate: new Date(clock.now()) }],
    });
    for (const device of [bob, bobsPhone]) {
      announce(table, device);
      publishChain(table, device);
    }
    table.put(bob.account, plainValue(new Uint8Array(list.rawData)));
    certificates.remember(peerOf(bob));
    const found = await findDevices(bob.account, { dht: table, certificates, clock });
    assert.deepEqual(found.map(({ longId }) => longId), [bob.device]);
  }));
