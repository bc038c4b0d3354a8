import assert from "node:assert/strict";
import fc from "fast-check";
import type { Context, Finding, Happening, Protection, What } from "../../../core/moderation/protection.ts";
import { files } from "../../../core/moderation/protections/files.ts";
import { firstMessage } from "../../../core/moderation/protections/first_message.ts";
import { flood } from "../../../core/moderation/protections/flood.ts";
import { PROTECTIONS } from "../../../core/moderation/protections/index.ts";
import { joinWave } from "../../../core/moderation/protections/join_wave.ts";
import { words } from "../../../core/moderation/protections/words.ts";

const id = (n: number) => n.toString(16).padStart(40, "0");
const device = (n: number) => n.toString(16).padStart(64, "0");

/** A protection with settings, in one group. */
function watch(protection: Protection, settings: object = {}, facts: { since?: number; written?: number } = {}) {
  const parsed = protection.settings.parse(settings);
  const memory = protection.begin();
  return (what: What, given: Partial<Happening> = {}): Finding | null => {
    const at = given.at ?? 1_000_000;
    const happening = { conversation: id(1), account: id(2), device: device(2), commit: id(3), at, arrived: at, what };
    const context: Context<object, unknown> = {
      settings: parsed,
      memory,
      memberSince: () => facts.since ?? 0,
      written: (enough) => Math.min(enough, facts.written ?? 0),
    };
    return protection.judge({ ...happening, ...given }, context);
  };
}

const hello: What = { kind: "text", text: "hello" };

Deno.test("flood: N messages within T are none, one more is one; slower ones never are", () => {
  const judge = watch(flood, { messages: 3, seconds: 10 });
  const found = [0, 3, 6, 9, 9.5, 30, 41, 52, 63].map((s) => judge(hello, { at: 1e6 + s * 1_000 }) !== null);
  assert.deepEqual(found, [false, false, false, true, false, false, false, false, false]);
});

Deno.test("flood: messages of a time without a connection arrive together and are none; a pile of them is", () => {
  const judge = watch(flood, { messages: 3, seconds: 10, backlog: 50 });
  const found = Array.from({ length: 51 }, (_, i) => judge(hello, { at: i * 60_000, arrived: 9e9 }) !== null);
  assert.equal(found.indexOf(true), 50);
});

Deno.test("flood: accounts are counted each by themselves, devices when that is set", () => {
  const accounts = watch(flood, { messages: 3, seconds: 10 });
  for (let i = 0; i < 30; i++) assert.equal(accounts(hello, { account: id(i), device: device(i), at: 1e6 + i }), null);
  const devices = watch(flood, { messages: 3, seconds: 10, per: "device" });
  for (let i = 0; i < 6; i++) assert.equal(devices(hello, { device: device(i % 2), at: 1e6 + i }), null);
  assert.equal(devices(hello, { device: device(0), at: 1e6 + 7 })?.device, true);
});

Deno.test("join wave: those who come with too many are found, and nobody when they come slowly", () => {
  const judge = watch(joinWave, { joins: 2, minutes: 1 });
  const at = (s: number, n: number) => judge({ kind: "join" }, { at: 1e6 + s * 1_000, account: id(n) }) !== null;
  assert.deepEqual([at(0, 1), at(10, 2), at(20, 3), at(30, 4), at(200, 5)], [false, false, true, true, false]);
});

Deno.test("first message: links and files of the new, not of the old; texts without either never", () => {
  const now = 10_000_000;
  const young = watch(firstMessage, {}, { since: now - 1_000, written: 10 });
  const silent = watch(firstMessage, {}, { since: 0, written: 2 });
  const old = watch(firstMessage, {}, { since: 0, written: 3 });
  const link: What = { kind: "text", text: "see HTTPS://example.org" };
  const file: What = { kind: "file", name: "a.txt", size: 1 };
  for (const judge of [young, silent]) {
    assert.equal(judge(link, { at: now })?.holds, "member");
    assert.equal(judge(file, { at: now })?.holds, "file");
    assert.ok(judge({ kind: "text", text: "www.example.org" }, { at: now }));
    for (const text of ["hello.", "3:45", "a/b", "awww. cute", "mail me"]) {
      assert.equal(judge({ kind: "text", text }, { at: now }), null, text);
    }
  }
  assert.deepEqual([old(link, { at: now }), old(file, { at: now })], [null, null]);
  const filesOnly = watch(firstMessage, { links: false }, { since: now });
  assert.deepEqual([filesOnly(link, { at: now }), filesOnly(file, { at: now })?.holds], [null, "file"]);
});

