import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { join } from "node:path";
import { shownState } from "../../../core/node_view.ts";
import { LimitError } from "../../../core/base/errors.ts";
import { Ending } from "../../../core/base/under_way.ts";
import { MAX_WANTED_OF_ACCOUNT } from "../../../core/relay/constants.ts";
import { NotInvited } from "../../../core/relay/conversations.ts";
import { ConversationClosed } from "../../../core/swarm/conversation.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { RuleViolation } from "../../../core/swarm/rules/violation.ts";
import { WriteRefused } from "../../../core/swarm/write.ts";
import { createConversation } from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { fsck } from "../../support/git_vectors.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import {
  alice,
  allOf,
  bob,
  bring,
  carol,
  closePlace,
  inviteTo,
  NOW,
  opened,
  openPlace,
  type Place,
  post,
  withPlaces,
} from "./support.ts";

/** A group of Alice's, into which Bob is invited. */
async function groupWithBob(place: Place): Promise<string> {
  const { store, conversations, clock } = place;
  const written = await createConversation({ identity: alice, displayName: "alice", now: clock.now() }, { mode: 2 });
  const id = written.head;
  conversations.want(id, carol.account, 2);
  await conversations.finishClone(id, { head: id, objects: new Map(written.objects.map((o) => [o.oid, o])) });
  assert.equal(store.conversations.get(id)?.state, "active");
  await inviteTo(opened(place, id), clock, bob.account);
  return id;
}

/** The same data folder, opened anew as after a crash. */
async function restarted(place: Place, identity: typeof alice): Promise<Place> {
  await closePlace(place);
  const again = openPlace(place.dir, identity, place.clock);
  await again.conversations.start();
  return again;
}

Deno.test("conversations: a one-to-one conversation is made once, durable, and git finds no fault in it", () =>
  withPlaces([alice], async (place) => {
    const { conversations, dir, store } = place;
    const opens: string[] = [];
    conversations.on("opened", ({ conversation }) => opens.push(conversation.id));
    const id = await conversations.oneToOne(bob.account);
    assert.equal(await conversations.oneToOne(bob.account), id, "it is there already");
    const other = await conversations.oneToOne(carol.account);
    assert.notEqual(other, id);
    assert.deepEqual(opens, [id, other]);
    assert.deepEqual(conversations.of(bob.account).map((one) => one.id), [id]);
    assert.deepEqual([...conversations.accounts()].sort(), [bob.account, carol.account].sort());
    assert.deepEqual(await fsck(join(dir, "conversations", `${id}.git`)), []);
    assert.deepEqual([store.conversations.get(id)?.head, store.commits.count(id)], [id, 1]);
  }));

Deno.test("conversations: many made within one second are all different", () =>
  withPlaces([alice], async ({ conversations }) => {
    const ids = await Promise.all([bob, carol, bob].map(({ account }) => conversations.oneToOne(account)));
    assert.equal(new Set(ids).size, ids[0] === ids[2] ? 2 : 3);
    assert.notEqual(ids[0], ids[1]);
  }));

Deno.test("conversations: a clone is checked, kept and joined", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await groupWithBob(atAlice);
    const text = await post(opened(atAlice, id), atAlice.clock, "welcome");
    const { conversations, store } = atBob;
    conversations.want(id, alice.account, 0, "a title");
    store.conversationRequests.put({ conversation: id, from: alice.account, metadatas: {}, received: 1, declined: 0 });
    assert.deepEqual(conversations.wanted(), [{ id, from: [alice.account] }]);
    const conversation = await conversations.finishClone(id, await allOf(opened(atAlice, id)));
    assert.ok(conversation?.joined);
    assert.deepEqual(conversations.wanted(), []);
    const record = store.conversations.get(id);
    assert.deepEqual(
      [record?.state, record?.mode, record?.title],
      ["active", 2, "a title"],
      "the mode is the repository's",
    );
    assert.equal(store.conversationRequests.get(id), undefined);
    assert.deepEqual(conversation.page({ limit: 2 }).map(({ type, id }) => type === "member" ? type : id), [
      "member",
      text,
    ]);
    assert.deepEqual(await fsck(conversation.repository.dir), []);
    // and Alice takes the join
    await bring(conversation, opened(atAlice, id));
    assert.equal(opened(atAlice, id).members.roles.get(bob.account), "member");
    assert.deepEqual(atAlice.conversations.of(bob.account).map((one) => one.id), [id]);
  }));

