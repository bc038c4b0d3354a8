import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { utf8 } from "../../../core/base/bytes.ts";
import { Certificates } from "../../../core/store/certificates.ts";
import type { Contact } from "../../../core/store/contacts.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { NameAnswers, RegisteredNames } from "../../../core/store/names.ts";
import { ConversationRequests, TrustRequests } from "../../../core/store/requests.ts";
import { Treated } from "../../../core/store/treated.ts";
import { id, withStore } from "./support.ts";

/** Runs `test` with a database in memory at today's schema, to try tables with small limits. */
function withDatabase(test: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(":memory:");
  try {
    migrate(db);
    test(db);
  } finally {
    db.close();
  }
}

Deno.test("contacts: active is added after removed, banned is banned and not active", () =>
  withStore(({ contacts }) => {
    const contact: Contact = {
      account: id(1),
      added: 10,
      removed: 0,
      confirmed: true,
      banned: false,
      conversation: id(2),
      addedBy: "console",
    };
    const { addedBy: _, ...silent } = contact;
    contacts.put(contact);
    contacts.put({ ...silent, account: id(3), removed: 20, banned: true });
    contacts.put({ ...silent, account: id(4), removed: 20 });
    contacts.put({ ...silent, account: id(5), banned: true });
    assert.deepEqual(contacts.get(id(1)), contact);
    assert.deepEqual(contacts.get(id(4)), { ...silent, account: id(4), removed: 20 });
    assert.equal(contacts.get(id(9)), undefined);
    assert.deepEqual([1, 3, 4, 5, 9].map((n) => contacts.isActive(id(n))), [true, false, false, true, false]);
    assert.deepEqual([1, 3, 4, 5, 9].map((n) => contacts.isBanned(id(n))), [false, true, false, false, false]);
    assert.deepEqual(contacts.banned(), [id(3)]);
    contacts.put({ ...contact, conversation: "" });
    assert.equal(contacts.get(id(1))?.conversation, "");
    assert.equal(contacts.all().length, 4);
  }));

Deno.test("trust requests: one for each account, the oldest give way", () =>
  withDatabase((db) => {
    const requests = new TrustRequests(db, 3);
    const request = (n: number, received: number) => ({
      account: id(n),
      device: "e".repeat(64),
      conversation: id(100 + n),
      payload: utf8(n === 1 ? "" : `BEGIN:VCARD ${received}`),
      received,
    });
    for (const n of [1, 2, 3]) requests.put(request(n, n));
    requests.put(request(2, 9));
    assert.deepEqual(requests.all(), [request(1, 1), request(3, 3), request(2, 9)]);
    requests.put(request(4, 4));
    assert.deepEqual(requests.all().map((r) => r.account), [id(3), id(4), id(2)]);
    assert.equal(requests.delete(id(3)), true);
    assert.equal(requests.delete(id(3)), false);
    assert.equal(requests.get(id(3)), undefined);
    assert.deepEqual(requests.get(id(2)), request(2, 9));
  }));

Deno.test("conversation requests: too many drop declined ones first, accepted ones never", () =>
  withDatabase((db) => {
    const requests = new ConversationRequests(db, 2);
    const request = { from: id(50), metadatas: { mode: "2", title: "Tëam" }, declined: 0 };
    requests.put({ ...request, conversation: id(1), received: 1, accepted: 5 });
    requests.put({ ...request, conversation: id(2), received: 2 });
    requests.put({ ...request, conversation: id(3), received: 3, declined: 4 });
    assert.deepEqual(requests.get(id(1)), { ...request, conversation: id(1), received: 1, accepted: 5 });
    assert.deepEqual(requests.get(id(3)), { ...request, conversation: id(3), received: 3, declined: 4 });
    requests.put({ ...request, conversation: id(4), received: 4 });
    assert.deepEqual(requests.all().map((r) => r.conversation), [id(1), id(2), id(4)]);
    requests.put({ ...request, conversation: id(5), received: 5 });
    assert.deepEqual(requests.all().map((r) => r.conversation), [id(1), id(4), id(5)]);
    assert.equal(requests.delete(id(1)), true);
    assert.equal(requests.get(id(1)), undefined);
  }));

