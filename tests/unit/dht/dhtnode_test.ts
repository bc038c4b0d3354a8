/** Against the real OpenDHT 2.4.12: what the acceptance of this room rests on. */

import assert from "node:assert/strict";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { sleep, systemClock } from "../../../core/base/clock.ts";
import { within } from "../../../core/base/limits.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import { Dht } from "../../../core/dht/dht.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import { udpSockets } from "../../../core/dht/socket.ts";
import { decryptValue, encryptValue, signValue, verifyValue } from "../../../core/dht/value_crypto.ts";
import type { Value } from "../../../core/dht/value.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { DhtNode } from "./dhtnode.ts";
import { privateKey, today } from "./vectors.ts";

/** A node of ours, connected through the given real ones. */
async function join(...through: DhtNode[]): Promise<Dht> {
  const socket = udpSockets({ 4: "127.0.0.1" });
  const bootstrap = through.map((node) => node.address);
  const dht = new Dht({ socket, port: 0, bootstrap, clock: systemClock, random: systemRandom });
  const connected = dht.once("status", (status) => status === "connected");
  await dht.start();
  await within(systemClock, 10_000, "connection", connected);
  return dht;
}

/** Runs a test with one dhtnode in the middle and two nodes of ours. */
function between(name: string, test: (real: DhtNode, a: Dht, b: Dht) => Promise<void>): void {
  Deno.test(name, async () => {
    const real = await DhtNode.start({ identity: true });
    const ours: Dht[] = [];
    try {
      ours.push(await join(real), await join(real));
      await test(real, ours[0], ours[1]);
    } finally {
      for (const dht of ours) await dht.stop();
      await real.stop();
    }
  });
}

/** Listens and gives what is told, one after the other. */
function follow(dht: Dht, key: string) {
  const told: [Value, boolean][] = [];
  let wake = () => {};
  dht.listen(key, (value, expired) => {
    told.push([value, expired]);
    wake();
  });
  return async (): Promise<[Value, boolean]> => {
    for (;;) {
      const next = told.shift();
      if (next) return next;
      await within(systemClock, 20_000, "a push", new Promise<void>((resolve) => wake = resolve));
    }
  };
}

function plain(id: bigint, content: string): Value {
  return { id, type: 0, data: utf8(content), userType: "text/plain" };
}

between("dhtnode puts, we get and listen; we put, dhtnode gets and listens", async (real, a, b) => {
  const key = infoHash("exchange");
  const next = follow(b, key);
  await real.type(`p ${key} from-dhtnode`);
  const [value, expired] = await next();
  assert.deepEqual([text(value.data), expired, value.userType], ["from-dhtnode", false, "text/plain"]);
  const [got] = await a.get(key);
  assert.equal(got.id, value.id);

  await real.type(`l ${key}`);
  await real.says(/Listening/);
  const result = await a.put(key, plain(0xabcdefn, "from-kituo"));
  assert.ok(result.acknowledged >= 1);
  await real.says(/Value\[id:0*abcdef data\(text\/plain\):"from-kituo"\]/);
  const [pushed] = await next();
  assert.equal(pushed.id, 0xabcdefn);
  await real.type(`g ${key}`);
  await real.says(/Get: [^\n]*\(total 2\)/);
});

between(
  "a certificate chain travels in parts to dhtnode and back; dhtnode stores it at the key id only",
  async (_, a, b) => {
    const device = PrivateKey.fromPem(text(today("x-device.key.pem"))).publicKey;
    const chain = certificateValue(text(today("x-chain.pem")));
    const [longPlace, shortPlace] = certificateKeys(device);
    const next = follow(b, shortPlace);
    for (const place of [longPlace, shortPlace]) {
      const { acknowledged, asked } = await a.keep(place, chain).done;
      assert.ok(acknowledged === asked && asked >= 1);
    }
    const [value] = await next();
    assert.deepEqual(value.data, chain.data);
    const [got] = await b.get(shortPlace, { where: { id: 1n } });
    assert.deepEqual(got.data, chain.data);
  },
);

between(
  "a signed value of dhtnode is verified; one of ours is accepted, and edited by its owner only",
  async (real, a, b) => {
    const key = infoHash("signed");
    await real.type(`s ${key} signed-by-dhtnode`);
    await real.says(/Put signed: success|Put signed/);
    const next = follow(b, key);
    const [theirs] = await next();
    assert.equal(text(theirs.data), "signed-by-dhtnode");
    assert.ok(theirs.owner && await verifyValue(theirs));

    const [alice, mallory] = [privateKey("tool_alice"), privateKey("tool_bob")];
    await a.putSigned(key, plain(77n, "first"), alice);
    assert.deepEqual([text((await next())[0].data)], ["first"]);
    await b.putSigned(key, plain(77n, "second"), alice);
    const [second] = await next();
    assert.deepEqual([text(second.data), second.seq], ["second", 1]);

    const stranger = await join(real);
    try {
      const forged = await signValue({ ...plain(77n, "forged"), seq: 9 }, mallory);
      assert.ok((await stranger.put(key, forged)).acknowledged >= 1, "refusals are silent");
    } finally {
      await stranger.stop();
    }
    // All nodes that are left are asked: had dhtnode taken the forgery, it would be found.
    const contents = (await a.get(key, { where: { id: 77n } })).map((value) => text(value.data));
    assert.deepEqual(contents, ["second"]);
    await real.type(`g ${key}`);
    await real.says(/id:0*4d [^\n]*second/);
    assert.ok(!real.output.includes("forged"));
  },
);

