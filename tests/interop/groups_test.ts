/** A group that is run from the node: the real daemon follows each step, and gets nothing once it is out. */

import assert from "node:assert/strict";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import { ApiError, type KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { pngOf } from "../support/png.ts";
import { interopTest } from "./driver/requirements.ts";
import { kituoHistory, readyKituo, waitKituoMembers, waitKituoTexts } from "./driver/scenario.ts";

const SILENCE = 3_000; // ms in which a message that must not come would have come

interopTest("a group run from Kituo: daemons are invited, banned, un-banned, and see its title", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--log-level", "debug", "--offer-contact", "false");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const conversation = await makeGroup(kituo, { mode: "invites-only", title: "Wavuvi", description: "za pwani" });
  const group = `/conversations/${conversation}`;

  await t.step("strangers get the invitation, with the title in it, join, and all talk", async () => {
    for (const daemon of [alice, bob]) {
      await inviteAndJoin(kituo, conversation, daemon, async () => {
        const request = (await daemon.conversationRequests()).find(({ id }) => id === conversation);
        assert.deepEqual([request?.from, request?.title, request?.mode], [kituo.jamiId, "Wavuvi", "2"]);
      });
    }
    for (const daemon of [alice, bob]) {
      for (const account of [alice.uri, bob.uri, kituo.jamiId]) await daemon.waitMember(conversation, account);
    }
    await talk(kituo, conversation, alice, bob);
    await rejects(kituo.api("POST", `${group}/members`, { jamiId: bob.uri }), 409);
  });

  await t.step("what Kituo calls the group, daemons call it", async () => {
    await untilInfos(alice, conversation, { title: "Wavuvi", description: "za pwani" });
    const avatar = pngOf(8, 8).toString("base64");
    await kituo.api("PATCH", group, { title: "Wavuvi wa Lamu ✓", avatar });
    for (const daemon of [alice, bob]) {
      await untilInfos(daemon, conversation, { title: "Wavuvi wa Lamu ✓", description: "za pwani", avatar });
    }
  });

  await t.step("whom Kituo makes the host of the group's calls, daemons know as such", async () => {
    const { deviceId } = await kituo.api<{ deviceId: string }>("GET", "/node");
    for (const [jamiId, device] of [[kituo.jamiId, deviceId], [bob.uri, bob.device]]) {
      await kituo.api("PATCH", group, { defaultHost: { jamiId, deviceId: device } });
      for (const daemon of [alice, bob]) {
        await untilInfos(daemon, conversation, { title: "Wavuvi wa Lamu ✓", rdvAccount: jamiId, rdvDevice: device });
      }
    }
    await kituo.api("PATCH", group, { defaultHost: null });
    for (const daemon of [alice, bob]) {
      await daemon.until("no host", async () => !(await daemon.infos(conversation)).rdvAccount);
    }
  });

  await t.step("banned, Bob gets nothing more; un-banned, he talks again", async () => {
    await kituo.api("DELETE", `${group}/members/${bob.uri}?reason=test`);
    await alice.waitMember(conversation, bob.uri, ["banned"]);
    const since = bob.mark();
    await hears(alice, conversation, "without Bob", (text) => say(kituo, conversation, text));
    // Alone with the node: a daemon of 2023 gives everything to everybody. And who merges a ban of itself with what it said meanwhile has
    // written a commit that nobody accepts, then is stuck.
    await alice.stop();
    await bob.send(conversation, "let me in");
    await assert.rejects(bob.waitText(conversation, "without Bob", { since, timeout: SILENCE }), {
      name: "DaemonTimeout",
    });
    assert(!await hasText(kituo, conversation, "let me in"));
    assert.equal(await roleOf(kituo, conversation, bob.uri), "banned");
    const before = (await kituoHistory(kituo, conversation)).length;
    await kituo.api("DELETE", `${group}/members/${bob.uri}`);
    assert.equal((await kituoHistory(kituo, conversation)).length, before, "a second ban is no news");

    await kituo.api("POST", `${group}/members/${bob.uri}/unban`);
    await bob.waitText(conversation, "without Bob", { since });
    await alice.start();
    await alice.waitMember(conversation, bob.uri);
    await waitKituoTexts(kituo, conversation, ["let me in"]);
    await talk(kituo, conversation, alice, bob);
  });

  await t.step("a banned device gets nothing more; un-banned, it talks again", async () => {
    await kituo.api("DELETE", `${group}/devices/${bob.device}`);
    await alice.until("the ban of the device", async () => {
      return (await alice.git(conversation, "ls-tree", "-r", "--name-only", "HEAD"))
        .includes(`banned/devices/${bob.device}.crt`);
    });
    const since = bob.mark();
    await hears(alice, conversation, "not for that device", (text) => say(kituo, conversation, text));
    await alice.stop();
    await bob.send(conversation, "from a banned device");
    await assert.rejects(bob.waitText(conversation, "not for that device", { since, timeout: SILENCE }), {
      name: "DaemonTimeout",
    });
    assert(!await hasText(kituo, conversation, "from a banned device"));
    await kituo.api("POST", `${group}/devices/${bob.device}/unban`);
    await bob.waitText(conversation, "not for that device", { since });
    await alice.start();
    await talk(kituo, conversation, alice, bob);
  });

  await t.step("Kituo leaves: members see it, and it serves them no more", async () => {
    await kituo.api("POST", `${group}/leave`);
    for (const daemon of [alice, bob]) {
      await daemon.until("Kituo's leaving", async () => !(await daemon.members(conversation))[kituo.jamiId]);
    }
    await kituo.until("the end", async () => (await kituo.api<{ state: string }>("GET", group)).state === "left");
    await hears(bob, conversation, "without the node", (text) => alice.send(conversation, text));
    await rejects(say(kituo, conversation, "too late"), 409);
    await rejects(kituo.api("POST", `${group}/leave`), 409);
  });

  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("an invitation outlives a restart of Kituo and the absence of the invited", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await alice.stop();
  const conversation = await makeGroup(kituo, { mode: "invites-only", title: "Baadaye" });
  await kituo.api("POST", `/conversations/${conversation}/members`, { jamiId: alice.uri });
  await kituo.kill();
  await kituo.start();
  await kituo.waitReady();
  await alice.start();
  await alice.acceptGroup(conversation);
  await waitKituoMembers(kituo, conversation, [alice.uri]);
  await hears(alice, conversation, "mwisho", (text) => say(kituo, conversation, text));
});

async function makeGroup(kituo: KituoProcess, group: Record<string, string>): Promise<string> {
  return (await kituo.api<{ id: string }>("POST", "/conversations", group)).id;
}

/** Kituo invites the daemon, which accepts once `look` has seen the invitation. */
async function inviteAndJoin(
  kituo: KituoProcess,
  conversation: string,
  daemon: JamiDaemon,
  look?: () => Promise<void>,
): Promise<void> {
  const { role } = await kituo.api<{ role: string }>("POST", `/conversations/${conversation}/members`, {
    jamiId: daemon.uri,
  });
  assert.equal(role, "invited");
  await daemon.until("the invitation", async () => {
    return (await daemon.conversationRequests()).some(({ id }) => id === conversation);
  });
  await look?.();
  await daemon.acceptGroup(conversation);
  await waitKituoMembers(kituo, conversation, [daemon.uri]);
}

async function say(kituo: KituoProcess, conversation: string, body: string): Promise<void> {
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body });
}

