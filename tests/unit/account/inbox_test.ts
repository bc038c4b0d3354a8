import assert from "node:assert/strict";
import { configure, reset } from "@logtape/logtape";
import { seededRandom } from "../../../core/base/random.ts";
import { INBOX_BURST, MAX_PENDING_SENDERS, REQUEST_BURST } from "../../../core/account/constants.ts";
import { CertificateBook } from "../../../core/account/certificates.ts";
import { Inbox, inboxKey } from "../../../core/account/inbox.ts";
import { decodeInstantMessage, encodeInstantMessage } from "../../../core/account/instant_message.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { decryptValue, encryptValue } from "../../../core/dht/value_crypto.ts";
import type { Value } from "../../../core/dht/value.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { until } from "../../support/people.ts";
import { quickKey } from "../identity/hostile.ts";
import {
  alice,
  ask,
  bob,
  carol,
  conversation,
  publishChain,
  type Scene,
  textVector,
  trustRequest,
  withScene,
} from "./support.ts";

/** Alice's inbox, and the conversations of the requests that came out of it. */
function inboxOfAlice({ table, certificates, clock }: Scene) {
  const inbox = new Inbox({
    dht: table,
    identity: alice,
    certificates,
    clock,
    random: seededRandom(1),
    hears: () => true,
  });
  const got: string[] = [];
  inbox.on(
    "request",
    ({ from, request }) => got.push(`${from.account === bob.account ? "bob" : "?"} ${request.conversation}`),
  );
  inbox.start();
  return { inbox, got, key: inboxKey(alice.shortId) };
}

Deno.test("inbox: its key is the one that daemons use", () => {
  const { ids } = JSON.parse(textVector("account/expected.json"));
  assert.equal(inboxKey(ids.device_sha1), ids.inbox_key);
});

Deno.test("inbox: a request arrives once, however often the DHT tells it", () =>
  withScene(async (scene) => {
    const { got, key, inbox } = inboxOfAlice(scene);
    publishChain(scene.table, bob);
    const value = await trustRequest(bob, alice, { conversation: conversation(1) });
    scene.table.put(key, value);
    scene.table.put(key, value);
    await until("the request came", () => got.length > 0);
    scene.table.put(key, { ...value, id: 99n });
    await ask(scene.table, bob, alice, { conversation: conversation(2) });
    await until("the second came", () => got.length > 1);
    assert.deepEqual(got, [`bob ${conversation(1)}`, `bob ${conversation(2)}`]);
    inbox.stop();
    assert.equal(scene.table.listeners, 0);
  }));

Deno.test("inbox: who knows a value's id and length cannot hide it", () =>
  withScene(async (scene) => {
    const { got, key } = inboxOfAlice(scene);
    publishChain(scene.table, bob);
    const value = await trustRequest(bob, alice, {});
    scene.table.put(key, { ...value, cypher: new Uint8Array(value.cypher?.length ?? 0).fill(7) });
    scene.table.put(key, value);
    await until("the request came", () => got.length > 0);
  }));

Deno.test("inbox: values for others, of other kinds, unsigned or malformed give nothing", () =>
  withScene(async (scene) => {
    const { got, key } = inboxOfAlice(scene);
    publishChain(scene.table, bob);
    const to = alice.key.publicKey;
    const forged: Value[] = [
      { ...await trustRequest(bob, bob, {}), id: 2n },
      await encryptValue({ id: 3n, type: 0, data: encode("device sync of 2023") }, bob.key, to),
      await encryptValue({ id: 4n, type: 4, data: encode({ service: "cx.ring", conversationId: "zz" }) }, bob.key, to),
      { id: 5n, type: 4, data: encode({ service: "cx.ring", conversationId: conversation(5), confirm: false }) },
      { id: 6n, type: 0, data: new Uint8Array(0), cypher: new Uint8Array(3) },
      { id: 7n, type: 0, data: new Uint8Array(0), cypher: await to.encrypt(new Uint8Array([0xc1])) },
    ];
    for (const value of forged) scene.table.put(key, value);
    await ask(scene.table, bob, alice, { conversation: conversation(9) });
    await until("the good one came", () => got.length > 0);
    assert.deepEqual(got, [`bob ${conversation(9)}`]);
  }));

Deno.test("inbox: the sender's certificate may come after its request", () =>
  withScene(async (scene) => {
    const { got, inbox } = inboxOfAlice(scene);
    await ask(scene.table, bob, alice, {});
    const place = bob.shortId;
    await until("the certificate was looked for", () => scene.table.count("get", place) === 1);
    await scene.clock.advance(2_000);
    await until("and again", () => scene.table.count("get", place) === 2);
    publishChain(scene.table, bob);
    assert.deepEqual(got, []);
    await scene.clock.advance(5_000);
    await until("the request came", () => got.length > 0);
    // one whose certificate never comes is given up, or at the latest at the end
    const stranger = { ...bob, key: await quickKey() };
    await ask(scene.table, stranger, alice, {});
    await until("it was looked for", () => scene.table.count("get", stranger.key.publicKey.id) === 1);
    inbox.stop();
    await scene.clock.advance(100_000);
    assert.equal(scene.table.count("get", stranger.key.publicKey.id), 1);
  }));

