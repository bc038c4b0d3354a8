import assert from "node:assert/strict";
import { type Bytes, concat, text, utf8 } from "../../../core/base/bytes.ts";
import { LimitError, TimeoutError } from "../../../core/base/errors.ts";
import { seededRandom } from "../../../core/base/random.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import { MAX_CHANNELS, PEER_BURST, SEND_MAX_QUEUE, SIP_TIMEOUT } from "../../../core/messaging/constants.ts";
import { type IncomingMessage, Messenger, type MessengerOptions } from "../../../core/messaging/messenger.ts";
import { encodeMsg } from "../../../core/messaging/msg_channel.ts";
import type { Generation, Notification, Payload } from "../../../core/messaging/payload.ts";
import { SipRefused } from "../../../core/messaging/sip_channel.ts";
import { encodeSip, header, SipStream } from "../../../core/messaging/sip_message.ts";
import { type Channel, ChannelDeclined, ConnectionClosed } from "../../../core/transport/channel.ts";
import { connectionPair, type MemoryConnection, testPeer } from "../../support/channel_pair.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { pieces, vector } from "./support.ts";

const ALICE = testPeer("a");
const BOB = testPeer("b");

function notification(digit: string, from: Peer = ALICE): Notification {
  return { kind: "notification", conversation: "c".repeat(40), commit: digit.repeat(40), device: from.device };
}

/** A messenger with what a test wants to know of it. */
class Node {
  readonly messenger: Messenger;
  readonly got: IncomingMessage[] = [];
  readonly readyVia: Generation[] = [];
  readonly generations = new Map<string, Generation>();
  readonly seen = new Set<string>();

  constructor(self: Peer, readonly clock: VirtualClock, more: Partial<MessengerOptions> = {}) {
    this.messenger = new Messenger({
      clock,
      random: seededRandom(self.account.charCodeAt(0)),
      identity: self,
      generations: this.generations,
      seen: (account, token) => {
        const known = this.seen.has(account + token);
        this.seen.add(account + token);
        return known;
      },
      ...more,
    });
    this.messenger.on("message", (message) => this.got.push(message));
    this.messenger.on("ready", ({ via }) => this.readyVia.push(via));
  }

  /** Resolves when `count` messages have come in all. */
  async received(count: number): Promise<Payload[]> {
    while (this.got.length < count) await this.messenger.once("message");
    return this.got.map(({ payload }) => payload);
  }

  /** Accepts channels by scheme, as today's peers and those of 2023 do. */
  accept(connection: MemoryConnection, schemes: RegExp): void {
    connection.accept = (name) => schemes.test(name) ? (channel) => this.messenger.attach(channel) : null;
  }
}

const TODAY = /^(msg:|sip$)/;
const OLD = /^sip$/;

function setup(schemes: { alice: RegExp; bob: RegExp }) {
  const clock = new VirtualClock();
  const [toBob, toAlice] = connectionPair(ALICE, BOB);
  const alice = new Node(ALICE, clock);
  const bob = new Node(BOB, clock);
  alice.accept(toBob, schemes.alice);
  bob.accept(toAlice, schemes.bob);
  return { clock, alice, bob, toBob, toAlice };
}

/** Plays a peer by hand: Alice's messenger, and the raw end of each channel that she opens. */
function rawPeer(schemes: RegExp) {
  const clock = new VirtualClock();
  const [toBob, toAlice] = connectionPair(ALICE, BOB);
  const alice = new Node(ALICE, clock);
  alice.accept(toBob, TODAY);
  const opened: Channel[] = [];
  toAlice.accept = (name) => schemes.test(name) ? (channel) => opened.push(channel) : null;
  return { clock, alice, toBob, toAlice, opened };
}

async function write(channel: Channel, bytes: Bytes): Promise<void> {
  const writer = channel.writable.getWriter();
  await writer.write(bytes);
  writer.releaseLock();
}

