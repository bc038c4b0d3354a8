import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { fromHex, hex, text } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { asBytes, asMap, decode, encode } from "../../../core/base/msgpack.ts";
import { certificateKey, certificateKeys, readCertificates } from "../../../core/dht/certificate_value.ts";
import { infoHash } from "../../../core/dht/info_hash.ts";
import { contentFields, packValue, signedBytes, unpackValue, type Value } from "../../../core/dht/value.ts";
import { decryptValue, encryptValue, signValue, verifyValue } from "../../../core/dht/value_crypto.ts";
import { PrivateKey, PublicKey } from "../../../core/identity/keys.ts";
import { anyValue } from "./arbitraries.ts";
import { keys, privateKey, today, valueBytes, values } from "./vectors.ts";

Deno.test("the names computed from a key are those of the field", () => {
  for (const vector of Object.values(keys)) {
    const key = PublicKey.fromSpki(fromHex(vector.spki_der_hex));
    assert.equal(key.id, vector.key_id);
    assert.equal(key.longId, vector.long_key_id);
    assert.equal(infoHash(`node:${key.id}`), vector.node_id);
    assert.deepEqual(certificateKeys(key), [vector.cert_key_today, vector.cert_key_2023]);
    assert.equal(infoHash(`inbox:${key.id}`), vector.inbox_key);
    assert.equal(infoHash(`peer:${key.id}`), vector.peer_key_2023);
    assert.equal(infoHash(`peer:${key.longId}`), vector.peer_key_today);
  }
});

for (const vector of values) {
  Deno.test(`the recorded value ${vector.name} is read, checked and written again byte for byte`, async () => {
    const packed = fromHex(vector.value_hex);
    const value = unpackValue(packed);
    assert.equal(value.id, BigInt(vector.id));
    assert.equal(hex(packValue(value)), vector.value_hex);
    const reader = vector.encrypted_for && privateKey(vector.encrypted_for);
    const inner = reader ? await decryptValue(value, reader) : value;
    assert.ok(inner);
    assert.equal(inner.id, value.id);
    assert.equal(inner.type, vector.type);
    assert.equal(inner.userType ?? "", vector.utype);
    assert.equal(hex(inner.data), vector.data_hex);
    assert.equal(inner.to, vector.to);
    if (vector.plaintext_hex) assert.equal(hex(encode(contentFields(inner))), vector.plaintext_hex);
    if (!vector.owner_key_id) return assert.equal(inner.owner, undefined);
    assert.equal(inner.owner?.id, vector.owner_key_id);
    assert.equal(inner.owner?.longId, vector.owner_long_key_id);
    assert.equal(inner.seq, vector.seq);
    assert.equal(hex(inner.signature ?? new Uint8Array(0)), vector.signature_hex);
    assert.equal(createHash("sha256").update(signedBytes(inner)).digest("hex"), vector.signed_bytes_sha256);
    assert.ok(await verifyValue(inner));
  });
}

Deno.test("an acknowledgement at one's own inbox that is encrypted for the other one is ignored", async () => {
  const value = unpackValue(valueBytes("jami_im_ack"));
  assert.equal(await decryptValue(value, privateKey("jami_alice")), null);
  assert.ok(await decryptValue(value, privateKey("jami_bob")));
});

Deno.test("a change of any byte of the cypher makes the value be dropped", async () => {
  const bob = privateKey("tool_bob");
  const value = unpackValue(valueBytes("encrypted_text"));
  const cypher = value.cypher ?? assert.fail("encrypted");
  for (const at of [0, 100, 511, 512, 523, 524, 800, cypher.length - 17, cypher.length - 16, cypher.length - 1]) {
    const changed = cypher.slice();
    changed[at] ^= 1;
    assert.equal(await decryptValue({ ...value, cypher: changed }, bob), null, `byte ${at}`);
  }
  for (const length of [0, 511, 512, 523, 540, cypher.length - 1]) {
    assert.equal(await decryptValue({ ...value, cypher: cypher.slice(0, length) }, bob), null, `${length} bytes`);
  }
});

Deno.test("a change of body or signature makes a signed value be refused", async () => {
  const value = unpackValue(valueBytes("signed_text"));
  const signature = value.signature ?? assert.fail("signed");
  const other = { ...value, data: value.data.with(0, value.data[0] ^ 1) };
  assert.ok(await verifyValue(value));
  assert.ok(!await verifyValue(other));
  assert.ok(!await verifyValue({ ...value, seq: 1 }));
  assert.ok(!await verifyValue({ ...value, type: 3 }));
  assert.ok(!await verifyValue({ ...value, userType: "text" }));
  assert.ok(!await verifyValue({ ...value, to: infoHash("another") }));
  assert.ok(!await verifyValue({ ...value, signature: signature.with(500, signature[500] ^ 1) }));
  assert.ok(!await verifyValue({ ...value, owner: privateKey("tool_bob").publicKey }));
});

Deno.test("a value encrypted for one recipient but meant for another is dropped", async () => {
  const [alice, bob] = [privateKey("tool_alice"), privateKey("tool_bob")];
  const signed = await signValue({ id: 7n, type: 0, data: fromHex("00"), to: infoHash("someone else") }, alice);
  const cypher = await bob.publicKey.encrypt(encode(contentFields(signed)));
  assert.equal(await decryptValue({ id: 7n, type: 0, data: new Uint8Array(0), cypher }, bob), null);
  const unsigned = await bob.publicKey.encrypt(encode({ body: { type: 0, data: fromHex("00") } }));
  assert.equal(await decryptValue({ id: 7n, type: 0, data: new Uint8Array(0), cypher: unsigned }, bob), null);
});

