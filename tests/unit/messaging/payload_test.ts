import assert from "node:assert/strict";
import fc from "fast-check";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { decode, Unpacker } from "../../../core/base/msgpack.ts";
import { encodeMsg, readMsg } from "../../../core/messaging/msg_channel.ts";
import { type Payload, readPayload, writePayload } from "../../../core/messaging/payload.ts";
import { SipStream } from "../../../core/messaging/sip_message.ts";
import { messageParts } from "../../../core/messaging/sip_multipart.ts";
import { hexArb, mutate, record, vector, vectors } from "./support.ts";

const id = hexArb(40);
const note = fc.string({ maxLength: 30 }).filter((s) => !/[<>&]/.test(s));
const time = fc.integer({ min: 0, max: 2e12 });
const metadatas = fc.dictionary(fc.constantFrom("mode", "title", "description"), fc.string({ maxLength: 100 }))
  .map((d) => new Map(Object.entries(d)));
const payload: fc.Arbitrary<Payload> = fc.oneof(
  record({ kind: fc.constant("notification" as const), conversation: id, commit: id, device: hexArb(64) }),
  record({ kind: fc.constant("invite" as const), conversation: id, metadatas, received: time }),
  record({ kind: fc.constant("invite-request" as const), conversation: id }),
  record({ kind: fc.constant("composing" as const), conversation: id, active: fc.boolean() }),
  record({ kind: fc.constant("displayed" as const), conversation: id, commit: id }),
  record({ kind: fc.constant("presence" as const), note }),
  record({ kind: fc.constant("text" as const), body: fc.string({ unit: "grapheme" }) }),
  record({ kind: fc.constant("unknown" as const), type: fc.constant("application/geo"), body: fc.string() }),
);

Deno.test("payload: reading what was written gives it back, in both generations' forms", () => {
  fc.assert(fc.property(payload, (p) => {
    const today = writePayload(p, "msg");
    assert.deepEqual(readPayload(today.type, today.body), p);
    const old = writePayload(p, "sip");
    const { received: _, ...withoutTime } = p.kind === "invite" ? p : { ...p, received: 0 };
    assert.deepEqual(readPayload(old.type, old.body), p.kind === "invite" ? withoutTime : p);
  }));
});

Deno.test("payload: the msg vectors are read, and written again to the same bytes", () => {
  const all = [...vectors("today/msg"), ["constructed", vector("sync/msg-channel-notification.bin")] as const];
  assert.equal(all.length, 7);
  const kinds = all.map(([name, bytes]) => {
    const message = readMsg(decode(bytes));
    assert.deepEqual(encodeMsg(message), bytes, name);
    const payload = readPayload(message.type, message.body);
    assert.deepEqual(encodeMsg({ id: message.id, ...writePayload(payload, "msg") }), bytes, name);
    return payload.kind;
  });
  const expected = ["notification", "composing", "composing", "invite", "invite-request", "displayed", "notification"];
  assert.deepEqual(kinds, expected);
});

Deno.test("payload: the sip vectors are read, and written again to the same text", () => {
  const all = vectors("sync/sip").filter(([name]) => name !== "200-ok.bin");
  const kinds = all.map(([name, bytes]) => {
    const [message] = new SipStream().push(bytes);
    assert(message.kind === "request");
    const [part] = messageParts(message);
    const payload = readPayload(part.type, part.body);
    assert.deepEqual(writePayload(payload, "sip"), part, name);
    return payload.kind;
  });
  assert.deepEqual(kinds, ["notification", "composing", "composing", "invite", "displayed", "text"]);
});

Deno.test("payload: ids are checked strictly, the rest is read leniently", () => {
  const commit = "a".repeat(40);
  const device = "b".repeat(64);
  const good = { commit, deviceId: device, id: commit };
  const notification = (object: unknown) => readPayload("application/im-gitmessage-id", JSON.stringify(object));
  assert.equal(notification({ more: 1, ...good }).kind, "notification");
  const bad = [
    { ...good, commit: commit.toUpperCase() },
    { ...good, commit: commit + "\n" },
    { ...good, id: "../" + commit },
    { ...good, deviceId: commit },
    { ...good, commit: [commit] },
    { ...good, id: undefined },
    [good],
    null,
    "x",
  ];
  for (const object of bad) assert.throws(() => notification(object), ProtocolError, JSON.stringify(object));
  assert.throws(() => readPayload("application/im-gitmessage-id", "{"), ProtocolError);
  assert.throws(() => readPayload("application/invite", "x"), ProtocolError);
  assert.throws(() => readPayload("application/im-iscomposing+xml", "<state>active</state>"), ProtocolError);
  assert.throws(() => readPayload("message/imdn+xml", "<displayed/>"), ProtocolError);
  assert.equal(readPayload("message/imdn+xml", "<delivered/>").kind, "unknown");
  assert.equal(readPayload("text/plain;charset=utf-8", "x").kind, "unknown");
});

Deno.test("payload: metadata of an invitation that are no texts or too long are left out", () => {
  const conversation = "c".repeat(40);
  const body = `{"conversationId":"${conversation}","metadatas":{"mode":"2","title":5,"__proto__":"x","avatar":"` +
    `${"y".repeat(64_000)}"},"received":-1}`;
  const invite = readPayload("application/invite+json", body);
  assert(invite.kind === "invite");
  assert.deepEqual([...invite.metadatas], [["mode", "2"], ["__proto__", "x"]]);
  assert.equal(invite.received, undefined);
});

Deno.test("payload: an invitation for a 2023 peer fits into its buffer whatever the metadata", () => {
  const big = "ü".repeat(60_000 / 2);
  const metadatas = new Map([["mode", "2"], ["title", "t"], ["description", big], ["avatar", big]]);
  const { body } = writePayload({ kind: "invite", conversation: "c".repeat(40), metadatas }, "sip");
  const invite = readPayload("application/invite+json", body);
  assert(invite.kind === "invite");
  assert.deepEqual([...invite.metadatas], [["mode", "2"], ["title", "t"]]);
});

Deno.test("msg: decoding what was encoded gives it back; keys come in any order", () => {
  const message = record({
    id: fc.bigInt(0n, 2n ** 64n - 1n),
    type: fc.string(),
    body: fc.string({ unit: "grapheme" }),
  });
  fc.assert(fc.property(message, (m) => assert.deepEqual(readMsg(decode(encodeMsg(m))), m)));
  const shuffled = new Map<string, string | number>([["x", 1], ["c", "body"], ["t", "text/plain"]]);
  assert.deepEqual(readMsg(shuffled), { id: 0n, type: "text/plain", body: "body" });
});

Deno.test("msg: mutated messages are read or refused with a ProtocolError", () => {
  mutate(vectors("today/msg").map(([, bytes]) => bytes), (bytes) => {
    for (const value of new Unpacker(1 << 20, 100).push(bytes)) {
      const { type, body } = readMsg(value);
      readPayload(type, body);
    }
  });
});

Deno.test("payload: mutated texts are read or refused with a ProtocolError", () => {
  const types = vectors("today/msg").map(([, bytes]) => readMsg(decode(bytes)));
  for (const { type, body } of types) mutate([utf8(body)], (bytes) => readPayload(type, text(bytes)));
});
