import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../../core/base/errors.ts";
import { decode, encode } from "../../../core/base/msgpack.ts";
import {
  decodeDrt,
  type DrtMessage,
  encodeDrt,
  FIND,
  leasePayload,
  nearest,
  readDrt,
} from "../../../core/messaging/drt_message.ts";
import { encodeServiceList, encodeServiceQuery, isServiceQuery } from "../../../core/messaging/service_discovery.ts";
import { bytesArb, hexArb, mutate, record, vector, vectors } from "./support.ts";

const messages = [...vectors("sync/drt"), ...vectors("today/drt")].filter(([name]) => !name.includes("payload"));

Deno.test("drt: every vector is read, and written again to the same bytes", () => {
  assert.equal(messages.length, 8);
  for (const [name, bytes] of messages) assert.deepEqual(encodeDrt(decodeDrt(bytes)), bytes, name);
});

Deno.test("drt: what the constructed vectors say", () => {
  const node = (from: number) => Uint8Array.from({ length: 32 }, (_, i) => from + i).toHex();
  const find = decodeDrt(vector("sync/drt/drt-find-request.bin"));
  assert.deepEqual(find.request, { query: FIND, count: 2, node: node(0x10) });
  const found = decodeDrt(vector("sync/drt/drt-found-response.bin"));
  assert.deepEqual(found.response?.nodes, [node(0x20), node(0x40)]);
  assert.deepEqual(decodeDrt(vector("sync/drt/drt-cert-request.bin")).certRequest, [node(0x60)]);
});

Deno.test("drt: the signed bytes of a lease are those of the vector", () => {
  const lease = decodeDrt(vector("sync/drt/drt-found-with-lease.bin")).response?.mobileNodeInfos[0].lease;
  assert(lease);
  assert.deepEqual(leasePayload(lease), vector("sync/drt/drt-lease-signed-payload.bin"));
});

const device = hexArb(64);
const uint = fc.nat();
const lease = record({
  formatVersion: uint,
  conversation: hexArb(40),
  issuer: hexArb(40),
  device,
  issuedAt: uint,
  expiresAt: uint,
  signature: bytesArb(600),
});
const info = record({ id: device, lease: fc.option(lease) });
const devices = fc.array(device, { maxLength: 5 });
const message: fc.Arbitrary<DrtMessage> = record({
  version: uint,
  isMobile: fc.boolean(),
  selfMobileInfo: fc.option(info),
  request: fc.option(record({ query: fc.constant(FIND), count: uint, node: device })),
  response: fc.option(
    record({ query: uint, nodes: devices, mobileNodes: devices, mobileNodeInfos: fc.array(info, { maxLength: 3 }) }),
  ),
  certRequest: fc.option(devices),
  certResponse: fc.option(fc.array(bytesArb(100), { maxLength: 3 })),
});

Deno.test("drt: decoding what was encoded gives it back, whatever the order of the keys", () => {
  fc.assert(fc.property(message, (m) => {
    const bytes = encodeDrt(m);
    assert.deepEqual(decodeDrt(bytes), m);
    const map = decode(bytes);
    assert(map instanceof Map);
    assert.deepEqual(readDrt(new Map([...map].reverse())), m);
  }));
});

Deno.test("drt: messages of older versions and other queries are read", () => {
  const nothing = decodeDrt(encode({}));
  assert.deepEqual([nothing.version, nothing.isMobile, nothing.request, nothing.response], [0, false, null, null]);
  assert.equal(decodeDrt(encode({ v: 1, request: { q: 7 } })).request?.query, 7);
});

Deno.test("drt: lists, ids and certificates over their limits are refused", () => {
  const id = new Uint8Array(32);
  const bad = [
    { response: { q: 2, nodes: Array(513).fill(id) } },
    { response: { q: 2, nodes: [new Uint8Array(31)] } },
    { response: { q: 2, mobile_node_infos: Array(129).fill({ id }) } },
    { cert_request: { ids: Array(17).fill(id) } },
    { cert_response: { certificates: [new Uint8Array(65_537)] } },
    { cert_response: { certificates: Array(5).fill(new Uint8Array(60_000)) } },
    { request: { q: 1, num: -1, nodeId: id } },
    { is_mobile: 1 },
  ];
  for (const value of bad) assert.throws(() => decodeDrt(encode(value)), ProtocolError, Object.keys(value)[0]);
});

Deno.test("drt: nearest by XOR", () => {
  fc.assert(fc.property(fc.uniqueArray(device, { maxLength: 20 }), device, fc.nat(5), (ids, target, count) => {
    const out = nearest(ids, target, count);
    const distance = (id: string) => BigInt(`0x${id}`) ^ BigInt(`0x${target}`);
    assert.equal(out.length, Math.min(count, ids.length));
    for (let i = 1; i < out.length; i++) assert(distance(out[i - 1]) < distance(out[i]));
    for (const left of ids.filter((id) => !out.includes(id))) {
      assert(out.every((id) => distance(id) < distance(left)));
    }
  }));
});

Deno.test("drt: mutated messages are read or refused with a ProtocolError", () => {
  mutate(messages.map(([, bytes]) => bytes), decodeDrt);
});

Deno.test("services: the query and the empty list are those of the vectors", () => {
  assert.deepEqual(encodeServiceQuery(), vector("today/svcdisc/query.bin"));
  const self = "c11a0b225191b6f3fc46238fdb6675bb1d6a9f6ceb1389a7753178c093d0d29a";
  assert.deepEqual(encodeServiceList(self), vector("today/svcdisc/service_list.bin"));
  assert(isServiceQuery(decode(vector("today/svcdisc/query.bin"))));
  assert(!isServiceQuery(decode(vector("today/svcdisc/service_list.bin"))));
});

Deno.test("services: mutated queries are read or refused with a ProtocolError", () => {
  mutate(vectors("today/svcdisc").map(([, bytes]) => bytes), (bytes) => isServiceQuery(decode(bytes)));
});
