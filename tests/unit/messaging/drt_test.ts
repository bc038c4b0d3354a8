import assert from "node:assert/strict";
import type { Bytes } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";
import { decode, type Decoded, encode, Unpacker } from "../../../core/base/msgpack.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import { DRT_BURST, DRT_MAX_CHANNELS } from "../../../core/messaging/constants.ts";
import { SwarmOverlay } from "../../../core/messaging/drt.ts";
import { type DrtMessage, encodeDrt, readDrt } from "../../../core/messaging/drt_message.ts";
import { answerServiceQueries } from "../../../core/messaging/service_discovery.ts";
import { type Channel, ConnectError } from "../../../core/transport/channel.ts";
import { channelPair, testPeer } from "../../support/channel_pair.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { vector } from "./support.ts";

const SELF = testPeer("5");
const CONVERSATION = "c".repeat(40);
const NAME = `swarm://${CONVERSATION}`;

/** The overlay under test; `opens` says what becomes of the channels that it asks for. */
function overlay(opens: (device: string) => Promise<Channel> = () => Promise.reject(new ConnectError("nobody"))) {
  const asked: string[] = [];
  const clock = new VirtualClock();
  const swarm = new SwarmOverlay({
    conversation: CONVERSATION,
    self: SELF.device,
    clock,
    random: seededRandom(1),
    isLinked: () => false,
    isMember: () => true,
    certificates: { known: () => null, issuer: () => null, find: () => Promise.resolve(null) },
    shelf: { all: () => [], put: () => {}, delete: () => {} },
    open: (device) => {
      asked.push(device);
      return opens(device);
    },
  });
  return { swarm, asked, clock };
}

/** The peer's end of a channel, by hand. */
class Remote {
  readonly channel: Channel;
  #writer: WritableStreamDefaultWriter<Bytes>;
  #values: AsyncGenerator<Decoded>;

  constructor(swarm: SwarmOverlay, peer: Peer, incoming = true) {
    const [mine, theirs] = incoming ? channelPair(peer, SELF, NAME) : channelPair(SELF, peer, NAME).reverse();
    this.channel = mine;
    this.#writer = mine.writable.getWriter();
    this.#values = values(mine);
    swarm.add(theirs);
  }

  write(bytes: Bytes): Promise<void> {
    return this.#writer.write(bytes);
  }

  async next(): Promise<DrtMessage | null> {
    const { value, done } = await this.#values.next();
    return done ? null : readDrt(value);
  }
}

async function* values(channel: Channel): AsyncGenerator<Decoded> {
  const unpacker = new Unpacker(1 << 20);
  for await (const chunk of channel.readable) yield* unpacker.push(chunk);
}

function find(node: string, count = 2): Bytes {
  const map = decode(vector("today/drt/find.bin"));
  const message = readDrt(map);
  return encodeDrt({ ...message, request: { query: 1, count, node } });
}

function found(nodes: string[]): Bytes {
  const message = readDrt(decode(vector("today/drt/found-0.bin")));
  return encodeDrt({ ...message, response: { query: 2, nodes, mobileNodes: [], mobileNodeInfos: [] } });
}

Deno.test("overlay: the first channel of a device sends FIND for our id, whoever opened it; the second does not", async () => {
  for (const incoming of [true, false]) {
    const { swarm } = overlay();
    const first = new Remote(swarm, testPeer("b"), incoming);
    assert.deepEqual((await first.next())?.request, { query: 1, count: 2, node: SELF.device });
    const second = new Remote(swarm, testPeer("b"));
    await second.write(find("b".repeat(64)));
    assert.deepEqual((await second.next())?.response?.nodes, []); // Its first message is an answer.
    assert.deepEqual(swarm.connected, ["b".repeat(64)]);
    swarm.stop();
    await Promise.all([first.channel.closed, second.channel.closed]);
    assert.deepEqual(swarm.connected, []);
  }
});

Deno.test("overlay: FIND is answered with the nearest connected nodes, the asked one excluded, mobiles never", async () => {
  const { swarm } = overlay();
  const [b] = "b9a1".split("").map((digit) => new Remote(swarm, testPeer(digit)));
  await b.next();
  await b.write(find("b".repeat(64)));
  const answer = await b.next();
  assert.deepEqual(answer?.response?.nodes, ["a".repeat(64), "9".repeat(64)]);
  assert.deepEqual([answer?.version, answer?.isMobile, answer?.selfMobileInfo], [3, false, null]);
  await b.write(find("0".repeat(64), 1_000_000));
  assert.deepEqual((await b.next())?.response?.nodes.length, 4);
  await b.write(find("0".repeat(64), 0));
  assert.deepEqual((await b.next())?.response?.nodes, []);
  swarm.stop();
});

