import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { migrate, migrations } from "../../../core/store/migrations.ts";
import { openStore } from "../../../core/store/store.ts";
import { renewSearch, replaceIndex } from "../../../core/swarm/commit_index.ts";
import { commit, id, withPath, withStore } from "../store/support.ts";
import { CONVERSATION, Script } from "./index_support.ts";

const ALICE = "a".repeat(40), BOB = "b".repeat(40);
const FILE = "application/data-transfer+json";
const OTHER = id(0xd0);

const text = (body: string, more = {}) => ({ type: "text/plain", body, ...more });

Deno.test("search: each word begins a word of the text, whatever its case and accents", () =>
  withStore((store) => {
    const script = new Script(store);
    const one = script.say(ALICE, text("Habari za asubuhi, Zürich! Kesho tunakutana saa 3."));
    const two = script.say(BOB, text("nzuri sana, asante"));
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).map((row) => row.id);
    assert.deepEqual(found("habari"), [one]);
    assert.deepEqual(found("HABARI zurich"), [one]);
    assert.deepEqual(found("asu hab"), [one], "in any order");
    assert.deepEqual(found("abari"), [], "not in the middle");
    assert.deepEqual(found("habari asante"), [], "all of them");
    assert.deepEqual(found("asa"), [two]);
    assert.deepEqual(found("sa"), [two, one], "newest first");
    assert.deepEqual(found("saa-3"), [one], "a word with a sign in it is its parts in this order");
    assert.deepEqual(found("3-saa"), []);
  }));

Deno.test("search: a part of a text without spaces is found, in every script that has none", () =>
  withStore((store) => {
    const script = new Script(store);
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).map((row) => row.id);
    const chinese = script.say(ALICE, text("明天下午三点在东京大学开会"));
    const japanese = script.say(ALICE, text("データベースをiPhoneで見るがいい"));
    const thai = script.say(ALICE, text("สวัสดีครับทุกคน"));
    const korean = script.say(ALICE, text("서울대학교에서 만나요"));
    for (const q of ["明", "明天", "东京", "大学", "东京大学", "京", "会", "下午 开会", "大学开"]) {
      assert.deepEqual(found(q), [chinese], q);
    }
    for (
      const q of ["ベース", "データ", "iphone", "ｉＰｈｏｎｅ", "ﾍﾞｰｽ", "をiph", "iphoneで", "スをiPhoneで見", "が"]
    ) {
      assert.deepEqual(found(q), [japanese], q);
    }
    assert.deepEqual([found("ครับ"), found("ทุกคน"), found("대학교"), found("만나")], [[thai], [thai], [korean], [
      korean,
    ]]);
    for (const q of ["天明", "东大", "东京 大阪", "iphoneを", "スで", "か", "학서"]) assert.deepEqual(found(q), [], q);
  }));

Deno.test("search: however a letter is written it is the same one; emoji are found, whatever their colour", () =>
  withStore((store) => {
    const script = new Script(store);
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).map((row) => row.id);
    const pairs = [
      ["Straße nach Łódź", "STRASSE lodz"],
      ["Việt Nam, phở", "viet pho"],
      ["Ευχαριστώ πολύ, Χρήστος", "ΕΥΧΑΡΙΣΤΩ χρηστοσ"],
      ["Её ёлка", "ее елка"],
      ["مُحَمَّد أحمد", "محمد احمد"],
      ["می\u200cخواهم", "میخواهم"],
      ["हिन्दी में लिखा", "हिन्दी लि"],
      ["Ingenio\u0301 del café", "ingenió cafe\u0301"],
      ["ﬁnish ²", "finish 2"],
      ["İstanbul ışık", "istanbul isik"],
    ];
    for (const [written, typed] of pairs) {
      const one = script.say(ALICE, text(written));
      assert.deepEqual(found(typed), [one], typed);
    }
    const emoji = script.say(ALICE, text("great👍🏽 👨‍👩‍👧❤️ to 🇰🇪 🫨"));
    for (const q of ["👍", "👍🏿", "👨‍👩‍👧", "👩", "❤", "❤️", "🇰🇪", "great👍", "🫨"]) assert.deepEqual(found(q), [emoji], q);
    for (const q of ["👎", "🇪🇰", "01f44d", "🇰🇿"]) assert.deepEqual(found(q), [], q);
    for (const q of ["t", "d"]) assert.ok(found(q).length > 0, "a single letter begins words");
  }));

