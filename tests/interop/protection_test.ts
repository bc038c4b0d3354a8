/**
 * Protections and bans with real daemons: a flood in a dry run is only noted, in earnest it is banned, and served no more; who is held comes back; a ban
 * ends by itself, also over a crash; who is banned from the node is not served; and a member reports.
 */

import assert from "node:assert/strict";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import { ApiError, type KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo, readyKituo, waitKituoMembers } from "./driver/scenario.ts";

const SILENCE = 3_000; // ms in which a message that must not come would have come

const ALLOWED = 5; // messages that are no flood yet

/** What a protection did, as the API tells it. */
interface Action {
  id: number;
  protection: string;
  jamiId: string;
  dry: boolean;
  outcome: string;
  reason: string;
}

interopTest("protections: noted in a dry run, done in earnest, undone; bans end by themselves", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const { id: conversation } = await kituo.api<{ id: string }>("POST", "/conversations", {
    mode: "invites-only",
    title: "Baraza",
  });
  for (const daemon of [alice, bob]) await inviteAndJoin(kituo, conversation, daemon);
  for (const daemon of [alice, bob]) {
    for (const other of [alice, bob]) await daemon.waitMember(conversation, other.uri);
  }

  await t.step("a flood in a dry run is noted, and nothing else", async () => {
    await set(kituo, "flood", { mode: "dry", settings: { messages: ALLOWED, seconds: 60 } });
    await flood(bob, conversation, "dry");
    const action = await acted(kituo, ({ dry }) => dry);
    assert.deepEqual([action.protection, action.jamiId, action.outcome], ["flood", bob.uri, "noted"]);
    assert.equal((await kituo.api<{ held: unknown[] }>("GET", "/held")).held.length, 0);
    assert.equal(await roleOf(kituo, conversation, bob.uri), "member");
    const since = bob.mark();
    await say(kituo, conversation, "still here");
    await bob.waitText(conversation, "still here", { since });
  });

  await t.step(
    "in earnest it is banned, which other daemons see and its own feels; undone, it talks again",
    async () => {
      await set(kituo, "flood", { mode: "on" });
      await kituo.kill(); // what was found before a restart is not found again by it
      await kituo.start();
      await kituo.waitReady();
      const since = bob.mark();
      await flood(bob, conversation, "wet");
      const action = await acted(kituo, ({ dry, outcome }) => !dry && outcome === "done");
      assert.deepEqual([action.protection, action.jamiId], ["flood", bob.uri]);
      await alice.waitMember(conversation, bob.uri, ["banned"]);
      await say(kituo, conversation, "without Bob");
      await alice.stop();
      await assert.rejects(bob.waitText(conversation, "without Bob", { since, timeout: SILENCE }), {
        name: "DaemonTimeout",
      });
      assert.equal((await kituo.api<Action>("POST", `/protections/actions/${action.id}/undo`)).outcome, "undone");
      await bob.waitText(conversation, "without Bob", { since });
      await alice.start();
      await alice.waitMember(conversation, bob.uri);
    },
  );

  await t.step("a link of a new member holds it for review; released, it is a member again", async () => {
    await set(kituo, "flood", { mode: "off" });
    await set(kituo, "first-message", { mode: "on", settings: { minutes: 60, messages: 0 } });
    await bob.send(conversation, "look at https://example.org/gift");
    await alice.waitMember(conversation, bob.uri, ["banned"]);
    const { held } = await kituo.api<{ held: { target: string; kind: string; reason: string }[] }>("GET", "/held");
    assert.deepEqual(held.map(({ target, kind }) => [target, kind]), [[bob.uri, "member"]]);
    assert.ok(!held[0].reason.includes("example.org"), "a reason tells nothing of what was said");
    await set(kituo, "first-message", { mode: "off" });
    await kituo.api("POST", `/held/${conversation}/${bob.uri}/release`);
    await alice.waitMember(conversation, bob.uri);
    const since = alice.mark();
    await bob.send(conversation, "sorry");
    await alice.waitText(conversation, "sorry", { since });
  });

  await t.step("a ban with an end ends by itself, although the node was killed meanwhile", async () => {
    await kituo.api("DELETE", `/conversations/${conversation}/members/${bob.uri}?reason=rest&expiresIn=20`);
    await alice.waitMember(conversation, bob.uri, ["banned"]);
    const { groupBans } = await kituo.api<{ groupBans: { target: string; reason: string }[] }>("GET", "/bans");
    assert.deepEqual(groupBans.map(({ target, reason }) => [target, reason]), [[bob.uri, "rest"]]);
    await kituo.kill();
    await kituo.start();
    await alice.waitMember(conversation, bob.uri);
    await waitKituoMembers(kituo, conversation, [bob.uri]);
    assert.deepEqual((await kituo.api<{ groupBans: unknown[] }>("GET", "/bans")).groupBans, []);
  });

  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest(
  "who is banned from the node is not served, and cannot be invited, until that ends; members report",
  async (t) => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network);
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    const own = await askKituo(alice, kituo);

    await t.step("a member reports by a message, and is answered", async () => {
      const since = alice.mark();
      await alice.send(own, "/report somebody is rude in Baraza");
      const report = await kituo.until("the report", async () => {
        return (await kituo.api<{ reports: { id: number; jamiId: string; text: string }[] }>("GET", "/reports"))
          .reports[0];
      });
      assert.deepEqual([report.jamiId, report.text], [alice.uri, "somebody is rude in Baraza"]);
      await alice.waitMessage(own, (message) => /received/.test(message.body ?? ""), { since });
      await kituo.api("POST", `/reports/${report.id}/resolve`, { note: "talked to them" });
      assert.deepEqual((await kituo.api<{ reports: unknown[] }>("GET", "/reports")).reports, []);
    });

    await t.step("banned from the node, its daemon gets nothing", async () => {
      await kituo.api("POST", "/bans", { jamiId: alice.uri, reason: "test" });
      const since = alice.mark();
      await say(kituo, own, "you cannot have this yet");
      await assert.rejects(alice.waitText(own, "you cannot have this yet", { since, timeout: SILENCE }), {
        name: "DaemonTimeout",
      });
      const { contacts } = await kituo.api<{ contacts: { jamiId: string; banned: boolean }[] }>("GET", "/contacts");
      assert.deepEqual(contacts.map(({ jamiId, banned }) => [jamiId, banned]), [[alice.uri, true]]);
      const { id } = await kituo.api<{ id: string }>("POST", "/conversations", { mode: "invites-only" });
      const invite = kituo.api("POST", `/conversations/${id}/members`, { jamiId: alice.uri });
      await assert.rejects(invite, (error) => error instanceof ApiError && error.status === 409);
      await kituo.api("DELETE", `/bans/${alice.uri}`);
      await alice.waitText(own, "you cannot have this yet", { since });
    });

    assert.deepEqual(await errorsOf(kituo), []);
  },
);