/** The SIP messages of a channel, one after the other. */
async function* sipMessages(channel: Channel) {
  const stream = new SipStream();
  for await (const chunk of channel.readable) yield* stream.push(chunk);
}

/** A SIP MESSAGE of Bob's, made of a real one. */
function sipVector(from: string, messageId: string): Bytes {
  const real = text(vector("sync/sip/application_im-gitmessage-id.bin"));
  return utf8(
    real.replace("ea4e1b719a078181de95456e6c35f2aafca0645d", from).replace("000fe84a21f68027", messageId),
  );
}

Deno.test("messenger: today's peer gets msg:, in both directions over one channel", async () => {
  const { alice, bob, toBob, toAlice } = setup({ alice: TODAY, bob: TODAY });
  await alice.messenger.send(toBob, notification("1"));
  assert.deepEqual(await bob.received(1), [notification("1")]);
  assert.deepEqual([bob.got[0].peer, bob.got[0].connection], [ALICE, toAlice]);
  await bob.messenger.send(toAlice, notification("2", BOB));
  assert.deepEqual(await alice.received(1), [notification("2", BOB)]);
  assert.deepEqual([toAlice.requested, toBob.requested], [[`msg:${BOB.device}`], []]);
  assert.deepEqual([alice.readyVia, bob.readyVia], [["msg"], ["msg"]]);
  assert.equal(alice.generations.get(BOB.device), "msg");
  assert.equal(bob.generations.get(ALICE.device), "msg");
});

Deno.test("messenger: a 2023 peer declines msg: and gets sip; the next connection asks for sip at once", async () => {
  const { clock, alice, bob, toBob, toAlice } = setup({ alice: TODAY, bob: OLD });
  await alice.messenger.send(toBob, notification("1"));
  await alice.messenger.send(toBob, { kind: "text", body: "grüße" });
  assert.deepEqual(await bob.received(2), [notification("1"), { kind: "text", body: "grüße" }]);
  assert.deepEqual(toAlice.requested, [`msg:${BOB.device}`, "sip"]);
  assert.equal(alice.generations.get(BOB.device), "sip");
  assert.deepEqual([alice.readyVia, bob.readyVia], [["sip"], ["sip"]]);
  const [again, other] = connectionPair(ALICE, BOB);
  new Node(BOB, clock).accept(other, OLD);
  assert.equal(await alice.messenger.ready(again), "sip");
  assert.deepEqual(other.requested, ["sip"]);
});

Deno.test("messenger: a device that declines both gives ChannelDeclined, a closed connection ConnectionClosed", async () => {
  const { alice, toBob } = setup({ alice: TODAY, bob: /^$/ });
  await assert.rejects(alice.messenger.send(toBob, notification("1")), ChannelDeclined);
  await toBob.close("test");
  await assert.rejects(alice.messenger.ready(toBob), ConnectionClosed);
  assert.equal(alice.messenger.usable(toBob), null);
});

for (const [name, schemes] of [["msg", TODAY], ["sip", OLD]] as const) {
  Deno.test(`messenger: both sides send many at once over ${name}, all arrive in order`, async () => {
    const { alice, bob, toBob, toAlice } = setup({ alice: schemes, bob: schemes });
    const digits = [..."0123456789abcdef"];
    await Promise.all(digits.flatMap((digit) => [
      alice.messenger.send(toBob, notification(digit)),
      bob.messenger.send(toAlice, notification(digit, BOB)),
    ]));
    assert.deepEqual(await bob.received(16), digits.map((digit) => notification(digit)));
    assert.deepEqual(await alice.received(16), digits.map((digit) => notification(digit, BOB)));
    assert.deepEqual([alice.readyVia.length, bob.readyVia.length], [1, 1]);
  });
}

Deno.test("messenger: concurrent callers share one attempt to open a channel", async () => {
  const { alice, toBob, toAlice } = setup({ alice: TODAY, bob: OLD });
  assert.deepEqual(
    await Promise.all([1, 2, 3].map(() => alice.messenger.ready(toBob))),
    ["sip", "sip", "sip"],
  );
  assert.deepEqual(toAlice.requested, [`msg:${BOB.device}`, "sip"]);
});

