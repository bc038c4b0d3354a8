/**
 * Files and profiles with the real daemon on the other ends (swarm-sync.md 6): the sender is offline, a late member gets its file from the node, through cuts
 * and crashes on both sides; and who gets nothing.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type JamiDaemon, type Message, people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, inviteNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { TodayPeer } from "./driver/today_peer.ts";

const MB = 1_000_000;
const FINISHED = 6; // of dataTransferEvent
const AWAY = 3_000; // ms for which a cable is pulled: TCP lives on
/** One grey pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const WATCH = 2; // ms between two looks at a file that grows

/** A file as the API tells it. */
interface ApiFile {
  id: string;
  name: string;
  size: number;
  sha3: string;
  state: string;
  received: number;
}

interopTest(
  "a late member gets 50 MB from Kituo, though its network was cut and its daemon killed in the middle",
  async (t) => {
    await using network = await Network.up();
    const [alice, bob] = await people(network, "alice", "bob");
    await using _alice = alice, _bob = bob;
    await using kituo = await openNode(network, "kituo", "--log-level", "debug", "--offer-contact", "false");
    const conversation = await group(alice, kituo, bob);
    await bob.stop();
    const file = await randomFile(`${network.folder}/film.bin`, 50 * MB);
    const posted = performance.now();
    const message = await sendFile(alice, conversation, file.path, "film.bin");
    await stored(kituo, conversation, message.id);
    console.log(`    Kituo has it ${Math.round(performance.now() - posted)} ms after it was posted`);
    await alice.stop();

    const path = `${network.folder}/bobs film.bin`;
    await t.step("the network is cut in the middle, and comes back", async () => {
      const since = bob.mark();
      await bob.start();
      await bob.waitMessage(conversation, ({ id }) => id === message.id, { since });
      await bob.download(conversation, message.id, message.fileId, path);
      await grown(path, 5 * MB);
      await bob.unplug();
      const before = await sizeOf(path);
      await new Promise((resolve) => setTimeout(resolve, AWAY));
      assert.ok(await sizeOf(path) < file.size, "it is not whole yet");
      await bob.plug(false);
      await grown(path, before + MB);
    });

    await t.step("the daemon is killed in the middle, and goes on where it was", async () => {
      await bob.kill();
      const before = await sizeOf(path);
      assert.ok(before > 0 && before < file.size, `${before} bytes`);
      // It remembers what it wanted, and asks by itself. (Asked once more, it would add a whole file to the end of what it has.)
      const since = bob.mark();
      await bob.start();
      await bob.waitEvent("dataTransferEvent", (args) => args[2] === message.id && args[4] === FINISHED, { since });
      assert.equal(await sizeOf(path), file.size);
      assert.equal(await sha3Of(path), file.sha3);
      const starts = (await sentFrom(kituo)).filter((start) => start > 0);
      assert.deepEqual(starts, [before], "only what was missing was sent");
    });

    await assertSound(kituo, conversation);
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

interopTest(
  "Kituo killed in the middle of its own download goes on where it was; a file over its limit it leaves",
  async (t) => {
    await using network = await Network.up();
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    const args = ["--log-level", "debug", "--max-file-size", "60M"];
    await using kituo = await openNode(network, "kituo", ...args);
    const conversation = await group(alice, kituo);

    await t.step("killed in the middle", async () => {
      const file = await randomFile(`${network.folder}/film.bin`, 50 * MB);
      const { id } = await sendFile(alice, conversation, file.path, "film.bin");
      const part = `${kituo.data}/files/parts/${id}.part`;
      await grown(part, 5 * MB);
      await kituo.kill();
      const before = await sizeOf(part);
      assert.ok(before < file.size, `${before} bytes`);
      await kituo.start();
      await stored(kituo, conversation, id);
      // Alice's daemon may be busy with the dead connection still, and be asked twice.
      assert.deepEqual(new Set(await askedFrom(kituo)), new Set([0, before]));
      assert.equal(await sha3Of(`${kituo.data}/files/${file.sha3.slice(0, 2)}/${file.sha3}`), file.sha3);
      assert.equal(await sizeOf(part), 0);
    });

    await t.step("over the limit", async () => {
      const { id } = await sendFile(
        alice,
        conversation,
        (await randomFile(`${network.folder}/big`, 64 * MB)).path,
        "big",
      );
      const small = await randomFile(`${network.folder}/small`, 1000);
      const after = await sendFile(alice, conversation, small.path, "small");
      await stored(kituo, conversation, after.id);
      assert.equal((await filesOf(kituo, conversation)).find((one) => one.id === id)?.state, "too large");
      const { files } = await kituo.api<{ files: { used: number; counts: Record<string, number> } }>("GET", "/storage");
      assert.equal(files.used, 50 * MB + 1000);
      assert.deepEqual([files.counts.stored, files.counts["too large"]], [2, 1]);
    });
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

interopTest("a stranger and an invited one are declined a file, a member is not; profiles come and go", async (t) => {
  await using network = await Network.up();
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  const vcard = "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Alice Example\r\nEND:VCARD";
  await Deno.writeTextFile(`${alice.home}/data/jami/${alice.account}/profile.vcf`, vcard); // as a client would
  const picture = `${network.folder}/kituo.png`;
  await Deno.writeFile(picture, Buffer.from(PNG, "base64"));
  await using kituo = await openNode(network, "kituo", "--name", "Kituo cha Pwani", "--picture", picture);
  const conversation = await group(alice, kituo);
  const { id, fileId } = await sendFile(
    alice,
    conversation,
    (await randomFile(`${network.folder}/f.bin`, MB)).path,
    "f.bin",
  );
  await stored(kituo, conversation, id);
  // Someone whose app can be told to ask for anything: only our own second peer can.
  await using eve = await TodayPeer.createAccount(network, "eve", { neighbours: [kituo.host] });
  await eve.waitAnnounced();
  await eve.addContact(kituo.jamiId);
  await eve.waitConnected(kituo.jamiId);
  const ask = () => eve.request(kituo.jamiId, `data-transfer://${conversation}/${eve.device}/${fileId}`);

  await t.step("a stranger", async () => assert.equal(await ask(), null));

  await t.step("one who is invited, and has not joined", async () => {
    await alice.invite(conversation, eve.uri);
    await kituo.until("the invitation", async () => await roleOf(kituo, conversation, eve.uri) === "invited");
    assert.equal(await ask(), null);
  });

  await t.step("a member", async () => {
    await eve.acceptGroup(conversation);
    await kituo.until("the acceptance", async () => await roleOf(kituo, conversation, eve.uri) === "member");
    const sha3 = (await filesOf(kituo, conversation))[0].sha3;
    assert.deepEqual(await ask(), { size: MB, sha3 });
  });

  const nameOf = async (account: string) => {
    const path = `/conversations/${conversation}`;
    const { members } = await kituo.api<{ members: { jamiId: string; name: string }[] }>("GET", path);
    return members.find(({ jamiId }) => jamiId === account)?.name;
  };
  const photo = `PHOTO;ENCODING=BASE64;TYPE=PNG:${PNG}`;
  const own = `BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Kituo cha Pwani\r\n${photo}\r\nEND:VCARD`;

  await t.step("a 2023 daemon's profile is shown, and it gets ours", async () => {
    await kituo.until("Alice's name", async () => await nameOf(alice.uri) === "Alice Example");
    const { args: [, , stored] } = await alice.waitEvent("profileReceived", (args) => args[1] === kituo.jamiId);
    assert.equal(await Deno.readTextFile(`${stored}`), own);
  });

  await t.step("a today peer's profile is shown, it is given ours, and gets it again when it asks", async () => {
    const given = await eve.waitEvent("profile", ({ account }) => account === kituo.jamiId);
    assert.equal(given.vcard, own);
    assert.ok(Number(given.modified) > 0, "with the time of its last change");
    await eve.sendProfile(kituo.jamiId, conversation, vcard.replace("Alice", "Eve"));
    await kituo.until("Eve's name", async () => await nameOf(eve.uri) === "Eve Example");
    const asked = await eve.request(kituo.jamiId, `data-transfer://${conversation}/profile/${kituo.jamiId}.vcf`);
    assert.deepEqual(asked, { size: own.length, sha3: createHash("sha3-512").update(own).digest("hex") });
  });
  assert.deepEqual(await errorsOf(kituo), []);
});

/** A group of Alice's with the node and others, once all are in it. */
async function group(alice: JamiDaemon, kituo: KituoProcess, ...others: JamiDaemon[]): Promise<string> {
  await addNode(alice, kituo);
  const conversation = await alice.startGroup();
  await inviteNode(alice, kituo, conversation);
  for (const other of others) {
    await alice.invite(conversation, other.uri);
    await other.acceptGroup(conversation);
    await alice.waitMember(conversation, other.uri);
    await kituo.until("the member", async () => await roleOf(kituo, conversation, other.uri) === "member");
    await other.waitMember(conversation, kituo.jamiId);
  }
  return conversation;
}

/** Sends a file; its commit. */
async function sendFile(daemon: JamiDaemon, conversation: string, path: string, name: string): Promise<Message> {
  const since = daemon.mark();
  await daemon.sendFile(conversation, path, name);
  const isIt = (message: Message) => message.type === "application/data-transfer+json" && message.displayName === name;
  return (await daemon.waitMessage(conversation, isIt, { since })).message;
}

async function filesOf(kituo: KituoProcess, conversation: string): Promise<ApiFile[]> {
  return (await kituo.api<{ files: ApiFile[] }>("GET", `/conversations/${conversation}/files`)).files;
}

async function stored(kituo: KituoProcess, conversation: string, id: string): Promise<void> {
  await kituo.until("the file", async () => {
    return (await filesOf(kituo, conversation)).find((file) => file.id === id)?.state === "stored";
  });
}

async function roleOf(kituo: KituoProcess, conversation: string, account: string): Promise<string | undefined> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return members.find(({ jamiId }) => jamiId === account)?.role;
}

/** From which bytes on files were sent, as the node's log says. */
async function sentFrom(kituo: KituoProcess): Promise<number[]> {
  return await startsIn(kituo, /bytes of file \w+ from byte/);
}

/** From which bytes on the node asked for files. */
async function askedFrom(kituo: KituoProcess): Promise<number[]> {
  return await startsIn(kituo, /for file \w+ from byte/);
}

async function startsIn(kituo: KituoProcess, message: RegExp): Promise<number[]> {
  const lines = (await kituo.logText()).split("\n").filter((line) => message.test(line));
  return lines.map((line) => JSON.parse(line).properties.start);
}

async function randomFile(path: string, size: number): Promise<{ path: string; size: number; sha3: string }> {
  const file = await Deno.open(path, { write: true, create: true });
  const chunk = crypto.getRandomValues(new Uint8Array(50_000));
  for (let at = 0; at < size; at += chunk.length) {
    chunk[at % chunk.length]++; // no two chunks are the same
    chunk[(at / chunk.length) % chunk.length] ^= 0xff;
    const part = chunk.subarray(0, Math.min(chunk.length, size - at));
    for (let n = 0; n < part.length;) n += await file.write(part.subarray(n));
  }
  file.close();
  return { path, size, sha3: await sha3Of(path) };
}

async function sha3Of(path: string): Promise<string> {
  const hash = createHash("sha3-512");
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number> {
  return (await Deno.stat(path).catch(() => null))?.size ?? 0;
}

/** Until a file that comes in has so many bytes: no event tells that. */
async function grown(path: string, size: number): Promise<void> {
  for (const end = performance.now() + 60_000; await sizeOf(path) < size;) {
    if (performance.now() > end) throw new Error(`${path} has ${await sizeOf(path)} bytes after a minute`);
    await new Promise((resolve) => setTimeout(resolve, WATCH));
  }
}
