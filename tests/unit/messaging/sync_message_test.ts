import assert from "node:assert/strict";
import fc from "fast-check";
import { LimitError } from "../../../core/base/errors.ts";
import { encode } from "../../../core/base/msgpack.ts";
import {
  decodeSync,
  EMPTY_SYNC,
  encodeSync,
  lastModifiedSeconds,
  type SyncMessage,
} from "../../../core/messaging/sync_message.ts";
import { bytesArb, hexArb, mutate, record, vector, vectors } from "./support.ts";

const old = vectors("sync").filter(([name]) => name.startsWith("syncmsg"));
const today = vectors("today/sync");

Deno.test("sync: the vectors of both generations are read, and written again to the same bytes", () => {
  assert.equal(old.length, 4);
  assert.equal(today.length, 4);
  for (const [name, bytes] of old) assert.deepEqual(encodeSync(decodeSync(bytes), 4), bytes, name);
  for (const [name, bytes] of today) assert.deepEqual(encodeSync(decodeSync(bytes), 6), bytes, name);
});

Deno.test("sync: what the vectors say", () => {
  const contacts = decodeSync(vector("sync/syncmsg-contacts.bin")).deviceSync;
  assert.equal(contacts.date, 1795211668343229582n);
  assert.deepEqual([...contacts.devices.keys()].map((d) => d.slice(0, 8)), ["03c3de8c", "95362291"]);
  assert.equal(contacts.peers.get("ea4e1b719a078181de95456e6c35f2aafca0645d")?.added, 1795210676_000);
  const conversations = decodeSync(vector("today/sync/syncmsg-conversations.bin")).conversations;
  assert.equal(conversations.get("3f13c62955529e43fd9b2642bec08eb8e7176121")?.created, 1795216177213);
  const status = decodeSync(vector("today/sync/syncmsg-message-status.bin")).messageStatus;
  assert.equal(
    status.get("3f13c62955529e43fd9b2642bec08eb8e7176121")?.get("c5ca36815dad2857419517b86e45b565d442f757")?.readAt,
    "1795216203",
  );
});

const id = hexArb(40);
const text = fc.string({ unit: "grapheme", maxLength: 20 });
const idOrEmpty = fc.oneof(id, fc.constant(""));
const mapOf = <T>(keys: fc.Arbitrary<string>, values: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(keys, values), { maxLength: 4, selector: ([key]) => key }).map((entries) => new Map(entries));
const texts = mapOf(text, text);

/** @param time milliseconds; whole seconds for the form of 2023 */
function messages(time: fc.Arbitrary<number>, isToday: boolean): fc.Arbitrary<SyncMessage> {
  const deviceSync = record({
    date: fc.bigInt(0n, 2n ** 64n - 1n),
    deviceName: text,
    devices: mapOf(hexArb(64), isToday ? record({ name: text }) : record({ name: text, shortId: id })),
    peers: mapOf(
      id,
      record({ added: time, removed: time, confirmed: fc.boolean(), banned: fc.boolean(), conversation: idOrEmpty }),
    ),
    trustRequests: mapOf(
      id,
      record({
        device: fc.option(bytesArb(20)),
        conversation: idOrEmpty,
        received: time,
        invited: isToday ? time : fc.constant(0),
        payload: bytesArb(5),
      }),
    ),
  });
  const own = record({ mode: fc.nat(3), invited: mapOf(id, time) });
  const status = fc.record({ fetched: idOrEmpty, fetchedAt: text, read: idOrEmpty, readAt: text }, {
    requiredKeys: ["fetched", "read"],
    noNullPrototype: true,
  });
  return record({
    deviceSync,
    conversations: mapOf(
      id,
      record({
        created: time,
        removed: time,
        erased: time,
        members: fc.array(id, { maxLength: 3 }),
        lastDisplayed: idOrEmpty,
        today: isToday ? own : fc.constant(null),
      }),
    ),
    requests: mapOf(id, record({ from: id, metadatas: texts, received: time, declined: time })),
    preferences: mapOf(id, texts),
    messageStatus: isToday ? mapOf(id, mapOf(id, status)) : fc.constant(new Map()),
  });
}

Deno.test("sync: decoding what was encoded gives it back", () => {
  const ms = fc.integer({ min: 0, max: 4e12 });
  fc.assert(fc.property(messages(ms, true), (m) => assert.deepEqual(decodeSync(encodeSync(m, 6)), m)));
  const seconds = fc.integer({ min: 0, max: 4e9 }).map((s) => s * 1000);
  fc.assert(fc.property(messages(seconds, false), (m) => assert.deepEqual(decodeSync(encodeSync(m, 4)), m)));
});

Deno.test("sync: shorter and longer arrays are read, missing parts are empty", () => {
  assert.deepEqual(decodeSync(encode([])), EMPTY_SYNC);
  assert.deepEqual(decodeSync(encode([null, {}, null])), EMPTY_SYNC);
  assert.deepEqual(decodeSync(encode([{}, {}, {}, {}, {}, {}, "later"])), EMPTY_SYNC);
});

Deno.test("sync: a message that a 2023 peer could not read in one frame is not written", () => {
  const preferences = new Map([["a".repeat(40), new Map([["title", "x".repeat(65_536)]])]]);
  assert.throws(() => encodeSync({ ...EMPTY_SYNC, preferences }, 4), LimitError);
});

Deno.test("sync: lastModified of both generations", () => {
  assert.equal(lastModifiedSeconds("1795211676"), 1795211676);
  assert.equal(lastModifiedSeconds("18446744069067103868"), 1795216252);
  for (const bad of ["", "-1", "1.5", "x", "18446744073709551616", "1".repeat(100)]) {
    assert.equal(lastModifiedSeconds(bad), null, bad);
  }
});

Deno.test("sync: mutated messages are read or refused with a ProtocolError", () => {
  mutate([...old, ...today].map(([, bytes]) => bytes), decodeSync);
});
