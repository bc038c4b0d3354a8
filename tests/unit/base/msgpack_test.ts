import assert from "node:assert/strict";
import fc from "fast-check";
import { equal, fromHex, hex } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { decode, type Encodable, encode, Unpacker } from "../../../core/base/msgpack.ts";

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.bigInt(2n ** 53n, 2n ** 64n - 1n),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array({ maxLength: 300 }).map((b) => new Uint8Array(b)),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie("any"), { maxLength: 20 }), tie("map")),
  map: fc.array(fc.tuple(fc.oneof(fc.string(), fc.nat()), tie("any")), { maxLength: 20 }).map((e) => new Map(e)),
})).any as fc.Arbitrary<Encodable>;

Deno.test("msgpack: decoding what was encoded gives it back", () => {
  fc.assert(fc.property(value, (v) => assert.deepEqual(decode(encode(v)), v)));
});

Deno.test("msgpack: every integer has its shortest form", () => {
  const cases: [number | bigint, string][] = [
    [0, "00"],
    [127, "7f"],
    [128, "cc80"],
    [256, "cd0100"],
    [65536, "ce00010000"],
    [2 ** 32, "cf0000000100000000"],
    [2n ** 64n - 1n, "cfffffffffffffffff"],
    [-1, "ff"],
    [-32, "e0"],
    [-33, "d0df"],
    [-(2 ** 31), "d280000000"],
  ];
  for (const [n, bytes] of cases) assert.equal(hex(encode(n)), bytes);
});

Deno.test("msgpack: a stream cut anywhere gives the same values", () => {
  fc.assert(fc.property(fc.array(value, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (values, step) => {
    const bytes = values.map((v) => encode(v)).reduce((a, b) => new Uint8Array([...a, ...b]), new Uint8Array());
    const unpacker = new Unpacker(1 << 20);
    const out = [];
    for (let i = 0; i < bytes.length; i += step) out.push(...unpacker.push(bytes.subarray(i, i + step)));
    assert.deepEqual(out, values);
  }));
});

Deno.test("msgpack: garbage gives only ProtocolError, and what decodes encodes again", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (garbage) => {
      try {
        encode(decode(garbage));
      } catch (error) {
        assert(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("msgpack: a huge announced length costs nothing", () => {
  for (const bytes of ["c6ffffffff", "dbffffffff", "ddffffffff", "dfffffffff"]) {
    assert.throws(() => decode(fromHex(bytes)), ProtocolError);
  }
  assert.throws(() => decode(new Uint8Array(100_000).fill(0x91)), /nested too deep/);
  assert.throws(() => new Unpacker(100).push(fromHex("c5ffff" + "00".repeat(200))), ProtocolError);
});

Deno.test("msgpack: integer keys and byte strings survive", () => {
  const v = new Map<Encodable, Encodable>([[0, new Map<Encodable, Encodable>([["o", 0], ["d", fromHex("00ff")]])]]);
  assert(equal(encode(v), fromHex("8100" + "82a16f00a164c40200ff")));
});

Deno.test("msgpack: a stream cut into single bytes costs no more than its length", () => {
  const bytes = encode(Array.from({ length: 1000 }, (_, i) => ({ i: "x".repeat(100) + i })));
  const unpacker = new Unpacker(1 << 20);
  const out = [];
  for (const byte of bytes) out.push(...unpacker.push(Uint8Array.of(byte)));
  assert.deepEqual(out, [decode(bytes)]);
});

Deno.test("msgpack: a stream refuses values over its limits before they have come", () => {
  const refused = (limit: number, values: number, bytes: string) =>
    assert.throws(() => new Unpacker(limit, values).push(fromHex(bytes)), ProtocolError);
  refused(100, Infinity, "c5" + "0065"); // 101 bytes announced
  refused(100, Infinity, "dd" + "00000065"); // 101 items announced
  refused(100, Infinity, "93c420" + "00".repeat(32) + "c440" + "00".repeat(64) + "c0"); // 102 bytes in all
  refused(100, 3, "93c0c0c0"); // four values
  refused(100, Infinity, "91".repeat(40)); // deep
  assert.deepEqual(new Unpacker(100, 4).push(fromHex("93c0c0c093c0c0c0")), [[null, null, null], [null, null, null]]);
});
