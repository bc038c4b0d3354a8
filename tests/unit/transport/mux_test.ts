import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { type Bytes, concat, text, utf8 } from "../../../core/base/bytes.ts";
import { TimeoutError } from "../../../core/base/errors.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { type Channel, ChannelDeclined, ConnectionClosed } from "../../../core/transport/channel.ts";
import { type Acceptor, MuxConnection } from "../../../core/transport/mux.ts";
import { ANSWER_DOUBT, BEACON_TIMEOUT } from "../../../core/transport/constants.ts";
import {
  BEACON_ANSWER,
  BEACON_REQUEST,
  ChannelState,
  MessageReader,
  packChannelMessage,
  packMessage,
  VERSION_MESSAGE,
} from "../../../core/transport/mux_codec.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const PEER: Peer = { account: "a".repeat(40), device: "d".repeat(64), shortId: "5".repeat(40), chain: [] };
const { request, accept, decline } = ChannelState;

/** Our connection at one end, and the bytes of a peer written by hand at the other. */
class Bench {
  readonly clock = new VirtualClock();
  readonly connection: MuxConnection;
  readonly peer: Duplex;
  reason: string | null = null;
  readonly #messages: { channel: number; data: Bytes }[] = [];
  #arrived = Promise.withResolvers<void>();

  constructor(options: { server?: boolean; accept?: Acceptor; read?: boolean } = {}) {
    const [ours, theirs] = duplexPair();
    this.peer = theirs;
    theirs.on("end", () => theirs.end());
    this.connection = new MuxConnection({
      socket: ours,
      server: options.server ?? false,
      peer: PEER,
      incoming: true,
      id: "1",
      remote: "192.0.2.1:1",
      clock: this.clock,
      accept: options.accept ?? (() => null),
      ended: (reason) => void (this.reason = reason),
    });
    this.connection.start();
    if (options.read !== false) this.read();
  }

  /** Begins to take what our side sends. */
  read(): void {
    const reader = new MessageReader();
    this.peer.on("data", (chunk: Uint8Array) => {
      this.#messages.push(...reader.push(chunk));
      this.#arrived.resolve();
    });
  }

