import assert from "node:assert/strict";
import { Clones } from "../../../core/relay/clones.ts";
import { CLONE_FIRST_MS, CLONE_LONGEST_MS } from "../../../core/relay/constants.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import { connectionPair } from "../../support/channel_pair.ts";
import { peerOf } from "../../support/people.ts";
import { alice, bob, carol, NOW, type Place, withPlaces } from "./support.ts";

const ID = "c".repeat(40);

/** Bob's clones, with a record of what they do, in ms since the start. */
function clonesOf({ clock, conversations }: Place, connections: Connection[] = []) {
  const log: string[] = [];
  const note = (what: string) => void log.push(`${clock.now() - NOW} ${what}`);
  const clones = new Clones({
    clock,
    self: bob.account,
    conversations,
    connected: (account) => connections.filter(({ peer }) => peer.account === account),
    reach: (account) => note(account === alice.account ? "reach" : "reach whom?"),
    fetch: (id) => (note(`fetch ${id === ID ? "it" : "what?"}`), Promise.resolve()),
  });
  return { clones, log };
}

Deno.test("clones: without a connection the inviter is reached for, ever less often", () =>
  withPlaces([bob], async (place) => {
    place.conversations.want(ID, alice.account, 2);
    const { clones, log } = clonesOf(place);
    clones.start();
    assert.deepEqual(clones.inviters(), [alice.account]);
    await place.clock.advance(60_000);
    const times = [0, 1, 3, 7].map((n) => n * CLONE_FIRST_MS);
    assert.deepEqual(log, times.map((at) => `${at} reach`));
    await place.clock.advance(10 * CLONE_LONGEST_MS);
    const last = log.slice(-3).map((line) => Number(line.split(" ")[0]));
    assert.deepEqual([last[1] - last[0], last[2] - last[1]], [CLONE_LONGEST_MS, CLONE_LONGEST_MS]);
    clones.stop();
    log.length = 0;
    await place.clock.advance(2 * CLONE_LONGEST_MS);
    assert.deepEqual(log, []);
  }));

Deno.test("clones: every connection with the inviter is tried; an attempt beside another makes no second row of retries", () =>
  withPlaces([bob], async (place) => {
    const connections = [alice, alice, carol].map((one) => connectionPair(peerOf(bob), peerOf(one))[0]);
    const { clones, log } = clonesOf(place, connections);
    place.conversations.want(ID, alice.account, 2);
    await Promise.all([clones.attempt(ID), clones.attempt(ID)]);
    assert.deepEqual(log, Array(4).fill("0 fetch it"));
    log.length = 0;
    await place.clock.advance(2 * CLONE_FIRST_MS);
    assert.equal(log.length, 2, "one more attempt");
    clones.onConnection(connections[2]);
    assert.equal(log.length, 2, "carol did not invite us");
    clones.onConnection(connections[0]);
    assert.equal(log.length, 3);
    clones.stop();
  }));

Deno.test("clones: when it is here, or given up, nothing more is done", () =>
  withPlaces([bob], async (place) => {
    const { clones, log } = clonesOf(place);
    place.conversations.want(ID, alice.account, 2);
    clones.start();
    place.conversations.leave(ID);
    log.length = 0;
    await place.clock.advance(CLONE_LONGEST_MS);
    assert.deepEqual(log, []);
    assert.deepEqual(clones.inviters(), []);
    await clones.attempt("d".repeat(40));
    await place.clock.advance(CLONE_LONGEST_MS);
    assert.deepEqual(log, []);
  }));
