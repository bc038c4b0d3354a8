/**
 * Who gets a conversation from a node, and who does not (swarm-sync.md 1.6). All attempts are made by the real daemon's own code: it is given
 * an invitation that names the node as the one who invites, accepts it, and clones. The node accepts everybody's connection, so
 * that it is the rule of git and nothing else that refuses.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, inviteNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { kituoHistory, waitKituoTexts } from "./driver/scenario.ts";

const SILENCE = 3_000; // ms in which a message that must not come would have come

interopTest(
  "a stranger, a banned member and one who left get nothing of a node; invited ones and members do",
  async (t) => {
    await using network = await Network.up();
    const [alice, bob, carol] = await people(network, "alice", "bob", "carol");
    await using _alice = alice, _bob = bob, _carol = carol;
    await using kituo = await openNode(network, "kituo", "--log-level", "debug", "--offer-contact", "false");
    await addNode(alice, kituo);
    const conversation = await alice.startGroup();
    await inviteNode(alice, kituo, conversation);
    await alice.send(conversation, "for members");
    await waitKituoTexts(kituo, conversation, ["for members"]);
    const scene = { alice, kituo, conversation };

    await t.step("a stranger who knows the conversation's id is declined", async () => {
      await cloneFromNode(carol, scene, () => forgeInvitation(carol, scene));
      await declined(kituo, carol, conversation);
      assert.deepEqual(await commitsOf(carol, conversation), []);
    });

    await t.step("an invited one clones, by the very same way, and then is a member", async () => {
      await cloneFromNode(bob, scene, () => alice.invite(conversation, bob.uri));
      await alice.waitMember(conversation, bob.uri);
      assert((await bob.history(conversation)).some(({ body }) => body === "for members"));
      assert.equal(await declines(kituo, bob, conversation), 0);
    });

    await t.step("one who left cannot clone again", async () => {
      await bob.leave(conversation);
      await kituo.until("his leave", async () => (await roleOf(kituo, conversation, bob) ?? "left") === "left");
      await bob.until("his copy to go", async () => (await commitsOf(bob, conversation)).length === 0);
      await cloneFromNode(bob, scene, () => forgeInvitation(bob, scene));
      await declined(kituo, bob, conversation);
      assert.deepEqual(await commitsOf(bob, conversation), []);
    });

    await t.step("a banned member hears nothing more, and cannot fetch when it connects anew", async () => {
      await carol.kill();
      const [dave] = await people(network, "dave");
      await using _dave = dave;
      await alice.invite(conversation, dave.uri);
      await dave.acceptGroup(conversation);
      await alice.waitMember(conversation, dave.uri);
      await dave.send(conversation, "hello"); // Dave and the node meet, and fetch from each other
      await waitKituoTexts(kituo, conversation, ["hello"]);
      await alice.ban(conversation, dave.uri);
      await kituo.until("the ban", async () => await roleOf(kituo, conversation, dave) === "banned");
      const before = await declines(kituo, dave, conversation);
      const since = dave.mark();
      await alice.send(conversation, "not for Dave");
      await waitKituoTexts(kituo, conversation, ["not for Dave"]);
      await alice.kill(); // a daemon of 2023 gives everything to everybody: only the node is asked from now on
      // Dave does not know that he is banned: he asks the node for the conversation when they connect again.
      await dave.kill();
      await dave.start();
      await dave.send(conversation, "let me in");
      await declined(kituo, dave, conversation, before);
      await assert.rejects(dave.waitText(conversation, "not for Dave", { since, timeout: SILENCE }), {
        name: "DaemonTimeout",
      });
      assert(!(await kituoHistory(kituo, conversation)).some(({ body }) => body === "let me in"));
    });

    await assertSound(kituo, conversation);
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

interface Scene {
  alice: JamiDaemon;
  kituo: KituoProcess;
  conversation: string;
}

/** Alice sends an invitation into a group without adding anybody to it. */
async function forgeInvitation(to: JamiDaemon, { alice, conversation }: Scene): Promise<void> {
  const invitation = JSON.stringify({ conversationId: conversation, metadatas: { mode: "2" } });
  await alice.call("ConfigurationManager", "sendTextMessage", alice.account, to.uri, {
    "application/invite+json": invitation,
  });
}

/** The daemon gets an invitation of Alice, is made to believe that the node sent it, and accepts. */
async function cloneFromNode(daemon: JamiDaemon, scene: Scene, invite: () => Promise<void>): Promise<void> {
  const { alice, kituo, conversation } = scene;
  await invite();
  await daemon.until("the invitation", async () => {
    return (await daemon.conversationRequests()).some(({ id }) => id === conversation);
  });
  await daemon.kill();
  const requests = `${daemon.home}/data/jami/${daemon.account}/convRequests`;
  const stored = Buffer.from(await Deno.readFile(requests)).toString("latin1");
  assert(stored.includes(alice.uri));
  await Deno.writeFile(requests, Buffer.from(stored.replaceAll(alice.uri, kituo.jamiId), "latin1"));
  await daemon.start();
  await daemon.waitRegistered();
  await daemon.acceptGroup(conversation);
}

/** How often the node declined the daemon's wish to fetch. */
async function declines(kituo: KituoProcess, daemon: JamiDaemon, conversation: string): Promise<number> {
  const lines = (await kituo.logText()).split("\n");
  const fetching = new RegExp(`"name":"git://[0-9a-f]{64}/${conversation}"`);
  return lines.filter((line) => line.includes("declined") && fetching.test(line) && line.includes(daemon.device))
    .length;
}

async function declined(kituo: KituoProcess, daemon: JamiDaemon, conversation: string, before = 0): Promise<void> {
  await kituo.until(`${daemon.name}'s attempt`, async () => await declines(kituo, daemon, conversation) > before);
}

/** The commits in the daemon's repository; none without one. */
async function commitsOf(daemon: JamiDaemon, conversation: string): Promise<string[]> {
  const listed = await daemon.git(conversation, "rev-list", "--all").catch(() => "");
  return listed.split("\n").filter((line) => line !== "");
}

async function roleOf(kituo: KituoProcess, conversation: string, { uri }: JamiDaemon): Promise<string | undefined> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return members.find(({ jamiId }) => jamiId === uri)?.role;
}
