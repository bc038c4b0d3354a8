import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, hex } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { decode, type Decoded, type Encodable, encode } from "../../../core/base/msgpack.ts";
import { encodePacket, type Packet } from "../../../core/dht/packet.ts";
import { decodePacket } from "../../../core/dht/packet_reader.ts";
import { PublicKey } from "../../../core/identity/keys.ts";
import { packetBytes, packets } from "./vectors.ts";
import { anyPacket } from "./arbitraries.ts";

for (const vector of packets) {
  Deno.test(`the recorded packet ${vector.name} is read as what it is, and says the same when written again`, () => {
    const packet = decodePacket(fromHex(vector.hex));
    const expected = vector.decoded;
    assert.deepEqual(plain(decode(encodePacket(packet))), plain(decode(fromHex(vector.hex))));
    assert.deepEqual(abbreviate(decode(fromHex(vector.hex)), expected), expected);
  });
}

Deno.test("requests are written byte for byte as a node of 2023 writes them", () => {
  for (
    const name of [
      "ping",
      "find",
      "find_want_both",
      "get_select_id_seq",
      "get_select_id",
      "get_where_id",
      "put_oneshot",
      "put_permanent",
      "put_ack",
      "listen",
      "error_401",
      "error_404",
      "refresh",
      "jami_put_certificate.header",
      "get_reply_fields",
      "find_reply_ipv6",
    ]
  ) {
    const bytes = packetBytes(name);
    assert.equal(withoutAgent(hex(encodePacket(decodePacket(bytes)))), withoutAgent(hex(bytes)), name);
  }
});

/** The agent text is one's own, and its place among the keys too. */
function withoutAgent(packet: string): string {
  return packet.replace("a176a4524e4731", "");
}

Deno.test("the IPv6 node of a reply is found", () => {
  const packet = decodePacket(packetBytes("find_reply_ipv6"));
  assert.ok(packet.kind === "reply");
  assert.deepEqual(packet.body.nodes6?.map((node) => node.address), [{ family: 6, ip: "fd00:101::1", port: 4223 }]);
});

const ID = fromHex("d60f5d01ff757994cdf9df3c727f6e5c65c51400");
const KEY = fromHex("ee00de17b4076115e11362ff32d27ddc852242fd");

function request(
  q: string,
  a: Record<string, Encodable | undefined>,
  rest: Record<string, Encodable | undefined> = {},
): Packet {
  return decodePacket(encode({ a: { id: ID, ...a }, q, t: 5, ...rest }));
}

Deno.test("a request without type and agent is one; an old transaction of four bytes is read as a number", () => {
  assert.equal(request("ping", {}).kind, "request");
  assert.equal(decodePacket(encode({ a: { id: ID }, q: "ping", t: fromHex("01020304") })).tid, 0x01020304);
});

Deno.test("a request for the all-zero key, or for none, is read so that it can be refused by name", () => {
  for (const a of [{ h: undefined }, { h: new Uint8Array(20) }]) {
    const packet = request("get", a);
    assert.ok(packet.kind === "request" && packet.body.name === "get");
    assert.equal(packet.body.key, null);
  }
});