Deno.test("conversations: a clone in which we are not, or with a forged commit, leaves nothing", () =>
  withPlaces([alice, carol], async (atAlice, atCarol) => {
    const id = await groupWithBob(atAlice);
    const { conversations, store, dir } = atCarol;
    conversations.want(id, alice.account, 2);
    const fetched = await allOf(opened(atAlice, id));
    await assert.rejects(conversations.finishClone(id, fetched), NotInvited);
    await inviteTo(opened(atAlice, id), atAlice.clock, carol.account);
    const { repository, head } = opened(atAlice, id);
    const forged = await writeText({
      reader: repository,
      head,
      identity: { ...alice, key: carol.key },
      displayName: "",
      now: atAlice.clock.now(),
    }, "forged");
    const bad = await allOf(opened(atAlice, id));
    for (const object of forged.objects) bad.objects.set(object.oid, object);
    await assert.rejects(conversations.finishClone(id, { ...bad, head: forged.head }), RuleViolation);
    assert.deepEqual([...Deno.readDirSync(join(dir, "conversations"))], []);
    assert.equal(store.commits.count(id), 0);
    assert.ok(conversations.isWanted(id), "it is tried again");
    assert.equal(await conversations.finishClone("0".repeat(40), bad), undefined, "what nobody wants is not kept");
    assert.ok(await conversations.finishClone(id, await allOf(opened(atAlice, id))));
  }));

Deno.test("conversations: a crash while a clone is written leaves it wanted, after that it is opened and joined", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await groupWithBob(atAlice);
    atBob.conversations.want(id, alice.account, 2);
    const folder = join(atBob.dir, "conversations", `${id}.git`);
    // killed in the middle: a folder aside
    const half = await Repository.create(`${folder}.new`);
    await half.close();
    let again = await restarted(atBob, bob);
    assert.ok(again.conversations.isWanted(id));
    assert.equal(again.conversations.get(id), undefined);
    // killed after the folder was moved into place, before any row
    const fetched = await allOf(opened(atAlice, id));
    const whole = await Repository.create(folder);
    await whole.add(fetched.objects.values());
    await whole.setHead(fetched.head);
    await whole.close();
    again = await restarted(again, bob);
    const conversation = opened(again, id);
    assert.ok(conversation.joined);
    assert.equal(again.store.conversations.get(id)?.state, "active");
    assert.equal(again.store.commits.count(id), 3);
    await closePlace(again);
  }));

Deno.test("conversations: a leftover of a crash is no obstacle to the clone", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await groupWithBob(atAlice);
    const { conversations, dir } = atBob;
    const folder = join(dir, "conversations", `${id}.git`);
    await Deno.mkdir(join(`${folder}.new`, "objects"), { recursive: true });
    await Deno.mkdir(join(`${folder}.new.new`), { recursive: true });
    conversations.want(id, alice.account, 2);
    const both = await Promise.all(
      [1, 2].map(async () => await conversations.finishClone(id, await allOf(opened(atAlice, id)))),
    );
    assert.ok(both[0] && both[0] === both[1], "two clones at once are one");
    assert.deepEqual([...Deno.readDirSync(join(dir, "conversations"))].map(({ name }) => name), [`${id}.git`]);
  }));

Deno.test("conversations: a head beyond the index is made good at the next start", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await groupWithBob(atAlice);
    atBob.conversations.want(id, alice.account, 2);
    await atBob.conversations.finishClone(id, await allOf(opened(atAlice, id)));
    const { head } = opened(atBob, id);
    const written = await writeText({
      reader: opened(atBob, id).repository,
      head,
      identity: bob,
      displayName: "",
      now: atBob.clock.now(),
    }, "durable");
    const rows = atBob.store.commits.count(id);
    await opened(atBob, id).repository.add(written.objects);
    await opened(atBob, id).repository.setHead(written.head);
    const again = await restarted(atBob, bob);
    assert.equal(opened(again, id).head, written.head);
    assert.equal(again.store.commits.count(id), rows + 1);
    assert.equal(again.store.conversations.get(id)?.head, written.head);
    assert.deepEqual(opened(again, id).page({ limit: 1 }).map((row) => [row.id, row.author]), [[
      written.head,
      bob.account,
    ]]);
    await closePlace(again);
  }));

