import assert from "node:assert/strict";
import fc from "fast-check";
import { type ChannelName, parseChannelName, writeChannelName } from "../../../core/messaging/channel_name.ts";
import { hexArb, record } from "./support.ts";

const D = "b".repeat(64);
const C = "c".repeat(40);
const A = "a".repeat(40);
const F = `${C}_6416009210147396.txt`;

const device = hexArb(64);
const id = hexArb(40);
const number = fc.nat();
const version = fc.option(record({ sha3: hexArb(128), modified: number }));
const fileId = fc.tuple(id, fc.bigInt(0n, 2n ** 64n - 1n), fc.constantFrom("", ".txt", ".jpeg", ".données".slice(0, 8)))
  .map(([commit, tid, ext]) => `${commit}_${tid}${ext}`);
const name: fc.Arbitrary<ChannelName> = fc.oneof(
  fc.constant({ kind: "sip" as const }),
  record({ kind: fc.constant("git" as const), device, conversation: id }),
  record({ kind: fc.constant("msg" as const), device }),
  record({ kind: fc.constant("swarm" as const), conversation: id }),
  record({ kind: fc.constant("sync" as const), device }),
  record({ kind: fc.constant("file" as const), conversation: id, device, fileId, start: number, end: number }),
  record({ kind: fc.constant("profile-request" as const), conversation: id, account: id }),
  record({ kind: fc.constant("profile" as const), conversation: id, device, version }),
  record({ kind: fc.constant("own-profile" as const), version }),
  fc.constant({ kind: "service-query" as const }),
  record({ kind: fc.constant("service" as const), service: fc.uuid() }),
  record({ kind: fc.constant("document" as const), device, document: id }),
  record({ kind: fc.constant("link-device" as const), code: id }),
);

Deno.test("channel name: parsing what was written gives it back", () => {
  fc.assert(fc.property(name, (n) => assert.deepEqual(parseChannelName(writeChannelName(n)), n)));
});

Deno.test("channel name: names of real peers", () => {
  const cases: [string, ChannelName][] = [
    ["sip", { kind: "sip" }],
    [`git://${D}/${C}`, { kind: "git", device: D, conversation: C }],
    [`msg:${D}`, { kind: "msg", device: D }],
    ["svcdisc://query", { kind: "service-query" }],
    [`data-transfer://${C}/${D}/${F}`, { kind: "file", conversation: C, device: D, fileId: F, start: 0, end: 0 }],
    [
      `data-transfer://${C}/${D}/${F}?start=5&end=0`,
      { kind: "file", conversation: C, device: D, fileId: F, start: 5, end: 0 },
    ],
    [`data-transfer://${C}/profile/${A}.vcf`, { kind: "profile-request", conversation: C, account: A }],
    [`data-transfer://${C}/${D}/profile.vcf`, { kind: "profile", conversation: C, device: D, version: null }],
    ["data-transfer://profile.vcf?sha3=ab&modified=7", { kind: "own-profile", version: { sha3: "ab", modified: 7 } }],
  ];
  for (const [text, parsed] of cases) {
    assert.deepEqual(parseChannelName(text), parsed);
    assert.equal(writeChannelName(parsed), text);
  }
});

Deno.test("channel name: what is malformed is unknown", () => {
  const bad = [
    "",
    "sip:",
    "SIP",
    "sip\n",
    `msg://${D}`,
    `msg:${D.toUpperCase()}`,
    `msg:${D}0`,
    `git://${D}/${C}/`,
    `git://${C}/${D}`,
    `data-transfer://${C}/${D}/../${F}`,
    `data-transfer://${C}/${D}/${C}_..`,
    `data-transfer://${C}/${D}/${C}_1./x`,
    `data-transfer://${C}/${D}/${C}_1.a\0b`,
    `data-transfer://${C}/${D}/${C}_1.12345678`,
    `data-transfer://${C}/${D}/${C}_.txt`,
    `data-transfer://${C}/${D}/${F}?start=-1&end=0`,
    `data-transfer://${C}/${D}/${F}?start=1e3&end=0`,
    "data-transfer://profile.vcf?",
    `swarm://${C}?x`,
    `auth:${"a".repeat(600)}`,
    "rdv:x",
    "x".repeat(1_000_000),
  ];
  for (const text of bad) assert.deepEqual(parseChannelName(text), { kind: "unknown", name: text });
});

Deno.test("channel name: any text is parsed, and known ones are written as they were", () => {
  fc.assert(
    fc.property(fc.tuple(name.map(writeChannelName), fc.nat(), fc.string({ maxLength: 3 })), ([text, at, more]) => {
      const cut = at % (text.length + 1);
      const mutant = text.slice(0, cut) + more + text.slice(cut);
      const again = writeChannelName(parseChannelName(mutant));
      assert.deepEqual(parseChannelName(again), parseChannelName(mutant));
    }),
    { numRuns: 1000 },
  );
});
