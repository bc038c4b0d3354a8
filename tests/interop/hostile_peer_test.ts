/** An attacker with an account, let in by a node that is open to all, and invited into a group: each of her attacks costs her a channel, and nothing else. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { type Bytes, concat, text, utf8 } from "../../core/base/bytes.ts";
import { seededRandom } from "../../core/base/random.ts";
import { jsonMessage } from "../../core/swarm/commit.ts";
import { GitClient } from "../../core/swarm/fetch_pack.ts";
import { MissingObject, type ObjectReader } from "../../core/swarm/object.ts";
import { OverlayReader } from "../../core/swarm/overlay.ts";
import { writeEntryHeader } from "../../core/swarm/pack_entry.ts";
import { FLUSH, pktLine } from "../../core/swarm/pkt_line.ts";
import { Repository } from "../../core/swarm/repository.ts";
import { serveGit } from "../../core/swarm/upload_pack.ts";
import { writeCommit } from "../../core/swarm/write.ts";
import { type Channel, ChannelDeclined, type Connection } from "../../core/transport/channel.ts";
import { packChannelMessage, packMessage } from "../../core/transport/mux_codec.ts";
import { git, VECTORS } from "../support/git_vectors.ts";
import { people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Mallory } from "./driver/mallory.ts";
import { Network } from "./driver/network.ts";
import { addNode, inviteNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { kituoHistory } from "./driver/scenario.ts";
import { Witness } from "./driver/witness.ts";
import hostile from "../vectors/swarm/hostile.json" with { type: "json" };

const LIMIT = 15_000; // ms in which an attack must have had its consequence
const random = seededRandom(17);
const MIB = 1024 * 1024;

interopTest("an attacker below and inside TLS loses her connection, and the node goes on talking", async (t) => {
  await using network = await Network.up();
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await using kituo = await openNode(network);
  const conversation = await addNode(alice, kituo);
  await using mallory = await Mallory.join(network, kituo);
  await using witness = await Witness.start(alice, kituo, conversation);

  await t.step("garbage instead of a handshake", async () => {
    const { link } = await mallory.belowTls();
    await link.send(random.bytes(1_000));
    link.resume();
    await within("the end of the connection", link.done);
  });
  const garbage: Record<string, Bytes> = {
    "no msgpack": Uint8Array.of(0xc1, 0xc1),
    "noise": concat(Uint8Array.of(0xc1), random.bytes(MIB)),
    "a message over 65,535 bytes": packMessage(5, new Uint8Array(65_536)),
    "a message that promises 4 GB": concat(Uint8Array.of(0x92, 5, 0xc6, 255, 255, 255, 255), new Uint8Array(100_000)),
    "a flood of channel requests": concat(
      ...Array.from({ length: 5_000 }, (_, i) => packMessage(0, packChannelMessage("no", i + 1, 0))),
    ),
  };
  for (const [name, bytes] of Object.entries(garbage)) {
    await t.step(`in the multiplexer: ${name}`, async () => {
      const { socket, link } = await mallory.insideTls();
      socket.on("error", () => {}).resume();
      socket.write(bytes);
      await within("the end of the connection", link.done);
    });
  }
  await witness.testify();
});

interopTest("an attacker in channels and histories loses the channel, and the node goes on talking", async (t) => {
  await using network = await Network.up();
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await using kituo = await openNode(network);
  const oneToOne = await addNode(alice, kituo);
  const group = await alice.startGroup();
  await inviteNode(alice, kituo, group);
  await using mallory = await Mallory.join(network, kituo);
  await using witness = await Witness.start(alice, kituo, oneToOne);
  const connection = await mallory.connect();
  const gitName = (id: string) => `git://${mallory.target}/${id}`;

  await t.step("a stranger's git channels are declined", async () => {
    for (const id of [group, oneToOne, "0".repeat(40)]) {
      await assert.rejects(connection.open(gitName(id)), ChannelDeclined);
    }
  });

  // From now on she is invited, and may fetch (swarm-sync.md 1.6).
  await alice.invite(group, mallory.account);
  await kituo.until(
    "the invitation of Mallory",
    async () => (await roles(kituo, group))[mallory.account] === "invited",
  );

  for (const [name, bytes] of Object.entries(garbageForSip())) {
    await t.step(`sip: ${name}`, () => costsChannel(connection, "sip", bytes));
  }
  for (const [name, bytes] of Object.entries(garbageForMsg())) {
    await t.step(`msg: ${name}`, () => costsChannel(connection, `msg:${mallory.target}`, bytes));
  }
  for (const [name, bytes] of Object.entries(garbageForGit(group))) {
    await t.step(`git: ${name}`, () => costsChannel(connection, gitName(group), bytes));
  }

  const before = await kituoHistory(kituo, group);
  const msg = (await connection.open(`msg:${mallory.target}`)).writable.getWriter();
  for (const [name, answer] of Object.entries(garbageForFetch())) {
    await t.step(`served to the node's fetch: ${name}`, async () => {
      const served = nextServed(mallory, answer);
      await msg.write(mallory.notify(group, "f".repeat(40)));
      await within("the node to give up the channel", served);
    });
  }

  const client = new GitClient(await connection.open(gitName(group)), { conversation: group, device: mallory.target });
  const all = { have: [], known: () => false, base: NOTHING };
  const fetched = await client.fetch(all);
  assert(fetched, "an invited one may fetch");

  await t.step("a message of one who is only invited is refused", async () => {
    const reader = new OverlayReader(NOTHING, fetched.objects);
    const context = { reader, head: fetched.head, identity: mallory.identity, displayName: "M", now: Date.now() };
    const message = jsonMessage({ type: "text/plain", body: "I am not in" });
    const written = await writeCommit(context, { message, certificates: "renew" });
    const repository = await Repository.create(`${network.folder}/mallory.git`);
    await repository.add([...fetched.objects.values(), ...written.objects]);
    await repository.setHead(written.head);
    const refused = waitLog(kituo, (line) => line.includes("was refused") && line.includes(group));
    const served = serveRepository(mallory, repository);
    await msg.write(mallory.notify(group, written.head));
    await refused;
    served.close();
    await repository.close();
  });

  for (
    const name of ["bad_signature", "text_self_promotion", "ban_by_member", "second_root", "forged_device_certificate"]
  ) {
    await t.step(`a conversation with a broken history cannot be cloned: ${name}`, async () => {
      const dir = `${network.folder}/${name}.git`;
      await git(network.folder, ["clone", "-q", "--mirror", `${VECTORS}/swarm/hostile.bundle`, dir]);
      const head = hostile.cases.find((one) => one.name === name)?.head ?? "";
      await git(dir, ["update-ref", "refs/heads/main", head]);
      const repository = await Repository.open(dir, { readOnly: true });
      const refused = waitLog(kituo, (line) => line.includes("was refused") && line.includes(hostile.conversation));
      const served = serveRepository(mallory, repository);
      await msg.write(mallory.invite(hostile.conversation));
      await msg.write(mallory.notify(hostile.conversation, head));
      await refused;
      served.close();
      await repository.close();
    });
  }

  await t.step("banned, she loses the channel that was open, and gets no new one", async () => {
    assert(!client.closed);
    await alice.ban(group, mallory.account);
    await kituo.until("the ban", async () => (await roles(kituo, group))[mallory.account] === "banned");
    await assert.rejects(within("a refusal", client.fetch(all)));
    await assert.rejects(connection.open(gitName(group)), ChannelDeclined);
  });

  const after = await kituoHistory(kituo, group);
  assert(!after.some(({ author, body }) => author === mallory.account || body === "I am not in"));
  assert(before.every(({ id }) => after.some((message) => message.id === id)));
  await assertSound(kituo, group);
  const { conversations } = await kituo.api<{ conversations: { id: string; commits: number }[] }>(
    "GET",
    "/conversations",
  );
  assert.equal(conversations.find(({ id }) => id === hostile.conversation)?.commits ?? 0, 0);
  await witness.testify();
  assert.deepEqual(await errorsOf(kituo), []);
});

const NOTHING: ObjectReader = {
  read: (oid) => Promise.reject(new MissingObject(oid)),
  has: () => Promise.resolve(false),
};

/** These bytes in a new channel of hers make the node close it, or the whole connection. */
async function costsChannel(connection: Connection, name: string, bytes: Bytes): Promise<void> {
  const channel = await connection.open(name);
  const writer = channel.writable.getWriter();
  for (let at = 0; at < bytes.length; at += 60_000) {
    await writer.write(bytes.subarray(at, at + 60_000)).catch(() => {}); // closed already
  }
  const drained = (async () => {
    for await (const _chunk of channel.readable);
  })().catch(() => {});
  await within(`the end of a channel ${name}`, channel.closed);
  await drained;
}