for (const name of [`msg:${ALICE.device}`, "sip"]) {
  Deno.test(`messenger: garbage on ${name} ends only that channel`, async () => {
    const { alice, toBob, toAlice } = rawPeer(TODAY);
    const bad = await toAlice.open(name);
    const good = await toAlice.open(`msg:${ALICE.device}`);
    await write(bad, utf8("\xc1 this is no message\r\n\r\n"));
    await bad.closed;
    await write(good, vector("today/msg/application_invite.bin"));
    assert.deepEqual((await alice.received(1)).map(({ kind }) => kind), ["invite-request"]);
    assert.deepEqual(toBob.channels.length, 1);
  });
}

Deno.test("messenger: a malformed payload is dropped and the channel goes on", async () => {
  const { alice, toAlice } = rawPeer(TODAY);
  const channel = await toAlice.open(`msg:${ALICE.device}`);
  await write(channel, encodeMsg({ id: 1n, type: "application/invite", body: "no id" }));
  await write(channel, encodeMsg({ id: 2n, type: "text/plain", body: "still here" }));
  assert.deepEqual(await alice.received(1), [{ kind: "text", body: "still here" }]);
});

Deno.test("messenger: frames that split and join messages do not matter", async () => {
  const { alice, toAlice } = rawPeer(TODAY);
  const msg = await toAlice.open(`msg:${ALICE.device}`);
  const one = vector("today/msg/application_im-gitmessage-id.bin");
  for (const chunk of pieces(concat(one, one, one), [7, 300, 1])) await write(msg, chunk);
  await alice.received(3);
  const sip = await toAlice.open("sip");
  const answers = sipMessages(sip);
  const bytes = concat(...["01", "02", "03"].map((id) => sipVector(BOB.account, id)));
  for (const chunk of pieces(bytes, [5, 1500, 1])) await write(sip, chunk);
  assert.deepEqual((await alice.received(6)).map(({ kind }) => kind), Array(6).fill("notification"));
  for (let i = 0; i < 3; i++) assert.deepEqual(status((await answers.next()).value), 200);
});

function status(message: unknown): unknown {
  return message && typeof message === "object" && "status" in message ? message.status : message;
}

Deno.test("messenger: over sip a From that is not the certificate's account is answered, and dropped", async () => {
  const { alice, toAlice } = rawPeer(TODAY);
  const channel = await toAlice.open("sip");
  const answers = sipMessages(channel);
  await write(channel, sipVector("e".repeat(40), "01"));
  await write(channel, sipVector(BOB.account, "02"));
  assert.equal(status((await answers.next()).value), 200);
  assert.equal(status((await answers.next()).value), 200);
  await alice.received(1);
  assert.deepEqual(alice.got.map(({ token }) => token), ["02"]);
  assert.equal(alice.got[0].peer.account, BOB.account);
});

Deno.test("messenger: over sip a repeated Message-ID is answered, and reported once; over msg: nothing is compared", async () => {
  const { alice, toAlice } = rawPeer(TODAY);
  const sip = await toAlice.open("sip");
  const answers = sipMessages(sip);
  for (const id of ["01", "01", "02"]) {
    await write(sip, sipVector(BOB.account, id));
    assert.equal(status((await answers.next()).value), 200);
  }
  await alice.received(2);
  assert.deepEqual(alice.got.map(({ token }) => token), ["01", "02"]);
  const msg = await toAlice.open(`msg:${ALICE.device}`);
  for (let i = 0; i < 2; i++) await write(msg, vector("today/msg/application_invite.bin"));
  await alice.received(4);
});

