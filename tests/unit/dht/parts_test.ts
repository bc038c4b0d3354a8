import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, hex } from "../../../core/base/bytes.ts";
import { seededRandom, shuffled } from "../../../core/base/random.ts";
import type { Address } from "../../../core/dht/address.ts";
import { ASSEMBLY_IDLE, ASSEMBLY_LIFE, MAX_ASSEMBLIES_PER_ADDRESS } from "../../../core/dht/constants.ts";
import type { Part } from "../../../core/dht/packet.ts";
import { decodePacket } from "../../../core/dht/packet_reader.ts";
import { Assembler, splitValues } from "../../../core/dht/parts.ts";
import { packValue, unpackValue, type Value } from "../../../core/dht/value.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { packetBytes, packets, valueBytes } from "./vectors.ts";

const FROM: Address = { family: 4, ip: "10.0.0.1", port: 4222 };

function plainValue(id: bigint, size: number): Value {
  return { id, type: 0, data: new Uint8Array(size).fill(Number(id)) };
}

/** What an assembler gave: packed values, and whether they are all. */
function collect() {
  const got: { values: string[]; complete: boolean }[] = [];
  const done = (values: Value[], complete: boolean) =>
    void got.push({ values: values.map((value) => hex(packValue(value))), complete });
  return { got, done };
}

for (
  const [name, value] of [["jami_put_certificate", "jami_certificate_chain"], ["get_reply_parts", "encrypted_text"]]
) {
  Deno.test(`the recorded parts of ${name} give exactly the value ${value}, and are cut again in the same way`, () => {
    const header = decodePacket(packetBytes(`${name}.header`));
    assert.ok("body" in header && "values" in header.body && header.body.values);
    const parts = packets.filter((vector) => vector.name.startsWith(`${name}.part`)).flatMap((vector) => {
      const packet = decodePacket(fromHex(vector.hex));
      assert.equal(packet.tid, header.tid);
      return packet.kind === "parts" ? packet.parts : [];
    });
    const assembler = new Assembler(new VirtualClock());
    const { got, done } = collect();
    assembler.open(FROM, header.tid, header.body.values, done);
    for (const part of parts) assembler.add(FROM, header.tid, part, false);
    assert.deepEqual(got, [{ values: [hex(valueBytes(value))], complete: true }]);
    assert.deepEqual(splitValues([unpackValue(valueBytes(value))]), { slots: header.body.values, parts });
  });
}

Deno.test("few small values go inline, many or large ones in parts", () => {
  const small = [plainValue(1n, 100), plainValue(2n, 100)];
  assert.deepEqual(splitValues(small), { slots: small, parts: [] });
  assert.equal(splitValues([plainValue(1n, 600)]).parts.length, 1);
  assert.equal(splitValues(Array.from({ length: 50 }, (_, i) => plainValue(BigInt(i), 0))).parts.length, 50);
});

Deno.test("parts are put together in any order, before or after their header, sent twice or mixed with inline values", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4000), { minLength: 1, maxLength: 6 }), fc.nat(), fc.nat(8), (sizes, seed, early) => {
      const values = sizes.map((size, i) => plainValue(BigInt(i + 1), size));
      const { slots, parts } = splitValues([...values, plainValue(99n, 700)]);
      const inline = plainValue(77n, 3);
      const sent = shuffled(seededRandom(seed), [...parts, ...parts.slice(0, 2)]);
      const assembler = new Assembler(new VirtualClock());
      const { got, done } = collect();
      for (const part of sent.slice(0, early)) assembler.add(FROM, 5, part, true);
      assembler.open(FROM, 5, [...slots, inline], done);
      for (const part of sent.slice(early)) assembler.add(FROM, 5, part, false);
      const expected = [...values, plainValue(99n, 700), inline].map((value) => hex(packValue(value)));
      assert.deepEqual(got, [{ values: expected, complete: true }]);
      assert.equal(assembler.count, 0);
    }),
    { numRuns: 50 },
  );
});

Deno.test("parts that overlap, are empty or exceed what was announced change nothing", () => {
  const { slots, parts } = splitValues([plainValue(1n, 3000)]);
  const bad: Part[] = [
    { index: 0, offset: 100, data: new Uint8Array(50) },
    { index: 0, offset: 1279, data: new Uint8Array(10) },
    { index: 0, offset: 2000, data: new Uint8Array(0) },
    { index: 0, offset: 3000, data: new Uint8Array(1000) },
    { index: 1, offset: 0, data: new Uint8Array(10) },
  ];
  const assembler = new Assembler(new VirtualClock());
  const { got, done } = collect();
  assembler.open(FROM, 5, slots, done);
  assembler.add(FROM, 5, parts[0], false);
  for (const part of bad) assembler.add(FROM, 5, part, false);
  for (const part of parts.slice(1)) assembler.add(FROM, 5, part, false);
  assert.deepEqual(got, [{ values: [hex(packValue(plainValue(1n, 3000)))], complete: true }]);
});

Deno.test("an assembly ends 3 s after its last part with what is whole", async () => {
  const clock = new VirtualClock();
  const assembler = new Assembler(clock);
  const { slots, parts } = splitValues([plainValue(1n, 1000), plainValue(2n, 3000)]);
  const { got, done } = collect();
  assembler.open(FROM, 5, slots, done);
  await clock.advance(ASSEMBLY_IDLE - 1);
  assembler.add(FROM, 5, parts[0], false);
  assembler.add(FROM, 5, parts[1], false);
  await clock.advance(ASSEMBLY_IDLE - 1);
  assert.deepEqual(got, []);
  await clock.advance(1);
  assert.deepEqual(got, [{ values: [hex(packValue(plainValue(1n, 1000)))], complete: false }]);
  assert.equal(assembler.count, 0);
});

Deno.test("an assembly ends 10 s after its first part, however it is kept going", async () => {
  const clock = new VirtualClock();
  const assembler = new Assembler(clock);
  const { got, done } = collect();
  assembler.open(FROM, 5, [60_000], done);
  for (let i = 0; i < 12; i++) {
    assembler.add(FROM, 5, { index: 0, offset: i * 10, data: new Uint8Array(5) }, false);
    await clock.advance(ASSEMBLY_LIFE / 10);
  }
  assert.deepEqual(got, [{ values: [], complete: false }]);
});

Deno.test("nobody can make this node hold many assemblies or many bytes", () => {
  const assembler = new Assembler(new VirtualClock());
  const { done } = collect();
  for (let tid = 1; tid <= 1000; tid++) {
    for (let i = 0; i < 20; i++) {
      assembler.add(FROM, tid, { index: 0, offset: i * 9000, data: new Uint8Array(9000) }, true);
    }
  }
  assert.equal(assembler.count, MAX_ASSEMBLIES_PER_ADDRESS);
  assert.equal(assembler.open({ ...FROM, ip: "10.0.0.2" }, 1, new Array(100).fill(65_000), done), false);
});

Deno.test("values announced as too long or as nothing are skipped, the others are given", () => {
  const assembler = new Assembler(new VirtualClock());
  const { slots, parts } = splitValues([plainValue(1n, 1000)]);
  const { got, done } = collect();
  assembler.open(FROM, 5, [...slots, 70_000, 0], done);
  for (const part of parts) assembler.add(FROM, 5, part, false);
  assert.deepEqual(got, [{ values: [hex(packValue(plainValue(1n, 1000)))], complete: true }]);
});