Deno.test("conversations: put, move the head, change the state", () =>
  withStore(({ conversations }) => {
    const conversation = {
      id: id(1),
      mode: 2,
      created: 5,
      removed: 0,
      erased: 0,
      state: "cloning" as const,
      title: "",
      head: "",
      invitedBy: id(7),
    };
    conversations.put(conversation);
    assert.deepEqual(conversations.get(id(1)), conversation);
    assert.equal(conversations.setHead(id(1), id(8)), true);
    assert.equal(conversations.setState(id(1), "active"), true);
    assert.deepEqual(conversations.all(), [{ ...conversation, head: id(8), state: "active" }]);
    assert.equal(conversations.setHead(id(2), id(8)), false);
    conversations.put({ ...conversation, description: "d" });
    assert.equal(conversations.get(id(1))?.description, "d");
    assert.equal(conversations.delete(id(1)), true);
    assert.equal(conversations.get(id(1)), undefined);
  }));

Deno.test("ledger: the latest word on each device and conversation stands", () =>
  withStore(({ ledger }) => {
    const entry = { conversation: id(1), device: "a", account: id(2), heads: [id(3)], at: 4 };
    ledger.set(entry);
    ledger.set({ ...entry, heads: [id(5), id(6)], at: 6 });
    ledger.set({ ...entry, conversation: id(9) });
    assert.deepEqual(ledger.forConversation(id(1)), [{ ...entry, heads: [id(5), id(6)], at: 6 }]);
    assert.equal(ledger.forDevice("a").length, 2);
    assert.equal(ledger.get(id(1), "b"), undefined);
    ledger.drop(id(1));
    assert.deepEqual(ledger.forConversation(id(1)), []);
    assert.equal(ledger.forConversation(id(9)).length, 1);
  }));

Deno.test("certificates: found by device, short id and account; those unseen longest give way", () =>
  withDatabase((db) => {
    const certificates = new Certificates(db, 2);
    const entry = (n: number, seen: number) => ({
      device: `${n}`.repeat(64),
      shortId: id(n),
      account: id(0xacc),
      chainPem: `pem ${n}`,
      seen,
    });
    certificates.put({ ...entry(1, 10), generation: "msg" });
    certificates.put(entry(1, 5));
    assert.deepEqual(certificates.byDevice(entry(1, 0).device), { ...entry(1, 10), generation: "msg" });
    assert.deepEqual(certificates.byShortId(id(1))?.chainPem, "pem 1");
    certificates.put(entry(2, 20));
    certificates.put({ ...entry(9, 1), account: id(0xbcc) });
    certificates.touch(entry(1, 0).device, 30);
    certificates.put(entry(3, 25));
    assert.deepEqual(certificates.byAccount(id(0xacc)).map((c) => c.shortId), [id(1), id(3)]);
    assert.equal(certificates.byDevice(entry(2, 0).device), undefined);
    assert.equal(certificates.byAccount(id(0xbcc)).length, 1);
  }));

Deno.test("revocation lists: only a higher number replaces, beyond 63 bits too", () =>
  withStore(({ revocations }) => {
    const big = (1n << 64n) - 2n;
    assert.equal(revocations.put({ account: id(1), number: big, der: utf8("one") }), true);
    assert.equal(revocations.put({ account: id(1), number: big, der: utf8("two") }), false);
    assert.equal(revocations.put({ account: id(1), number: 9n, der: utf8("three") }), false);
    assert.equal(revocations.put({ account: id(1), number: big + 1n, der: utf8("four") }), true);
    assert.deepEqual(revocations.get(id(1)), { account: id(1), number: big + 1n, der: utf8("four") });
    assert.equal(revocations.get(id(2)), undefined);
  }));

Deno.test("invites: kept until deleted, one for each account and conversation", () =>
  withStore(({ invites }) => {
    invites.put({ conversation: id(1), account: id(2), made: 0 });
    invites.put({ conversation: id(1), account: id(2), made: 7 });
    invites.put({ conversation: id(3), account: id(2), made: 0 });
    assert.deepEqual(invites.forAccount(id(2)).map((i) => i.made), [7, 0]);
    assert.equal(invites.delete(id(1), id(2)), true);
    assert.equal(invites.delete(id(1), id(2)), false);
    invites.drop(id(3));
    assert.deepEqual(invites.all(), []);
  }));

