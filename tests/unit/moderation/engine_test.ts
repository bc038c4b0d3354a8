import assert from "node:assert/strict";
import { ProtectionSettings } from "../../../core/moderation/settings.ts";
import { writeEdit, writeMessage, writeReaction } from "../../../core/swarm/write_messages.ts";
import { replaceIndex } from "../../../core/swarm/commit_index.ts";
import { invite } from "../../../core/swarm/write_members.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import {
  alice,
  allOf,
  bob,
  bring,
  carol,
  closePlace,
  opened,
  openPlace,
  type Place,
  post,
  withPlaces,
} from "../relay/support.ts";
import { groupOf, joinGroup, type Scene, scene } from "./support.ts";

const roleIn = ({ members }: Conversation, { account }: { account: string }) => members.roles.get(account);

/** Everything that came so far was judged. */
async function judged({ store }: Place, { id }: Conversation): Promise<void> {
  await until("all is judged", () => {
    const [last] = store.commits.latest(id, 1);
    return store.protections.scanned(id) === store.commits.node(id, last)?.seq;
  });
}

/** Texts of one member, which come to alice one by one. */
async function say(place: Place, from: Conversation, to: Conversation, n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    await post(from, place.clock, `text ${i}`);
    await bring(from, to);
  }
  await judged(place, to);
}

function sceneOn(place: Place, name: string, changes: object, mode: "dry" | "on" = "on"): Scene {
  const made = scene(place);
  made.settings.change(name, { mode, ...changes });
  made.engine.start();
  made.bans.start();
  return made;
}

Deno.test("engine: in a dry run a flood is noted in table and trail, once, and nobody is touched", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = sceneOn(hers, "flood", { settings: { messages: 4 } }, "dry");
    const [group, bobs] = await groupOf(here, his);
    await say(hers, bobs, group, 12);
    const actions = hers.store.protectionActions.page({ limit: 10 });
    assert.deepEqual(actions.map(({ protection, account, dry, outcome }) => [protection, account, dry, outcome]), [
      ["flood", bob.account, true, "noted"],
    ]);
    assert.equal(hers.store.audit.list({ action: "protection.dry" }, 10).length, 1);
    assert.equal(roleIn(group, bob), "member");
    assert.deepEqual([hers.store.reports.waiting(), hers.store.conversationBans.all().length], [0, 0]);
    await here.stop();
  }));

Deno.test("engine: in earnest the flooder is banned by commits, with an end; admins, the node and the allowed never are", () =>
  withPlaces([alice, bob, carol], async (hers, his, carols) => {
    const here = sceneOn(hers, "flood", { settings: { messages: 4 }, banHours: 2 });
    here.settings.allow([carol.account]);
    const [group, bobs, hers2] = await groupOf(here, his, carols);
    for (let i = 0; i < 12; i++) await post(group, hers.clock, `the admin, ${i}`);
    await bring(group, hers2);
    await say(hers, hers2, group, 12);
    assert.deepEqual(hers.store.protectionActions.page({ limit: 10 }), []);
    await bring(group, bobs);
    await say(hers, bobs, group, 5);
    await until("the ban", () => group.members.bannedAccounts.has(bob.account));
    const [ban] = hers.store.conversationBans.all();
    assert.deepEqual([ban.target, ban.held, ban.by], [bob.account, false, "system"]);
    assert.equal(ban.expires, ban.at + 2 * 3_600_000);
    await hers.clock.advance(2 * 3_600_000 + 10_000);
    await until("its end", () => roleIn(group, bob) === "member");
    await until("nothing is known of it", () => hers.store.conversationBans.all().length === 0);
    await until("the note", () => hers.store.audit.list({ action: "member.unban" }, 1).length > 0);
    assert.match(hers.store.audit.list({ action: "member.unban" }, 1)[0].detail, /time/);
    await here.stop();
  }));

Deno.test("engine: what came before a restart is remembered and not judged again; what came after a crash is judged", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = sceneOn(hers, "flood", { settings: { messages: 4, seconds: 300 } }, "dry");
    const [group, bobs] = await groupOf(here, his);
    await say(hers, bobs, group, 3);
    await here.stop();
    // the engine is gone, and two more come: as when the node is killed before it judged them
    await post(bobs, hers.clock, "one");
    await post(bobs, hers.clock, "two");
    await bring(bobs, group);
    assert.equal(hers.store.protectionActions.page({ limit: 10 }).length, 0);
    const again = scene(hers);
    again.engine.start();
    await judged(hers, group);
    assert.equal(hers.store.protectionActions.page({ limit: 10 }).length, 1, "3 + 2 are more than 4");
    await again.stop();
    const third = scene(hers);
    third.engine.start();
    await judged(hers, group);
    assert.equal(hers.store.protectionActions.page({ limit: 10 }).length, 1);
    await third.stop();
  }));