Deno.test("search: no text and no question takes long", () =>
  withStore((store) => {
    const script = new Script(store);
    const worst = ["\u0301", "e\u0301", "\ufdfa", "京", "👩‍", "서", "a ", "🇰", "ß", "\u200d"];
    const began = performance.now();
    for (const sign of worst) {
      script.say(ALICE, text(sign.repeat(100_000)));
      store.search.find({ text: sign.repeat(200), limit: 100 });
    }
    const taken = performance.now() - began;
    assert.ok(taken < 5_000, `${taken} ms`); // quadratic work would take minutes
  }));

Deno.test("search: what an earlier Kituo cut into words in its own way is cut again, and only once", () =>
  withPath(async (path) => {
    const old = new DatabaseSync(path);
    const step = migrations.findIndex((sql) => sql.includes("search_due"));
    migrate(old, migrations.slice(0, step));
    const rows = Array.from(
      { length: 450 },
      (_, n) => ({ ...commit(OTHER, n), body: '{"body":"在东京","type":"text/plain"}' }),
    );
    for (const [n, { conversation, id, parents, tree, author, device, type, timestamp, body }] of rows.entries()) {
      old.prepare("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, NULL, NULL, 0)")
        .run(n + 1, conversation, id, n, parents.join(" "), tree, author, device, type, timestamp, body);
      old.prepare("INSERT INTO search (rowid, text) VALUES (?, '在东京')").run(n + 1);
    }
    old.close();
    const store = openStore(path);
    try {
      const found = (q: string) => store.search.find({ text: q, limit: 1000 }).length;
      assert.equal(found("在东京"), 0);
      await renewSearch(store, CONVERSATION);
      assert.deepEqual([found("东京"), store.search.isDue(OTHER)], [0, true], "another one's");
      await renewSearch(store, OTHER);
      assert.deepEqual([found("东京"), store.search.isDue(OTHER)], [450, false]);
    } finally {
      store.close();
    }
  }));

Deno.test("search: names of files and present texts are found; reactions, former texts and what was deleted are not", () =>
  withStore((store) => {
    const script = new Script(store);
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).map((row) => row.id);
    const note = script.say(ALICE, text("first version"));
    const file = script.say(ALICE, { type: FILE, displayName: "minutes-2026.pdf", tid: "7", totalSize: "1" });
    const thumb = script.say(BOB, text("splendid", { "react-to": note }));
    script.say(BOB, { type: "member", action: "join", uri: BOB });
    assert.deepEqual([found("first"), found("minutes"), found("pdf"), found("splendid"), found("join")], [
      [note],
      [file],
      [file],
      [],
      [],
    ]);
    const edit = script.say(ALICE, text("second version", { edit: note }));
    script.say(BOB, text("wonderful", { edit: thumb }));
    script.say(BOB, text("third version", { edit: note })); // not his
    assert.deepEqual([found("first"), found("second"), found("third"), found("wonderful")], [[], [note], [], []]);
    assert.equal(store.commits.get(CONVERSATION, edit)?.relation?.kind, "edit");
    script.say(ALICE, { type: "application/edited-message", edit: note, body: "" });
    script.say(ALICE, { type: FILE, edit: file, tid: "" });
    assert.deepEqual([found("version"), found("minutes")], [[], []]);
    // the same after the index was made anew
    script.say(ALICE, text("the last one"));
    replaceIndex(store, CONVERSATION, script.head, script.written);
    assert.deepEqual([found("version"), found("minutes"), found("last")], [[], [], [script.head]]);
  }));

