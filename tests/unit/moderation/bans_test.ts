import assert from "node:assert/strict";
import fc from "fast-check";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { until } from "../../support/people.ts";
import { alice, bob, carol, withPlaces } from "../relay/support.ts";
import { groupOf, scene } from "./support.ts";

const HOUR = 3_600_000;
const terms = (expires: number | null) => ({ reason: "rude", by: "Neema", expires });
const isOut = ({ members }: Conversation, { account }: { account: string }) => members.bannedAccounts.has(account);

Deno.test("bans: one with an end is ended by a commit when its time is over, also after a restart long since", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = scene(hers);
    const [group] = await groupOf(here, his);
    here.bans.start();
    await here.bans.ban(group, bob.account, terms(hers.clock.now() + HOUR));
    await hers.clock.advance(HOUR - 10_000);
    assert.ok(isOut(group, bob));
    await here.stop();
    await hers.clock.advance(5 * HOUR);
    assert.ok(isOut(group, bob), "nobody was there to end it");
    const again = scene(hers);
    again.bans.start();
    await until("its end", () => !isOut(group, bob));
    await until("the note", () => hers.store.audit.list({ action: "member.unban" }, 1).length === 1);
    assert.deepEqual(hers.store.conversationBans.all(), []);
    await again.stop();
  }));

Deno.test("bans: a ban that fails leaves nothing; one that others end is forgotten; a device's has its own row", () =>
  withPlaces([alice, bob, carol], async (hers, his, _hers2) => {
    const here = scene(hers);
    const [group] = await groupOf(here, his);
    here.bans.start();
    await assert.rejects(here.bans.ban(group, carol.account, terms(null)));
    assert.deepEqual(hers.store.conversationBans.all(), []);
    await here.bans.ban(group, bob.account, terms(null));
    assert.equal(hers.store.conversationBans.get(group.id, bob.account)?.reason, "rude");
    await here.groups.unban(group, bob.account); // as another admin would
    await until("it is forgotten", () => hers.store.conversationBans.all().length === 0);
    await here.bans.ban(group, bob.device, terms(null));
    assert.ok(group.members.bannedDevices.has(bob.device));
    await here.bans.unban(group, bob.device);
    assert.deepEqual([hers.store.conversationBans.all().length, group.members.bannedDevices.size], [0, 0]);
    await here.stop();
  }));

Deno.test("bans: of the node begin, end by hand or time, and never name the node; in groups as well when wished", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = scene(hers);
    const [group] = await groupOf(here, his);
    here.bans.start();
    const { nodeBans } = hers.store;
    await assert.rejects(here.bans.banFromNode(alice.account, terms(null)), /node itself/);
    await assert.rejects(here.bans.banFromNode(alice.device, terms(null)), /node itself/);
    assert.deepEqual(await here.bans.banFromNode(bob.account, terms(null)), []);
    assert.ok(nodeBans.isBanned(bob.account, hers.clock.now()));
    assert.deepEqual(here.keptOut, [bob.account]);
    assert.ok(!isOut(group, bob));
    assert.deepEqual(await here.bans.banFromNode(bob.account, terms(hers.clock.now() + HOUR), true), [group.id]);
    assert.ok(isOut(group, bob));
    const before = here.enforced;
    await hers.clock.advance(HOUR + 10_000);
    await until("both end", () => !isOut(group, bob) && nodeBans.all().length === 0);
    assert.ok(here.enforced > before);
    assert.throws(() => here.bans.unbanFromNode(bob.account), /not banned/);
    await here.bans.banFromNode(bob.device, terms(null));
    here.bans.unbanFromNode(bob.device);
    assert.ok(!nodeBans.isBanned(bob.device, hers.clock.now()));
    await here.stop();
  }));

Deno.test("bans: an account that the node bans cannot be invited, by nobody", () =>
  withPlaces([alice], async (hers) => {
    const here = scene(hers);
    const group = await here.groups.create(2);
    await here.bans.banFromNode(bob.account, terms(null));
    await assert.rejects(here.groups.invite(group, bob.account), /banned from this node/);
    await assert.rejects(here.groups.admit(group, bob.account), /banned from this node/);
    here.bans.unbanFromNode(bob.account);
    await here.groups.invite(group, bob.account);
  }));

Deno.test("consequences: whoever is admin, the node itself, allowed or out already is never touched, whatever is found", () =>
  withPlaces([alice, bob, carol], async (hers, his, carols) => {
    const here = scene(hers);
    const [group] = await groupOf(here, his, carols);
    here.settings.allow([carol.account]);
    const spared = [alice.account, carol.account, "f".repeat(40)];
    const happening = (account: string) => ({
      conversation: group.id,
      account,
      device: "d".repeat(64),
      commit: "c".repeat(40),
      at: 0,
      arrived: 0,
      what: { kind: "other" as const },
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...spared),
        fc.constantFrom("notify" as const, "hold" as const, "ban" as const),
        fc.constantFrom("dry" as const, "on" as const),
        fc.constantFrom("member" as const, "file" as const),
        fc.boolean(),
        async (account, consequence, mode, holds, each) => {
          assert.ok(!here.consequences.touches(group, account));
          const set = { ...here.settings.get("flood").row, consequence, mode };
          await here.consequences.act(group, happening(account), { reason: "r", holds, each }, set);
        },
      ),
      { numRuns: 60 },
    );
    const { protectionActions, heldFiles, reports, audit } = hers.store;
    assert.deepEqual(
      [
        protectionActions.page({ limit: 9 }).length,
        heldFiles.all(9).length,
        reports.waiting(),
        audit.list({}, 9).length,
      ],
      [0, 0, 0, 0],
    );
    assert.equal(group.members.bannedAccounts.size, 0);
    assert.ok(here.consequences.touches(group, bob.account));
    await here.bans.ban(group, bob.account, terms(null));
    assert.ok(!here.consequences.touches(group, bob.account));
  }));

Deno.test("consequences: bans by protections are rationed; what is over that is told to a moderator", () =>
  withPlaces([alice], async (hers) => {
    const here = scene(hers);
    const group = await here.groups.create(2);
    const accounts = Array.from({ length: 25 }, (_, i) => (i + 1).toString(16).padStart(40, "0"));
    for (const account of accounts) await here.groups.invite(group, account);
    const set = { ...here.settings.get("join-wave").row, mode: "on" as const, consequence: "ban" as const };
    for (const account of accounts) {
      const happening = {
        conversation: group.id,
        account,
        device: "",
        commit: "",
        at: 0,
        arrived: 0,
        what: { kind: "join" as const },
      };
      await here.consequences.act(group, happening, { reason: "came", holds: "member" }, set);
    }
    assert.equal(group.members.bannedAccounts.size, 20);
    assert.equal(hers.store.reports.waiting(), 5);
  }));
