/** Members whom the network cuts from each other post on both sides; when it heals, everybody ends up with everything. */

import assert from "node:assert/strict";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import { assertSound, errorsOf, gitOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, inviteNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo, groupWithKituo, kituoHistory, postInOrder, readyKituo, waitKituoTexts } from "./driver/scenario.ts";

const HEAL_TIMEOUT = 90_000; // ms: jamid waits up to 32 s for a dead connection, and then for a reason to connect
const LINK_LOST = 90_000; // ms: after 50 s of silence a node asks, and gives up 3 s later

interopTest("split and merge: both sides post, the network heals, all histories hold all messages", async (t) => {
  await using network = await Network.up();
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  await using kituo = await openNode(network, "kituo", "--log-level", "debug");
  await addNode(alice, kituo);
  await addNode(bob, kituo);
  const conversation = await alice.startGroup();
  await inviteNode(alice, kituo, conversation);
  await alice.invite(conversation, bob.uri);
  await bob.acceptGroup(conversation);
  for (const one of [alice, bob]) for (const other of [alice, bob]) await one.waitMember(conversation, other.uri);

  const scene = { network, alice, bob, kituo, conversation };
  await t.step(
    "a cut that may be over before anybody notices",
    () => splitAndMerge(scene, "short", () => Promise.resolve()),
  );
  await t.step("a cut that ends the connections", () => splitAndMerge(scene, "long", () => links(kituo, 1)));
  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest(
  "leave versus ban: the split that daemons cannot heal themselves, Kituo heals, and both take the result",
  async () => {
    await using network = await Network.up();
    const [alice, bob, carol] = await people(network, "alice", "bob", "carol");
    await using _alice = alice, _bob = bob, _carol = carol;
    await using kituo = await readyKituo(network, "kituo", "--log-level", "debug");
    for (const daemon of [alice, bob, carol]) await askKituo(daemon, kituo);
    const conversation = await groupWithKituo(alice, kituo, bob, carol);
    // Alice and Kituo on one side, Bob and Carol on the other.
    const cuts = [alice, kituo].flatMap((here) => [bob, carol].map((there) => [here.host, there.host] as const));
    for (const [here, there] of cuts) await network.cut(here, there);
    await alice.ban(conversation, carol.uri);
    await kituo.until("the ban", async () => await files(kituo, conversation, "banned/members"));
    await carol.leave(conversation);
    await bob.until("her leaving", async () => !(await bob.members(conversation))[carol.uri]);
    await carol.stop();
    for (const [here, there] of cuts) await network.heal(here, there);

    const head = () => gitOf(kituo, conversation, "rev-parse", "main^2");
    const second = await kituo.until("the merge", head, HEAL_TIMEOUT);
    assert(!(await gitOf(kituo, conversation, "ls-tree", "--name-only", second, "banned/")).includes("banned"));
    assert(await files(kituo, conversation, "banned/members"));
    assert(!await files(kituo, conversation, "members/" + carol.uri + ".crt"));
    const merge = await gitOf(kituo, conversation, "rev-parse", "main");
    await kituo.api("POST", `/conversations/${conversation}/messages`, { body: "healed" });
    for (const daemon of [alice, bob]) {
      await daemon.waitText(conversation, "healed", { timeout: HEAL_TIMEOUT });
      await daemon.git(conversation, "merge-base", "--is-ancestor", merge, "HEAD");
      await daemon.stop(); // the list of members that it keeps is made anew at a start: it may have passed over the ban in the merge
      await daemon.start();
      await daemon.waitMember(conversation, carol.uri, ["banned"]);
    }
    await everywhere({ network, alice, bob, kituo, conversation }, "together again");
    await assertSound(kituo, conversation);
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

/** Is there something at a path of Kituo's head? */
async function files(kituo: KituoProcess, conversation: string, path: string): Promise<boolean> {
  return await gitOf(kituo, conversation, "ls-tree", "main", path) !== "";
}

interface Scene {
  network: Network;
  alice: JamiDaemon;
  bob: JamiDaemon;
  kituo: KituoProcess;
  conversation: string;
}

async function splitAndMerge(scene: Scene, cut: string, enough: () => Promise<void>): Promise<void> {
  const { network, alice, bob, kituo, conversation } = scene;
  const merges = await countMerges(kituo, conversation);
  await everywhere(scene, `before the ${cut} cut`);
  await links(kituo, 2);

  // Alice and Kituo on one side, Bob on the other.
  await network.cut(alice.host, bob.host);
  await network.cut(kituo.host, bob.host);
  const [here, there, ours] = ["alice", "bob", "kituo"].map((name) => [1, 2, 3].map((n) => `${cut}: ${name} ${n}`));
  await Promise.all([postInOrder(alice, conversation, here), postInOrder(bob, conversation, there)]);
  for (const body of ours) await kituo.api("POST", `/conversations/${conversation}/messages`, { body });
  await waitKituoTexts(kituo, conversation, here);
  await holds(alice, conversation, ours);
  await enough();
  const apart = (await bob.history(conversation)).map(({ body }) => body);
  assert(![...here, ...ours].some((text) => apart.includes(text)), "the network was not cut");
  assert(
    !(await kituoHistory(kituo, conversation)).some(({ body }) => there.includes(body)),
    "the network was not cut",
  );

  await network.heal(alice.host, bob.host);
  await network.heal(kituo.host, bob.host);
  const all = [...here, ...there, ...ours];
  await waitKituoTexts(kituo, conversation, all, HEAL_TIMEOUT);
  for (const daemon of [alice, bob]) {
    await holds(daemon, conversation, all, HEAL_TIMEOUT);
    const bodies = (await daemon.history(conversation)).map(({ body }) => body).filter((body) => all.includes(body));
    assert.deepEqual(bodies.sort(), [...all].sort()); // each of them once
  }
  assert(await countMerges(kituo, conversation) > merges, "nothing was merged");
  await everywhere(scene, `after the ${cut} cut`); // life goes on, on top of the merge
}

async function links(kituo: KituoProcess, wanted: number): Promise<void> {
  await kituo.until(`${wanted} links`, async () => {
    return (await kituo.api<{ connections: number }>("GET", "/node")).connections === wanted;
  }, LINK_LOST);
}

async function everywhere({ alice, bob, kituo, conversation }: Scene, text: string): Promise<void> {
  await alice.send(conversation, text);
  await bob.waitText(conversation, text);
  await waitKituoTexts(kituo, conversation, [text]);
}

async function countMerges(kituo: KituoProcess, conversation: string): Promise<number> {
  return (await kituoHistory(kituo, conversation)).filter(({ type }) => type === "merge").length;
}

/**
 * Until the daemon has the texts in its history. It does not tell its client of everything that a merge brings (docs/protocol.md), so no event is
 * waited for.
 */
async function holds(daemon: JamiDaemon, conversation: string, texts: string[], timeout?: number): Promise<void> {
  await daemon.until(`${texts.length} texts in its history`, async () => {
    const bodies = new Set((await daemon.history(conversation)).map(({ body }) => body));
    return texts.every((text) => bodies.has(text));
  }, timeout);
}