/** The daemon gets what is said. */
async function hears(
  daemon: JamiDaemon,
  conversation: string,
  text: string,
  speak: (text: string) => Promise<unknown>,
): Promise<void> {
  const since = daemon.mark();
  await speak(text);
  await daemon.waitText(conversation, text, { since });
}

let said = 0;

/** Everybody says something, everybody else hears it. */
async function talk(kituo: KituoProcess, conversation: string, ...daemons: JamiDaemon[]): Promise<void> {
  const round = ++said;
  for (const daemon of daemons) {
    const text = `${round}: ${daemon.name}`;
    const marks = daemons.map((other) => other.mark());
    await daemon.send(conversation, text);
    await Promise.all(daemons.map((other, i) => other.waitText(conversation, text, { since: marks[i] })));
    await waitKituoTexts(kituo, conversation, [text]);
  }
  const marks = daemons.map((daemon) => daemon.mark());
  await say(kituo, conversation, `${round}: Kituo`);
  await Promise.all(daemons.map((daemon, i) => daemon.waitText(conversation, `${round}: Kituo`, { since: marks[i] })));
}

async function hasText(kituo: KituoProcess, conversation: string, text: string): Promise<boolean> {
  return (await kituoHistory(kituo, conversation)).some(({ body }) => body === text);
}

async function untilInfos(daemon: JamiDaemon, conversation: string, wanted: Record<string, string>): Promise<void> {
  await daemon.until(`infos ${JSON.stringify(wanted)}`, async () => {
    const infos = await daemon.infos(conversation);
    return Object.entries(wanted).every(([key, value]) => infos[key] === value);
  });
}

async function roleOf(kituo: KituoProcess, conversation: string, jamiId: string): Promise<string | undefined> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return members.find((member) => member.jamiId === jamiId)?.role;
}

async function rejects(request: Promise<unknown>, status: number): Promise<void> {
  await assert.rejects(request, (error) => error instanceof ApiError && error.status === status);
}
