import assert from "node:assert/strict";
import { join as joinPath } from "node:path";
import type { Identity } from "../../../core/identity/identity.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import { Conversation, type Fetched, NotMember } from "../../../core/swarm/conversation.ts";
import type { Oid } from "../../../core/swarm/object.ts";
import { missingObjects } from "../../../core/swarm/reachable.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { RuleViolation } from "../../../core/swarm/rules/violation.ts";
import { ban, createConversation, invite, join } from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { fsck, withFolder } from "../../support/git_vectors.ts";
import { testIdentity } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { type MemoryReader, readBundle, readJson } from "../swarm_rules/support.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const [alice, bob, carol] = await Promise.all([testIdentity(NOW), testIdentity(NOW), testIdentity(NOW)]);

/** Several nodes in one folder, one clock. */
class Scene {
  readonly clock = new VirtualClock(NOW);
  readonly stores: Store[] = [];
  #open: Conversation[] = [];

  constructor(private readonly folder: string) {}

  /** A node of `identity` with this history, checked by whoever made the test. */
  async node(identity: Identity, id: Oid, { head, objects }: Fetched): Promise<Conversation> {
    const name = `${this.stores.length}`;
    const repository = await Repository.create(joinPath(this.folder, `${name}.git`));
    await repository.add(objects.values());
    await repository.setHead(head);
    const store = openStore(joinPath(this.folder, `${name}.db`));
    this.stores.push(store);
    store.conversations.put({ id, mode: 2, created: 1, removed: 0, erased: 0, state: "active", title: "", head: "" });
    return await this.open(identity, id, repository, store);
  }

  async open(identity: Identity, id: Oid, repository: Repository, store: Store): Promise<Conversation> {
    const deps = { store, identity, clock: this.clock, displayName: () => "Somebody" };
    const conversation = await Conversation.open(id, repository, deps);
    this.#open.push(conversation);
    return conversation;
  }

  /** Writes a text a second later. */
  async post(conversation: Conversation, body: string): Promise<Oid> {
    await this.clock.advance(1_000);
    return (await conversation.write((context) => writeText(context, body)))[0].id;
  }

  async close(): Promise<void> {
    for (const conversation of this.#open) await conversation.close();
    for (const store of this.stores) store.close();
  }
}

async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const scene = new Scene(folder);
    try {
      await test(scene);
    } finally {
      await scene.close();
    }
  });
}

/** A group with Alice, Bob and Carol, each on a node of their own. */
async function groupOf(scene: Scene): Promise<[Conversation, Conversation, Conversation]> {
  const written = await createConversation({ identity: alice, displayName: "", now: NOW }, { mode: 2 });
  const id = written.head;
  const hers = await scene.node(alice, id, { head: id, objects: new Map(written.objects.map((o) => [o.oid, o])) });
  const others: Conversation[] = [];
  for (const one of [bob, carol]) {
    await scene.clock.advance(1_000);
    await hers.write((context) => invite(context, one.account));
    const theirs = await scene.node(one, id, await everything(hers));
    await theirs.write((context) => join(context));
    await hers.take(await everything(theirs));
    others.push(theirs);
  }
  await others[0].take(await everything(hers));
  return [hers, others[0], others[1]];
}

async function everything({ repository, head }: Conversation): Promise<Fetched> {
  const objects: Fetched["objects"] = new Map();
  for (const oid of await missingObjects(repository, head, [])) objects.set(oid, await repository.read(oid));
  return { head, objects };
}

/** All ids in display order, newest first, page by page. */
function displayed(conversation: Conversation, limit = 7): Oid[] {
  const ids: Oid[] = [];
  for (
    let page = conversation.page({ limit });
    page.length > 0;
    page = conversation.page({ limit, before: ids.at(-1) })
  ) {
    ids.push(...page.map(({ id }) => id));
  }
  return ids;
}

Deno.test("conversation: what is newer is taken in by moving forward, and told once, parents first", () =>
  withScene(async (scene) => {
    const [hers, his] = await groupOf(scene);
    const told: string[] = [];
    his.on("moved", ({ added, own }) => told.push(`${added.map(({ body }) => JSON.parse(body).body)} ${own}`));
    for (const body of ["one", "two", "three"]) await scene.post(hers, body);
    const added = await his.take(await everything(hers));
    assert.deepEqual(told, ["one,two,three false"]);
    assert.deepEqual(added.map(({ author }) => author), [alice.account, alice.account, alice.account]);
    assert.equal(his.head, hers.head);
    assert.equal(await his.repository.head(), hers.head);
    assert.deepEqual(await his.take(await everything(hers)), [], "the same again is nothing");
    assert.equal(told.length, 1);
    assert.deepEqual(await fsck(his.repository.dir), []);
  }));

