import assert from "node:assert/strict";
import { LimitError, TimeoutError } from "../../../core/base/errors.ts";
import { ChannelEnded, ChannelWriter } from "../../../core/messaging/channel_writer.ts";
import { WRITE_TIMEOUT } from "../../../core/messaging/constants.ts";
import { channelPair, testPeer } from "../../support/channel_pair.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** A writer towards a peer who reads nothing: the channel takes a few frames, then it is stuck. */
function stuck(maxQueue: number) {
  const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "sip");
  const clock = new VirtualClock();
  return { clock, mine, theirs, writer: new ChannelWriter(mine, clock, maxQueue) };
}

Deno.test("channel writer: a peer that does not read costs a bounded queue, then its channel", async () => {
  const { mine, writer } = stuck(1000);
  const writes = Array.from({ length: 100 }, () => writer.write(new Uint8Array(100)));
  const outcomes = await Promise.allSettled(writes);
  await mine.closed;
  const reasons = outcomes.flatMap((outcome) => outcome.status === "rejected" ? [outcome.reason] : []);
  assert.equal(reasons.filter((reason) => reason instanceof LimitError).length, 1);
  assert(reasons.length > 85 && reasons.every((r) => r instanceof LimitError || r instanceof ChannelEnded));
});

Deno.test("channel writer: a write that is not taken in time fails and ends the channel", async () => {
  const { clock, mine, writer } = stuck(1_000_000);
  const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => writer.write(new Uint8Array(100))));
  await clock.advance(WRITE_TIMEOUT);
  const last = (await outcomes).at(-1);
  assert(last?.status === "rejected" && (last.reason instanceof TimeoutError || last.reason instanceof ChannelEnded));
  await mine.closed;
  await assert.rejects(writer.write(new Uint8Array(1)), ChannelEnded);
});

Deno.test("channel writer: what waits fails when the peer ends the channel", async () => {
  const { theirs, writer } = stuck(1_000_000);
  const outcomes = Promise.allSettled(Array.from({ length: 20 }, () => writer.write(new Uint8Array(100))));
  theirs.end();
  const failed = (await outcomes).filter((o) => o.status === "rejected" && o.reason instanceof ChannelEnded);
  assert(failed.length >= 15);
});
