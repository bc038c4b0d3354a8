import assert from "node:assert/strict";
import { systemClock } from "../../../core/base/clock.ts";
import { parseConfig } from "../../../core/config.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Node } from "../../../core/node.ts";
import { databasePath } from "../../../core/store/places.ts";
import { openStore } from "../../../core/store/store.ts";
import { createApp } from "../../../routes/app.ts";
import { makeLargeGroup } from "../../support/large_group.ts";
import { testIdentity } from "../../support/people.ts";
import { workTime } from "../../support/work_time.ts";

const COMMITS = 10_000;
const TOKEN = "t".repeat(43);
/** The issue promises 50 ms; shared test machines get some more. */
const PROMISED = 200; // ms

const alice = await testIdentity(Date.now());

/** Does it, prints and returns how many milliseconds of work it took. */
function timed(what: string, work: () => void): number {
  const worked = workTime();
  work();
  const took = worked();
  console.log(`    ${took.toFixed(1)} ms: ${what}`);
  return took;
}

Deno.test("a conversation of 10,000 commits: history, members and search are answered at once", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kituo-large-" });
  const store = openStore(databasePath(folder));
  const id = await makeLargeGroup(folder, store, alice, COMMITS, (what, work) => {
    const took = timed(what, work);
    if (what.startsWith("a split")) assert.ok(took < PROMISED, `${took} ms`);
  });
  const args = ["--data", folder, "--bootstrap", "none", "--dht-port", "0", "--peer-port", "0"];
  const node = new Node(parseConfig(args, () => undefined, () => undefined), alice, store, writeVcard("Kituo"));
  await node.start();
  const app = createApp(node, { token: TOKEN, signal: new AbortController().signal, clock: systemClock });
  const slow: string[] = [];
  const ask = async (path: string) => {
    const worked = workTime();
    const response = await app.request(`/api/v1${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const answer = await response.json();
    const took = worked();
    console.log(`    ${took.toFixed(1)} ms: ${path.replaceAll(id, "ID").replace(/[0-9a-f]{40}/, "COMMIT")}`);
    assert.equal(response.status, 200, JSON.stringify(answer));
    if (took > PROMISED) slow.push(`${path}: ${took} ms`);
    return answer;
  };
  try {
    await ask(`/conversations/${id}`);
    slow.length = 0; // the first answer of all is the compiler's work as well
    const detail = await ask(`/conversations/${id}`);
    assert.equal(detail.commits, COMMITS);
    assert.equal(detail.members[0].devices.length, 1 + 6);
    assert.ok(detail.members[0].devices.some(({ lag }: { lag: number | null }) => (lag ?? 0) > 9_000));
    const { messages } = await ask(`/conversations/${id}/messages?limit=500`);
    assert.equal(messages.length, 500);
    const { messages: entries } = await ask(`/conversations/${id}/messages?limit=500&view=entries`);
    assert.equal(entries.length, 500);
    assert.ok(entries.some(({ entry }: { entry: { reactions: unknown[] } }) => entry.reactions.length > 0));
    const middle = store.commits.page(id, { limit: 1_000, before: entries[499].id }).at(-1)?.id;
    const older = await ask(`/conversations/${id}/messages?limit=50&view=entries&before=${middle}`);
    assert.equal(older.messages.length, 50);
    assert.equal((await ask(`/conversations/${id}/search?q=chai+chap&limit=100`)).results.length, 100);
    assert.equal((await ask("/search?q=9995")).results.length, 1);
    assert.equal((await ask("/search?q=m+a+c&limit=100")).results.length, 100);
    const start = performance.now();
    const posted = await node.post(id, "one more");
    console.log(`    ${(performance.now() - start).toFixed(1)} ms: a text of our own, signed and durable`);
    assert.equal((await ask(`/conversations/${id}/messages?limit=1`)).messages[0].id, posted.id);
    assert.deepEqual(slow, []);
  } finally {
    await node.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