Deno.test("conversations: a damaged repository is left alone, the others open", () =>
  withPlaces([alice], async (place) => {
    const one = await place.conversations.oneToOne(bob.account);
    const two = await place.conversations.oneToOne(carol.account);
    const ref = join(place.dir, "conversations", `${one}.git`, "refs", "heads", "main");
    await Deno.writeTextFile(ref, "no object name\n");
    const again = await restarted(place, alice);
    assert.deepEqual(again.conversations.all().map(({ id }) => id), [two]);
    assert.equal(again.store.conversations.get(one)?.state, "active");
    assert.equal(await Deno.readTextFile(ref), "no object name\n");
    await closePlace(again);
  }));

Deno.test("conversations: what was left stays left over a restart, and can be cloned anew", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const id = await groupWithBob(atAlice);
    const clone = async (place: Place) => {
      place.conversations.want(id, alice.account, 2);
      return await place.conversations.finishClone(id, await allOf(opened(atAlice, id)));
    };
    const first = await clone(atBob);
    assert.ok(first);
    await bring(first, opened(atAlice, id));
    await post(first, atBob.clock, "never fetched by anybody");
    const closed: string[] = [];
    atBob.conversations.on("closed", (event) => closed.push(event.id));
    atBob.conversations.leave(id);
    assert.deepEqual([closed, atBob.conversations.all(), atBob.conversations.of(alice.account)], [[id], [], []]);
    const again = await restarted(atBob, bob);
    assert.deepEqual([again.conversations.all(), again.conversations.wanted()], [[], []]);
    const second = await clone(again);
    assert.ok(second?.joined);
    assert.equal(
      second.page({ limit: 100 }).length,
      again.store.commits.count(id),
      "nothing of the earlier stay is left in the index",
    );
    await post(second, again.clock, "back again");
    assert.equal(second.page({ limit: 1 })[0].id, second.head);
    await closePlace(again);
  }));

Deno.test("conversations: how many of one account are wanted is bounded", () =>
  withPlaces([alice], async ({ conversations }) => {
    for (let n = 0; n < MAX_WANTED_OF_ACCOUNT; n++) conversations.want(`${n}`.padStart(40, "0"), bob.account, 2);
    conversations.want("0".repeat(40), bob.account, 2);
    assert.throws(() => conversations.want("f".repeat(40), bob.account, 2), LimitError);
    conversations.want("f".repeat(40), carol.account, 2);
    assert.equal(conversations.wanted().length, MAX_WANTED_OF_ACCOUNT + 1);
    conversations.leave("f".repeat(40));
    assert.equal(conversations.isWanted("f".repeat(40)), false);
    await assert.rejects(
      (conversations.want("../evil", carol.account, 2),
        conversations.finishClone("../evil", { head: "x", objects: new Map() })),
    );
  }));

Deno.test("conversations: a one-to-one conversation that was left is taken up again, not made anew", () =>
  withPlaces([alice], async (place) => {
    const { conversations, store, clock } = place;
    const id = await conversations.oneToOne(bob.account);
    const said = await post(opened(place, id), clock, "before");
    conversations.leave(id);
    assert.equal(conversations.get(id), undefined);
    assert.equal(await conversations.oneToOne(bob.account, id), id);
    assert.equal(store.conversations.get(id)?.state, "active");
    assert.ok(opened(place, id).has(said));
    // one that is not here, or was never left, does not help
    conversations.leave(id);
    assert.notEqual(await conversations.oneToOne(bob.account, "0".repeat(40)), id);
  }));

Deno.test("conversations: a text that is no Unicode is not written: it would stop 2023's daemons", () =>
  withPlaces([alice], async (place) => {
    const conversation = opened(place, await place.conversations.oneToOne(bob.account));
    await assert.rejects(conversation.write((context) => writeText(context, "\ud83d")), WriteRefused);
    await conversation.write((context) => writeText(context, "\ud83d\udc4d"));
  }));