  /** The next message of our side. */
  async next(): Promise<{ channel: number; data: Bytes }> {
    while (this.#messages.length === 0) {
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
    return this.#messages.shift()!;
  }

  /** The next message must be this one. */
  async expect(message: Bytes): Promise<void> {
    const { channel, data } = await this.next();
    assert.deepEqual(packMessage(channel, data), message);
  }

  send(...messages: Bytes[]): void {
    this.peer.write(concat(...messages));
  }
}

const control = (name: string, channel: number, state: number) =>
  packMessage(0, packChannelMessage(name, channel, state));
const END = new Uint8Array(0);

/** Lets all that can happen without waiting for anything happen. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function opened(bench: Bench, name: string, number: number): Promise<Channel> {
  const channel = bench.connection.open(name);
  await bench.expect(control(name, number, request));
  bench.send(control(name, number, accept));
  return await channel;
}

Deno.test("the version is said first, and a beacon is answered at once", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  bench.send(VERSION_MESSAGE, BEACON_REQUEST);
  await bench.expect(BEACON_ANSWER);
  // Older writers use channel 0 for them.
  bench.send(packMessage(0, encode({ p: true })));
  await bench.expect(BEACON_ANSWER);
  await bench.connection.close("done");
});

Deno.test("channels are numbered from 1 by the TLS client and from 0x8000 by the server, skipping those in use", async () => {
  for (const [server, first] of [[false, 1], [true, 0x8000]] as const) {
    const bench = new Bench({ server, accept: () => () => {} });
    await bench.expect(VERSION_MESSAGE);
    bench.send(control("theirs", first + 1, request));
    await bench.expect(control("theirs", first + 1, accept));
    const one = await opened(bench, "a", first);
    await opened(bench, "a", first + 2);
    one.close();
    await bench.expect(packMessage(first, END));
    await opened(bench, "b", first + 3);
    assert.equal(bench.connection.channels.length, 3);
    await bench.connection.close("done");
  }
});

Deno.test("requests for numbers in use, for 0 and for 65535 are declined, and unknown names too", async () => {
  const bench = new Bench({ accept: (_connection, name) => name === "known" ? () => {} : null });
  await bench.expect(VERSION_MESSAGE);
  await opened(bench, "ours", 1);
  const pending = bench.connection.open("pending");
  await bench.expect(control("pending", 2, request));
  for (const number of [0, 1, 2, 65_535]) {
    bench.send(control("known", number, request));
    await bench.expect(control("known", number, decline));
  }
  bench.send(control("unknown", 9, request));
  await bench.expect(control("unknown", 9, decline));
  bench.send(control("known", 9, request));
  await bench.expect(control("known", 9, accept));
  bench.send(control("pending", 2, decline));
  await assert.rejects(pending, ChannelDeclined);
  await bench.connection.close("done");
});

Deno.test("an unknown state, or an end before the answer, is a decline", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const one = bench.connection.open("x"), two = bench.connection.open("x");
  one.catch(() => {});
  bench.send(control("x", 1, 7), packMessage(2, utf8("too early")), packMessage(2, END));
  await assert.rejects(one, ChannelDeclined);
  await assert.rejects(two, ChannelDeclined);
  await bench.connection.close("done");
});

Deno.test("no answer in 10 s is a TimeoutError; an ACCEPT after that is ended, and only then is the number free", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = bench.connection.open("slow");
  await bench.expect(control("slow", 1, request));
  const refused = assert.rejects(channel, TimeoutError);
  await bench.clock.advance(1);
  const other = opened(bench, "fast", 2); // the peer is there, and only this answer is missing
  await other;
  await bench.clock.advance(9_999);
  await refused;
  bench.send(control("slow", 1, accept));
  await bench.expect(packMessage(1, END));
  await bench.connection.close("done");
});

Deno.test("one chunk for each frame; what came before the end of the channel is still read", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  bench.send(
    ...["a", "bc", "def"].map((t) => packMessage(1, utf8(t))),
    packMessage(1, END),
    packMessage(1, utf8("lost")),
  );
  await channel.closed;
  const chunks: string[] = [];
  for await (const chunk of channel.readable) chunks.push(text(chunk));
  assert.deepEqual(chunks, ["a", "bc", "def"]);
  await assert.rejects(channel.writable.getWriter().write(utf8("x")), ConnectionClosed);
  await bench.connection.close("done");
});

Deno.test("a reader that waits hears of the end", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  const reader = channel.readable.getReader();
  const waiting = reader.read();
  bench.send(packMessage(1, END));
  assert.equal((await waiting).done, true);
  await bench.connection.close("done");
});

Deno.test("close ends the channel after all writes made before it, and none after", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  const writer = channel.writable.getWriter();
  const before = [writer.write(new Uint8Array(70_000)), writer.write(utf8("b"))];
  channel.close();
  const after = writer.write(utf8("c"));
  after.catch(() => {});
  const sizes: number[] = [];
  for (let i = 0; i < 4; i++) sizes.push((await bench.next()).data.length);
  assert.deepEqual(sizes, [65_535, 4_465, 1, 0]);
  await Promise.all(before);
  await assert.rejects(after, ConnectionClosed);
  await channel.closed;
  assert.equal(bench.connection.channels.length, 0);
  assert.equal((await channel.readable.getReader().read()).done, true);
  await bench.connection.close("done");
});

Deno.test("closing the writer ends the channel; writing nothing does not", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  const writer = channel.writable.getWriter();
  await writer.write(new Uint8Array(0));
  await writer.write(utf8("a"));
  await bench.expect(packMessage(1, utf8("a")));
  await writer.close();
  await bench.expect(packMessage(1, END));
  await bench.connection.close("done");
});

Deno.test("a reader that cancels drops what comes, and can go on writing", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  await channel.readable.cancel();
  for (let i = 0; i < 100; i++) bench.send(packMessage(1, new Uint8Array(60_000)));
  await channel.writable.getWriter().write(utf8("still here"));
  await bench.expect(packMessage(1, utf8("still here")));
  await bench.connection.close("done");
});

Deno.test("writers of several channels take turns, and wait while the peer does not read", async () => {
  const bench = new Bench({ read: false });
  const one = bench.connection.open("one"), two = bench.connection.open("two");
  bench.send(control("one", 1, accept), control("two", 2, accept));
  const channels = [await one, await two];
  const done = channels.map(() => false);
  const writes = channels.map(async (channel, i) => {
    await channel.writable.getWriter().write(new Uint8Array(10 * 65_535));
    done[i] = true;
  });
  await turns(100);
  assert.deepEqual(done, [false, false]);
  assert(
    bench.connection.bytesOut < 3 * 66_000,
    `${bench.connection.bytesOut} bytes were sent to a peer that does not read`,
  );
  bench.read();
  await Promise.all(writes);
  const order: number[] = [];
  while (order.length < 20) {
    const { channel, data } = await bench.next();
    if (data.length === 65_535) order.push(channel);
  }
  assert.deepEqual(order, Array(10).fill([1, 2]).flat());
  await bench.connection.close("done");
});

Deno.test("a channel nobody reads pauses the socket, and is ended at the limit; the connection goes on", async () => {
  const unread: Channel[] = [];
  const bench = new Bench({
    accept: (_connection, name) => name === "x" ? (channel) => void unread.push(channel) : null,
  });
  await bench.expect(VERSION_MESSAGE);
  bench.send(VERSION_MESSAGE, control("x", 5, request));
  await bench.expect(control("x", 5, accept));
  let accepted = 0;
  const flood = (async () => {
    for (let i = 0; i < 60; i++) {
      await new Promise<void>((resolve) => bench.peer.write(packMessage(5, new Uint8Array(65_535)), () => resolve()));
      accepted += 65_535;
    }
  })();
  await turns(100);
  assert(accepted < 600_000, `${accepted} bytes were taken though nobody reads`);
  const ended = unread[0].closed.then(() => true);
  let over = false;
  ended.then(() => over = true);
  // Every 2 s one chunk is read, to see whether a beacon waits there.
  for (let i = 0; i < 200 && !over; i++) {
    await bench.clock.advance(2_000);
    await turns(1);
  }
  assert(over, "the channel was not ended");
  await bench.expect(packMessage(5, END));
  await flood;
  bench.send(BEACON_REQUEST);
  await bench.expect(BEACON_ANSWER);
  await bench.connection.close("done");
});

Deno.test("a beacon that is not answered closes the connection after 3 s", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  assert.equal(await bench.connection.beacon(), true); // a peer that did not say it knows them
  bench.send(VERSION_MESSAGE);
  const channel = opened(bench, "x", 1);
  await channel;
  const first = bench.connection.beacon();
  await bench.expect(BEACON_REQUEST);
  bench.send(BEACON_ANSWER);
  assert.equal(await first, true);
  const second = bench.connection.beacon();
  await bench.clock.advance(2_999);
  assert.equal(bench.reason, null);
  await bench.clock.advance(1);
  assert.equal(await second, false);
  assert.match(bench.reason ?? "", /beacon/);
  await (await channel).closed;
});

Deno.test("a peer that says nothing when it is asked for a channel is taken for dead: at once if it never spoke, else after a beacon", async () => {
  for (const spoke of [false, true]) {
    const bench = new Bench();
    await bench.expect(VERSION_MESSAGE);
    if (spoke) await opened(bench, "before", 1).then(() => bench.send(VERSION_MESSAGE));
    await turns(2);
    const refused = assert.rejects(bench.connection.open("x"), ConnectionClosed);
    await bench.clock.advance(ANSWER_DOUBT - 1);
    assert.equal(bench.reason, null);
    await bench.clock.advance(1);
    if (spoke) await bench.clock.advance(BEACON_TIMEOUT);
    await refused;
    assert.match(bench.reason ?? "", spoke ? /beacon/ : /never said a word/);
  }
});

Deno.test("close sends what was written, and does not wait for a dead peer longer than a second", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  const channel = await opened(bench, "x", 1);
  const write = channel.writable.getWriter().write(utf8("last"));
  const closing = bench.connection.close("because");
  await bench.expect(packMessage(1, utf8("last")));
  await write;
  await assert.rejects(bench.connection.open("late"), ConnectionClosed);
  await bench.clock.advance(1_000);
  await closing;
  assert.equal(bench.reason, "because");
});

Deno.test("256 channels and no more; too many control messages end the connection", async () => {
  const bench = new Bench({ accept: () => () => {} });
  await bench.expect(VERSION_MESSAGE);
  bench.send(...Array.from({ length: 300 }, (_, i) => control("x", i + 1, request)));
  const states: number[] = [];
  for (let i = 0; i < 300; i++) states.push((await bench.next()).data.at(-1)!);
  assert.deepEqual(states, [...Array(256).fill(accept), ...Array(44).fill(decline)]);
  await assert.rejects(bench.connection.open("one more"));
  bench.send(...Array.from({ length: 800 }, () => BEACON_REQUEST));
  await bench.connection.closed;
  assert.match(bench.reason ?? "", /control messages/);
});

Deno.test("data for unknown channels and values that are no messages change nothing", async () => {
  const bench = new Bench();
  await bench.expect(VERSION_MESSAGE);
  bench.send(
    packMessage(77, utf8("x")),
    packMessage(77, END),
    encode(5),
    encode({ a: [1] }),
    packMessage(65_535, encode({ z: 1 })),
  );
  bench.send(BEACON_REQUEST);
  await bench.expect(BEACON_ANSWER);
  await bench.connection.close("done");
});

Deno.test("an acceptor or server that throws costs its channel only", async () => {
  const bench = new Bench({
    accept: (_connection, name) => {
      if (name === "decide") throw new Error("on purpose");
      return () => {
        throw new Error("on purpose");
      };
    },
  });
  await bench.expect(VERSION_MESSAGE);
  bench.send(control("decide", 1, request), control("serve", 2, request));
  await bench.expect(control("decide", 1, decline));
  await bench.expect(control("serve", 2, accept));
  await bench.expect(packMessage(2, END));
  await bench.connection.close("done");
});
