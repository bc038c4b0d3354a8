import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, hex, text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { encode } from "../../../core/base/msgpack.ts";
import {
  BEACON_ANSWER,
  BEACON_REQUEST,
  ChannelState,
  MessageReader,
  type MuxMessage,
  packChannelMessage,
  packMessage,
  parseControl,
  VERSION_MESSAGE,
} from "../../../core/transport/mux_codec.ts";
import { mutations, refuses, vector } from "./mutation.ts";

const streams = { "A>B": vector("connection/mux_a_to_b.bin"), "B>A": vector("connection/mux_b_to_a.bin") };
const timeline = text(vector("connection/timeline.txt"));

/** A message as the timeline writes it. */
function described({ channel, data }: MuxMessage): string {
  if (channel !== 0 && channel !== 65_535) return `${channel}: ${data.length} bytes`;
  const [said] = parseControl(data);
  if (said.kind === "version") return `${channel}: {'v': ${said.version}}`;
  if (said.kind === "beacon") return `${channel}: {'p': ${said.request ? "True" : "False"}}`;
  return `${channel}: ['${said.name}', ${said.channel}, ${said.state}]`;
}

for (const [direction, bytes] of Object.entries(streams)) {
  Deno.test(`the recorded messages ${direction} are those of the timeline, however TLS cuts them`, () => {
    const expected = timeline.split("\n")
      .filter((line) => line.includes(direction))
      .flatMap((line) => /mux channel +(.*)/.exec(line)?.[1] ?? [])
      .map((line) => line.replace(/ bytes b'.*/, " bytes"));
    assert(expected.length > 10);
    for (const size of [1, 100, 16_384]) {
      const reader = new MessageReader();
      const messages: MuxMessage[] = [];
      for (let at = 0; at < bytes.length; at += size) messages.push(...reader.push(bytes.subarray(at, at + size)));
      assert.deepEqual(messages.map(described), expected);
      assert.equal(hex(concat(...messages.map((m) => packMessage(m.channel, m.data)))), hex(bytes));
    }
  });
}

/** Ordinary objects, as the codecs make them. */
const PLAIN = { noNullPrototype: true };

Deno.test("the fixed messages have the bytes of the specification", () => {
  assert.equal(hex(VERSION_MESSAGE), "92cdffffc40481a17601");
  assert.equal(hex(BEACON_REQUEST), "92cdffffc40481a170c3");
  assert.equal(hex(BEACON_ANSWER), "92cdffffc40481a170c2");
  const request = packMessage(0, packChannelMessage("sip", 18447, ChannelState.request));
  assert.equal(hex(request), "9200c40993a3736970cd480f00");
});

Deno.test("messages decode to what was encoded", () => {
  const message = fc.record({
    channel: fc.nat(65_535),
    data: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
  }, PLAIN);
  fc.assert(fc.property(fc.array(message, { maxLength: 5 }), (list) => {
    const packed = concat(...list.map((m) => packMessage(m.channel, m.data)));
    assert.deepEqual(new MessageReader().push(packed), list);
  }));
  const largest = { channel: 65_535, data: new Uint8Array(65_535) };
  assert.deepEqual(new MessageReader().push(packMessage(largest.channel, largest.data)), [largest]);
});

Deno.test("channel messages decode to what was encoded, several in one", () => {
  const name = fc.string({ maxLength: 100 });
  fc.assert(fc.property(fc.array(fc.tuple(name, fc.nat(65_535), fc.nat(3)), { maxLength: 4 }), (list) => {
    const packed = concat(...list.map(([n, c, s]) => packChannelMessage(n, c, s)));
    assert.deepEqual(
      parseControl(packed),
      list.map(([n, c, s]) => ({ kind: "channel", name: n, channel: c, state: s })),
    );
  }));
});

Deno.test("damaged streams give messages or a ProtocolError", () => {
  for (const bytes of mutations(Object.values(streams).map((s) => s.subarray(0, 2000)), 1000)) {
    refuses(ProtocolError, () => {
      for (const { channel, data } of new MessageReader().push(bytes)) if (channel === 0) parseControl(data);
    });
  }
});

Deno.test("what is no message is skipped; too large or not msgpack is refused", () => {
  const reader = new MessageReader();
  for (const value of [5, "x", [1], [1, 2], [65_536, utf8("x")], [-1, utf8("x")], [1, utf8("x"), 3], { a: 1 }]) {
    assert.deepEqual(reader.push(encode(value)), []);
  }
  assert.equal(reader.push(packMessage(7, utf8("x"))).length, 1);
  assert.throws(() => new MessageReader().push(packMessage(7, new Uint8Array(65_536))), ProtocolError);
  assert.throws(() => new MessageReader().push(Uint8Array.of(0xc1)), ProtocolError);
  // A head that promises four gigabytes: refused when more has come than a message may have.
  assert.throws(() => {
    const endless = new MessageReader();
    endless.push(Uint8Array.of(0x92, 0x07, 0xc6, 0xff, 0xff, 0xff, 0xff));
    for (let i = 0; i < 5; i++) endless.push(new Uint8Array(16_384));
  }, ProtocolError);
});

Deno.test("control data: unknown things are skipped, long names and what is not msgpack are refused", () => {
  const odd = [{ x: 1 }, ["sip", 1], ["sip", "1", 0], [5, 1, 0], ["sip", 70_000, 0], 7];
  assert.deepEqual(parseControl(concat(...odd.map((value) => encode(value)))), []);
  assert.equal(parseControl(packChannelMessage("x".repeat(1024), 1, 0)).length, 1);
  assert.throws(() => parseControl(packChannelMessage("x".repeat(1025), 1, 0)), ProtocolError);
  assert.throws(() => parseControl(Uint8Array.of(0x93, 0xa3)), ProtocolError);
});