Deno.test("conversations: a conversation that cannot be opened is shown as damaged, until it can be", () =>
  withPlaces([alice], async (place) => {
    const id = await groupWithBob(place);
    await closePlace(place);
    const folder = join(place.dir, "conversations", `${id}.git`);
    await Deno.rename(folder, `${folder}.away`);
    const again = openPlace(place.dir, alice, place.clock);
    await again.conversations.start();
    const record = again.store.conversations.get(id);
    assert.equal(record?.state, "active");
    assert.equal(shownState(record, again.conversations), "damaged");
    await again.conversations.stop();
    await Deno.rename(`${folder}.away`, folder);
    const healed = openPlace(place.dir, alice, place.clock);
    assert.equal(shownState(record, healed.conversations), "active", "before it was looked at");
    await healed.conversations.start();
    assert.equal(shownState(record, healed.conversations), "active");
    again.store.close();
    await closePlace(healed);
  }));

Deno.test("conversations: a start removes half-written repositories and tells of those the database does not know", () =>
  withPlaces([alice], async (place) => {
    const id = await groupWithBob(place);
    place.store.conversations.delete(id);
    const half = join(place.dir, "conversations", `${"e".repeat(40)}.git.new`);
    await Deno.mkdir(half);
    const records: LogRecord[] = [];
    await configure({
      sinks: { here: (record) => records.push(record) },
      loggers: [
        { category: ["kituo", "relay"], sinks: ["here"], lowestLevel: "warning" },
        { category: ["logtape", "meta"], lowestLevel: "error" },
      ],
    });
    try {
      const again = await restarted(place, alice);
      assert.equal(records.length, 1);
      assert.match(String(records[0].rawMessage), /deno task reindex/);
      assert.equal(records[0].properties.count, 1);
      assert.equal(await Deno.stat(half).catch(() => null), null);
      await closePlace(again);
    } finally {
      await reset();
    }
  }));

Deno.test("conversations: a stop waits for the clone that is being written", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const group = await hers.conversations.create({ mode: Mode.invitesOnly });
    await inviteTo(group, hers.clock, bob.account);
    his.conversations.want(group.id, alice.account, Mode.invitesOnly);
    let isDone = false;
    const cloning = his.conversations.finishClone(group.id, await allOf(group)).finally(() => isDone = true);
    await his.conversations.stop();
    assert.ok(isDone);
    await cloning;
    await his.conversations.start();
    assert.ok(opened(his, group.id).joined);
  }));

Deno.test("conversations: whoever stops waits for what is being made, and nothing is begun after it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kituo-stop-" });
  const place = openPlace(folder, alice, new VirtualClock(NOW));
  const dir = join(folder, "conversations");
  await place.conversations.start();
  const ends: string[] = [];
  const begin = (making: Promise<string>) =>
    making.then((id) => ends.push(id), (error) => ends.push(error.name)).then(() => {});
  const begun = Deno.watchFs(dir);
  const made = [begin(place.conversations.create({ mode: 2 }).then(({ id }) => id))];
  for await (const _ of begun) break; // it is on its way to the disk
  for (const { account } of [bob, carol]) made.push(begin(place.conversations.oneToOne(account)));
  await place.conversations.stop();
  assert.equal(ends.length, 3, "some were still being made after the end");
  const ids = ends.filter((end) => end !== "Ending").toSorted();
  assert.equal(ids.length, 1, "what had begun is whole, what had not is not there");
  assert.deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ids.map((id) => `${id}.git`));
  assert.deepEqual(place.store.conversations.all().map(({ id }) => id), ids);
  assert.deepEqual(place.conversations.all(), []);
  await assert.rejects(place.conversations.create({ mode: 2 }), Ending);
  await Promise.all(made);
  place.store.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("conversations: a closed one is not written to", () =>
  withPlaces([alice], async (place) => {
    const { id } = await place.conversations.create({ mode: 2 });
    const conversation = opened(place, id);
    const say = (body: string) => conversation.write((context) => writeText(context, body));
    const before = say("before");
    await place.conversations.stop();
    await before;
    await assert.rejects(say("after"), ConversationClosed);
  }));
