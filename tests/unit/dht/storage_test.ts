import assert from "node:assert/strict";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import { MAX_VALUE_BYTES, STORE_BYTES } from "../../../core/dht/constants.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import { Storage } from "../../../core/dht/storage.ts";
import { signValue } from "../../../core/dht/value_crypto.ts";
import { lifetime } from "../../../core/dht/value_policy.ts";
import { unpackValue, type Value } from "../../../core/dht/value.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { keys, privateKey, today, valueBytes } from "./vectors.ts";

const KEY = infoHash("key");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

function plain(id: bigint, content = "content", type = 0): Value {
  return { id, type, data: utf8(content) };
}

/** A storage in virtual time and what it told. */
function make() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const storage = new Storage(clock, {
    stored: (_, value) => void told.push(`stored ${value.id}`),
    refreshed: (_, value) => void told.push(`refreshed ${value.id}`),
    expired: (_, value) => void told.push(`expired ${value.id}`),
  });
  const put = (value: Value, key = KEY, source = "10.0.0.1", created = clock.now()) =>
    storage.put(key, value, source, created);
  return { clock, storage, told, put };
}

Deno.test("what may be stored under a new key and id", async () => {
  const { put } = make();
  const alice = privateKey("tool_alice");
  const signed = await signValue(plain(3n), alice);
  const chain = unpackValue(valueBytes("jami_certificate_chain"));
  const [longPlace, shortPlace] = [keys.jami_alice.cert_key_today, keys.jami_alice.cert_key_2023];
  const table: [string, Value, string, string?][] = [
    ["plain", plain(1n), "new"],
    ["an unknown type", plain(2n, "x", 4711), "new"],
    ["well signed", signed, "new"],
    ["badly signed", { ...signed, id: 4n, data: utf8("other") }, "refused"],
    ["encrypted", { ...plain(5n), cypher: utf8("secret") }, "new"],
    ["id 0", plain(0n), "refused"],
    ["as large as may be", plain(6n, "x".repeat(MAX_VALUE_BYTES)), "new"],
    ["too large", plain(7n, "x".repeat(MAX_VALUE_BYTES + 1)), "refused"],
    ["a message with a service", { ...plain(8n), type: 1, data: encode(["service", utf8("data")]) }, "new"],
    ["a message with an empty service", { ...plain(9n), type: 1, data: encode(["", utf8("data")]) }, "refused"],
    ["a message that is none", { ...plain(10n), type: 1 }, "refused"],
    ["an IP service", plain(11n, "x", 2), "refused"],
    ["a certificate at its long place", chain, "new", longPlace],
    ["a certificate at its short place", chain, "new", shortPlace],
    ["a certificate elsewhere", chain, "refused", KEY],
    ["no certificate", plain(1n, "x", 8), "refused", shortPlace],
    ["a certificate in DER inside msgpack", { ...chain, data: encode(encode(1)) }, "refused", shortPlace],
  ];
  for (const [what, value, outcome, key] of table) assert.equal(await put(value, key), outcome, what);
});

Deno.test("a certificate of today's daemon is stored at both of its places", async () => {
  const { put } = make();
  const value = certificateValue(text(today("x-chain.pem")));
  const { publicKey } = PrivateKey.fromPem(text(today("x-device.key.pem")));
  for (const key of certificateKeys(publicKey)) assert.equal(await put(value, key), "new");
});

Deno.test("what may take the place of another value of the same key and id", async () => {
  const [alice, bob] = [privateKey("tool_alice"), privateKey("tool_bob")];
  const signed = (seq: number, content: string, key = alice) => signValue({ ...plain(1n, content), seq }, key);
  const old = await signed(5, "old");
  const table: [string, Value, Value, string][] = [
    ["plain over the same plain", plain(1n), plain(1n), "refreshed"],
    ["plain over another plain", plain(1n), plain(1n, "x"), "refused"],
    ["signed over plain", plain(1n), old, "refused"],
    ["plain over signed", old, plain(1n), "refused"],
    ["encrypted over signed", old, { ...plain(1n), cypher: utf8("secret") }, "refused"],
    ["signed over encrypted", { ...plain(1n), cypher: utf8("secret") }, old, "refused"],
    ["the same signed", old, await signed(5, "old"), "refreshed"],
    ["a newer version", old, await signed(6, "new"), "changed"],
    ["the same version, other content", old, await signed(5, "new"), "refused"],
    ["an older version", old, await signed(4, "new"), "refused"],
    ["a newer version of another owner", old, await signed(6, "new", bob), "refused"],
    ["a newer version badly signed", old, { ...await signed(6, "new"), data: utf8("bad") }, "refused"],
  ];
  for (const [what, first, second, outcome] of table) {
    const { put, storage } = make();
    assert.equal(await put(first), "new", what);
    assert.equal(await put(second), outcome, what);
    assert.equal(storage.count, 1);
  }
});

