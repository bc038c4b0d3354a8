import assert from "node:assert/strict";
import fc from "fast-check";
import { readAnnouncement } from "../../../core/account/announcement.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { signValue } from "../../../core/dht/value_crypto.ts";
import { unpackValue, type Value } from "../../../core/dht/value.ts";
import { Certificate } from "../../../core/identity/certificate.ts";
import { announced, announcementOf } from "../../support/people.ts";
import { alice, bob, textVector, vector } from "./support.ts";

Deno.test("announcement: those of both generations of daemons are read", async () => {
  for (
    const [value, chain] of [["account/announcement.value", "account/chain.pem"], [
      "today/dht/announcement.value",
      "today/dht/x-chain.pem",
    ]]
  ) {
    const [device, account] = Certificate.listFromPem(textVector(chain));
    const read = await readAnnouncement(account.publicKey.id, unpackValue(vector(value)));
    assert.equal(read?.shortId, device.publicKey.id);
    assert.equal(read?.key?.longId, device.publicKey.longId);
    assert.equal(read?.account, account.publicKey.id);
  }
});

Deno.test("announcement: one without the device's key names it by its short id", async () => {
  const value = await announcementOf(alice.key.publicKey, alice.accountKey, { pk: false });
  assert.deepEqual(await readAnnouncement(alice.account, value), {
    account: alice.account,
    shortId: alice.shortId,
    key: null,
  });
});

Deno.test("announcement: what another account signed counts nothing, at whatever key it lies", async () => {
  const value = announced(bob, 5n);
  assert.equal(await readAnnouncement(alice.account, value), null);
  assert.ok(await readAnnouncement(bob.account, value));
});

Deno.test("announcement: the signature must be the account's over these very bytes", async () => {
  const good = announced(alice, 5n);
  const bad = (change: Partial<Value>) => readAnnouncement(alice.account, { ...good, ...change });
  const signature = Uint8Array.from(good.signature ?? []);
  signature[9] ^= 1;
  assert.equal(await bad({ signature }), null);
  assert.equal(await bad({ signature: new Uint8Array(0) }), null);
  assert.equal(await bad({ seq: 1 }), null);
  assert.equal(await bad({ data: announced(bob, 5n).data }), null);
  assert.equal(await bad({ type: 3 }), null);
  assert.equal(await bad({ cypher: new Uint8Array(9) }), null);
  assert.ok(await bad({ id: 77n, priority: 1 }), "id and priority are not signed");
});

Deno.test("announcement: a device whose two names disagree is none", async () => {
  const data = encode({ dev: new Uint8Array(20), pk: alice.key.publicKey.spki });
  assert.equal(
    await readAnnouncement(alice.account, await signValue({ id: 1n, type: 0, data }, alice.accountKey)),
    null,
  );
});

Deno.test("announcement: damaged ones are refused without an error", async () => {
  const bytes = vector("account/announcement.value");
  const account = unpackValue(bytes).owner?.id ?? "";
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = bytes.slice();
      damaged[at] ^= flip;
      let value: Value;
      try {
        value = unpackValue(damaged);
      } catch {
        return; // the codec of values says so, and is tested there
      }
      if (await readAnnouncement(account, value)) {
        // only what the signature does not cover may differ: the id, and how priority is spelt
        assert.deepEqual([...value.data], [...unpackValue(bytes).data]);
      }
    }),
    { numRuns: 1000 },
  );
});
