import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, equal, text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { PKT_MAX_BYTES } from "../../../core/swarm/git_limits.ts";
import { FLUSH, lineOf, type Packet, PktDecoder, pktLine } from "../../../core/swarm/pkt_line.ts";
import { gitFrames } from "../../support/git_vectors.ts";

Deno.test("a pkt-line starts with its length in four hex digits", () => {
  assert.equal(text(pktLine("NAK\n")), "0008NAK\n");
  assert.equal(pktLine(new Uint8Array(PKT_MAX_BYTES - 4)).length, PKT_MAX_BYTES);
  assert.throws(() => pktLine(new Uint8Array(PKT_MAX_BYTES - 3)), RangeError);
  assert.equal(lineOf(utf8("done\n")), "done");
});

Deno.test("packets come back whole however the stream is cut", () => {
  const packet = fc.oneof(fc.constant("flush" as const), fc.uint8Array({ maxLength: 300 }));
  fc.assert(fc.property(fc.array(packet), fc.array(fc.integer({ min: 1, max: 40 })), (packets, cuts) => {
    const stream = concat(...packets.map((p) => p === "flush" ? FLUSH : pktLine(p)));
    const decoder = new PktDecoder();
    const out: Packet[] = [];
    let at = 0;
    for (const cut of cuts) out.push(...decoder.push(stream.subarray(at, at += cut)));
    out.push(...decoder.push(stream.subarray(at)));
    assert.equal(out.length, packets.length);
    packets.forEach((p, i) => {
      const got = out[i];
      assert.ok(p === "flush" || got === "flush" ? p === got : equal(p, got));
    });
    assert.equal(decoder.incomplete, false);
  }));
});

Deno.test("lengths 1 to 3, beyond 65520, or not hex are refused", () => {
  for (const bad of ["0001", "0002", "0003", "fff1", "ffff", "zzzz", "-001", " 008", "0x08"]) {
    assert.throws(() => new PktDecoder().push(utf8(bad)), ProtocolError, bad);
  }
});

Deno.test("what peers sent decodes, and mutated gives only a typed error", () => {
  const frames = ["sync/clone.jsonl", "sync/fetch-20-haves.jsonl", "today/contact-clone-message.jsonl"]
    .flatMap(gitFrames).map((frame) => frame.data);
  for (const frame of frames) {
    const decoder = new PktDecoder();
    assert.ok(decoder.push(frame).length > 0);
    assert.equal(decoder.incomplete, false);
  }
  fc.assert(
    fc.property(fc.constantFrom(...frames), fc.nat(), fc.integer({ min: 0, max: 255 }), (frame, at, byte) => {
      const bytes = frame.slice();
      bytes[at % Math.min(bytes.length, 200)] = byte;
      try {
        new PktDecoder().push(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 1000 },
  );
});
