import assert from "node:assert/strict";
import { seededRandom } from "../../../core/base/random.ts";
import { DRT_LEARN_BURST, DRT_REFRESH } from "../../../core/messaging/constants.ts";
import { type DrtMessage, FIND, FOUND, leasePayload } from "../../../core/messaging/drt_message.ts";
import { type DrtLink, DrtNode } from "../../../core/messaging/drt_node.ts";
import { type TestIdentity, testIdentity, until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const CONVERSATION = "c".repeat(40);
const SELF = "0".repeat(64);
const mona = await testIdentity(NOW);

const PLAIN: DrtMessage = {
  version: 3,
  isMobile: false,
  selfMobileInfo: null,
  request: null,
  response: null,
  certRequest: null,
  certResponse: null,
};

function nodeOf(linked = new Set<string>(), self = SELF) {
  const clock = new VirtualClock(NOW);
  const asked: string[] = [];
  const node = new DrtNode({
    conversation: CONVERSATION,
    self,
    clock,
    random: seededRandom(5),
    isMember: () => true,
    certificates: {
      known: (device) => device === mona.device ? mona.chain : null,
      issuer: () => null,
      find: () => Promise.resolve(null),
    },
    shelf: { all: () => [], put: () => {}, delete: () => {} },
    connect: (device) => asked.push(device),
    isLinked: (device) => linked.has(device),
  });
  return { node, asked, clock };
}

/** A channel with a device, and what is sent on it. */
function linkTo(device: string, of?: TestIdentity): DrtLink & { sent: DrtMessage[] } {
  const sent: DrtMessage[] = [];
  const account = of?.account ?? device.slice(0, 40);
  return { account, device, chain: of?.chain ?? [], sent, send: (message) => sent.push(message) };
}

const device = (digit: string) => digit.repeat(64);

async function infoOf({ account, device, key }: TestIdentity) {
  const issuedAt = NOW / 1000;
  const lease = {
    formatVersion: 1,
    conversation: CONVERSATION,
    issuer: account,
    device,
    issuedAt,
    expiresAt: issuedAt + 86_400,
    signature: new Uint8Array(),
  };
  return { id: device, lease: { ...lease, signature: await key.sign(leasePayload(lease)) } };
}

/** Mona's phone was here and went to sleep. */
async function withSleeper(node: DrtNode): Promise<void> {
  const phone = linkTo(mona.device, mona);
  node.up(phone);
  node.receive({ ...PLAIN, isMobile: true, selfMobileInfo: await infoOf(mona) }, phone);
  node.down(mona.device);
  await until("the lease is checked", () => node.mobile.length === 1);
}

Deno.test("node: one with a connection is connected at once, beyond what its bucket wants; others as it wants", () => {
  const linked = new Set(["a", "b", "c", "d"].map(device));
  const { node, asked } = nodeOf(linked);
  for (const one of linked) node.propose(one);
  assert.deepEqual(new Set(asked), linked);
  for (const digit of ["8", "9", "e"]) node.propose(device(digit));
  assert.equal(asked.length, 4); // four are being connected to: two are enough
  for (const one of linked) node.up(linkTo(one));
  assert.equal(asked.length, 4); // and four connected are enough for the far half
  node.stop();
});

Deno.test("node: an answer to FIND goes to the channel it came on, with the nearest that are connected", () => {
  const { node } = nodeOf();
  const links = ["8", "9", "a", "b"].map((digit) => linkTo(device(digit)));
  links.forEach((link) => node.up(link));
  const other = linkTo(device("b"));
  node.receive({ ...PLAIN, request: { query: FIND, count: 2, node: device("b") } }, other);
  assert.deepEqual(other.sent.map(({ response }) => response?.nodes), [[device("a"), device("9")]]);
  assert.ok(links.every(({ sent }) => sent.length === 1 && sent[0].request?.node === SELF));
  node.stop();
});

Deno.test("node: a second channel takes the place of the first without asking again", async () => {
  const { node, clock } = nodeOf();
  const [first, second] = [linkTo(device("8")), linkTo(device("8"))];
  node.up(first);
  node.up(second);
  assert.deepEqual([first.sent.length, second.sent.length], [1, 0]);
  await clock.advance(DRT_REFRESH);
  assert.equal(second.sent[0].request?.query, FIND);
  assert.notEqual(second.sent[0].request?.node, SELF);
  node.down(device("8"));
  await clock.advance(2 * DRT_REFRESH);
  assert.deepEqual([first.sent.length, second.sent.length], [1, 1]);
  node.stop();
});

Deno.test("node: an account is heard out, within bounds, over however many devices and channels", () => {
  const { node, asked } = nodeOf();
  const names = (from: number) => Array.from({ length: 100 }, (_, n) => (from + n).toString(16).padStart(64, "f"));
  for (let round = 0; round < 5; round++) {
    const link = { ...linkTo(device(`${round + 1}`)), account: "a".repeat(40) };
    const response = { query: FOUND, nodes: names(100 * round), mobileNodes: [], mobileNodeInfos: [] };
    node.receive({ ...PLAIN, response }, link);
  }
  assert.equal(node.known.length + asked.length, DRT_LEARN_BURST);
  assert.equal(asked.length, 2);
  node.stop();
});

Deno.test("node: what a lost node leaves is made good from those known", async () => {
  const { node, asked, clock } = nodeOf();
  for (const digit of ["8", "9", "a"]) node.up(linkTo(device(digit)));
  for (const digit of ["c", "d", "e"]) node.propose(device(digit));
  assert.deepEqual(asked, []);
  await clock.advance(60_000);
  node.down(device("8"));
  assert.deepEqual(asked, []); // two are left
  node.down(device("9"));
  assert.equal(asked.length, 1);
  node.stop();
});

Deno.test("node: a phone with a lease is told of, woken and not connected to in order to fill a bucket", async () => {
  const { node, asked } = nodeOf();
  await withSleeper(node);
  const before = asked.length;
  node.propose(mona.device);
  assert.equal(asked.length, before);
  assert.deepEqual([node.connected, node.known, node.mobile], [[], [], [mona.device]]);
  assert.deepEqual(node.toWake(), [mona.device]); // nobody else could

  const asker = linkTo(device("8"));
  node.up(asker);
  node.receive({ ...PLAIN, request: { query: FIND, count: 2, node: device("8") } }, asker);
  const { response } = asker.sent[1];
  assert.deepEqual(response?.mobileNodes, [mona.device]);
  assert.deepEqual(response?.mobileNodeInfos, [await infoOf(mona)]);
  node.receive({ ...PLAIN, certRequest: [mona.device, device("8")] }, asker);
  assert.deepEqual(asker.sent[2].certResponse, [mona.chain[0].der]);
  node.stop();
});

Deno.test("node: the two nearest wake a phone, and nobody does who has two nearer ones", async () => {
  const at = BigInt(`0x${mona.device}`);
  const far = (bit: number) => (at ^ (1n << BigInt(bit))).toString(16).padStart(64, "0");
  const { node } = nodeOf(new Set(), far(200));
  await withSleeper(node);
  node.up(linkTo(far(100)));
  assert.deepEqual(node.toWake(), [mona.device]); // fewer than two are connected
  node.up(linkTo(far(250)));
  assert.deepEqual(node.toWake(), [mona.device]); // one is nearer, one is farther
  node.up(linkTo(far(101)));
  assert.deepEqual(node.toWake(), []);
  node.up(linkTo(mona.device, mona));
  node.down(far(100));
  assert.deepEqual(node.toWake(), []); // it is awake
  node.stop();
});

Deno.test("node: the word of a phone without a lease counts for nothing, nor does an old version's; a device may take it back", async () => {
  const { node } = nodeOf();
  const phone = linkTo(mona.device, mona);
  const selfMobileInfo = await infoOf(mona);
  node.up(phone);
  node.receive({ ...PLAIN, isMobile: true }, phone);
  node.receive({ ...PLAIN, version: 2, isMobile: true, selfMobileInfo }, phone);
  node.receive({ ...PLAIN, isMobile: true, selfMobileInfo: { ...selfMobileInfo, id: device("8") } }, phone);
  node.down(mona.device);
  assert.deepEqual([node.mobile, node.known], [[], [mona.device]]);
  await withSleeper(node);
  node.up(phone);
  node.receive(PLAIN, phone);
  node.down(mona.device);
  assert.deepEqual([node.mobile, node.known], [[], [mona.device]]);
  node.stop();
});

Deno.test("node: after stop nothing is connected, asked or answered", async () => {
  const { node, asked, clock } = nodeOf();
  const link = linkTo(device("8"));
  node.up(link);
  node.propose(device("9"));
  assert.equal(asked.length, 1);
  node.stop();
  node.failed(device("9"));
  node.receive({ ...PLAIN, request: { query: FIND, count: 2, node: SELF } }, link);
  node.propose(device("a"));
  await clock.advance(2 * DRT_REFRESH);
  assert.deepEqual([asked.length, link.sent.length], [1, 1]);
});
