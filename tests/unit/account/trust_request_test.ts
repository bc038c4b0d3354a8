import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeTrustRequest, encodeTrustRequest, TRUST_REQUEST_TYPE } from "../../../core/account/trust_request.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { asMap, decode, encode } from "../../../core/base/msgpack.ts";
import { decryptValue } from "../../../core/dht/value_crypto.ts";
import { readContent, unpackValue } from "../../../core/dht/value.ts";
import { Certificate } from "../../../core/identity/certificate.ts";
import { keyVector, textVector, vector } from "./support.ts";

const VECTORS = [
  { name: "trustrequest", key: "account/peer-device.key.pem", sender: "account/chain.pem" },
  { name: "trustrequest-confirm", key: "account/device.key.pem", sender: "account/peer-chain.pem" },
];

/** The packed requests of the vectors. */
const requests = VECTORS.map(({ name }) => readContent(asMap(decode(vector(`account/${name}.plain`)), "plain")).data);

Deno.test("trust request: those of the 2023 daemon are decrypted and read", async () => {
  const { trustrequest, trustrequest_confirm } = JSON.parse(textVector("account/expected.json"));
  for (const [i, expected] of [trustrequest, trustrequest_confirm].entries()) {
    const { name, key, sender } = VECTORS[i];
    const plain = await decryptValue(unpackValue(vector(`account/${name}.value`)), keyVector(key));
    assert.ok(plain);
    assert.equal(plain.type, TRUST_REQUEST_TYPE);
    assert.equal(plain.owner?.longId, Certificate.listFromPem(textVector(sender))[0].publicKey.longId);
    assert.deepEqual([...plain.data], [...requests[i]]);
    const { conversation, payload, confirm, invitedMs } = decodeTrustRequest(plain.data);
    assert.deepEqual(
      { conversation, payload: new TextDecoder().decode(payload), confirm },
      {
        conversation: expected.decoded.conversationId,
        payload: expected.decoded.payload,
        confirm: expected.decoded.confirm,
      },
    );
    assert.equal(invitedMs, undefined);
  }
});

Deno.test("trust request: today's carries when it was first made", async () => {
  const plain = await decryptValue(
    unpackValue(vector("today/dht/trustrequest.value")),
    keyVector("today/dht/x-device.key.pem"),
  );
  assert.ok(plain);
  assert.deepEqual(decodeTrustRequest(plain.data), {
    conversation: "99a2bbd4f704b4f1721032b09481ac4e7407e24f",
    payload: new Uint8Array(),
    confirm: false,
    invitedMs: 1795216175037,
  });
  assert.deepEqual(
    [...encodeTrustRequest(decodeTrustRequest(plain.data))],
    [...plain.data],
    "and is written as they write it",
  );
});

Deno.test("trust request: nobody else can read it", async () => {
  for (const { name, key } of VECTORS) {
    const other = VECTORS.find((one) => one.key !== key)?.key ?? "";
    assert.equal(await decryptValue(unpackValue(vector(`account/${name}.value`)), keyVector(other)), null);
  }
});

Deno.test("trust request: decode(encode(x)) = x", () => {
  const request = fc.record({
    conversation: fc.oneof(fc.constant(""), fc.stringMatching(/^[0-9a-f]{40}$/)),
    payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
    confirm: fc.boolean(),
    invitedMs: fc.oneof(fc.constant(undefined), fc.maxSafeNat()),
  }, { noNullPrototype: true });
  fc.assert(fc.property(request, (one) => assert.deepEqual(decodeTrustRequest(encodeTrustRequest(one)), one)));
});

Deno.test("trust request: a payload beyond what a value holds is taken as empty", () => {
  const at = (size: number) =>
    decodeTrustRequest(
      encode({ service: "cx.ring", conversationId: "", payload: new Uint8Array(size), confirm: false }),
    );
  assert.equal(at(63_999).payload.length, 63_999);
  assert.equal(at(64_000).payload.length, 0);
});

Deno.test("trust request: other services, ids that are none and other types are refused", () => {
  const refuse = (fields: Parameters<typeof encode>[0]) =>
    assert.throws(() => decodeTrustRequest(encode(fields)), ProtocolError);
  refuse({ service: "else", conversationId: "", payload: new Uint8Array(), confirm: false });
  refuse({ service: "cx.ring", conversationId: "../../etc/passwd", payload: new Uint8Array(), confirm: false });
  refuse({ service: "cx.ring", conversationId: "A".repeat(40), payload: new Uint8Array(), confirm: false });
  refuse({ service: "cx.ring", conversationId: 5, payload: new Uint8Array(), confirm: false });
  refuse({ service: "cx.ring", conversationId: "", payload: "text", confirm: false });
  refuse([]);
  const odd = decodeTrustRequest(encode({ service: "cx.ring", confirm: 1, invitedMs: -5 }));
  assert.deepEqual([odd.confirm, odd.conversation, odd.invitedMs], [false, "", undefined]);
});

Deno.test("trust request: damage gives its typed error or a request within bounds", () => {
  const damage = fc.tuple(fc.constantFrom(...requests), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(3));
  fc.assert(
    fc.property(damage, ([bytes, at, flip, cut]) => {
      const damaged = bytes.slice(0, bytes.length - cut);
      damaged[at % damaged.length] ^= flip;
      try {
        const { conversation, payload } = decodeTrustRequest(damaged);
        assert.match(conversation, /^([0-9a-f]{40})?$/);
        assert.ok(payload.length < 64_000);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
