import assert from "node:assert/strict";
import fc from "fast-check";
import type { MessageValue } from "../../../core/swarm/commit.ts";
import { entryOf } from "../../../core/swarm/entry.ts";
import type { Store } from "../../../core/store/store.ts";
import { id, withStore } from "../store/support.ts";
import { readBundle } from "../swarm_rules/support.ts";
import { CONVERSATION, entriesIn, historyBelow, line, openIn, Script } from "./index_support.ts";
import { addToIndex } from "../../../core/swarm/commit_index.ts";

const ALICE = "a".repeat(40), BOB = "b".repeat(40), CAROL = "c".repeat(40);
const PHONE = "1".repeat(64);
const CALL = "application/call-history+json", FILE = "application/data-transfer+json";

const lines = (store: Store) => entriesIn(store).map(({ entry }) => line(entry));
const text = (body: string, more: Record<string, MessageValue> = {}) => ({ type: "text/plain", body, ...more });
const edit = (of: string, body: string) => ({ type: "application/edited-message", edit: of, body });

/** A history with an initial commit, and what it shows. */
function withScript(test: (script: Script, shown: () => string[], store: Store) => void): Promise<void> {
  return withStore((store) => {
    const script = new Script(store);
    script.say(ALICE, { type: "initial", mode: 2 });
    test(script, () => lines(store), store);
  });
}

Deno.test("entries: the newest edit counts, in both forms, and only the author's", () =>
  withScript((script, shown) => {
    const one = script.say(ALICE, text("one"));
    script.say(ALICE, edit(one, "two"));
    script.say(BOB, edit(one, "bob was here"));
    assert.deepEqual(shown(), ['edited "two" was "one"']);
    script.say(ALICE, text("three", { edit: one }));
    assert.deepEqual(shown(), ['edited "three" was "one" was "two"']);
    script.say(ALICE, { type: FILE, edit: one, tid: "" }); // an edit that says nothing of a body
    assert.deepEqual(shown(), ['edited "three" was "one" was "two"']);
  }));

Deno.test("entries: an edit of an edit, and edits of what cannot be edited, change nothing", () =>
  withScript((script, shown) => {
    const one = script.say(ALICE, text("one"));
    const first = script.say(ALICE, edit(one, "two"));
    script.say(ALICE, edit(first, "three"));
    const joined = script.say(BOB, { type: "member", action: "join", uri: BOB });
    script.say(BOB, edit(joined, "never"));
    script.say(ALICE, edit(script.head, "of an edit by another"));
    assert.deepEqual(shown(), ['edited "two" was "one"', "join bbbb"]);
  }));

Deno.test("entries: an empty edit deletes the text and its reactions; a later one brings it back", () =>
  withScript((script, shown) => {
    const one = script.say(ALICE, text("one"));
    script.say(BOB, text("👍", { "react-to": one }));
    assert.deepEqual(shown(), ['text "one" 👍bbbb']);
    script.say(ALICE, edit(one, ""));
    assert.deepEqual(shown(), ['deleted "" was "one"']);
    script.say(ALICE, edit(one, "again"));
    assert.deepEqual(shown(), ['edited "again" was "one" was "" 👍bbbb']);
    script.say(ALICE, text(""));
    assert.equal(shown().at(-1), 'text ""', "written empty is not deleted");
  }));

Deno.test("entries: a reaction is changed and taken back by edits of it, by its author alone", () =>
  withScript((script, shown) => {
    const one = script.say(ALICE, text("one"));
    const thumb = script.say(BOB, text("👍", { "react-to": one }));
    script.say(CAROL, text("🎉", { "react-to": one, "reply-to": one }));
    assert.deepEqual(shown(), ['text "one" 👍bbbb 🎉cccc']);
    script.say(ALICE, edit(thumb, ""));
    script.say(BOB, edit(thumb, "👎"));
    assert.deepEqual(shown(), ['text "one" 👎bbbb 🎉cccc']);
    script.say(BOB, edit(thumb, ""));
    assert.deepEqual(shown(), ['text "one" 🎉cccc']);
  }));