Deno.test("conversation: histories that split are merged, and two merges of the same are left alone", () =>
  withScene(async (scene) => {
    const [hers, his, carols] = await groupOf(scene);
    await scene.post(hers, "hers");
    await scene.post(his, "his");
    const [a, b] = [await everything(hers), await everything(his)];
    const added = await hers.take(b);
    await his.take(a);
    assert.equal(added.at(-1)?.type, "merge");
    assert.equal(added.at(-1)?.author, alice.account);
    assert.notEqual(hers.head, his.head);
    const before = [hers.head, his.head];
    assert.deepEqual(await hers.take(await everything(his)), []);
    assert.deepEqual(await his.take(await everything(hers)), []);
    assert.deepEqual([hers.head, his.head], before, "no merges of merges without end");
    // the next message carries the merge along, and all see the same
    await scene.post(his, "and on");
    await hers.take(await everything(his));
    await carols.take(await everything(hers));
    await his.take(await everything(carols));
    const texts = (one: Conversation) =>
      one.page({ limit: 50 }).filter(({ type }) => type === "text/plain").map(({ body }) => JSON.parse(body).body);
    assert.deepEqual(texts(hers), ["and on", "his", "hers"]);
    assert.deepEqual(texts(his), texts(hers));
    assert.deepEqual(texts(carols), texts(hers));
    for (const one of [hers, his, carols]) assert.deepEqual(await fsck(one.repository.dir), []);
  }));

Deno.test("conversation: of a history with one bad commit nothing is kept", () =>
  withScene(async (scene) => {
    const [hers, his] = await groupOf(scene);
    await scene.post(hers, "good");
    const context = { reader: hers.repository, head: hers.head, displayName: "", now: scene.clock.now() };
    const forged = await writeText({ ...context, identity: { ...alice, key: carol.key } }, "forged");
    const fetched = await everything(hers);
    for (const object of forged.objects) fetched.objects.set(object.oid, object);
    const { head } = his;
    const rows = scene.stores[1].commits.count(his.id);
    await assert.rejects(his.take({ ...fetched, head: forged.head }), RuleViolation);
    assert.deepEqual([his.head, await his.repository.head(), scene.stores[1].commits.count(his.id)], [
      head,
      head,
      rows,
    ]);
    assert.equal(await his.repository.has(hers.head), false, "nor the good ones before it");
    // an unrelated history, and one with a hole
    const other = await createConversation({ identity: carol, displayName: "", now: NOW }, { mode: 2 });
    await assert.rejects(
      his.take({ head: other.head, objects: new Map(other.objects.map((o) => [o.oid, o])) }),
      RuleViolation,
    );
    fetched.objects.delete((await hers.repository.commitParents(hers.head))[0]);
    assert.equal((await his.take({ head: hers.head, objects: fetched.objects })).length, 1, "the hole is ours already");
  }));

Deno.test("conversation: taking and writing at once lose nothing", () =>
  withScene(async (scene) => {
    const [hers, his, carols] = await groupOf(scene);
    for (const body of ["a", "b"]) await scene.post(hers, body);
    for (const body of ["c", "d"]) await scene.post(carols, body);
    const [a, c] = [await everything(hers), await everything(carols)];
    await Promise.all([
      his.take(a),
      his.write((context) => writeText(context, "x")),
      his.take(c),
      his.write((context) => writeText(context, "y")),
      his.take(a),
    ]);
    const texts = his.page({ limit: 50 }).filter(({ type }) => type === "text/plain").map(({ body }) =>
      JSON.parse(body).body
    );
    assert.deepEqual(texts.sort(), ["a", "b", "c", "d", "x", "y"]);
    assert.deepEqual(await fsck(his.repository.dir), []);
    assert.equal(new Set(displayed(his)).size, scene.stores[1].commits.count(his.id));
  }));