between("an encrypted value passes through dhtnode to its recipient's listener", async (_, a, b) => {
  const key = infoHash("inbox");
  const [alice, bob] = [privateKey("jami_alice"), privateKey("jami_bob")];
  const next = follow(b, key);
  const sealed = await encryptValue({ ...plain(5n, "secret ".repeat(300)), type: 3 }, alice, bob.publicKey);
  await a.put(key, sealed);
  const [value] = await next();
  assert.ok(value.cypher);
  const opened = await decryptValue(value, bob);
  assert.equal(text(opened?.data ?? new Uint8Array(0)), "secret ".repeat(300));
  assert.equal(opened?.owner?.id, alice.publicKey.id);
  assert.equal(await decryptValue(value, alice), null);
});

between("a kept value is asked for first and then refreshed at dhtnode, which acknowledges", async (real, a, b) => {
  const key = infoHash("permanent");
  const value = plain(9n, "permanent");
  const first = await a.keep(key, value).done;
  assert.ok(first.acknowledged >= 1 && first.acknowledged === first.asked);
  const next = follow(b, key);
  assert.equal((await next())[0].id, 9n);
  await real.type(`ld ${key}`);
  await real.says(new RegExp(`Storage ${key} \\d+ list., 1 values`));
  const again = await a.keep(key, value).done;
  assert.ok(again.acknowledged >= 1 && again.acknowledged === again.asked);
  assert.equal((await b.get(key)).length, 1);
});

between("dhtnode knows us as good nodes and sees our values in its listings", async (real, a, b) => {
  await a.get(infoHash("anything"));
  await b.get(infoHash("anything"));
  await real.type("lr");
  await real.says(new RegExp(`Node ${a.id} 127.0.0.1:${a.port}`));
  await real.says(new RegExp(`Node ${b.id} 127.0.0.1:${b.port}`));
  assert.ok(a.stats().nodes4 >= 1);
  assert.deepEqual(a.publicAddresses(), ["127.0.0.1"]);
});

Deno.test("twelve real nodes: a put reaches eight of them, and is found from elsewhere", async () => {
  const real = [await DhtNode.start()];
  const ours: Dht[] = [];
  try {
    while (real.length < 12) real.push(await DhtNode.start({ bootstrap: real[0] }));
    ours.push(await join(real[0]), await join(real[5]));
    const [prober] = ours;
    for (let i = 0; prober.stats().nodes4 < 13; i++) {
      assert.ok(i < 240, "the nodes have not found each other");
      await prober.get(infoHash(`probe ${i}`));
      await sleep(systemClock, 250); // The real nodes search for their neighbours some seconds after their start.
    }
    const key = infoHash("many");
    const { acknowledged, asked } = await ours[0].keep(key, plain(3n, "x".repeat(3000))).done;
    assert.equal(asked, 8);
    assert.equal(acknowledged, 8);
    const [value] = await ours[1].get(key);
    assert.equal(value.data.length, 3000);
    await real[11].type(`g ${key}`);
    await real[11].says(/Get: found 1 value/);
  } finally {
    for (const dht of ours) await dht.stop();
    for (const node of real) await node.stop();
  }
});

Deno.test({
  name: "over IPv6 it is the same",
  ignore: !await hasIpv6(),
  fn: async () => {
    const real = await DhtNode.start();
    const ours: Dht[] = [];
    try {
      for (let i = 0; i < 2; i++) {
        const socket = udpSockets({ 6: "::1" });
        const bootstrap = [`[::1]:${real.port}`];
        const dht = new Dht({ socket, port: 0, bootstrap, clock: systemClock, random: systemRandom });
        ours.push(dht);
        const connected = dht.once("status", (status) => status === "connected");
        await dht.start();
        await within(systemClock, 10_000, "connection", connected);
      }
      const key = infoHash("six");
      const next = follow(ours[1], key);
      await ours[0].put(key, plain(6n, "over IPv6"));
      assert.equal(text((await next())[0].data), "over IPv6");
      await real.type(`g ${key}`);
      await real.says(/over IPv6/);
      assert.deepEqual(ours[0].publicAddresses(), ["::1"]);
    } finally {
      for (const dht of ours) await dht.stop();
      await real.stop();
    }
  },
});

/** Can this machine bind ::1? */
async function hasIpv6(): Promise<boolean> {
  try {
    await (await udpSockets({ 6: "::1" })(6, 0, () => {})).close();
    return true;
  } catch {
    return false;
  }
}
