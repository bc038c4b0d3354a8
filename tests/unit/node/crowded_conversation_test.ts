import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../../core/base/clock.ts";
import { parseConfig } from "../../../core/config.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Node } from "../../../core/node.ts";
import { MAX_DETAIL_MEMBERS } from "../../../core/node_api.ts";
import { databasePath } from "../../../core/store/places.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import { createApp } from "../../../routes/app.ts";
import { SESSION_COOKIE } from "../../../routes/session_cookie.ts";
import { makeLargeGroup } from "../../support/large_group.ts";
import { testIdentity } from "../../support/people.ts";
import { workTime } from "../../support/work_time.ts";

const COMMITS = 10_000, MEMBERS = 1_000, FILES = 5_000;
const TOKEN = "t".repeat(43);
/** The issue promises 50 ms for history and members: the best of some tries keeps that, and shared test machines get some more for each. */
const PROMISED_MS = 50, API_MS = 200, TRIES = 5;
/** Pages are promised well under 500 ms; and nobody waits for megabytes. */
const PAGE_MS = 500, PAGE_KIB = 150;

const alice = await testIdentity(Date.now());
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
const crowd = Array.from({ length: MEMBERS }, (_, n) => sha1(`member ${n}`));

/** Everybody has a profile and a device; each device holds another part of the history. */
function furnish(store: Store, conversation: string): void {
  const commits = store.commits.tail(conversation, COMMITS).map((row) => row.id);
  store.transaction(() => {
    crowd.forEach((account, n) => {
      store.profiles.put({ account, name: `Member ${n}`, vcard: writeVcard("x"), modified: 0, received: 1 });
      store.ledger.set({
        conversation,
        device: createHash("sha256").update(account).digest("hex"),
        account,
        heads: [commits[n * Math.floor(COMMITS / MEMBERS)]],
        at: 1,
      });
    });
    for (let n = 0; n < FILES; n++) {
      store.files.add({
        conversation,
        id: sha1(`file ${n}`),
        fileId: `${sha1(`file ${n}`)}_1.png`,
        author: crowd[n % MEMBERS],
        device: "d".repeat(64),
        name: `photo ${n}.png`,
        size: 100_000,
        sha3: "a".repeat(128),
        state: n % 3 ? "evicted" : "too large",
        announced: n,
      });
    }
  });
}

Deno.test("a thousand members who lack different things, and many files: the API answers at once, pages are drawn soon", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kituo-crowded-" });
  const store = openStore(databasePath(folder));
  const id = await makeLargeGroup(folder, store, alice, COMMITS, (_, work) => work(), crowd);
  furnish(store, id);
  const args = [
    "--data",
    folder,
    "--bootstrap",
    "none",
    "--dht-port",
    "0",
    "--peer-port",
    "0",
    "--offer-contact",
    "false",
  ];
  const node = new Node(parseConfig(args, () => undefined, () => undefined), alice, store, writeVcard("Kituo"));
  await node.start();
  const app = createApp(node, { token: TOKEN, signal: new AbortController().signal, clock: systemClock });
  const slow: string[] = [];
  let best = Infinity;
  const ask = async (path: string, headers: Record<string, string>, most: number) => {
    const worked = workTime();
    const response = await app.request(path, { headers });
    const text = await response.text();
    const took = worked();
    best = Math.min(best, took);
    console.log(`    ${took.toFixed(1)} ms, ${Math.ceil(text.length / 1024)} KiB: ${path.replaceAll(id, "ID")}`);
    assert.equal(response.status, 200, text.slice(0, 500));
    if (took > most) slow.push(`${path}: ${took} ms`);
    return text;
  };
  const api = async (path: string) =>
    JSON.parse(await ask(`/api/v1${path}`, { authorization: `Bearer ${TOKEN}` }, API_MS));
  try {
    for (let n = 0; n < 4; n++) await api(`/conversations/${id}`);
    slow.length = 0; // the first answers are the compiler's work as well
    /** As the issue promises. */
    const promised = async (path: string) => {
      best = Infinity;
      let answer;
      for (let n = 0; n < TRIES; n++) answer = await api(path);
      assert.ok(best < PROMISED_MS, `${path}: ${best} ms`);
      return answer;
    };
    const detail = await promised(`/conversations/${id}`);
    assert.deepEqual([detail.members.length, detail.memberCount], [MAX_DETAIL_MEMBERS, MEMBERS + 1]);
    const lags = detail.members.flatMap(({ devices }: { devices: { lag: number }[] }) => devices.map(({ lag }) => lag));
    assert.ok(new Set(lags).size > MEMBERS * 0.9 && Math.max(...lags) > 9_000);
    await promised(`/conversations/${id}/messages?limit=100`);
    const all = await promised(`/conversations/${id}/members?limit=1000`);
    const rest = await api(`/conversations/${id}/members?limit=1000&after=${all.next}`);
    const listed = [...all.members, ...rest.members].map(({ jamiId }: { jamiId: string }) => jamiId);
    assert.deepEqual([all.total, rest.next, listed[0]], [MEMBERS + 1, null, alice.account]);
    assert.deepEqual(listed.slice(1), crowd.toSorted());
    const found = await promised(`/conversations/${id}/members?q=MEMBER+99&limit=5`);
    const fitting = crowd.filter((account, n) => `${n}`.includes("99") || account.startsWith("99")).length;
    assert.deepEqual([found.members.length, found.total], [5, fitting]);
    assert.equal((await api(`/conversations/${id}/members?q=${crowd[7].slice(0, 30)}`)).members[0].name, "Member 7");
    // a device fetched something: what was counted before counts no more
    const { jamiId, devices: [{ deviceId }] } = found.members[0];
    store.ledger.set({
      conversation: id,
      device: deviceId,
      account: jamiId,
      heads: [store.commits.tail(id, 1)[0].id],
      at: 2,
    });
    const [again] = (await api(`/conversations/${id}/members?q=${jamiId}`)).members;
    assert.equal(again.devices[0].lag, 0);
    await api("/conversations");
    assert.equal((await api(`/conversations/${id}/files?limit=500`)).files.length, 500);
    assert.equal((await api(`/conversations/${id}/messages?limit=500&view=entries`)).messages.length, 500);
    await api("/overview");
    const { secret } = await node.admins.setUp(node.admins.newSetupSecret() ?? "", {
      name: "Neema",
      password: "zebra monsoon ladder",
    }, { origin: "http://localhost", rpId: "localhost" });
    const page = (path: string) => ask(path, { cookie: `${SESSION_COOKIE}=${secret}`, accept: "text/html" }, PAGE_MS);
    await page("/");
    for (
      const path of [
        "/",
        "/conversations",
        ...["", "/members", "/files", "/history", "/manage"].map((part) => `/conversations/${id}${part}`),
      ]
    ) {
      const { length } = await page(path);
      if (path.endsWith("/members")) assert.ok(length < PAGE_KIB * 1024, `${path} has ${length} characters`);
    }
    assert.deepEqual(slow, []);
  } finally {
    await node.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