Deno.test("conversation: only members write, and who is banned gets nothing any more", () =>
  withScene(async (scene) => {
    const [hers, his, carols] = await groupOf(scene);
    assert.ok(hers.mayFetch(carol));
    assert.deepEqual(hers.participants().sort(), [alice.account, bob.account, carol.account].sort());
    await scene.clock.advance(1_000);
    await hers.write((context) => ban(context, carol.account));
    assert.equal(hers.mayFetch(carol), false);
    assert.equal(hers.mayFetch(bob), true);
    await carols.take(await everything(hers));
    assert.equal(carols.joined, false);
    await assert.rejects(scene.post(carols, "let me in"), NotMember);
    // one who is invited and has not joined reads, but cannot merge
    const invited = await testIdentity(NOW);
    await hers.write((context) => invite(context, invited.account));
    const theirs = await scene.node(invited, hers.id, await everything(hers));
    assert.ok(theirs.isMember(invited.account) && !theirs.joined);
    await his.take(await everything(hers));
    await scene.post(hers, "x");
    await scene.post(his, "y");
    await theirs.take(await everything(hers));
    await assert.rejects(theirs.take(await everything(his)), NotMember);
    assert.equal(theirs.head, hers.head);
  }));

Deno.test("conversation: what a crash kept from the index is added at the next opening", () =>
  withScene(async (scene) => {
    const [hers] = await groupOf(scene);
    for (const body of ["one", "two"]) await scene.post(hers, body);
    const [store] = scene.stores;
    const order = displayed(hers);
    // the objects and the branch are there, the rows of the last two are not
    const rows = store.commits.byArrival(hers.id, { limit: 100 });
    store.commits.replaceAll(hers.id, rows.slice(0, -2));
    store.conversations.setHead(hers.id, rows.at(-3)?.id ?? "");
    const again = await scene.open(alice, hers.id, hers.repository, store);
    assert.deepEqual(displayed(again), order);
    assert.equal(store.conversations.get(hers.id)?.head, hers.head);
    // and when all is lost
    store.commits.drop(hers.id);
    assert.deepEqual(displayed(await scene.open(alice, hers.id, hers.repository, store)), order);
    const { seq } = store.commits.get(hers.id, hers.id) ?? {};
    assert.ok(
      store.commits.byArrival(hers.id, { limit: 100 }).every((row) => row.id === hers.id || row.seq > (seq ?? 0)),
    );
  }));

Deno.test("conversation: what one lacks is counted and named without merges", () =>
  withScene(async (scene) => {
    const [hers, his] = await groupOf(scene);
    const { head } = hers;
    await scene.post(hers, "hers");
    const last = await scene.post(his, "his");
    await hers.take(await everything(his));
    assert.deepEqual([hers.newestLacking([head]), hers.countLacking([head])], [last, 2]);
    assert.deepEqual([hers.newestLacking([hers.head]), hers.countLacking([hers.head])], [undefined, 0]);
    assert.equal(hers.countLacking([], 3), 3);
    assert.ok(hers.holds(hers.head, last) && !hers.holds(last, hers.head));
    assert.equal(hers.haves(2).length, 2);
    assert.equal(hers.haves(2)[0], hers.head);
  }));

/** A history of the vectors. */
interface History {
  conversation: string;
  linearNewestFirst: Record<string, Oid[]>;
}

for (const name of ["one-to-one", "group", "split-and-merge", "mode1", "mode3"]) {
  Deno.test(`conversation: ${name} is displayed in the daemons' order, however it came`, () =>
    withScene(async (scene) => {
      const { reader, refs } = await readBundle(`swarm/${name}.bundle`);
      const { conversation: id, linearNewestFirst } = readJson<History>(`swarm/${name}.json`);
      for (const [ref, order] of Object.entries(linearNewestFirst)) {
        const head = refs.get(ref) ?? "";
        const whole = { head, objects: reader.objects };
        // as a clone, indexed in one go
        const clone = await scene.node(carol, id, whole);
        assert.deepEqual(displayed(clone), order, `${ref}, cloned`);
        // from the initial commit on, in steps, each taken as a fetch
        const steps = await scene.node(carol, id, { head: id, objects: reader.objects });
        for (const step of await mainLine(reader, head)) await steps.take({ ...whole, head: step });
        assert.equal(steps.head, head);
        assert.deepEqual(displayed(steps), order, `${ref}, in steps`);
      }
    }));
}

/** First parents from the oldest to the head: each is a head that a peer once had, every third of them. */
async function mainLine(reader: MemoryReader, head: Oid): Promise<Oid[]> {
  const line: Oid[] = [];
  for (let id: Oid | undefined = head; id !== undefined;) {
    line.unshift(id);
    const text: string = new TextDecoder().decode((await reader.read(id)).data);
    id = /^parent ([0-9a-f]{40})$/m.exec(text.split("\n\n")[0])?.[1];
  }
  return line.filter((id, i) => i % 3 === 0 || id === head);
}