Deno.test("entries: what names a commit that is not there yet counts as soon as it is", () =>
  withScript((script, shown, store) => {
    const root = script.head;
    const late = script.row(ALICE, text("late"), { parents: [root] });
    script.say(ALICE, edit(late.id, "late, edited"), { parents: [root] });
    script.say(BOB, text("👍", { "react-to": late.id }));
    script.say(BOB, text("and?", { "reply-to": late.id }));
    assert.deepEqual(shown(), [`text "and?" > ${late.id.slice(0, 4)}`]);
    assert.deepEqual(store.search.find({ text: "late", limit: 9 }), []);
    const merge = script.row(ALICE, {}, { parents: [script.head, late.id] });
    script.keep(merge.id, [late, merge]);
    assert.deepEqual(shown(), ['edited "late, edited" was "late" 👍bbbb', `text "and?" > ${late.id.slice(0, 4)}`]);
    assert.deepEqual(store.search.find({ text: "edited", limit: 9 }).map(({ id }) => id), [late.id]);
  }));

Deno.test("entries: of two edits on two branches the one displayed later counts, also when it came first", () =>
  withScript((script, shown, store) => {
    const one = script.say(ALICE, text("one"));
    script.say(ALICE, edit(one, "from the phone"), { timestamp: 1_790_000_900 });
    const other = script.row(ALICE, edit(one, "from the laptop"), { parents: [one], timestamp: 1_790_000_800 });
    const merge = script.row(BOB, {}, { parents: [script.head, other.id], timestamp: 1_790_000_901 });
    script.keep(merge.id, [other, merge]);
    assert.deepEqual(shown(), ['edited "from the phone" was "one" was "from the laptop"']);
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).length;
    assert.deepEqual([found("phone"), found("laptop"), found("one")], [1, 0, 0]);
  }));

Deno.test("entries: a file is named, answered, deleted; its name is no path", () =>
  withScript((script, shown) => {
    const file = { type: FILE, displayName: "../../etc/pass.wd", sha3sum: "ab", tid: "42", totalSize: "10" };
    const one = script.say(ALICE, file);
    assert.deepEqual(shown(), ['file "../../etc/pass.wd" 10 _42.wd']);
    script.say(ALICE, { ...file, displayName: "no extension.", totalSize: "-1" });
    assert.equal(shown().at(-1), 'file "no extension." null _42');
    script.say(BOB, { type: FILE, edit: one, tid: "" });
    assert.equal(shown()[0], 'file "../../etc/pass.wd" 10 _42.wd');
    script.say(ALICE, { type: FILE, edit: one, tid: "" });
    assert.equal(shown()[0], 'deleted file "../../etc/pass.wd" 10 ');
  }));

Deno.test("entries: a group's call goes on until its end, or until its host is gone", () =>
  withScript((script, shown) => {
    const call = (confId: string) => ({ type: CALL, confId, uri: ALICE, device: PHONE });
    script.say(ALICE, { ...call("1"), duration: "5" }); // an end before any start
    script.say(ALICE, call("1"));
    assert.deepEqual(shown(), ["call of aaaa 5", "call of aaaa null active"]);
    script.say(ALICE, { ...call("2"), duration: "6" });
    script.say(BOB, { ...call("1"), uri: BOB, duration: "6" });
    assert.equal(shown()[1], "call of aaaa null active", "other calls end");
    script.say(ALICE, { ...call("1"), duration: "7000" });
    assert.equal(shown()[1], "call of aaaa 7000");
    script.say(ALICE, call("3"));
    script.say(BOB, { type: "member", action: "ban", uri: CAROL });
    assert.match(shown().join(), /null active/);
    script.say(BOB, { type: "member", action: "ban", uri: PHONE });
    assert.doesNotMatch(shown().join(), /active/);
    script.say(ALICE, call("4"));
    assert.equal(shown().at(-1), "call of aaaa null active", "started after that");
    script.say(ALICE, { type: CALL, to: BOB, duration: "0", reason: "declined" });
    assert.equal(shown().at(-1), "call to bbbb 0 declined");
  }));

