/** Does the driver do with real daemons what its tests rely on? Also a collection of examples. */

import assert from "node:assert/strict";
import { befriend, group, type JamiDaemon, people } from "./driver/daemon.ts";
import { type Host, Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";

/** ms in which a message that must not come would have come: those that may arrive within a tenth of this. */
const SILENCE = 3_000;

interopTest("real daemons meet, talk, ban, lose their network and crash", async (t) => {
  await using network = await Network.up();
  const [alice, bob, carol] = await people(network, "alice", "bob", "carol");
  await using _alice = alice, _bob = bob, _carol = carol;

  const oneToOne = await befriend(alice, bob);
  await befriend(alice, carol);
  const conversation = await group(alice, bob, carol);

  await t.step("a message reaches the others, with its author", async () => {
    const hello = await talk(alice, bob, conversation, "hello");
    assert.equal(hello.author, alice.uri);
    await carol.waitText(conversation, "hello");
    await talk(bob, alice, oneToOne, "psst");
  });

  await t.step("replies, edits and reactions name their message", async () => {
    const { id } = await talk(alice, bob, conversation, "first");
    const since = alice.mark();
    await bob.reply(conversation, "second", id);
    const reply = await alice.waitText(conversation, "second", { since });
    assert.equal(reply.message["reply-to"], id);
    await bob.react(conversation, "👍", id);
    await alice.waitMessage(conversation, (message) => message["react-to"] === id, { since });
    await alice.edit(conversation, "first, edited", id);
    await bob.waitMessage(conversation, (message) => message.edit === id);
  });

  await t.step("the history and the repository hold what was said", async () => {
    const bodies = (await carol.history(conversation)).map((message) => message.body);
    assert.ok(bodies.includes("hello") && bodies.includes("second"));
    assert.match(await carol.git(conversation, "log", "--format=%s", "main"), /"body":"hello"/);
    assert.equal((await carol.git(conversation, "fsck", "--strict")).trim(), "");
  });

  await t.step("a banned member is not heard until unbanned", async () => {
    await alice.ban(conversation, bob.uri);
    await carol.waitMember(conversation, bob.uri, ["banned"]);
    const since = carol.mark();
    await bob.send(conversation, "let me in");
    await assert.rejects(carol.waitText(conversation, "let me in", { since, timeout: SILENCE }), {
      name: "DaemonTimeout",
    });
    await alice.unban(conversation, bob.uri);
    await carol.waitMember(conversation, bob.uri, ["admin", "member", "invited"]);
  });

  await t.step("an unplugged host hears nothing, and everything when it is back", async () => {
    await carol.unplug();
    const since = carol.mark();
    await alice.send(conversation, "nobody hears this yet");
    await assert.rejects(carol.waitText(conversation, "nobody hears this yet", { since, timeout: SILENCE }), {
      name: "DaemonTimeout",
    });
    await carol.plug();
    await carol.waitText(conversation, "nobody hears this yet", { since });
  });

  await t.step("a killed daemon starts again with its account and catches up", async () => {
    await carol.kill();
    assert.equal(carol.running, false);
    const { uri, device } = carol, since = carol.mark();
    await alice.send(conversation, "carol is dead");
    await carol.start();
    assert.deepEqual([carol.uri, carol.device], [uri, device]);
    await carol.waitText(conversation, "carol is dead", { since });
    assert.equal(await carol.stop(), true);
  });
});

interopTest("networks stand side by side, cut and heal, and leave nothing behind", async () => {
  const one = await Network.up();
  const other = await Network.up();
  const sleeper = one.spawn(await one.host(), ["sleep", "1000"]);
  const host = await other.host(), peer = await other.host();
  assert.equal(await reaches(other, host, peer), true);
  await other.cut(host, peer);
  assert.equal(await reaches(other, host, peer), false);
  await other.heal(host, peer);
  assert.equal(await reaches(other, host, peer), true);
  await one.down();
  assert.equal((await sleeper.ended).signal, "SIGKILL");
  assert.equal(await exists(one), false);
  assert.equal(await exists(other), true);
  await other.down();
  assert.equal(await exists(other), false);
});

interopTest("the network of a killed test run disappears", async () => {
  const network = new URL("driver/network.ts", import.meta.url).href;
  const program = `import { type Host, Network } from ${JSON.stringify(network)};
    const { folder, switch: { namespace } } = await Network.up();
    console.log(JSON.stringify({ folder, namespace }));
    setInterval(() => {}, 1000);`;
  await using run = new Deno.Command(Deno.execPath(), { args: ["eval", program], stdout: "piped" }).spawn();
  const reader = run.stdout.getReader();
  const { folder, namespace } = JSON.parse(new TextDecoder().decode((await reader.read()).value));
  assert.equal(await exists({ folder, switch: { namespace } }), true);
  run.kill("SIGKILL");
  await reader.cancel();
  while (await exists({ folder, switch: { namespace } })) await new Promise((resolve) => setTimeout(resolve, 50));
});

/** Whether packets go from one host to the other and back: a closed port that answers is an answer. */
async function reaches(network: Network, from: Host, to: Host): Promise<boolean> {
  const knock = network.run(from, ["bash", "-c", `exec 3<>/dev/tcp/${to.address}/9`]);
  return await knock.then(() => true, (error: Error) => /refused/.test(error.message));
}

/** Whether anything of a network is still there. */
async function exists(network: { folder: string; switch: { namespace: string } }): Promise<boolean> {
  const { stdout } = await new Deno.Command("ip", { args: ["netns", "list"] }).output();
  const folder = await Deno.stat(network.folder).catch(() => null);
  return folder !== null || new TextDecoder().decode(stdout).includes(network.switch.namespace);
}

/** `from` says something; the message as `to` gets it. */
async function talk(from: JamiDaemon, to: JamiDaemon, conversation: string, body: string) {
  const since = to.mark();
  await from.send(conversation, body);
  return (await to.waitText(conversation, body, { since })).message;
}