Deno.test("what is signed and encrypted comes back whole", async () => {
  const [alice, bob] = [privateKey("jami_alice"), privateKey("jami_bob")];
  const value: Value = {
    id: 2n ** 64n - 1n,
    type: 3,
    data: fromHex("a0"),
    userType: "peer_request",
    priority: 1,
    pushType: "audioCall",
  };
  const sealed = await encryptValue(value, alice, bob.publicKey);
  const opened = await decryptValue(unpackValue(packValue(sealed)), bob);
  assert.ok(opened?.owner && opened.signature);
  const { owner, signature: _, ...rest } = opened;
  assert.equal(owner.id, alice.publicKey.id);
  assert.deepEqual(rest, { ...value, seq: 0, to: bob.publicKey.id });
});

Deno.test("the values of today's daemon are read, and written again byte for byte", async () => {
  const device = PrivateKey.fromPem(text(today("x-device.key.pem")));
  const read = (name: string) => {
    const value = unpackValue(today(name));
    assert.deepEqual(packValue(value), new Uint8Array(today(name)));
    return value;
  };
  const announcement = read("announcement.value");
  assert.equal(announcement.priority, 1);
  assert.ok(await verifyValue(announcement));

  const certificate = read("certificate.value");
  assert.equal(certificate.id, 1n);
  assert.equal(certificateKey(certificate)?.longId, "5130e31930e7e54ba8eb3235b066233d2193f5a2c0c96cf8931aa5887090cb42");
  assert.equal(certificateKey(certificate)?.id, device.publicKey.id);
  assert.equal(readCertificates(certificate)?.length, 3);

  const trust = await decryptValue(read("trustrequest.value"), device);
  assert.equal(trust?.type, 4);
  assert.equal(
    asMap(decode(trust?.data ?? fromHex("")), "data").get("conversationId"),
    "99a2bbd4f704b4f1721032b09481ac4e7407e24f",
  );

  const sealed = read("peer-request.value");
  assert.equal(sealed.pushType, "application/im-gitmessage-id/3f13c62955529e43fd9b2642bec08eb8e7176121");
  const request = await decryptValue(sealed, device);
  assert.equal(request?.userType, "peer_request");
  assert.equal(request?.to, device.publicKey.id);
  assert.equal(asMap(decode(request?.data ?? fromHex("")), "data").get("id"), 8224817895460209);
});

Deno.test("today's answer to a connection request has no push type", () => {
  assert.equal(unpackValue(today("peer-answer.value")).pushType, undefined);
});

Deno.test("a value with an owner but without signature or version cannot be read; a signature without owner is ignored", () => {
  const owner = fromHex(keys.tool_alice.spki_der_hex);
  const packed = (body: Record<string, number | Uint8Array>, sig?: Uint8Array) =>
    encode({ id: 1, dat: { body: { type: 0, data: owner, ...body }, sig } });
  assert.throws(() => unpackValue(packed({ seq: 0, owner })), ProtocolError);
  assert.throws(() => unpackValue(packed({ owner }, owner)), ProtocolError);
  assert.throws(() => unpackValue(packed({ seq: 70_000, owner }, owner)), ProtocolError);
  assert.throws(() => unpackValue(packed({ seq: 0, owner: fromHex("3000") }, owner)), ProtocolError);
  assert.equal(unpackValue(packed({}, owner)).signature, undefined);
});

Deno.test("byte strings are read in every form that peers write", () => {
  for (const data of ["abc", [97, 98, 99], fromHex("616263")]) {
    assert.equal(hex(unpackValue(encode({ id: 1, dat: { body: { type: 0, data } } })).data), "616263");
  }
  assert.throws(() => unpackValue(encode({ id: 1, dat: { body: { type: 0, data: [256] } } })), ProtocolError);
});

Deno.test("every value comes back as it was packed", () => {
  fc.assert(fc.property(anyValue, (value) => {
    const again = unpackValue(packValue(value));
    assert.deepEqual({ ...again, owner: again.owner?.id }, { ...value, owner: value.owner?.id });
  }));
});

Deno.test("damaged values are refused with the codec's own error or read as something else, never worse", () => {
  const samples = values.map((vector) => fromHex(vector.value_hex));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (sample, changes, cut) => {
        const damaged = sample.slice(0, cut % 4 === 0 ? cut % sample.length : undefined);
        for (const [at, to] of changes) if (damaged.length) damaged[at % Math.min(damaged.length, 1 + cut % 700)] = to;
        try {
          const value = unpackValue(damaged);
          assert.deepEqual(packValue(unpackValue(packValue(value))), packValue(value));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("a certificate value is found in every form that storage nodes accept", () => {
  const value = unpackValue(valueBytes("jami_certificate_chain"));
  const pem = asBytes(decode(value.data), "pem");
  const alice = keys.jami_alice.key_id;
  assert.equal(certificateKey(value)?.id, alice);
  assert.equal(certificateKey({ ...value, data: pem })?.id, alice);
  const der = readCertificates(value)?.[0].der ?? assert.fail("a chain");
  assert.equal(certificateKey({ ...value, data: der })?.id, alice);
  assert.equal(certificateKey({ ...value, data: encode(der) }), null);
  assert.equal(certificateKey({ ...value, data: fromHex("c403616263") }), null);
  assert.equal(certificateKey({ ...value, type: 0 }), null);
});