function garbageForSip(): Record<string, Bytes> {
  const head =
    "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS x;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n" +
    "Call-ID: 1\r\nCSeq: 1 MESSAGE\r\n";
  return {
    "noise": concat(utf8("\r\nMESSAGE "), random.bytes(20_000), utf8("\r\n\r\n")),
    "a line without end": new Uint8Array(200_000).fill(0x61),
    "headers without end": utf8(head + "X-Header: y\r\n".repeat(10_000)),
    "a length of 4 GB": utf8(`${head}Content-Length: 4294967296\r\n\r\nhello`),
    "a negative length": utf8(`${head}Content-Length: -5\r\n\r\nhello`),
  };
}

function garbageForMsg(): Record<string, Bytes> {
  return {
    "no msgpack": Uint8Array.of(0xc1),
    "no map": Uint8Array.of(0x93, 1, 2, 3),
    "arrays in arrays": new Uint8Array(100_000).fill(0x91),
    "a text that promises 4 GB": concat(Uint8Array.of(0x81, 0xa1, 0x63, 0xdb, 255, 255, 255, 255), new Uint8Array(MIB)),
    "a value without end": concat(Uint8Array.of(0xdc, 255, 255), new Uint8Array(3 * MIB)),
  };
}

function garbageForGit(id: string): Record<string, Bytes> {
  const request = pktLine(`git-upload-pack /${id}\0host=x\0`);
  const want = pktLine(`want ${"a".repeat(40)} side-band-64k\n`);
  return {
    "noise": random.bytes(5_000),
    "a length that is none": utf8("zzzzgit-upload-pack"),
    "a length below 4": utf8("0003"),
    "a length over 65,520": concat(utf8("fff1"), new Uint8Array(65_521)),
    "another service": pktLine(`git-receive-pack /${id}\0host=x\0`),
    "a want that is no commit": concat(request, pktLine("want nothing side-band-64k\n"), FLUSH),
    "a want that is not ours": concat(request, want, FLUSH, pktLine("done\n")),
    "done without a want": concat(request, pktLine("done\n")),
    "haves without end": concat(
      request,
      want,
      ...Array.from({ length: 5_000 }, (_, i) => pktLine(`have ${i.toString(16).padStart(40, "0")}\n`)),
    ),
  };
}