Deno.test("engine: a history that is cloned is no news", () =>
  withPlaces([bob, alice], async (his, hers) => {
    const group = await his.conversations.create({ mode: 2 });
    for (let i = 0; i < 20; i++) await post(group, his.clock, `${i}`);
    await group.write((context) => invite(context, alice.account));
    const here = sceneOn(hers, "flood", { settings: { messages: 4 } });
    hers.conversations.want(group.id, bob.account, 2);
    await hers.conversations.finishClone(group.id, await allOf(group));
    const copy = opened(hers, group.id);
    await bring(copy, group);
    await judged(hers, copy);
    assert.deepEqual(hers.store.protectionActions.page({ limit: 10 }), []);
    await here.stop();
  }));

Deno.test("engine: a history that was indexed anew, or left and taken up again, is no news", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = sceneOn(hers, "flood", { settings: { messages: 4 } });
    const [group, bobs] = await groupOf(here, his);
    await here.stop();
    for (let i = 0; i < 10; i++) await post(bobs, hers.clock, `text ${i}`);
    await bring(bobs, group);
    const rows = hers.store.commits.byArrival(group.id, { limit: 1_000 });
    replaceIndex(hers.store, group.id, group.head, rows);
    const again = scene(hers);
    again.engine.start();
    await judged(hers, group);
    assert.deepEqual(hers.store.protectionActions.page({ limit: 10 }), []);
    hers.conversations.emit("opened", { conversation: group });
    await judged(hers, group);
    assert.deepEqual(hers.store.protectionActions.page({ limit: 10 }), []);
    await again.stop();
  }));

Deno.test("engine: where the node is no admin, a ban becomes a report, and what is done cannot be more than that", () =>
  withPlaces([bob, alice, carol], async (his, hers, carols) => {
    const group = await his.conversations.create({ mode: 2 });
    const copies: Conversation[] = [];
    for (const place of [hers, carols]) {
      await group.write((context) => invite(context, place.identity.account));
      place.conversations.want(group.id, bob.account, 2);
      const copy = await place.conversations.finishClone(group.id, await allOf(group));
      assert.ok(copy);
      await bring(copy, group);
      copies.push(copy);
    }
    const [here, carolsCopy] = copies;
    await bring(group, here);
    const moderation = sceneOn(hers, "flood", { settings: { messages: 4 } });
    await bring(group, carolsCopy);
    await say(hers, carolsCopy, here, 6);
    const [action] = hers.store.protectionActions.page({ limit: 10 });
    assert.deepEqual([action.outcome, action.detail], ["failed", "this node is no admin of the group"]);
    const [report] = hers.store.reports.page("open", 10);
    assert.deepEqual([report.kind, report.account, report.conversation], ["finding", carol.account, group.id]);
    await moderation.stop();
  }));

Deno.test("engine: links of new members hold them; edits are judged as texts are; an older member may", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = sceneOn(hers, "first-message", { settings: { minutes: 5, messages: 2 } });
    const [group, bobs] = await groupOf(here, his);
    const first = await post(bobs, hers.clock, "hello");
    await bring(bobs, group);
    await judged(hers, group);
    assert.equal(roleIn(group, bob), "member");
    await bobs.write((context) => writeEdit(context, first, "hello, see www.example.org"));
    await bring(bobs, group);
    await until("the hold", () => group.members.bannedAccounts.has(bob.account));
    const [held] = hers.store.conversationBans.held();
    assert.deepEqual([held.target, held.held], [bob.account, true]);
    assert.ok(!held.reason.includes("example"));
    await here.bans.unban(group, bob.account);
    assert.deepEqual(hers.store.conversationBans.held(), []);
    await hers.clock.advance(20 * 60_000);
    await bring(group, bobs);
    await post(bobs, hers.clock, "second");
    await post(bobs, hers.clock, "third https://example.org");
    await bring(bobs, group);
    await judged(hers, group);
    assert.equal(roleIn(group, bob), "member");
    await here.stop();
  }));