Deno.test("search: the conditions, over one conversation and over all that were not left", () =>
  withStore((store) => {
    const script = new Script(store), other = new Script(store, OTHER);
    const a = script.say(ALICE, text("chai one"), { timestamp: 100 });
    const b = script.say(BOB, text("chai two"), { timestamp: 200 });
    const c = script.say(BOB, { type: FILE, displayName: "chai.txt", tid: "7" }, { timestamp: 300 });
    const d = other.say(BOB, text("chai elsewhere"), { timestamp: 250 });
    const found = (more = {}, limit = 9) => store.search.find({ text: "chai", limit, ...more }).map((row) => row.id);
    assert.deepEqual(found(), [c, d, b, a]);
    assert.deepEqual(found({}, 2), [c, d]);
    assert.deepEqual(found({}, 0), []);
    assert.deepEqual(found({ conversation: CONVERSATION }), [c, b, a]);
    assert.deepEqual(found({ conversation: OTHER }), [d]);
    assert.deepEqual(found({ conversation: id(5) }), []);
    assert.deepEqual(found({ author: ALICE }), [a]);
    assert.deepEqual(found({ author: BOB, type: "text/plain" }), [d, b]);
    assert.deepEqual(found({ type: FILE }), [c]);
    assert.deepEqual(found({ after: 200, before: 300 }), [d, b]);
    assert.deepEqual(found({ after: 201, before: 250 }), []);
    store.conversations.setState(OTHER, "left");
    assert.deepEqual(found(), [c, b, a]);
    store.commits.drop(CONVERSATION);
    assert.deepEqual(found(), [], "what was dropped is forgotten");
    store.transaction(() => assert.equal(store.search.find({ text: "elsewhere", limit: 9 }).length, 0));
  }));

Deno.test("search: what a user types is text, never a command to the index", () =>
  withStore((store) => {
    const script = new Script(store);
    const one = script.say(ALICE, text('say "NEAR" or NOT, text: (a* OR b) - ^it AND 100% {of} it\'s'));
    const found = (q: string) => store.search.find({ text: q, limit: 9 }).map((row) => row.id);
    for (
      const q of ['"NEAR"', "NOT", "text:", "a*", "(a", "OR b)", "^it", "100%", "{of}", "it's", "AND", '"', '""say']
    ) {
      assert.deepEqual(found(q), q === '"' ? [] : [one], q);
    }
    for (
      const q of ["text:missing", "say NOT or missing", "rowid:1", "*", "'; DROP TABLE commits; --", "NEAR(say it, 2)"]
    ) {
      assert.deepEqual(found(q), [], q);
    }
    for (const q of ["", " ", "\0", "\u200b", "\ud800", "!?", "👍", "\n\t", '"\0"']) assert.deepEqual(found(q), [], q);
    assert.deepEqual(found("say\0near"), [one]);
    assert.deepEqual(found("missing ".repeat(30)), []);
    const sixteen = "s sa say n ne nea near o or n no not te tex text a an and".split(" ").slice(0, 17).join(" ");
    assert.deepEqual(found(`${sixteen} beyond the words that are looked for`), [one]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.string({ maxLength: 50 }), (wild, ascii) => {
        assert.ok(found(wild).length <= 1);
        assert.ok(found(ascii).length <= 1);
      }),
      { numRuns: 1_000 },
    );
  }));

Deno.test("search: any text is found by any of its words, as long as it was not cut", () =>
  withStore((store) => {
    const script = new Script(store);
    const word = fc.string({ unit: fc.constantFrom(..."abcäöéñжд你好שلك123"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), fc.nat(), (words, n) => {
        const one = script.say(ALICE, text(words.join(" ")));
        const q = words[n % words.length];
        assert.equal(store.search.find({ text: q, limit: 1 })[0]?.id, one, q);
      }),
      { numRuns: 100 },
    );
    const long = script.say(ALICE, text(`${"blah ".repeat(20_000)} theend 👍\ud800\0`));
    assert.equal(store.search.find({ text: "blah", limit: 1 })[0].id, long);
    assert.deepEqual(store.search.find({ text: "theend", limit: 1 }), []);
  }));
