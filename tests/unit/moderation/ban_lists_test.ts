import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { isPublicAddress } from "../../../core/base/addresses.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { fetchList, type ListSource } from "../../../core/moderation/ban_list_fetch.ts";
import { readList, writeList } from "../../../core/moderation/ban_list_format.ts";
import { BanLists } from "../../../core/moderation/ban_lists.ts";
import {
  LIST_PATIENCE_MS,
  LIST_TIMEOUT_MS,
  MAX_LIST_BYTES,
  MAX_LIST_ENTRIES,
} from "../../../core/moderation/constants.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { Store } from "../../../core/store/store.ts";
import { until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const id = (n: number) => n.toString(16).padStart(40, "0");
const HOUR = 3_600_000;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of lists that answers as a test wishes. */
async function withServer(answer: Answer, test: (url: string, asked: IncomingMessage[]) => Promise<void>) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await test(`http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json`, asked); // reason: it listens on TCP
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const fetched = (source: Partial<ListSource>, clock = new VirtualClock()) =>
  fetchList({ url: "", allowPrivate: true, etag: "", ...source }, clock);

const json = (value: unknown): Answer => (_request, response) => response.end(JSON.stringify(value));

function lists(spares: (target: string) => boolean = () => false) {
  const db = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  migrate(db);
  const store = new Store(db);
  const clock = new VirtualClock();
  let enforced = 0;
  const made = new BanLists({ store, clock, random: systemRandom, spares, enforce: () => enforced++ });
  return {
    store,
    clock,
    lists: made,
    enforced: () => enforced,
    banned: (n: number) => store.nodeBans.isBanned(id(n), clock.now()),
  };
}

Deno.test("addresses: those of the whole Internet, and no others", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "193.0.0.1", "2a00:1450::1", "2600::1"]) {
    assert.ok(isPublicAddress(address), address);
  }
  const others = [
    "10.1.2.3",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "",
    "localhost",
    "1.2.3",
  ];
  for (const address of others) assert.ok(!isPublicAddress(address), address);
});

Deno.test("lists: the form is read back as it was written; what is none is refused in words", () => {
  const entries = [{ target: id(1), reason: "spam", expires: null }, {
    target: "d".repeat(64),
    reason: "",
    expires: 5_000,
  }];
  assert.deepEqual(readList(writeList("L", entries)), { name: "L", entries });
  assert.equal(readList({ entries: [{ jamiId: `jami:${id(0xabc).toUpperCase()}` }] }).entries[0].target, id(0xabc));
  const wrong: unknown[] = [
    null,
    [],
    {},
    { entries: [{}] },
    { entries: [{ jamiId: "x" }] },
    { entries: [{ jamiId: id(1), deviceId: "d".repeat(64) }] },
    { entries: [{ jamiId: id(1), expires: "soon" }] },
    { entries: Array.from({ length: MAX_LIST_ENTRIES + 1 }, () => ({ jamiId: id(1) })) },
  ];
  for (const one of wrong) assert.throws(() => readList(one), /not a list of bans/);
});

Deno.test("lists: fetched with their ETag; unchanged is said by the server", async () => {
  const answer: Answer = (request, response) => {
    if (request.headers["if-none-match"] === '"v1"') return response.writeHead(304).end();
    response.setHeader("etag", '"v1"');
    return response.end(JSON.stringify({ name: "L", entries: [{ jamiId: id(1), reason: "spam" }] }));
  };
  await withServer(answer, async (url) => {
    const list = await fetched({ url });
    assert.ok(list !== "unchanged");
    assert.deepEqual([list.name, list.etag, list.entries.length], ["L", '"v1"', 1]);
    assert.equal(await fetched({ url, etag: '"v1"' }), "unchanged");
  });
});

Deno.test("lists: a hostile server gets nothing by it", async (t) => {
  const refused: [string, Answer, RegExp][] = [
    ["an error", (_q, r) => r.writeHead(500).end(), /status 500/],
    ["a 304 to nothing", (_q, r) => r.writeHead(304).end(), /status 304/],
    ["no JSON", (_q, r) => r.end("<html>"), /not JSON/],
    ["no UTF-8", (_q, r) => r.end(Uint8Array.of(0xff, 0xfe)), /not JSON/],
    ["another form", json({ entries: "all" }), /not a list/],
    ["redirects without end", (_q, r) => r.writeHead(302, { location: "/again" }).end(), /from one address to another/],
    ["a redirect to a file", (_q, r) => r.writeHead(302, { location: "file:///etc/passwd" }).end(), /https/],
    ["a redirect to nothing", (_q, r) => r.writeHead(302, { location: "http://" }).end(), /leads to no address/],
    ["an end before the end", (_q, r) => {
      r.setHeader("content-length", "1000");
      r.write("{");
      setTimeout(() => r.destroy(), 5);
    }, /./],
  ];
  for (const [name, answer, message] of refused) {
    await t.step(name, () => withServer(answer, (url) => assert.rejects(fetched({ url }), message)));
  }
  await t.step("more bytes than a list has", async () => {
    const chunk = new Uint8Array(1 << 16).fill(0x20);
    let sent = 0;
    const endless: Answer = (_q, r) => {
      const more = () => {
        while (!r.destroyed && r.write(chunk)) sent += chunk.length;
      };
      r.on("drain", more);
      more();
    };
    await withServer(endless, (url) => assert.rejects(fetched({ url }), /more than 4 MiB/));
    assert.ok(sent < 8 * MAX_LIST_BYTES, "it was cut off");
  });
  await t.step("silence", async () => {
    const clock = new VirtualClock();
    await withServer(() => {}, async (url, asked) => {
      const waiting = assert.rejects(fetched({ url }, clock), /within 30 s/);
      await until("it asked", () => asked.length > 0);
      await clock.advance(LIST_TIMEOUT_MS);
      await waiting;
    });
  });
});

