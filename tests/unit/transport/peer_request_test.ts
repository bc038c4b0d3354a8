import assert from "node:assert/strict";
import fc from "fast-check";
import { hex, strictText, text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { unpackValue } from "../../../core/dht/value.ts";
import { decryptValue } from "../../../core/dht/value_crypto.ts";
import { Certificate } from "../../../core/identity/certificate.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { decodePeerRequest, encodePeerRequest, PEER_REQUEST_TYPE } from "../../../core/transport/peer_request.ts";
import { peerKey } from "../../../core/transport/signalling.ts";
import { mutations, refuses, vector } from "./mutation.ts";

/** Ordinary objects, as the codecs make them. */
const PLAIN = { noNullPrototype: true };
const session = JSON.parse(text(vector("connection/session.json")));

for (const name of ["request", "answer"]) {
  Deno.test(`the recorded ${name} decodes to its fields and encodes to the same bytes`, () => {
    const bytes = vector(`connection/${name}.msgpack`);
    const request = decodePeerRequest(bytes);
    const { id, ice_msg, isAnswer, connType } = session[name].fields;
    assert.deepEqual(request, { id: BigInt(id), iceText: ice_msg, isAnswer, connType });
    assert.equal(hex(encodePeerRequest(request)), hex(bytes));
  });
}

Deno.test("the signalling keys of both families are those of the recorded session", () => {
  for (const [chain, field] of [["b", "request"], ["a", "answer"]] as const) {
    const [leaf] = Certificate.listFromPem(text(vector(`connection/${chain}_chain.pem`)));
    assert.equal(leaf.publicKey.longId, session[chain].device_id);
    assert.equal(peerKey(leaf.publicKey, "short"), session[field].dht_key);
    assert.equal(peerKey(leaf.publicKey, "long"), session[field].dht_key_today);
  }
});

Deno.test("request and answer of today's peers decrypt and decode", async () => {
  const key = PrivateKey.fromPem(text(vector("today/dht/x-device.key.pem")));
  const expected = [["peer-request", 8224817895460209n, false], ["peer-answer", 6766733678617438n, true]] as const;
  for (const [name, id, isAnswer] of expected) {
    const outer = unpackValue(vector(`today/dht/${name}.value`));
    const value = await decryptValue(outer, key);
    assert(value);
    assert.equal(value.userType, PEER_REQUEST_TYPE);
    const request = decodePeerRequest(value.data);
    assert.equal(request.id, id);
    assert.equal(request.isAnswer, isAnswer);
    assert.equal(request.connType, outer.pushType ?? "");
    assert.equal(hex(encodePeerRequest(request)), hex(value.data));
  }
});

Deno.test("a request decodes to what was encoded", () => {
  const short = (maxLength: number) => fc.string({ unit: "grapheme", maxLength });
  const request = fc.record({
    id: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    iceText: short(300),
    isAnswer: fc.boolean(),
    connType: short(20),
  }, PLAIN).filter((r) => strictText(utf8(r.iceText)) === r.iceText && utf8(r.connType).length <= 256);
  fc.assert(fc.property(request, (r) => assert.deepEqual(decodePeerRequest(encodePeerRequest(r)), r)));
});

Deno.test("damaged requests are refused with a ProtocolError or read as something else", () => {
  for (const bytes of mutations([vector("connection/request.msgpack"), vector("connection/answer.msgpack")], 1000)) {
    refuses(ProtocolError, () => decodePeerRequest(bytes));
  }
});

Deno.test("requests with missing, wrong or too long fields are refused", () => {
  const good = { id: 1, ice_msg: "", isAnswer: false, connType: "" };
  assert.equal(decodePeerRequest(encode(good)).id, 1n);
  const bad = [
    { ...good, id: 0 },
    { ...good, id: "1" },
    { ...good, id: -1 },
    { ...good, ice_msg: 5 },
    { ...good, ice_msg: "x".repeat(8193) },
    { ...good, isAnswer: 1 },
    { ...good, connType: "x".repeat(257) },
  ];
  for (const fields of bad) assert.throws(() => decodePeerRequest(encode(fields)), ProtocolError);
});