Deno.test("overlay: nodes of an answer are connected to, except ourselves and those connected; who fails is tried later", async () => {
  const device = (digit: string) => digit.repeat(64);
  const remotes: Channel[] = [];
  const { swarm, asked, clock } = overlay((device) => {
    if (device[0] === "2") return Promise.reject(new ConnectError("away"));
    const [mine, theirs] = channelPair(SELF, testPeer(device[0]), NAME);
    remotes.push(theirs);
    return Promise.resolve(mine);
  });
  const b = new Remote(swarm, testPeer("b"));
  new Remote(swarm, testPeer("a"));
  await b.next();
  await b.write(found(["1", "a", "b", "5", "2", "1"].map(device)));
  await b.write(found(["a", "5"].map(device)));
  await b.write(find(device("0"))); // Its answer says that the two before were handled.
  await b.next();
  await clock.advance(0);
  assert.deepEqual(asked.toSorted(), [device("1"), device("2")]);
  assert.deepEqual(swarm.connected.toSorted(), [device("1"), device("a"), device("b")]);
  await clock.advance(10_000);
  assert.deepEqual(asked.slice(2), [device("2")]);
  swarm.stop();
  await Promise.all(remotes.map(({ closed }) => closed));
});

Deno.test("overlay: requests for certificates, other queries and older peers do no harm", async () => {
  const { swarm, asked } = overlay();
  const b = new Remote(swarm, testPeer("b"));
  await b.next();
  await b.write(vector("sync/drt/drt-cert-request.bin"));
  await b.write(vector("sync/drt/drt-found-with-lease.bin"));
  await b.write(encode({ v: 1, is_mobile: true, request: { q: 9 } }));
  await b.write(find("0".repeat(64)));
  assert.deepEqual((await b.next())?.certResponse, []); // it may ask, and gets only what it was told of
  const answer = await b.next();
  assert.deepEqual(answer?.response?.nodes, ["b".repeat(64)]);
  assert.deepEqual(answer?.response?.mobileNodes, []); // the lease in the vector is not of this conversation
  assert.deepEqual(asked.length, 1);
  swarm.stop();
});

Deno.test("overlay: garbage closes its channel, a flood is dropped, channels of one device are bounded", async () => {
  const { swarm, clock } = overlay();
  const b = new Remote(swarm, testPeer("b"));
  const a = new Remote(swarm, testPeer("a"));
  await b.write(Uint8Array.of(0xc1));
  await b.channel.closed;
  assert.deepEqual(swarm.connected, ["a".repeat(64)]);
  await a.next();
  let answers = 0;
  const counting = (async () => {
    while (await a.next()) answers++;
  })();
  for (let i = 0; i < DRT_BURST + 30; i++) await a.write(find("0".repeat(64)));
  await clock.advance(1000);
  await a.write(encode({ v: 3 }));
  for (let i = 1; i < DRT_MAX_CHANNELS; i++) new Remote(swarm, testPeer("a"));
  await new Remote(swarm, testPeer("a")).channel.closed;
  swarm.enforce((peer) => peer.account !== "a".repeat(40));
  await counting;
  assert.equal(answers, DRT_BURST);
  assert.deepEqual(swarm.connected, []);
});

Deno.test("overlay: after stop no channel is taken", async () => {
  const { swarm } = overlay();
  swarm.stop();
  await new Remote(swarm, testPeer("b")).channel.closed;
  assert.deepEqual(swarm.connected, []);
});

Deno.test("services: a query is answered with an empty list; garbage, or too many queries, end the channel", async () => {
  const self = testPeer("5");
  const start = () => {
    const [mine, theirs] = channelPair(testPeer("b"), self, "svcdisc://query");
    const done = answerServiceQueries(theirs, self.device, new VirtualClock());
    return { mine, done, writer: mine.writable.getWriter(), reader: mine.readable.getReader() };
  };
  const good = start();
  await good.writer.write(vector("today/svcdisc/query.bin"));
  const { value } = await good.reader.read();
  assert.deepEqual(
    value && decode(value),
    new Map<string, unknown>(Object.entries({
      v: 1,
      type: "service_list",
      device: self.device,
      services: [],
    })),
  );
  good.mine.close();
  await good.done;
  const bad = start();
  await bad.writer.write(encode(["query"]));
  await bad.done;
  await bad.mine.closed;
  const many = start();
  const writing = (async () => {
    for (;;) await many.writer.write(vector("today/svcdisc/query.bin"));
  })().catch(() => {});
  let answers = 0;
  while (!(await many.reader.read()).done) answers++;
  await Promise.all([many.done, writing]);
  assert.equal(answers, 16);
});