Deno.test("inbox: decryptions are bounded in number and rate", () =>
  withScene(async (scene) => {
    let decryptions = 0;
    const key = PrivateKey.fromPem(alice.key.toPem());
    const decrypt = key.decrypt.bind(key);
    key.decrypt = (cypher) => (decryptions++, decrypt(cypher));
    const inbox = new Inbox({ ...scene, dht: scene.table, identity: { ...alice, key }, hears: () => true });
    inbox.start();
    const junk = (n: number): Value => {
      const cypher = new Uint8Array(256);
      new DataView(cypher.buffer).setUint32(0, n);
      return { id: BigInt(n + 1), type: 0, data: new Uint8Array(0), cypher };
    };
    for (let n = 0; n < INBOX_BURST + 50; n++) scene.table.put(inboxKey(alice.shortId), junk(n));
    await scene.clock.advance(0);
    assert.equal(decryptions, INBOX_BURST);
    await scene.clock.advance(1_000);
    // dropped ones are not marked as seen: when the DHT tells them again they are tried
    for (let n = INBOX_BURST; n < INBOX_BURST + 50; n++) scene.table.put(inboxKey(alice.shortId), junk(n));
    await scene.clock.advance(0);
    assert.equal(decryptions, INBOX_BURST + 20);
    inbox.stop();
  }));

Deno.test("inbox: requests of one account are bounded in rate, others come through", () =>
  withScene(async (scene) => {
    const { got, inbox } = inboxOfAlice(scene);
    publishChain(scene.table, bob);
    publishChain(scene.table, carol);
    const count = (who: string) => got.filter((line) => line.startsWith(who)).length;
    for (let n = 0; n < REQUEST_BURST; n++) await ask(scene.table, bob, alice, { conversation: conversation(n) });
    await until("as many as may came", () => count("bob") === REQUEST_BURST);
    await ask(scene.table, bob, alice, { conversation: conversation(50) });
    await ask(scene.table, carol, alice, { conversation: conversation(51) });
    await until("carol's came", () => count("?") === 1);
    await scene.clock.advance(10_000);
    await ask(scene.table, bob, alice, { conversation: conversation(77) });
    await until("one more came", () => count("bob") === REQUEST_BURST + 1);
    assert.equal(got.at(-1), `bob ${conversation(77)}`);
    inbox.stop();
  }));

Deno.test("inbox: senders that are looked for are bounded in number", () =>
  withScene(async (scene) => {
    let looking = 0;
    class Unanswered extends CertificateBook {
      override find(): Promise<null> {
        looking++;
        return Promise.resolve(null);
      }
    }
    const certificates = new Unanswered(scene.table, scene.store, scene.clock);
    const { inbox } = inboxOfAlice({ ...scene, certificates });
    let refused = 0;
    await configure({
      sinks: { here: ({ rawMessage }) => rawMessage === "inbox: {error}" && refused++ },
      loggers: [
        { category: ["kituo"], sinks: ["here"], lowestLevel: "info" },
        { category: ["logtape", "meta"], lowestLevel: "error" },
      ],
    });
    try {
      for (let n = 0; n < MAX_PENDING_SENDERS + 10; n++) {
        await ask(scene.table, bob, alice, { conversation: conversation(n) });
      }
      await until("as many as may are looked for", () => looking === MAX_PENDING_SENDERS);
      await until("the others are refused", () => refused === 10);
    } finally {
      await reset();
    }
    await scene.clock.advance(2_000);
    assert.equal(looking, 2 * MAX_PENDING_SENDERS);
    inbox.stop();
    await scene.clock.advance(60_000);
    assert.equal(looking, 2 * MAX_PENDING_SENDERS, "the end ends the waiting");
  }));

Deno.test("inbox: a message of somebody who is heard is told and acknowledged, of others neither", () =>
  withScene(async (scene) => {
    const heard: string[] = [];
    let hears = true;
    const inbox = new Inbox({ ...scene, dht: scene.table, identity: alice, hears: () => hears });
    inbox.on("message", ({ from, message }) => heard.push(`${from.account === bob.account} ${message.body}`));
    inbox.start();
    publishChain(scene.table, bob);
    const key = inboxKey(alice.shortId);
    const say = async (id: bigint, body: string) => {
      const data = encodeInstantMessage({ id, body, type: "text/plain", date: 1 });
      scene.table.put(key, await encryptValue({ id, type: 3, data }, bob.key, alice.key.publicKey));
    };
    await say(7n, "hello");
    await until("it was acknowledged", () => scene.table.values(key).length > 1);
    assert.deepEqual(heard, ["true hello"]);
    const answers = await Promise.all(scene.table.values(key).map((value) => decryptValue(value, bob.key)));
    const [answer] = answers.flatMap((plain) => plain ? [decodeInstantMessage(plain.data)] : []);
    assert.deepEqual([answer.id, answer.body], [7n, ""]);
    hears = false;
    await say(8n, "let me in");
    await ask(scene.table, bob, alice, {}); // comes after it, and so shows that it was dealt with
    const request = Promise.withResolvers<void>();
    inbox.on("request", () => request.resolve());
    await request.promise;
    assert.deepEqual(heard, ["true hello"]);
    inbox.stop();
  }));