/** What she answers to the node's request for her head `f…f`: the advertisement, and what follows the node's want. */
function garbageForFetch(): Record<string, { advertisement: Bytes; pack: Bytes }> {
  const head = "f".repeat(40);
  const advertisement = concat(pktLine(`${head} HEAD\0side-band-64k\n`), pktLine(`${head} refs/heads/main\n`), FLUSH);
  const pack = (...parts: Uint8Array[]) => {
    const content = concat(utf8("PACK"), Uint8Array.of(0, 0, 0, 2), ...parts);
    const whole = concat(content, createHash("sha1").update(content).digest());
    const lines: Bytes[] = [];
    for (let at = 0; at < whole.length; at += 60_000) {
      lines.push(pktLine(concat(Uint8Array.of(1), whole.subarray(at, at + 60_000))));
    }
    return { advertisement, pack: concat(pktLine("NAK\n"), ...lines, FLUSH) };
  };
  const one = Uint8Array.of(0, 0, 0, 1);
  const bomb = deflateSync(new Uint8Array(512 * MIB), { level: 9 }); // 0.5 MB
  const nothing = new Uint8Array(0);
  return {
    "an advertisement of noise": { advertisement: random.bytes(3_000), pack: nothing },
    "an advertisement of another thing": { advertisement: concat(pktLine("hello\n"), FLUSH), pack: nothing },
    "no pack": { advertisement, pack: concat(pktLine("NAK\n"), FLUSH) },
    "an unknown band": { advertisement, pack: concat(pktLine("NAK\n"), pktLine("\x09hello"), FLUSH) },
    "a pack of noise": pack(one, random.bytes(50_000)),
    "a pack of 4 billion objects": pack(Uint8Array.of(255, 255, 255, 255), random.bytes(100)),
    "a bomb that says its size": pack(one, writeEntryHeader("blob", 512 * MIB), bomb),
    "a bomb that lies": pack(one, writeEntryHeader("blob", 1_000), bomb),
    "a pack without the commit": pack(one, writeEntryHeader("blob", 5), deflateSync(utf8("hello"))),
  };
}

/** Lets the node fetch this repository, and every commit of it; `close` ends the channels. */
function serveRepository(mallory: Mallory, repository: Repository): { close(): void } {
  const channels: Channel[] = [];
  mallory.serve = (channel) => {
    channels.push(channel);
    serveGit(channel, { repository, authorize: () => true });
  };
  return {
    close() {
      mallory.serve = null;
      channels.forEach((channel) => channel.close());
    },
  };
}

/** Resolves when the node has closed the next channel on which it fetches from her, and got this answer. */
function nextServed(mallory: Mallory, { advertisement, pack }: { advertisement: Bytes; pack: Bytes }): Promise<void> {
  const done = Promise.withResolvers<void>();
  mallory.serve = (channel) => {
    mallory.serve = null;
    answer(channel, advertisement, pack).then(done.resolve, done.reject);
  };
  return done.promise;
}

async function answer(channel: Channel, advertisement: Bytes, pack: Bytes): Promise<void> {
  const writer = channel.writable.getWriter();
  const reader = channel.readable.getReader();
  const say = async (bytes: Bytes) => {
    for (let at = 0; at < bytes.length; at += 60_000) await writer.write(bytes.subarray(at, at + 60_000));
  };
  try {
    assert.match(text((await reader.read()).value ?? new Uint8Array(0)), /git-upload-pack/);
    await say(advertisement);
    let said = "";
    while (!said.includes("done")) {
      const { value, done } = await reader.read();
      if (done) return;
      said += text(value);
    }
    await say(pack);
    while (!(await reader.read()).done);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error; // else the node has closed the channel: as it should be
  }
}

async function roles(kituo: KituoProcess, conversation: string): Promise<Record<string, string>> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return Object.fromEntries(members.map(({ jamiId, role }) => [jamiId, role]));
}

/** Until the node's log has one more line for which `test` holds than now. */
async function waitLog(kituo: KituoProcess, test: (line: string) => boolean): Promise<void> {
  const count = async () => (await kituo.logText()).split("\n").filter(test).length;
  const before = await count();
  await kituo.until("a line in the log", async () => await count() > before, LIMIT);
}

async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${LIMIT} ms waited for ${what}`)), LIMIT);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