Deno.test("messenger: the answer has the daemon's shape and other methods get theirs", async () => {
  const { toAlice } = rawPeer(TODAY);
  const channel = await toAlice.open("sip");
  const answers = sipMessages(channel);
  const ask = async (method: string) => {
    await write(channel, utf8(text(sipVector(BOB.account, "01")).replaceAll("MESSAGE", method)));
    const { value } = await answers.next();
    assert(value?.kind === "response");
    return value;
  };
  const answer = await ask("MESSAGE");
  assert.deepEqual(answer.headers.map(([name]) => name), ["Via", "Call-ID", "From", "To", "CSeq"]);
  assert.match(header(answer, "via") ?? "", /;rport=2000;received=10\.0\.0\.2;branch=/);
  assert(text(encodeSip(answer)).endsWith("Content-Length:  0\r\n\r\n"));
  for (const [method, expected] of [["NOTIFY", 200], ["OPTIONS", 200], ["INVITE", 480], ["BYE", 405], ["FOO", 405]]) {
    assert.equal((await ask(String(method))).status, expected, String(method));
  }
});

Deno.test("messenger: calls are handed to whoever takes them", async () => {
  const clock = new VirtualClock();
  const [toBob, toAlice] = connectionPair(ALICE, BOB);
  const methods: string[] = [];
  const alice = new Node(ALICE, clock, {
    onOther: (_channel, message, send) => {
      if (message.kind === "request") methods.push(message.method);
      else methods.push(String(message.status));
      send({ kind: "response", status: 486, reason: "Busy Here", headers: [], body: new Uint8Array(0) });
    },
  });
  alice.accept(toBob, TODAY);
  const channel = await toAlice.open("sip");
  const answers = sipMessages(channel);
  await write(channel, utf8("INVITE sip:a SIP/2.0\r\nl: 0\r\n\r\nSIP/2.0 180 Ringing\r\nl: 0\r\n\r\n"));
  assert.equal(status((await answers.next()).value), 486);
  await answers.next();
  assert.deepEqual(methods, ["INVITE", "180"]);
});

Deno.test("messenger: a flood is cut off; over sip the refused ones are told to come again, and later do", async () => {
  const { clock, alice, toAlice } = rawPeer(TODAY);
  const msg = await toAlice.open(`msg:${ALICE.device}`);
  const one = encodeMsg({ id: 1n, type: "text/plain", body: "x" });
  await write(msg, concat(...Array(PEER_BURST + 100).fill(one)));
  await alice.received(PEER_BURST);
  const sip = await toAlice.open("sip");
  const answers = sipMessages(sip);
  await write(sip, sipVector(BOB.account, "01"));
  assert.equal(status((await answers.next()).value), 503);
  assert.equal(alice.got.length, PEER_BURST);
  await clock.advance(1000);
  await write(sip, sipVector(BOB.account, "01"));
  assert.equal(status((await answers.next()).value), 200);
  await alice.received(PEER_BURST + 1);
  const more = write(msg, concat(...Array(3000).fill(one))).catch(() => {});
  await msg.closed; // It does not stop: enough.
  await more;
});

Deno.test("messenger: a peer cannot pile up channels, nor open one in another device's name", async () => {
  const { alice, toBob, toAlice } = rawPeer(TODAY);
  for (const name of [`msg:${BOB.device}`, "sip:x", "git://x"]) {
    toBob.accept = () => (channel) => alice.messenger.attach(channel);
    await (await toAlice.open(name)).closed;
  }
  const open = await Promise.all(Array.from({ length: MAX_CHANNELS + 1 }, () => toAlice.open("sip")));
  await open[MAX_CHANNELS].closed;
  assert.equal(toBob.channels.length, MAX_CHANNELS);
  assert.deepEqual(alice.readyVia, ["sip"]);
});

/** Takes the requests on one sip channel and answers each with `code`; gives their tokens. */
async function answerAll(channel: Channel, code: number, tokens: (string | undefined)[]): Promise<void> {
  for await (const message of sipMessages(channel)) {
    tokens.push(header(message, "message-id"));
    const copied = ["via", "from", "to", "call-id", "cseq"].map((n): [string, string] => [n, header(message, n) ?? ""]);
    const body = new Uint8Array(0);
    await write(channel, encodeSip({ kind: "response", status: code, reason: "", headers: copied, body }));
  }
}

