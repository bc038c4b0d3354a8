import assert from "node:assert/strict";
import { Presence, type PresenceEvents } from "../../../core/account/presence.ts";
import { CertificateBook } from "../../../core/account/certificates.ts";
import { Emitter } from "../../../core/base/events.ts";
import { PARALLEL_CONNECTS, RETRY_FIRST_MS, RETRY_LONGEST_MS } from "../../../core/relay/constants.ts";
import { Links } from "../../../core/relay/links.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import type { ConnectionEvents } from "../../../core/transport/connection_manager.ts";
import { connectionPair, MemoryConnection } from "../../support/channel_pair.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { announced, peerOf } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { alice, bob, NOW, withPlaces } from "./support.ts";

/** A manager whose attempts a test decides. */
class Manager extends Emitter<ConnectionEvents> {
  attempts: { device: string; at: number; outcome: PromiseWithResolvers<void> }[] = [];
  live: MemoryConnection[] = [];

  constructor(private readonly clock: VirtualClock) {
    super();
  }

  connections(device?: string): Connection[] {
    return this.live.filter(({ peer }) => !device || peer.device === device);
  }

  async connect(device: PublicKey): Promise<Connection> {
    const outcome = Promise.withResolvers<void>();
    this.attempts.push({ device: device.longId, at: this.clock.now() - NOW, outcome });
    await outcome.promise;
    return this.open();
  }

  /** A connection with Bob comes up. */
  open(): MemoryConnection {
    const [connection] = connectionPair(peerOf(alice), peerOf(bob));
    this.live.push(connection);
    this.emit("connection", connection);
    return connection;
  }

  /** All connections are lost. */
  lose(): void {
    for (const connection of this.live.splice(0)) this.emit("closed", { connection, reason: "lost" });
  }

  /** The last attempt fails. */
  async fail(): Promise<void> {
    this.attempts.at(-1)?.outcome.reject(new Error("no answer"));
    await this.clock.advance(0);
  }

  /** The last attempt succeeds. */
  async succeed(): Promise<void> {
    this.attempts.at(-1)?.outcome.resolve();
    await this.clock.advance(0);
  }
}

interface Scene {
  clock: VirtualClock;
  table: DhtTable;
  manager: Manager;
  links: Links;
  presence: Presence;
  wanted: Set<string>;
  /** Bob's device announces itself, again if it did before. */
  appear(): Promise<void>;
}

function withLinks(test: (scene: Scene) => Promise<void>): Promise<void> {
  return withPlaces([alice], async ({ clock, store }) => {
    const table = new DhtTable(clock);
    const presence = new Presence(table, new CertificateBook(table, store, clock));
    const manager = new Manager(clock);
    const wanted = new Set([bob.account]);
    const links = new Links({
      connections: manager,
      presence,
      clock,
      // no jitter
      random: { float: () => 0.5 },
      wanted: (account) => wanted.has(account),
    });
    links.start();
    presence.watchOnly(new Set([bob.account]));
    let id = 0n;
    const appear = async () => {
      const appeared = presence.once("appeared");
      table.keep(bob.account, announced(bob, ++id));
      await appeared;
      await clock.advance(0);
    };
    await test({ clock, table, manager, links, presence, wanted, appear });
    links.stop();
    presence.stop();
    table.close();
  });
}

Deno.test("links: a device that appears is connected at once, and left alone then", () =>
  withLinks(async ({ manager, links, appear, clock }) => {
    await appear();
    assert.equal(manager.attempts.length, 1);
    await manager.succeed();
    assert.equal(links.live(bob.device)?.peer.device, bob.device);
    await clock.advance(3_600_000);
    assert.equal(manager.attempts.length, 1);
    await appear();
    assert.equal(manager.attempts.length, 1, "the connection still answers");
  }));

Deno.test("links: failures back off, doubling up to ten minutes, while the device is announced", () =>
  withLinks(async ({ manager, appear, clock }) => {
    await appear();
    for (let n = 0; n < 10; n++) {
      await manager.fail();
      await clock.advance(RETRY_LONGEST_MS);
    }
    const at = manager.attempts.map((attempt) => attempt.at);
    const waits = [1, 2, 4, 8, 16, 32, 64].map((factor) => factor * RETRY_FIRST_MS);
    // each failure came as late as the last retry's end of advancing; the wait counts from it
    assert.equal(at.length, 11);
    waits.forEach((wait, i) => assert.equal(at[i + 1] - (i === 0 ? 0 : i * RETRY_LONGEST_MS), wait));
    assert.equal(at[10] - 9 * RETRY_LONGEST_MS, RETRY_LONGEST_MS);
  }));