async function set(kituo: KituoProcess, protection: string, changes: object): Promise<void> {
  await kituo.api("PATCH", `/protections/${protection}`, changes);
}

/** One text more than is allowed. More would be written beside the ban: 2023's daemon merges the two into what nobody accepts, and is stuck. */
async function flood(daemon: JamiDaemon, conversation: string, what: string): Promise<void> {
  for (let n = 0; n <= ALLOWED; n++) await daemon.send(conversation, `${what} ${n}`);
}

/** What the protections did, once it is there. */
async function acted(kituo: KituoProcess, fits: (action: Action) => boolean): Promise<Action> {
  return await kituo.until("what the protection did", async () => {
    const { actions } = await kituo.api<{ actions: Action[] }>("GET", "/protections/actions");
    return actions.find(fits);
  });
}

async function inviteAndJoin(kituo: KituoProcess, conversation: string, daemon: JamiDaemon): Promise<void> {
  await kituo.api("POST", `/conversations/${conversation}/members`, { jamiId: daemon.uri });
  await daemon.acceptGroup(conversation);
  await waitKituoMembers(kituo, conversation, [daemon.uri]);
}

async function say(kituo: KituoProcess, conversation: string, body: string): Promise<void> {
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body });
}

async function roleOf(kituo: KituoProcess, conversation: string, jamiId: string): Promise<string | undefined> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return members.find((member) => member.jamiId === jamiId)?.role;
}
