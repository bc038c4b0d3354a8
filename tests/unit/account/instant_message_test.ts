import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeInstantMessage, encodeInstantMessage } from "../../../core/account/instant_message.ts";
import { fromHex, hex } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";

const vectors: { name: string; data_hex: string }[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../vectors/opendht/values.json", import.meta.url)),
);
const bytesOf = (name: string) => fromHex(vectors.find((vector) => vector.name === name)?.data_hex ?? "");

Deno.test("instant message: the daemon's notification is read, and written again byte for byte", () => {
  const bytes = bytesOf("jami_im_message");
  const message = decodeInstantMessage(bytes);
  assert.equal(message.id, 4538385814479036n);
  assert.equal(message.type, "application/im-gitmessage-id");
  assert.match(message.body, /de0d85e89045099c2261fc61de8dfb7abf7e4754/);
  assert.equal(hex(encodeInstantMessage(message)), hex(bytes));
});

Deno.test("instant message: an acknowledgement is the number and nothing else, byte for byte", () => {
  const { id, date } = decodeInstantMessage(bytesOf("jami_im_ack"));
  assert.equal(hex(encodeInstantMessage({ id, body: "", type: "", date })), hex(bytesOf("jami_im_ack")));
});

Deno.test("instant message: decode(encode(x)) = x", () => {
  const message = fc.record({
    id: fc.bigInt(1n, 2n ** 64n - 1n),
    body: fc.string({ unit: "grapheme" }),
    type: fc.string({ minLength: 1 }),
    date: fc.nat(),
  });
  fc.assert(fc.property(message, (m) => assert.deepEqual(decodeInstantMessage(encodeInstantMessage(m)), { ...m })));
});

Deno.test("instant message: damage gives a ProtocolError or a message", () => {
  const bytes = bytesOf("jami_im_message");
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
      const damaged = bytes.slice(0, Math.max(length, 1));
      if (at < damaged.length) damaged[at] = value;
      try {
        decodeInstantMessage(damaged);
      } catch (error) {
        assert(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
  assert.throws(() => decodeInstantMessage(new Uint8Array(70_000)), ProtocolError);
});
