/** Random values and packets of every kind, for the properties of the codecs. */

import fc from "fast-check";
import { fromHex, hex } from "../../../core/base/bytes.ts";
import { addressOf } from "../../../core/dht/address.ts";
import { infoHashOf } from "../../../core/dht/info_hash.ts";
import type { NodeInfo, Packet, ValueSlot } from "../../../core/dht/packet.ts";
import { Field, type FieldTable, type Query, selectFields } from "../../../core/dht/query.ts";
import type { Value } from "../../../core/dht/value.ts";
import { PublicKey } from "../../../core/identity/keys.ts";
import { keys } from "./vectors.ts";

const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => new Uint8Array(array));
const anyOwner = PublicKey.fromSpki(fromHex(keys.tool_alice.spki_der_hex));

/** Values of every kind, with nothing left out or doubled that the codec would normalise. */
export const anyValue: fc.Arbitrary<Value> = fc.tuple(
  fc.record({
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    priority: fc.integer({ min: 1, max: 9 }),
    pushType: fc.string({ minLength: 1, maxLength: 9 }),
  }, { requiredKeys: ["id"] }),
  fc.oneof(
    fc.record({ type: fc.constant(0), data: fc.constant(new Uint8Array(0)), cypher: bytes }),
    fc.record({ type: fc.nat(0xffff), data: bytes, userType: fc.string({ minLength: 1 }) }, {
      requiredKeys: ["type", "data"],
    }),
    fc.record({
      type: fc.nat(0xffff),
      data: bytes,
      userType: fc.string({ minLength: 1 }),
      owner: fc.constant(anyOwner),
      seq: fc.nat(0xffff),
      to: fc.constant(infoHashOf(fromHex("00"))),
      signature: bytes,
    }, { requiredKeys: ["type", "data", "owner", "seq", "signature"] }),
  ),
).map(([outer, inner]) => ({ ...outer, ...inner }));

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 }).filter((b) => b.some((x) => x)).map((b) => hex(b));
const key = fc.option(hash, { nil: null });
const uint32 = fc.integer({ min: 1, max: 0xffffffff });
const token = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((b) => new Uint8Array(b));
const ids = fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 5 });
const slots: fc.Arbitrary<ValueSlot[]> = fc.array(fc.oneof(anyValue, fc.nat(65_568), fc.constant(null)), {
  maxLength: 4,
});
const want = fc.constantFrom<(4 | 6)[]>([4], [6], [4, 6], []);
const query: fc.Arbitrary<Query> = fc.record({
  select: fc.uniqueArray(fc.constantFrom(...Object.values(Field))),
  where: fc.record({
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    type: fc.nat(0xffff),
    owner: hash,
    userType: fc.string(),
  }, { requiredKeys: [] }),
});
const table: fc.Arbitrary<FieldTable> = fc.tuple(
  fc.array(anyValue, { maxLength: 4 }),
  fc.uniqueArray(fc.constantFrom(...Object.values(Field)), { minLength: 1 }),
)
  .map(([values, fields]) => selectFields(values, fields));

function nodes(ipLength: number): fc.Arbitrary<NodeInfo[]> {
  const node = fc.tuple(hash, fc.uint8Array({ minLength: ipLength, maxLength: ipLength }), fc.nat(65535)).map(
    ([id, ip, port]) => {
      const address = addressOf(ip, port);
      return address?.family === (ipLength === 4 ? 4 : 6) ? { id, address } : null;
    },
  );
  return fc.array(node.filter((one) => one !== null), { minLength: 1, maxLength: 8 });
}

const body = fc.oneof(
  fc.record({ name: fc.constant("ping" as const) }),
  fc.record({ name: fc.constant("find" as const), target: hash, want }, { requiredKeys: ["name", "target"] }),
  fc.record({ name: fc.constant("get" as const), key, query, want }, { requiredKeys: ["name", "key"] }),
  fc.record({ name: fc.constant("put" as const), key, values: slots, created: fc.nat(), token }, {
    requiredKeys: ["name", "key", "values", "token"],
  }),
  fc.record({
    name: fc.constant("refresh" as const),
    key,
    valueId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    token,
  }),
  fc.record({ name: fc.constant("listen" as const), version: fc.nat(1), key, token, socketId: uint32, query }, {
    requiredKeys: ["name", "version", "key", "token", "socketId"],
  }),
  fc.record({
    name: fc.constant("update" as const),
    version: fc.nat(2),
    key: hash,
    socketId: uint32,
    values: slots,
    created: fc.nat(),
    token,
    refreshed: ids,
    expired: ids,
  }, { requiredKeys: ["name", "socketId"] }),
);
const reply = fc.record({
  valueId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  seenAs: token,
  nodes4: nodes(4),
  nodes6: nodes(16),
  token,
  values: slots,
  fields: table,
}, { requiredKeys: [] });
const envelope = fc.record({ tid: uint32, network: uint32, client: fc.constant(true), agent: fc.string() }, {
  requiredKeys: ["tid"],
});
const part = fc.record({ index: fc.nat(50), offset: fc.nat(65_536), data: token });
/** Packets of every kind. */
export const anyPacket: fc.Arbitrary<Packet> = fc.oneof(
  fc.tuple(envelope, hash, body).map(([e, id, body]) => ({ kind: "request" as const, ...e, id, body })),
  fc.tuple(envelope, hash, reply).map(([e, id, body]) => ({ kind: "reply" as const, ...e, id, body })),
  fc.tuple(envelope, hash, fc.nat(0xffff), fc.string()).map(([e, id, code, message]) => ({
    kind: "error" as const,
    ...e,
    id,
    code,
    message,
  })),
  fc.tuple(envelope, fc.uniqueArray(part, { selector: (p) => p.index, maxLength: 3 })).map(([e, parts]) => ({
    kind: "parts" as const,
    ...e,
    parts,
  })),
  fc.tuple(envelope, hash, fc.record({ token, refreshed: ids, expired: ids }, { requiredKeys: [] })).map((
    [e, id, lists],
  ) => ({ kind: "update0" as const, ...e, id, ...lists })),
);