Deno.test("treated ids: recognised once added, forgotten when too old or too many of their kind", () =>
  withDatabase((db) => {
    const treated = new Treated(db, 300, 1_000);
    assert.equal(treated.has("request", "1"), false);
    assert.equal(treated.add("request", "1", 100), true);
    assert.equal(treated.add("request", "1", 200), false);
    assert.equal(treated.has("request", "1"), true);
    assert.equal(treated.has("message", "1"), false);
    treated.prune("request", 1_100);
    assert.equal(treated.has("request", "1"), true);
    treated.prune("request", 1_101);
    assert.equal(treated.has("request", "1"), false);

    treated.add("message", "other kind", 0);
    for (let n = 0; n < 2_000; n++) treated.add("request", `${n}`, n / 10 | 0);
    const kept = db.prepare("SELECT count(*) AS n FROM treated WHERE kind = 'request'").get()?.n;
    assert.ok(Number(kept) >= 300 && Number(kept) <= 300 + 256, `${kept} kept`);
    assert.equal(treated.has("request", "1999"), true);
    assert.equal(treated.has("request", "0"), false);
    assert.equal(treated.has("message", "other kind"), true);
  }));

Deno.test("join links: one for each group, counted up to its limit and end, a use can be given back", () =>
  withStore(({ joinLinks }) => {
    const link = { conversation: id(1), hash: "a".repeat(64), created: 1, expires: 100, maxUses: 2, uses: 0 };
    joinLinks.put({ ...link, hash: "b".repeat(64), uses: 1 });
    joinLinks.put(link);
    assert.deepEqual([joinLinks.get(id(1)), joinLinks.byHash(link.hash)], [link, link]);
    assert.equal(joinLinks.byHash("b".repeat(64)), undefined);
    assert.equal(joinLinks.take(link.hash, 100), false);
    assert.deepEqual([1, 2, 3].map(() => joinLinks.take(link.hash, 99)), [true, true, false]);
    joinLinks.giveBack(link.hash);
    assert.deepEqual([joinLinks.get(id(1))?.uses, joinLinks.take(link.hash, 99)], [1, true]);
    assert.deepEqual([joinLinks.delete(id(1)), joinLinks.delete(id(1))], [true, false]);
    assert.equal(joinLinks.take(link.hash, 0), false);
  }));

Deno.test("approvals: the latest of each account, for its own group", () =>
  withStore(({ approvals }) => {
    approvals.put(id(1), id(7), 3);
    approvals.put(id(1), id(7), 5);
    approvals.put(id(2), id(7), 9);
    assert.deepEqual([...approvals.forConversation(id(1))], [[id(7), 5]]);
    assert.deepEqual([...approvals.forConversation(id(3))], []);
  }));

Deno.test("answers of name servers: one for each question and server, those that expire first give way", () =>
  withDatabase((db) => {
    const answers = new NameAnswers(db, 3);
    answers.put("https://a.example", "asha", { answer: id(1), expires: 30 });
    answers.put("https://b.example", "asha", { answer: id(2), expires: 20 });
    answers.put("https://a.example", id(1), { answer: "", expires: 10 });
    answers.put("https://a.example", "asha", { answer: id(3), expires: 40 });
    assert.deepEqual(answers.get("https://a.example", "asha"), { answer: id(3), expires: 40 });
    assert.deepEqual(answers.get("https://b.example", "asha"), { answer: id(2), expires: 20 });
    assert.deepEqual(answers.get("https://a.example", id(1)), { answer: "", expires: 10 });
    answers.put("https://a.example", "juma", { answer: "", expires: 15 });
    assert.equal(answers.get("https://a.example", id(1)), undefined);
    assert.equal(answers.get("https://b.example", id(1)), undefined);
    assert.equal(answers.get("https://a.example", "juma")?.answer, "");
  }));

Deno.test("registered names: a name has one account, an account one name", () =>
  withDatabase((db) => {
    const names = new RegisteredNames(db);
    const name = (text: string, n: number) => ({
      name: text,
      account: id(n),
      owner: id(0xe),
      publicKey: "PEM",
      signature: "c2ln",
      registered: n,
    });
    assert.deepEqual(["juma", "asha", "zuri"].map((text, n) => names.add(name(text, n))), [true, true, true]);
    assert.equal(names.add(name("juma", 9)), false);
    assert.equal(names.add(name("other", 0)), false);
    assert.deepEqual(names.byName("juma"), name("juma", 0));
    assert.deepEqual(names.byAccount(id(1)), name("asha", 1));
    assert.equal(names.byName("other"), undefined);
    assert.deepEqual(names.page(2).map((given) => given.name), ["asha", "juma"]);
    assert.deepEqual(names.page(2, "juma").map((given) => given.name), ["zuri"]);
    assert.equal(names.delete("juma"), true);
    assert.equal(names.delete("juma"), false);
    assert.equal(names.count(), 2);
    assert.equal(names.add(name("other", 0)), true);
  }));