Deno.test("lists: nobody is led to a private address, by name, number or redirect, unless it is allowed", async () => {
  const clock = new VirtualClock();
  const ask = (url: string, address = "") =>
    fetchList(
      { url, allowPrivate: false, etag: "" },
      clock,
      () => Promise.resolve([{ address, family: address.includes(":") ? 6 : 4 }]),
    );
  for (const address of ["127.0.0.1", "10.0.0.1", "::1", "169.254.169.254"]) {
    await assert.rejects(ask("https://lists.example/a.json", address), /private network/, address);
  }
  for (
    const url of [
      "https://127.0.0.1/",
      "https://[::1]/",
      "https://0x7f000001/",
      "https://2130706433/",
      "https://[::ffff:127.0.0.1]/",
    ]
  ) {
    await assert.rejects(ask(url), /private network/, url);
  }
  await assert.rejects(ask("http://lists.example/a.json", "8.8.8.8"), /https/);
  await assert.rejects(ask("https://user:secret@lists.example/", "8.8.8.8"), /password/);
  await assert.rejects(ask("ftp://lists.example/"), /https/);
});

Deno.test("lists: applied, kept when the server fails, tried again with patience, undone with the list", async () => {
  let answer: Answer = json({
    name: "Pwani",
    entries: [{ jamiId: id(1), reason: "a" }, { jamiId: id(2), reason: "b" }],
  });
  await withServer((request, response) => answer(request, response), async (url, asked) => {
    const { store, clock, lists: made, banned, enforced } = lists((target) => target === id(2));
    made.start();
    const list = await made.subscribe({ url, allowPrivate: true, interval: 3_600 }, "Neema");
    assert.deepEqual([list.name, list.error, banned(1), banned(2)], ["Pwani", "", true, false]);
    assert.ok(enforced() > 0);
    await assert.rejects(made.subscribe({ url, allowPrivate: true, interval: 3_600 }, "Neema"), /already/);
    made.put({ name: "by hand", entries: [{ target: id(1), reason: "", expires: clock.now() + HOUR }] }, "Neema");
    answer = (_q, r) => r.writeHead(503).end();
    await clock.advance(HOUR); // not a second more: an answer takes real time
    await until("it failed", () => store.banLists.get(list.id)?.error !== "");
    assert.ok(banned(1), "what it said the last time goes on");
    const before = asked.length;
    await clock.advance(4 * 60_000);
    assert.equal(asked.length, before, "not at once again");
    answer = json({ name: "Pwani", entries: [{ jamiId: id(3) }] });
    await clock.advance(60_000);
    await until("it came", () => banned(3));
    assert.ok(!banned(1), "it is off this list, and the other's time is over");
    made.remove(list.id);
    assert.ok(!banned(3));
    assert.throws(() => made.remove(list.id), /no such list/);
    await made.stop();
    store.close();
  });
});

Deno.test("lists: unsubscribing undoes only what no other list and no own ban says", async () => {
  const { store, clock, lists: made, banned } = lists();
  const entry = (n: number) => ({ target: id(n), reason: "", expires: null });
  const one = made.put({ name: "one", entries: [entry(1), entry(2), entry(3)] }, "x");
  made.put({ name: "two", entries: [entry(2)] }, "x");
  store.nodeBans.put({ target: id(3), reason: "own", by: "x", at: clock.now(), expires: null });
  assert.deepEqual([1, 2, 3].map(banned), [true, true, true]);
  assert.deepEqual(store.banLists.naming(id(2), clock.now()).length, 2);
  made.remove(one.id);
  assert.deepEqual([1, 2, 3].map(banned), [false, true, true]);
  await made.stop();
  store.close();
});

Deno.test("lists: nobody waits long for a server that is silent; what comes of it stands in the list", async () => {
  await withServer(() => {}, async (url, asked) => {
    const { store, clock, lists: made } = lists();
    const subscribed = made.subscribe({ url, allowPrivate: true, interval: 3_600 }, "Neema");
    await until("it asked", () => asked.length > 0);
    await clock.advance(LIST_PATIENCE_MS);
    const { id, fetched, error } = await subscribed;
    assert.deepEqual([fetched, error], [0, ""]);
    await clock.advance(LIST_TIMEOUT_MS - LIST_PATIENCE_MS);
    await until("it failed", () => store.banLists.get(id)?.error !== "");
    assert.match(store.banLists.get(id)?.error ?? "", /within 30 s/);
    await made.stop();
    store.close();
  });
});