Deno.test("entries: documents, votes, devices, and what is not known", () =>
  withScript((script, shown) => {
    const document = { type: "application/collab-doc+json", uri: "d1", displayName: "Minutes", mimeType: "text/plain" };
    const one = script.say(ALICE, document);
    script.say(ALICE, { type: "vote", uri: PHONE });
    script.say(ALICE, { type: "application/poll+json", body: "tea?" });
    script.say(ALICE, { type: "application/edited-message", body: "of nothing" });
    script.say(ALICE, { type: "" });
    assert.deepEqual(shown(), ['document "Minutes" d1', "vote 1111", "unknown", "unknown"]);
    script.say(ALICE, { type: "application/collab-doc+json", edit: one });
    assert.equal(shown()[0], 'document "Minutes" d1 removed');
  }));

Deno.test("entries: thousands of edits and reactions cost one entry no more than its share", () =>
  withScript((script, _, store) => {
    const one = script.say(ALICE, text("one"));
    const rows = Array.from({ length: 4_000 }, (_, n) => {
      const parents = [script.head];
      const row = script.row(
        n % 2 ? ALICE : BOB,
        n % 2 ? edit(one, `${n}`) : text("x".repeat(99), { "react-to": one }),
        {
          parents,
        },
      );
      script.head = row.id;
      return row;
    });
    script.keep(script.head, rows);
    const [{ entry }] = entriesIn(store);
    assert.ok(entry.kind === "text" && entry.text === "3999");
    assert.deepEqual([entry.history.length, entry.history[0].text, entry.history[1].text], [50, "one", "3901"]);
    assert.deepEqual([entry.reactions.length, entry.reactions[0].body.length], [100, 64]);
  }));

Deno.test("entries: whatever stands in a commit, its entry can be made and sent", () =>
  withStore((store) => {
    const types = ["text/plain", FILE, CALL, "member", "vote", "initial", "application/edited-message", "", "what"];
    const keys = fc.constantFrom("body", "edit", "react-to", "reply-to", "tid", "uri", "confId", "__proto__", "type");
    const message = fc.oneof(
      fc.dictionary(keys, fc.oneof(fc.string({ unit: "binary" }), fc.constant(id(1)), fc.jsonValue())).map((body) =>
        JSON.stringify(body)
      ),
      fc.string({ unit: "binary" }),
      fc.constant("[".repeat(100_000)),
    );
    fc.assert(
      fc.property(message, fc.constantFrom(...types), (body, type) => {
        const row = {
          conversation: CONVERSATION,
          id: id(1),
          parents: [],
          tree: id(2),
          author: ALICE,
          device: PHONE,
          type,
          timestamp: 1,
          body,
          seq: 1,
          position: 0,
        };
        assert.ok(JSON.stringify(entryOf(row, store.commits)).length < 2 * body.length + 1_000);
      }),
      { numRuns: 500 },
    );
  }));

Deno.test("entries: the hostile histories show something or nothing, and never another's edit", async () => {
  const { reader, refs } = await readBundle("swarm/hostile.bundle");
  let foreign = 0;
  for (const [name, ref] of refs) {
    const { head, rows } = await historyBelow(reader, ref);
    await withStore((store) => {
      openIn(store);
      addToIndex(store, CONVERSATION, head, rows);
      const authors = new Map(rows.map((row) => [row.id, row.author]));
      const entries = new Map(entriesIn(store, false).map(({ id, entry }) => [id, entry]));
      for (const { entry, author } of entriesIn(store, false)) {
        if (entry.kind !== "edit" || authors.get(entry.target) === author) continue;
        foreign++;
        const shown = entries.get(entry.target);
        assert.ok(shown?.kind !== "text" || !shown.edited, name);
      }
    });
  }
  assert.ok(foreign > 0, "the vectors have such edits");
});
