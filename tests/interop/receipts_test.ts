/** What Kituo says of who has what: its ledger follows what devices are seen to hold, and it tells nobody that it has "displayed" anything. */

import assert from "node:assert/strict";
import { befriend, type DaemonEvent, type JamiDaemon, people } from "./driver/daemon.ts";
import { errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo, groupWithKituo, postInOrder, readyKituo, waitKituoTexts } from "./driver/scenario.ts";

const SENT = 2, DISPLAYED = 3; // jamid's states of a message
const SILENCE = 5_000; // ms in which a change that must not come would have come

interopTest("the ledger follows what devices hold; Kituo tells nobody of reading and typing", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--offer-contact", "false");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const oneToOne = await askKituo(alice, kituo);
  await askKituo(bob, kituo);
  await befriend(alice, bob); // what they read and type they tell over open channels only
  const conversation = await groupWithKituo(alice, kituo, bob);
  const lag = (daemon: JamiDaemon) => lagOf(kituo, conversation, daemon);
  const allHeld = () =>
    kituo.until("everybody to have all", async () => await lag(alice) === 0 && await lag(bob) === 0);
  await allHeld();

  await t.step("members see each other read and type, and Kituo do neither", async () => {
    const since = alice.mark();
    const sent = await say(alice, conversation, "read this");
    await bob.waitText(conversation, "read this");
    await bob.displayed(conversation, sent);
    await bob.composing(conversation);
    // (before a connection between the daemons is broken below) that they show these at all: else the silence below would prove nothing
    await alice.waitEvent("accountMessageStatusChanged", (args) => isStatus(args, bob.uri, sent, DISPLAYED), { since });
    await alice.waitEvent("composingStatusChanged", ([, , peer]) => peer === bob.uri, { since });
    await kituo.api("POST", `/conversations/${conversation}/messages`, { body: "said, not typed" });
    for (const daemon of [alice, bob]) await daemon.waitText(conversation, "said, not typed");
    await new Promise((resolve) => setTimeout(resolve, SILENCE));
    await allHeld(); // also what Bob took from Alice: that Kituo learns only by asking him
  });

  await t.step("a device that is away lacks what is posted, one that took it does not", async () => {
    await bob.stop();
    await postInOrder(alice, conversation, ["one", "two", "three"]);
    await waitKituoTexts(kituo, conversation, ["one", "two", "three"]);
    assert.deepEqual([await lag(alice), await lag(bob)], [0, 3]);
    const since = bob.mark();
    await bob.start();
    await allHeld();
    for (const text of ["one", "two", "three"]) await bob.waitText(conversation, text, { since });
  });

  await t.step("one that is connected, and was told, and does not take it lacks it too", async () => {
    bob.freeze();
    await postInOrder(alice, conversation, ["four"]);
    await waitKituoTexts(kituo, conversation, ["four"]);
    await new Promise((resolve) => setTimeout(resolve, SILENCE));
    assert.deepEqual([await lag(alice), await lag(bob)], [0, 1]);
    bob.thaw();
    await allHeld();
    await bob.waitText(conversation, "four");
  });

  await t.step("an author sees that Kituo took the message", async () => {
    const sent = await say(alice, oneToOne, "take this");
    // 2023's daemon names itself as the one that a message was sent by
    await alice.waitEvent("accountMessageStatusChanged", (args) => isStatus(args, alice.uri, sent, SENT));
  });

  for (const daemon of [alice, bob]) {
    assert.deepEqual(daemon.events.filter((event) => isIndiscreet(event, kituo.jamiId)), []);
  }
  assert.deepEqual(await errorsOf(kituo), []);
});

/** Posts a text; the id of its commit. */
async function say(daemon: JamiDaemon, conversation: string, text: string): Promise<string> {
  const since = daemon.mark();
  await daemon.send(conversation, text);
  return (await daemon.waitText(conversation, text, { since })).message.id;
}

function isStatus([, , peer, message, status]: DaemonEvent["args"], from: string, of: string, wanted: number): boolean {
  return peer === from && message === of && status === wanted;
}

/** Did this account say that it has displayed something, or that it is typing? */
function isIndiscreet({ name, args }: DaemonEvent, account: string): boolean {
  const [, , peer, , status] = args;
  if (name === "composingStatusChanged") return peer === account;
  return name === "accountMessageStatusChanged" && peer === account && status === DISPLAYED;
}

async function lagOf(kituo: KituoProcess, conversation: string, { device }: JamiDaemon): Promise<number | null> {
  const { members } = await kituo.api<{ members: { devices: { deviceId: string; lag: number | null }[] }[] }>(
    "GET",
    `/conversations/${conversation}`,
  );
  return members.flatMap(({ devices }) => devices).find(({ deviceId }) => deviceId === device)?.lag ?? null;
}