Deno.test("what must be dropped is dropped", () => {
  const dropped: Record<string, () => unknown> = {
    "no sender": () => decodePacket(encode({ a: {}, q: "ping", t: 5 })),
    "sender zero": () => request("ping", { id: new Uint8Array(20) }),
    "sender of 19 bytes": () => request("ping", { id: ID.slice(1) }),
    "sender as text": () => request("ping", { id: "a".repeat(20) }),
    "transaction 0": () => request("ping", {}, { t: 0 }),
    "no transaction": () => decodePacket(encode({ a: { id: ID }, q: "ping" })),
    "transaction beyond 32 bits": () => request("ping", {}, { t: 2 ** 32 }),
    "unknown request": () => request("pong", {}),
    "unknown type": () => request("ping", {}, { y: "x" }),
    "find without target": () => request("find", {}),
    "query without where": () => request("get", { h: KEY, q: { s: [1] } }),
    "query without select": () => request("get", { h: KEY, q: { w: [] } }),
    "condition on seq": () => request("get", { h: KEY, q: { s: [], w: [{ f: 4, v: 1 }] } }),
    "listen without socket": () => request("listen", { h: KEY, token: KEY }),
    "error without sender": () => decodePacket(encode({ e: [401, "no"], t: 5 })),
    "error that is a map": () => decodePacket(encode({ e: {}, r: { id: ID }, t: 5 })),
    "node list cut": () => decodePacket(encode({ r: { id: ID, n4: new Uint8Array(27) }, t: 5 })),
    "part index as text": () => decodePacket(encode({ p: { "0": { o: 0, d: KEY } }, t: 5 })),
    "an array": () => decodePacket(encode([1, 2])),
    "nothing": () => decodePacket(new Uint8Array(0)),
    "binary map keys": () =>
      decodePacket(encode(new Map<Encodable, Encodable>([[fromHex("61"), { id: ID }], [fromHex("74"), 5]]))),
    "fields without rows of their length": () =>
      decodePacket(encode({ r: { id: ID, fileds: { f: [1, 4], v: [1] } }, t: 5 })),
    "no fields at all": () => decodePacket(encode({ r: { id: ID, fileds: { f: [], v: [] } }, t: 5 })),
  };
  for (const [why, read] of Object.entries(dropped)) assert.throws(read, ProtocolError, why);
});

Deno.test("one unreadable value among others is dropped alone", () => {
  const good = { id: 1, dat: { body: { type: 0, data: KEY } } };
  const packet = request("put", { h: KEY, token: KEY, values: [{ id: 2 }, good, 700] });
  assert.ok(packet.kind === "request" && packet.body.name === "put");
  assert.deepEqual(packet.body.values.map((slot) => slot === null || typeof slot === "number" ? slot : slot.id), [
    null,
    1n,
    700,
  ]);
});

Deno.test("a token that is empty or too long counts as none", () => {
  for (const token of [new Uint8Array(0), new Uint8Array(65)]) {
    const packet = decodePacket(encode({ r: { id: ID, token }, t: 5 }));
    assert.ok(packet.kind === "reply");
    assert.equal(packet.body.token, undefined);
  }
});

Deno.test("every packet comes back as it was sent", () => {
  fc.assert(
    fc.property(
      anyPacket,
      (packet) => assert.deepEqual(comparable(decodePacket(encodePacket(packet))), comparable(packet)),
    ),
    { numRuns: 500 },
  );
});

Deno.test("damaged packets are refused with the codec's own error or read as something else, never worse", () => {
  const samples = packets.map((vector) => fromHex(vector.hex));
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      (sample, changes, cut) => {
        const damaged = sample.slice(0, cut % 4 === 0 ? cut % sample.length : undefined);
        for (const [at, to] of changes) if (damaged.length) damaged[at % Math.min(damaged.length, 1 + cut % 300)] = to;
        try {
          encodePacket(decodePacket(damaged));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

/** The same as texts and plain objects: keys are objects with secrets of their own. */
function comparable(value: unknown): unknown {
  if (value instanceof PublicKey) return value.id;
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, comparable(item)]));
}

/** Maps without order. */
function plain(value: Decoded): unknown {
  if (value instanceof Map) {
    return new Map([...value].sort(([a], [b]) => String(a) < String(b) ? -1 : 1).map(([k, v]) => [k, plain(v)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

/** A decoded packet in the form of the vectors' `decoded`, shortened wherever `like` is. */
function abbreviate(value: Decoded, like: unknown): unknown {
  if (value instanceof Map) {
    const record = like as Record<string, unknown>; // reason: the vector's own JSON
    return Object.fromEntries([...value].map(([k, v]) => [String(k), abbreviate(v, record?.[String(k)])]));
  }
  if (Array.isArray(value)) return value.map((item, i) => abbreviate(item, (like as unknown[] | undefined)?.[i])); // reason: as above
  if (typeof value === "bigint") return { u64: String(value) };
  if (!(value instanceof Uint8Array)) return value;
  const short = like as { bin_len?: number; bin_head?: string } | undefined; // reason: as above
  return short?.bin_len === undefined
    ? { bin: hex(value) }
    : { bin_len: value.length, bin_head: hex(value).slice(0, short.bin_head?.length) };
}
