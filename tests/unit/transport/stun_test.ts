import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, hex, text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import {
  attributeOf,
  decodeStun,
  encodeStun,
  errorCode,
  errorNumber,
  hasFingerprint,
  hasIntegrity,
  isStun,
  StunAttribute,
  StunType,
  xorMappedAddress,
} from "../../../core/transport/stun.ts";
import { mutations, refuses, vector } from "./mutation.ts";

interface Recorded {
  from: "a" | "b";
  type: string;
  hex: string;
  integrity_key: string | null;
  attributes: { type: string; name: string; value: string }[];
}
const recorded: Recorded[] = JSON.parse(text(vector("connection/stun.json"))).messages;
/** Ordinary objects, as the codecs make them. */
const PLAIN = { noNullPrototype: true };
const session = JSON.parse(text(vector("connection/session.json")));
const added: number[] = [StunAttribute.messageIntegrity, StunAttribute.fingerprint];

Deno.test("every recorded STUN message is read, and made again byte for byte", () => {
  for (const message of recorded) {
    const bytes = fromHex(message.hex);
    assert(isStun(bytes));
    const decoded = decodeStun(bytes);
    assert.deepEqual(
      decoded.attributes.map(({ type, value }) => [type, hex(value)]),
      message.attributes.map(({ type, name, value }) => {
        return [Number(type), ["SOFTWARE", "USERNAME"].includes(name) ? hex(utf8(value)) : value];
      }),
    );
    const key = message.integrity_key ?? undefined; // keep-alives have none
    const own = decoded.attributes.filter(({ type }) => !added.includes(type));
    assert.equal(hex(encodeStun({ ...decoded, attributes: own }, key)), message.hex);
  }
});

Deno.test("integrity and fingerprint of the recorded messages hold, and fail with another key or a changed byte", () => {
  for (const message of recorded) {
    const bytes = fromHex(message.hex);
    assert(hasFingerprint(bytes));
    if (message.integrity_key) {
      assert(hasIntegrity(bytes, message.integrity_key));
      assert(!hasIntegrity(bytes, message.integrity_key + "x"));
      bytes[25] ^= 1;
      assert(!hasIntegrity(bytes, message.integrity_key));
    } else bytes[10] ^= 1;
    assert(!hasFingerprint(bytes));
  }
});

Deno.test("XOR-MAPPED-ADDRESS is what the peers computed", () => {
  for (const message of recorded.filter((m) => m.type === "binding success")) {
    const decoded = decodeStun(fromHex(message.hex));
    const [address, port] = session[message.from === "a" ? "b" : "a"].address.split(":");
    const value = attributeOf(decoded, StunAttribute.xorMappedAddress);
    assert.equal(hex(value!), hex(xorMappedAddress(address, Number(port), decoded.transactionId)));
  }
});

Deno.test("XOR-MAPPED-ADDRESS of RFC 5769's IPv6 example", () => {
  const id = fromHex("b7e7a701bc34d686fa87dfae");
  const value = xorMappedAddress("2001:db8:1234:5678:11:2233:4455:6677", 32853, id);
  assert.equal(hex(value), "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9");
  const short = xorMappedAddress("::1", 1, new Uint8Array(12));
  assert.equal(short.length, 20);
  assert.equal(short[19], 1);
});

Deno.test("a message decodes to what was encoded, with its integrity", () => {
  const bytes = (length: fc.ArrayConstraints) => fc.array(fc.nat(255), length).map((list) => Uint8Array.from(list));
  const message = fc.record({
    type: fc.constantFrom(...Object.values(StunType)),
    transactionId: bytes({ minLength: 12, maxLength: 12 }),
    attributes: fc.array(
      fc.record({ type: fc.nat(0xffff).filter((t) => !added.includes(t)), value: bytes({ maxLength: 40 }) }, PLAIN),
      { maxLength: 6 },
    ),
  }, PLAIN);
  fc.assert(fc.property(message, fc.string({ maxLength: 30 }), (m, key) => {
    const packed = encodeStun(m, key);
    const { attributes, ...rest } = decodeStun(packed);
    assert.deepEqual({ ...rest, attributes: attributes.slice(0, -2) }, m);
    assert(hasIntegrity(packed, key) && hasFingerprint(packed) && isStun(packed));
  }));
});

Deno.test("damaged messages are refused with a ProtocolError, and never pass as intact", () => {
  const originals = new Set(recorded.map((m) => m.hex));
  const key = recorded[0].integrity_key!;
  for (const bytes of mutations(recorded.map((m) => fromHex(m.hex)), 1000)) {
    refuses(ProtocolError, () => decodeStun(bytes));
    if (originals.has(hex(bytes)) || !isStun(bytes)) continue;
    assert(!(hasIntegrity(bytes, key) && hasFingerprint(bytes)));
  }
});

Deno.test("error codes", () => {
  assert.equal(errorNumber(errorCode(487, "Role Conflict")), 487);
  assert.equal(errorNumber(undefined), 0);
  assert.equal(errorNumber(new Uint8Array(3)), 0);
});
