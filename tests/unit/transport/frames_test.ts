import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, hex } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { framed, FrameSplitter } from "../../../core/transport/frames.ts";
import { isStun } from "../../../core/transport/stun.ts";
import { mutations, refuses, vector } from "./mutation.ts";

const streams = [vector("connection/a_to_b.bin"), vector("connection/b_to_a.bin")];

for (const [i, stunFrames] of [[0, 8], [1, 7]]) {
  Deno.test(`recorded stream ${i}: STUN apart from TLS, however TCP cuts it`, () => {
    for (const size of [1, 7, 1460, 65_536]) {
      const splitter = new FrameSplitter();
      const frames: Uint8Array[] = [];
      for (let at = 0; at < streams[i].length; at += size) {
        frames.push(...splitter.push(streams[i].subarray(at, at + size)).map((f) => f.slice()));
      }
      assert.equal(frames.filter(isStun).length, stunFrames);
      assert.equal(hex(concat(...frames.map(framed))), hex(streams[i]));
      // What is left is a whole number of TLS records.
      const tls = concat(...frames.filter((f) => !isStun(f)));
      let at = 0;
      while (at < tls.length) {
        assert(tls[at] >= 20 && tls[at] <= 23 && tls[at + 1] === 3);
        at += 5 + (tls[at + 3] << 8 | tls[at + 4]);
      }
      assert.equal(at, tls.length);
    }
  });
}

Deno.test("any bytes in any cuts come out again", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 400 }), (bytes, cut) => {
    const splitter = new FrameSplitter();
    const stream = framed(bytes);
    const out: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += cut) {
      out.push(...splitter.push(stream.subarray(at, at + cut)).map((f) => f.slice()));
    }
    assert.equal(hex(concat(...out)), hex(bytes));
  }));
});

Deno.test("more than 65,535 bytes are cut into several frames", () => {
  const frames = new FrameSplitter().push(framed(new Uint8Array(150_000)));
  assert.deepEqual(frames.map((f) => f.length), [65_535, 65_535, 18_930]);
});

Deno.test("frames of no bytes are nothing, frames over the limit are refused at their header", () => {
  assert.deepEqual(new FrameSplitter().push(new Uint8Array(4)).map((f) => f.length), [0, 0]);
  assert.throws(() => new FrameSplitter(8192).push(Uint8Array.of(0x20, 0x01)), ProtocolError);
});

Deno.test("damaged streams give frames or a ProtocolError", () => {
  for (const bytes of mutations(streams.map((s) => s.subarray(0, 4000)), 1000)) {
    refuses(ProtocolError, () => new FrameSplitter(8192).push(bytes));
  }
});