Deno.test("words: whole words in any case and width, phrases, patterns; the reason never says which", () => {
  const judge = watch(words, { words: ["Spam", "buy now", "éclair"], patterns: ["free\\s+coins?", "^admin:"] });
  const says = (text: string) => judge({ kind: "text", text })?.reason ?? "";
  for (const text of ["spam", "SPAM!", "no ｓｐａｍ please", "Buy  NOW…", "ÉCLAIR", "free   COIN", "Admin: hi"]) {
    assert.match(says(text), /^(word|pattern) [0-9] of the list$/, text);
  }
  for (const text of ["spammer", "antispam", "buy it now", "freecoins", "dear admin: hi", "", "sp am"]) {
    assert.equal(says(text), "", text);
  }
  assert.equal(judge({ kind: "file", name: "spam.txt", size: 1 })?.holds, "file");
});

Deno.test("words: patterns that would be slow, or that together are too many, are not accepted", () => {
  const fits = (settings: object) => words.settings.safeParse(settings).success;
  assert.ok(fits({ patterns: ["a+b", "(c|d)*"] }));
  assert.ok(!fits({ patterns: ["(?=a)b"] }));
  assert.ok(!fits({ patterns: Array.from({ length: 20 }, () => "a{100}") }));
});

Deno.test("files: by the end of the name, by size, by the first bytes", () => {
  const judge = watch(files, { maxMiB: 1 });
  const file = (name: string, size = 10) => judge({ kind: "file", name, size })?.reason ?? "";
  for (const name of ["a.exe", "a.jpg.EXE", "a.exe. .", "x.Apk"]) assert.match(file(name), /kind/, name);
  for (const name of ["a.jpg", "exe", "a.exe.jpg", ""]) assert.equal(file(name), "", name);
  assert.match(file("a.jpg", 2 ** 20 + 1), /1 MiB/);
  const content = (...bytes: number[]) =>
    judge({ kind: "content", name: "a.jpg", size: 10, beginning: Uint8Array.from(bytes) })?.reason ?? "";
  assert.match(content(0x4d, 0x5a, 1), /Windows/);
  assert.match(content(0x7f, 0x45, 0x4c, 0x46), /Linux/);
  assert.match(content(0x23, 0x21, 0x2f), /script/);
  assert.equal(content(0xff, 0xd8, 0xff), "");
  assert.equal(content(), "");
});

Deno.test("every protection has defaults and texts for its settings, and is bounded whatever it is told", () => {
  const anything: fc.Arbitrary<What> = fc.oneof(
    fc.record({ kind: fc.constant("text" as const), text: fc.string({ unit: "binary" }) }),
    fc.record({ kind: fc.constant("file" as const), name: fc.string({ unit: "binary" }), size: fc.nat() }),
    fc.record({
      kind: fc.constant("content" as const),
      name: fc.string(),
      size: fc.nat(),
      beginning: fc.uint8Array({ maxLength: 64 }).map((bytes) => Uint8Array.from(bytes)),
    }),
    fc.constant({ kind: "join" as const }),
    fc.constant({ kind: "other" as const }),
  );
  for (const protection of PROTECTIONS) {
    assert.match(protection.name, /^[a-z-]{1,30}$/);
    fc.assert(fc.property(fc.array(fc.tuple(anything, fc.integer(), fc.nat(5)), { maxLength: 30 }), (told) => {
      const judge = watch(protection);
      for (const [what, at, who] of told) {
        const finding = judge(what, { at, account: id(who), device: device(who) });
        if (finding) assert.ok(finding.reason.length < 200);
      }
    }));
  }
});