Deno.test("each type has its lifetime, an encrypted value always ten minutes", async () => {
  const table: [number, number][] = [
    [0, 10 * MINUTE],
    [1, 5 * MINUTE],
    [3, 5 * MINUTE],
    [4, 7 * DAY],
    [5, MINUTE],
    [8, 7 * DAY],
    [9, 10 * MINUTE],
    [4711, 10 * MINUTE],
  ];
  for (const [type, ms] of table) assert.equal(lifetime(plain(1n, "x", type)), ms, `type ${type}`);
  assert.equal(lifetime({ ...plain(1n, "x", 4), cypher: utf8("secret") }), 10 * MINUTE);

  const { clock, put, told, storage } = make();
  await put(plain(1n));
  await put(plain(2n, "ice", 5));
  await clock.advance(MINUTE);
  assert.deepEqual(told, ["stored 1", "stored 2", "expired 2"]);
  await clock.advance(9 * MINUTE - 1);
  assert.equal(storage.count, 1);
  await clock.advance(1);
  assert.equal(storage.count, 0);
  assert.ok(!storage.has(KEY));
});

Deno.test("the lifetime counts from the creation time, never from the future", async () => {
  const { clock, put, told } = make();
  assert.equal(await put(plain(1n), KEY, "a", clock.now() - 10 * MINUTE), "refused");
  assert.equal(await put(plain(2n), KEY, "a", clock.now() - 590 * SECOND), "new");
  assert.equal(await put(plain(3n), KEY, "a", clock.now() + DAY), "new");
  await clock.advance(10 * SECOND);
  assert.deepEqual(told.slice(2), ["expired 2"]);
  await clock.advance(590 * SECOND);
  assert.deepEqual(told.slice(3), ["expired 3"]);
});

Deno.test("a refresh restarts the lifetime, also by an unknown id it is acknowledged where anything is kept", async () => {
  const { clock, put, told, storage } = make();
  await put(plain(1n));
  await clock.advance(9 * MINUTE);
  assert.ok(storage.refresh(KEY, 1n));
  assert.ok(storage.refresh(KEY, 77n));
  assert.ok(!storage.refresh(infoHash("elsewhere"), 1n));
  await clock.advance(9 * MINUTE);
  assert.deepEqual(told, ["stored 1", "refreshed 1"]);
  await clock.advance(MINUTE);
  assert.equal(told.at(-1), "expired 1");
});

Deno.test("a held value of one's own lives until it is released", async () => {
  const { clock, told, storage } = make();
  storage.putOwn(KEY, plain(1n), true);
  await clock.advance(DAY);
  assert.deepEqual(told, ["stored 1"]);
  storage.release(KEY, 1n);
  await clock.advance(10 * MINUTE);
  assert.deepEqual(told, ["stored 1", "expired 1"]);
});

Deno.test("when the quota is reached the heaviest source loses what would expire first", async () => {
  const { clock, put, told, storage } = make();
  const size = MAX_VALUE_BYTES;
  await put(plain(1n, "x".repeat(size)), KEY, "light");
  const count = Math.floor(STORE_BYTES / size) + 20;
  const content = "y".repeat(size);
  for (let id = 2; id < count; id++) {
    await put(plain(BigInt(id), content), KEY, "heavy");
    await clock.advance(1);
  }
  const evicted = told.filter((line) => line.startsWith("expired"));
  assert.ok(evicted.length > 0);
  assert.deepEqual(evicted, evicted.map((_, i) => `expired ${i + 2}`));
  assert.ok(storage.remoteBytes <= STORE_BYTES);
  assert.equal(storage.values(KEY).some((value) => value.id === 1n), true);
  await clock.advance(10 * MINUTE);
  assert.equal(storage.remoteBytes, 0);
});

Deno.test("many sources of the same weight are thinned out alike", async () => {
  const { put, storage } = make();
  const content = "y".repeat(MAX_VALUE_BYTES);
  for (let i = 1; i <= 1100; i++) await put(plain(BigInt(i), content), KEY, `source ${i}`);
  assert.ok(storage.remoteBytes <= STORE_BYTES);
  assert.ok(storage.count > 900);
});
