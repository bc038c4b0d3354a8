import fc from "fast-check";
import assert from "node:assert/strict";
import { type DBusArgument, type DBusValue, Variant, WireReader, WireWriter } from "./dbus_wire.ts";

/** Writes and reads values of a signature given as its complete types. */
function roundTrip(types: string[], values: DBusArgument[]): DBusValue[] {
  const writer = new WireWriter();
  types.forEach((type, i) => writer.write(type, values[i]));
  return new WireReader(writer.bytes()).all(types.join(""));
}

Deno.test("what is written is read again, whatever stands before it", () => {
  const text = fc.string({ unit: "grapheme" });
  const map = fc.dictionary(text, text, { noNullPrototype: true });
  const argument = fc.oneof<fc.Arbitrary<[string, DBusArgument]>[]>(
    text.map((value) => ["s", value]),
    fc.boolean().map((value) => ["b", value]),
    fc.integer().map((value) => ["i", value]),
    fc.nat().map((value) => ["u", value]),
    fc.integer({ min: 0, max: 255 }).map((value) => ["y", value]),
    fc.double().map((value) => ["d", value]),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ["x", value]),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ["t", value]),
    fc.uint8Array().map((value) => ["ay", value]),
    fc.array(text).map((value) => ["as", value]),
    map.map((value) => ["a{ss}", value]),
    fc.array(map).map((value) => ["aa{ss}", value]),
    fc.array(fc.tuple(text, map, fc.bigInt({ min: 0n, max: 9n }))).map((value) => ["a(sa{ss}t)", value]),
  );
  fc.assert(fc.property(fc.array(argument), (list) => {
    const types = list.map(([type]) => type), values = list.map(([, value]) => value);
    assert.deepEqual(roundTrip(types, values), values);
  }));
});

Deno.test("a variant is written with its signature and read as its value", () => {
  assert.deepEqual(roundTrip(["y", "v"], [1, new Variant("a{ss}", { a: "b" })]), [1, { a: "b" }]);
});

Deno.test("an argument that does not fit its type is refused", () => {
  for (const [type, value] of [["s", 1], ["as", "text"], ["a{ss}", ["a"]], ["v", "text"], ["t", "1"]] as const) {
    assert.throws(() => roundTrip([type], [typeof value === "object" ? [...value] : value]), {
      name: "DBusFormatError",
    });
  }
});