Deno.test("messenger: a sip channel that refuses is closed, and the same message goes once more over a new one", async () => {
  const { alice, toBob, toAlice } = rawPeer(OLD);
  const tokens: (string | undefined)[] = [];
  const codes = [500, 200];
  toAlice.accept = (name) => OLD.test(name) ? (channel) => void answerAll(channel, codes.shift() ?? 500, tokens) : null;
  await alice.messenger.send(toBob, notification("1"));
  assert.equal(tokens.length, 2);
  assert.match(tokens[0] ?? "", /^[0-9a-f]{16}$/);
  assert.equal(tokens[0], tokens[1]);
  assert.equal(alice.messenger.usable(toBob), "sip");
  codes.push(500, 500);
  const open = toBob.channels; // The refused one may still be ending.
  for (const channel of open) channel.close();
  await Promise.all(open.map(({ closed }) => closed));
  await assert.rejects(alice.messenger.send(toBob, notification("2")), SipRefused);
  assert.equal(alice.messenger.usable(toBob), null);
});

Deno.test("messenger: a sip peer that never answers costs two times 32 s, and the next message waits for its turn", async () => {
  const { clock, alice, toBob, opened } = rawPeer(OLD);
  const first = assert.rejects(alice.messenger.send(toBob, notification("1")), TimeoutError);
  const second = alice.messenger.send(toBob, notification("2")).then(() => "sent", () => "failed");
  await clock.advance(SIP_TIMEOUT - 1);
  assert.equal(opened.length, 1);
  await clock.advance(1);
  await clock.advance(SIP_TIMEOUT);
  await first;
  await toBob.close("test");
  assert.equal(await second, "failed");
  assert(opened.length >= 2);
});

Deno.test("messenger: what is too long for the peer's buffer fails alone; the channel goes on", async () => {
  const { alice, bob, toBob } = setup({ alice: TODAY, bob: OLD });
  await assert.rejects(alice.messenger.send(toBob, { kind: "text", body: "x".repeat(8000) }), LimitError);
  await alice.messenger.send(toBob, { kind: "text", body: "x".repeat(7000) });
  await bob.received(1);
  assert.equal(toBob.channels.length, 1);
});

Deno.test("messenger: a long message goes over msg: whole", async () => {
  const { alice, bob, toBob } = setup({ alice: TODAY, bob: TODAY });
  const long = { kind: "text" as const, body: "x".repeat(500_000) };
  await alice.messenger.send(toBob, long);
  assert.deepEqual(await bob.received(1), [long]);
  await assert.rejects(alice.messenger.send(toBob, { kind: "text", body: "x".repeat(1 << 20) }), LimitError);
});

Deno.test("messenger: no more than a bounded number waits for a device that does not answer", async () => {
  const { alice, toBob } = rawPeer(OLD);
  const sent = Array.from({ length: SEND_MAX_QUEUE }, () => alice.messenger.send(toBob, notification("1")));
  const outcomes = Promise.allSettled(sent);
  await assert.rejects(alice.messenger.send(toBob, notification("2")), LimitError);
  await toBob.close("test");
  assert((await outcomes).every(({ status }) => status === "rejected"));
});

Deno.test("messenger: a msg: channel that ended is opened again", async () => {
  const { alice, bob, toBob, toAlice } = setup({ alice: TODAY, bob: TODAY });
  await alice.messenger.send(toBob, notification("1"));
  const [open] = toBob.channels;
  toAlice.channels[0].close();
  await open.closed;
  await alice.messenger.send(toBob, notification("2"));
  assert.deepEqual(await bob.received(2), [notification("1"), notification("2")]);
  assert.deepEqual(toAlice.requested.length, 2);
  assert.deepEqual(alice.readyVia, ["msg", "msg"]);
});
