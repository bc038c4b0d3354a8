import assert from "node:assert/strict";
import type { OverviewNow } from "../../../core/node_api.ts";
import { NodeGaps } from "../../../core/node_gaps.ts";
import { NodeOverview } from "../../../core/node_overview.ts";
import type { Relay } from "../../../core/relay/relay.ts";
import { invite } from "../../../core/swarm/write_members.ts";
import { alice, allOf, bob, carol, type Place, post, withPlaces } from "../relay/support.ts";

/** Bytes on connections, as a test wants them. */
const traffic = { in: 0, out: 0 };

const storage = {
  files: {
    policy: { limits: { maxFile: 1, total: 2, perConversation: 3, retentionDays: 4 } },
  },
};

/** The overview of a node that has nothing but conversations. */
function overviewOf({ clock, store, conversations }: Place, told: OverviewNow[]): NodeOverview {
  const relay = {
    ...storage,
    self: alice.account,
    device: alice.device,
    conversations,
    connections: { connections: () => [{ peer: bob }], traffic },
    account: { presence: { isOnline: (account: string) => account === carol.account } },
  } as unknown as Relay; // reason: the rest of a relay is a network, of which the overview asks nothing
  const dht = { status: "connected" as const, nodes4: 1, nodes6: 0 };
  const info = {
    jamiId: alice.account,
    deviceId: alice.device,
    name: "",
    registeredName: "",
    version: "",
    uptime: 0,
    connections: 1,
    dht,
  };
  return new NodeOverview({
    clock,
    relay,
    store,
    info: () => info,
    ready: () => ({ dht: true, announced: true, revoked: false }),
    requests: () => 7,
    gaps: new NodeGaps(store.ledger),
    called: (account) => ({ name: account === bob.account ? "Bob" : "", registeredName: "" }),
    onSample: (now) => told.push(now),
  });
}

Deno.test("the overview counts what waits, and for how many devices: those of members, by the one that lacks most", async () => {
  await withPlaces([alice, bob], async (place, away) => {
    const { conversations, store, clock } = place;
    const told: OverviewNow[] = [];
    const overview = overviewOf(place, told);
    const group = await conversations.create({ mode: 1 });
    for (const { account } of [bob, carol]) {
      await clock.advance(1_000);
      await group.write((context) => invite(context, account));
    }
    away.conversations.want(group.id, alice.account, 1);
    const copy = await away.conversations.finishClone(group.id, await allOf(group));
    assert.ok(copy);
    await group.take(await allOf(copy));
    const heads = [await post(group, clock, "one"), await post(group, clock, "two"), await post(group, clock, "three")];
    const holds = (device: string, account: string, head: string) =>
      store.ledger.set({ conversation: group.id, device, account, heads: [head], at: 1 });
    holds(bob.device, bob.account, heads[0]);
    holds("b".repeat(64), bob.account, heads[1]);
    holds(carol.device, carol.account, group.id); // invited only: nothing is promised to her yet
    holds(alice.device, alice.account, group.id); // our own
    const { waiting, totals } = overview.hour();
    assert.deepEqual(waiting, { messages: 2, devices: 2 });
    assert.deepEqual(totals, { conversations: 1, people: 2, online: 2, requests: 7 });
    holds(bob.device, bob.account, heads[2]);
    assert.deepEqual(overview.hour().waiting, { messages: 1, devices: 1 });
    await post(group, clock, "four");
    assert.deepEqual(overview.hour().waiting, { messages: 2, devices: 2 });
  });
});

Deno.test("samples are taken every ten seconds, an hour of them is kept, and what happens is told once a second", async () => {
  await withPlaces([alice], async (place) => {
    const { clock } = place;
    const told: OverviewNow[] = [];
    const overview = overviewOf(place, told);
    overview.start();
    await clock.advance(3_700_000);
    const { samples } = overview.hour();
    assert.equal(samples.length, 360);
    assert.equal(samples[359].at - samples[0].at, 3_590);
    assert.equal(told.length, 370);
    for (let i = 0; i < 5; i++) overview.soon();
    await clock.advance(2_000);
    assert.equal(told.length, 371);
    overview.stop();
    overview.soon();
    await clock.advance(60_000);
    assert.equal(told.length, 371);
  });
});

Deno.test("which devices wait: whose, in which conversation, for how much and since when; who waits longest comes first", async () => {
  await withPlaces([alice, bob], async (place, away) => {
    const { conversations, store, clock } = place;
    const overview = overviewOf(place, []);
    const group = await conversations.create({ mode: 1 });
    await group.write((context) => invite(context, bob.account));
    away.conversations.want(group.id, alice.account, 1);
    const copy = await away.conversations.finishClone(group.id, await allOf(group));
    assert.ok(copy);
    await group.take(await allOf(copy));
    const begun = Math.floor(clock.now() / 1000);
    const heads: string[] = [];
    for (const text of ["one", "two", "three"]) {
      await clock.advance(60_000);
      heads.push(await post(group, clock, text));
    }
    const holds = (device: string, head: string) =>
      store.ledger.set({ conversation: group.id, device, account: bob.account, heads: [head], at: 1 });
    holds("b".repeat(64), heads[1]);
    holds("c".repeat(64), heads[0]);
    const { items, total } = overview.waiting(10);
    assert.equal(total, 2);
    assert.deepEqual(items.map(({ deviceId, messages }) => [deviceId[0], messages]), [["c", 2], ["b", 1]]);
    assert.ok((items[0].since ?? 0) >= begun + 120 && (items[0].since ?? 0) < (items[1].since ?? 0));
    assert.deepEqual([items[0].name, items[0].conversationId, items[0].online], ["Bob", group.id, true]);
    assert.equal(overview.waiting(1).items.length, 1);
  });
});

Deno.test("the charts live through a restart, a row a minute and a day of them; traffic is told by the second", async () => {
  await withPlaces([alice], async (place) => {
    const { clock, store } = place;
    const first = overviewOf(place, []);
    first.start();
    traffic.in = 0;
    await clock.advance(30_000);
    traffic.in += 5_000;
    await clock.advance(10_000);
    assert.equal(first.hour().samples.at(-1)?.bytesIn, 500);
    await clock.advance(30 * 60_000);
    first.stop();
    const rows = store.samples.since(0);
    assert.ok(rows.length === 31 || rows.length === 32, `${rows.length} rows`);
    const second = overviewOf(place, []);
    second.start();
    assert.equal(second.hour().samples.length, rows.length);
    assert.ok(second.day().length >= 6 && second.day().length <= 8);
    await clock.advance(25 * 3_600_000);
    assert.ok(store.samples.since(0).length <= 24 * 60 + 2);
    assert.ok(second.day().length <= 290);
    assert.equal(second.hour().samples.length, 360);
    second.stop();
    await clock.advance(2 * 24 * 3_600_000);
    const third = overviewOf(place, []);
    third.start();
    assert.deepEqual([third.hour().samples, third.day()], [[], []]);
    third.stop();
  });
});