Deno.test("links: a device that announces itself anew is tried at once, with short waits again", () =>
  withLinks(async ({ manager, appear, clock }) => {
    await appear();
    for (let n = 0; n < 5; n++) {
      await manager.fail();
      await clock.advance(RETRY_LONGEST_MS);
    }
    await manager.fail();
    const before = manager.attempts.length;
    await appear();
    assert.equal(manager.attempts.length, before + 1);
    await manager.fail();
    await clock.advance(RETRY_FIRST_MS);
    assert.equal(manager.attempts.length, before + 2);
  }));

Deno.test("links: one that appears during an attempt is tried again right after its failure", () =>
  withLinks(async ({ manager, appear }) => {
    await appear();
    await appear();
    assert.equal(manager.attempts.length, 1);
    await manager.fail();
    assert.equal(manager.attempts.length, 2);
    await manager.fail();
    assert.equal(manager.attempts.length, 2, "only once for each appearance");
  }));

Deno.test("links: a connection that is lost is made again while the device is announced", () =>
  withLinks(async ({ manager, appear, clock, table }) => {
    await appear();
    await manager.succeed();
    manager.lose();
    assert.equal(manager.attempts.length, 1);
    await clock.advance(RETRY_FIRST_MS);
    assert.equal(manager.attempts.length, 2);
    await manager.succeed();
    table.expire(bob.account, 1n);
    await clock.advance(0);
    manager.lose();
    await clock.advance(3_600_000);
    assert.equal(manager.attempts.length, 2);
  }));

Deno.test("links: a dead connection gives way to a new one when the device restarts", () =>
  withLinks(async ({ manager, appear, clock }) => {
    await appear();
    await manager.succeed();
    manager.live[0].beacon = () => {
      manager.lose();
      return Promise.resolve(false);
    };
    await appear();
    assert.equal(manager.attempts.length, 2);
    await manager.succeed();
    await clock.advance(3_600_000);
    assert.equal(manager.attempts.length, 2, "the loss of the dead one is not retried besides");
  }));

Deno.test("links: one that connects to us ends the trying", () =>
  withLinks(async ({ manager, appear, clock }) => {
    await appear();
    await manager.fail();
    manager.open();
    await clock.advance(3_600_000);
    assert.equal(manager.attempts.length, 1);
  }));

Deno.test("links: who is not wanted is not tried, nor tried again once that ends", () =>
  withLinks(async ({ manager, appear, clock, wanted, links }) => {
    wanted.clear();
    await appear();
    assert.equal(manager.attempts.length, 0);
    wanted.add(bob.account);
    links.reach(bob.account);
    await clock.advance(0);
    assert.equal(manager.attempts.length, 1);
    await manager.fail();
    wanted.clear();
    await clock.advance(3_600_000);
    assert.equal(manager.attempts.length, 1);
  }));

Deno.test("links: nothing is tried after the stop", () =>
  withLinks(async ({ manager, appear, clock, links }) => {
    await appear();
    links.stop();
    await manager.fail();
    await clock.advance(3_600_000);
    await appear();
    links.reach(bob.account);
    await clock.advance(0);
    assert.equal(manager.attempts.length, 1);
  }));

Deno.test("links: a bounded number of attempts at one time", async () => {
  const clock = new VirtualClock(NOW);
  const manager = new Manager(clock);
  const devices = Array.from({ length: PARALLEL_CONNECTS + 3 }, (_, n) => `${n}`.padStart(64, "0"));
  // keys that only say their name
  const keys = devices.map((longId) => ({ longId }) as PublicKey); // reason: links look at nothing else
  const presence = Object.assign(new Emitter<PresenceEvents>(), {
    devices: () => keys,
    isPresent: () => true,
  });
  const links = new Links({ connections: manager, presence, clock, random: { float: () => 0.5 }, wanted: () => true });
  links.start();
  links.reach("x");
  await clock.advance(0);
  assert.equal(manager.attempts.length, PARALLEL_CONNECTS);
  manager.attempts[0].outcome.reject(new Error("no answer"));
  await clock.advance(0);
  assert.equal(manager.attempts.length, PARALLEL_CONNECTS + 1);
  links.stop();
  for (const { outcome } of manager.attempts) outcome.reject(new Error("stopping"));
  await clock.advance(0);
  assert.equal(manager.attempts.length, PARALLEL_CONNECTS + 1, "those that waited begin nothing after the stop");
});