Deno.test("engine: files are held by their names, and by their bytes once they are here", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = sceneOn(hers, "files", {});
    const [group, bobs] = await groupOf(here, his);
    const send = async (displayName: string) => {
      await hers.clock.advance(1_000);
      const [{ id }] = await bobs.write((context) =>
        writeMessage(context, {
          type: "application/data-transfer+json",
          displayName,
          tid: "7",
          sha3sum: "ab".repeat(64),
          totalSize: "3",
        })
      );
      await bring(bobs, group);
      await judged(hers, group);
      return id;
    };
    const bad = await send("holiday.jpg.EXE");
    assert.ok(hers.store.heldFiles.has(group.id, bad));
    const disguised = await send("holiday.jpg");
    assert.ok(!hers.store.heldFiles.has(group.id, disguised));
    here.files.head = Uint8Array.of(0x4d, 0x5a, 0x90);
    const file = {
      conversation: group.id,
      id: disguised,
      fileId: disguised,
      author: bob.account,
      device: bob.device,
      name: "holiday.jpg",
      size: 3,
      sha3: "ab".repeat(64),
      state: "stored" as const,
      announced: hers.clock.now(),
    };
    here.files.emit("changed", { file });
    await until("it is held", () => hers.store.heldFiles.has(group.id, disguised));
    assert.equal(roleIn(group, bob), "member", "a file is held, not its sender");
    await here.stop();
  }));

Deno.test("engine: a wave of joins holds those who come with it", () =>
  withPlaces([alice, bob, carol], async (hers, his, carols) => {
    const here = sceneOn(hers, "join-wave", { settings: { joins: 1, minutes: 10 } });
    const [group] = await groupOf(here, his);
    await judged(hers, group);
    assert.equal(roleIn(group, bob), "member");
    await joinGroup(here.groups, group, carols);
    await until("carol is held", () => group.members.bannedAccounts.has(carol.account));
    assert.equal(hers.store.conversationBans.get(group.id, carol.account)?.held, true);
    await here.stop();
  }));

Deno.test("engine: a report of a member is kept once, answered, and limited; its answer is no report", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const here = scene(hers);
    here.engine.start();
    const conversation = opened(hers, await hers.conversations.oneToOne(bob.account));
    his.conversations.want(conversation.id, alice.account, 0);
    const bobs = await his.conversations.finishClone(conversation.id, await allOf(conversation));
    assert.ok(bobs);
    const text = await post(bobs, hers.clock, "/Report: somebody is rude");
    await bobs.write((context) => writeReaction(context, text, "/report"));
    for (let i = 0; i < 9; i++) await post(bobs, hers.clock, `/report again ${i}`);
    await post(bobs, hers.clock, "/reporting is no command; /report neither");
    await bring(bobs, conversation);
    await until("all is answered", () =>
      hers.store.protections.scanned(conversation.id) !== undefined &&
      hers.store.reports.waiting() === 5);
    await judged(hers, conversation);
    const reports = hers.store.reports.page("open", 20);
    assert.deepEqual([reports.length, reports[4].text, reports[4].account], [5, "somebody is rude", bob.account]);
    await until("the answers", () =>
      hers.store.commits.ofType(conversation.id, "text/plain")
        .filter(({ author }) => author === alice.account).length === 5);
    here.reports.resolve(reports[0].id, "Neema", "done");
    assert.equal(hers.store.reports.waiting(), 4);
    assert.equal(hers.store.reports.page("resolved", 5)[0].note, "done");
    assert.throws(() => here.reports.resolve(reports[0].id, "Neema", "again"));
    await here.stop();
  }));

Deno.test("settings: kept over a restart; what does not fit is refused; protections that run wild are bounded", async () => {
  const dir = await Deno.makeTempDir();
  const place = openPlace(dir, alice, new VirtualClock());
  try {
    const settings = new ProtectionSettings(place.store);
    assert.deepEqual(settings.all().map(({ row }) => row.mode), ["off", "off", "off", "off", "off"]);
    settings.change("flood", { mode: "dry", settings: { messages: 7 } });
    assert.throws(() => settings.change("flood", { settings: { messages: 0 } }), /messages/);
    assert.throws(() => settings.change("flood", { settings: { nothing: 1 } }), /nothing/);
    assert.throws(() => settings.change("words", { settings: { patterns: ["(a+)+$(?=b)"] } }), /look-around/);
    assert.throws(() => settings.change("none", {}), /no such/);
    settings.allow([bob.account]);
    const again = new ProtectionSettings(place.store);
    assert.deepEqual([again.get("flood").row.mode, again.get("flood").settings], [
      "dry",
      { messages: 7, seconds: 30, backlog: 300, per: "account" },
    ]);
    assert.ok(again.isAllowed(bob.account));
  } finally {
    await closePlace(place);
    await Deno.remove(dir, { recursive: true });
  }
});
