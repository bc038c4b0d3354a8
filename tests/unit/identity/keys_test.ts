import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { asBytes, asMap, decode, encode } from "../../../core/base/msgpack.ts";
import { KeyError, PrivateKey, PublicKey } from "../../../core/identity/keys.ts";
import { expected, mutated, vector, vectorText } from "./vectors.ts";

const device = PrivateKey.fromPem(vectorText("device.key.pem"));
const peer = PrivateKey.fromPem(vectorText("peer-device.key.pem"));

Deno.test("a key is named by the hashes of its SubjectPublicKeyInfo", () => {
  assert.equal(device.publicKey.id, expected.ids.device_sha1);
  assert.equal(device.publicKey.longId, expected.ids.device_id);
  assert.equal(device.publicKey.spki.length, 550);
  assert.equal(device.publicKey.bits, 4096);
  assert.equal(peer.publicKey.longId, expected.ids.peer_device_id);
});

for (const [name, key, sender] of [["trustrequest", peer, device], ["trustrequest-confirm", device, peer]] as const) {
  Deno.test(`${name}: decrypts, and the sender's signature covers the packed body`, async () => {
    const value = asMap(decode(vector(`${name}.value`)), "value");
    const plain = await key.decrypt(asBytes(value.get("dat"), "dat"));
    assert.deepEqual(plain, vector(`${name}.plain`));
    const inner = asMap(decode(vector(`${name}.plain`)), "plain");
    const body = asMap(inner.get("body"), "body");
    assert.deepEqual(body.get("owner"), sender.publicKey.spki);
    assert.deepEqual(body.get("to"), Uint8Array.fromHex(key.publicKey.id));
    assert.equal(await sender.publicKey.verify(encode(body), asBytes(inner.get("sig"), "sig")), true);
    assert.equal(await key.publicKey.verify(encode(body), asBytes(inner.get("sig"), "sig")), false);
    const request = asMap(decode(asBytes(body.get("data"), "data")), "request");
    const decoded = name === "trustrequest" ? expected.trustrequest.decoded : expected.trustrequest_confirm.decoded;
    assert.deepEqual(
      Object.fromEntries([...request].map(([k, v]) => [k, v instanceof Uint8Array ? text(v) : v])),
      decoded,
    );
  });
}

Deno.test("devicesync: decrypts, 64-bit date and binary keys without loss", async () => {
  const key = PrivateKey.fromPem(vectorText("revoked-device.key.pem"));
  const value = asMap(decode(vector("devicesync.value")), "value");
  const plain = await key.decrypt(asBytes(value.get("dat"), "dat"));
  assert.deepEqual(plain, vector("devicesync.plain"));
  const body = asMap(asMap(decode(vector("devicesync.plain")), "plain").get("body"), "body");
  const sync = asMap(decode(asBytes(body.get("data"), "data")), "sync");
  assert.equal(String(sync.get("date")), expected.devicesync.date);
  const peers = [...asMap(sync.get("peers"), "peers").keys()].map((id) => asBytes(id, "id").toHex());
  assert.deepEqual(peers.sort(), expected.devicesync.peers);
});

Deno.test("decrypt(encrypt(x)) = x, in one block and in more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 1200, size: "max" }), async (plain) => {
      const cipher = await device.publicKey.encrypt(plain);
      assert.equal(cipher.length, plain.length <= 501 ? 512 : 512 + 12 + plain.length + 16);
      assert.deepEqual(await device.decrypt(cipher), new Uint8Array(plain));
    }),
    { numRuns: 20 },
  );
  for (const size of [0, 501, 502]) {
    assert.equal((await device.decrypt(await device.publicKey.encrypt(new Uint8Array(size))))?.length, size);
  }
});

Deno.test("every damaged or foreign ciphertext gives null", async () => {
  const cipher = await device.publicKey.encrypt(new Uint8Array(600));
  assert.equal(await peer.decrypt(cipher), null);
  for (const cut of [0, 1, 511, 513, 539, cipher.length - 1]) {
    assert.equal(await device.decrypt(cipher.subarray(0, cut)), null, `${cut} bytes`);
  }
  for (const at of [0, 511, 512, 530, cipher.length - 1]) {
    const bad = cipher.slice();
    bad[at] ^= 1;
    assert.equal(await device.decrypt(bad), null, `byte ${at}`);
  }
  assert.equal(await device.decrypt(new Uint8Array(1_000_000)), null);
});

Deno.test("sign and verify; another text, key or length of signature is refused", async () => {
  const signature = await device.sign(utf8("karibu"));
  assert.equal(signature.length, 512);
  assert.equal(await device.publicKey.verify(utf8("karibu"), signature), true);
  assert.equal(device.publicKey.verifyNow("SHA-512", utf8("karibu"), signature), true);
  assert.equal(device.publicKey.verifyNow("SHA-384", utf8("karibu"), signature), false);
  assert.equal(await device.publicKey.verify(utf8("kwaheri"), signature), false);
  assert.equal(await peer.publicKey.verify(utf8("karibu"), signature), false);
  assert.equal(await device.publicKey.verify(utf8("karibu"), signature.subarray(1)), false);
  assert.equal(await device.publicKey.verify(utf8("karibu"), new Uint8Array(0)), false);
});

Deno.test("PEM goes round, for both halves", () => {
  assert.equal(PrivateKey.fromPem(device.toPem()).publicKey.id, device.publicKey.id);
  assert.ok(device.toPem().startsWith("-----BEGIN PRIVATE KEY-----\n"));
  assert.ok(PublicKey.fromPem(device.publicKey.toPem()).equals(device.publicKey));
});

Deno.test("keys that are not RSA of 2048 to 8192 bits are refused", () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
  assert.throws(() => PublicKey.fromSpki(small.publicKey.export({ format: "der", type: "spki" })), KeyError);
  assert.throws(
    () => PrivateKey.fromPem(small.privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
    KeyError,
  );
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.throws(() => PublicKey.fromSpki(curve.publicKey.export({ format: "der", type: "spki" })), KeyError);
  assert.throws(
    () => PrivateKey.fromPem(curve.privateKey.export({ format: "pem", type: "pkcs8" }).toString()),
    KeyError,
  );
  for (const bad of ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]) {
    assert.throws(() => PrivateKey.fromPem(bad), KeyError);
    assert.throws(() => PublicKey.fromPem(bad), KeyError);
  }
  const spki = device.publicKey.spki;
  assert.throws(() => PublicKey.fromSpki(new Uint8Array([...spki, 0])), KeyError);
  assert.throws(() => PublicKey.fromSpki(new Uint8Array(1_000_000)), KeyError);
});

Deno.test("1000 mutated public keys: a key or a KeyError, nothing else", () => {
  for (const bytes of mutated(device.publicKey.spki, 1000)) {
    try {
      PublicKey.fromSpki(bytes);
    } catch (error) {
      assert.ok(error instanceof KeyError, String(error));
    }
  }
});

Deno.test("mutated private keys: a key or a KeyError, nothing else", () => {
  for (const bytes of mutated(utf8(device.toPem()), 100)) {
    try {
      PrivateKey.fromPem(text(bytes));
    } catch (error) {
      assert.ok(error instanceof KeyError, String(error));
    }
  }
});
