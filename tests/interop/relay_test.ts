/** The product's main job, with real daemons on all other ends: contacts, groups, and messages for members who were away. */

import assert from "node:assert/strict";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import {
  acceptRequest,
  askKituo,
  groupWithKituo,
  kituoHistory,
  linkTime,
  postInOrder,
  readyKituo,
  waitKituoMembers,
  waitKituoTexts,
  wallTime,
} from "./driver/scenario.ts";

const A_SECOND = 1_100; // ms
const HEAL_TIMEOUT = 90_000; // ms: jamid waits up to 32 s for a dead connection

interopTest("a daemon asks Kituo to be its contact, and they talk", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice] = await people(network, "alice");
  await using _alice = alice;

  const conversation = await askKituo(alice, kituo);
  await talk(alice, kituo, conversation);
  const { contacts } = await kituo.api<{ contacts: { jamiId: string; confirmed: boolean }[] }>("GET", "/contacts");
  assert.deepEqual(contacts.map(({ jamiId, confirmed }) => [jamiId, confirmed]), [[alice.uri, true]]);
});

interopTest("Kituo asks a daemon to be its contact, and they talk", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice] = await people(network, "alice");
  await using _alice = alice;

  await kituo.api("POST", "/contacts", { jamiId: alice.uri });
  await alice.acceptContact(kituo.jamiId);
  const conversation = await alice.conversationWith(kituo.jamiId);
  // 2023's daemon writes a text sent during its own join beside the join, with the join's files: nobody can take that.
  for (const account of [kituo.jamiId, alice.uri]) await alice.waitMember(conversation, account);
  await waitKituoMembers(kituo, conversation, [alice.uri]);
  await kituo.until("the confirmation", async () => {
    const { contacts } = await kituo.api<{ contacts: { confirmed: boolean }[] }>("GET", "/contacts");
    return contacts[0]?.confirmed;
  });
  await talk(alice, kituo, conversation);
});

interopTest("an invitation made while Kituo is just coming back arrives at once", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await askKituo(alice, kituo);
  await kituo.stop();
  await kituo.start();
  await kituo.waitReady();
  // No channel is open yet: Alice's daemon leaves the invitation on the DHT and waits a minute for its acknowledgement there.
  const conversation = await alice.startGroup();
  await alice.invite(conversation, kituo.jamiId);
  await acceptRequest(kituo, conversation, 10_000);
  await alice.waitMember(conversation, kituo.jamiId);
});

interopTest("a member who was away gets what others posted and left, from Kituo, at once", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--offer-contact", "false");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  await askKituo(alice, kituo);
  // Bob knows the group only: he and Kituo are no contacts.
  const conversation = await groupWithKituo(alice, kituo, bob);

  for (const [count, limit] of [[1, 2_000], [100, 6_000]]) {
    await t.step(`${count} messages, within ${limit} ms of the link`, async () => {
      const texts = Array.from({ length: count }, (_, i) => `${count}: message ${i + 1}`);
      await bob.stop();
      await postInOrder(alice, conversation, texts);
      await waitKituoTexts(kituo, conversation, texts);
      await alice.stop();

      const since = bob.mark();
      await bob.start();
      const last = await bob.waitText(conversation, texts[count - 1], { since });
      const linked = await linkTime(kituo, bob.device);
      const took = wallTime(last.at) - linked;
      console.log(`    ${count} messages: the last ${Math.round(took)} ms after the link with Bob`);
      assert.ok(took < limit, `${took} ms`);

      const got = (await bob.history(conversation)).map(({ body }) => body).filter((body) => texts.includes(body));
      assert.deepEqual(got.reverse(), texts, "all of them, in order");
      await alice.start();
    });
  }
});

interopTest("who wrote while away is told of everything that others wrote before", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--offer-contact", "false");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  await askKituo(alice, kituo);
  const conversation = await groupWithKituo(alice, kituo, bob);
  for (let round = 1; round <= 3; round++) {
    await bob.unplug();
    const [hers, his] = ["alice", "bob"].map((name) => [1, 2].map((n) => `round ${round}: ${name} ${n}`));
    await postInOrder(alice, conversation, hers);
    await waitKituoTexts(kituo, conversation, hers);
    await alice.stop();
    await new Promise((resolve) => setTimeout(resolve, A_SECOND)); // his are younger by the clock of commits
    await postInOrder(bob, conversation, his);
    const since = bob.mark();
    await bob.plug();
    for (const text of hers) await bob.waitText(conversation, text, { since, timeout: HEAL_TIMEOUT });
    await waitKituoTexts(kituo, conversation, his);
    await alice.start();
    for (const text of his) await alice.waitText(conversation, text, { timeout: HEAL_TIMEOUT });
  }
});

interopTest("in a star whose members know only Kituo, a message of any reaches all others", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--offer-contact", "false");
  const daemons = await people(network, "alice", "bob", "carol", "dave");
  await using stack = new AsyncDisposableStack();
  daemons.forEach((daemon) => stack.use(daemon));
  for (const daemon of daemons) await askKituo(daemon, kituo);
  const conversation = await groupWithKituo(daemons[0], kituo, ...daemons.slice(1));
  // From now on each reaches only the node. (While they are off: a fetch that is cut in the middle blocks 2023's daemon.)
  for (const daemon of daemons) await daemon.stop();
  for (const a of daemons) {
    for (const b of daemons) if (a.host.address < b.host.address) await network.cut(a.host, b.host);
  }
  for (const daemon of daemons) await daemon.start();
  await kituo.until("links with all four", async () => {
    return (await kituo.api<{ connections: number }>("GET", "/node")).connections === 4;
  });

  const times: number[] = [];
  for (const author of daemons) {
    const text = `${author.name} to all`;
    const marks = daemons.map((daemon) => daemon.mark());
    const sent = performance.now();
    await author.send(conversation, text);
    await Promise.all(daemons.map(async (daemon, i) => {
      const { at } = await daemon.waitText(conversation, text, { since: marks[i], timeout: 10_000 });
      if (daemon !== author) times.push(at - sent);
    }));
  }
  console.log(`    star: ${times.map((ms) => Math.round(ms)).join(", ")} ms`);
  assert.ok(Math.max(...times) < 2_000);
});

async function talk(daemon: JamiDaemon, kituo: KituoProcess, conversation: string): Promise<void> {
  await daemon.send(conversation, "hello Kituo");
  await waitKituoTexts(kituo, conversation, ["hello Kituo"]);
  const said = (await kituoHistory(kituo, conversation)).find(({ body }) => body === "hello Kituo");
  assert.equal(said?.author, daemon.uri);
  const since = daemon.mark();
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body: "hello yourself ✓" });
  const { message } = await daemon.waitText(conversation, "hello yourself ✓", { since });
  assert.equal(message.author, kituo.jamiId);
}
