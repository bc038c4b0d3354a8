import assert from "node:assert/strict";
import {
  AFTER_SERVING_MS,
  HEADS_PER_DEVICE,
  INTRODUCTION_MS,
  MAX_FAILED_DELIVERIES,
  NOTIFY_DISTANCE_MS,
  RENOTIFY_MS,
  RETELL_FIRST_MS,
  VERIFY_MS,
} from "../../../core/relay/constants.ts";
import { Delivery } from "../../../core/relay/delivery.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { join } from "../../../core/swarm/write_members.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { connectionPair } from "../../support/channel_pair.ts";
import { peerOf } from "../../support/people.ts";
import type { VirtualClock } from "../../support/virtual_clock.ts";
import { alice, bob, carol, type Place, post, withPlaces } from "./support.ts";

interface Scene extends Place {
  conversation: Conversation;
  delivery: Delivery;
  /** `<ms since the last reset> <commit>` for each notification, `check` when the device is asked itself. */
  told: string[];
  reset(): void;
  /** Is Bob's device connected? */
  online: { is: boolean };
  /** What Bob's device is known to speak. */
  generation: { is: "msg" | "sip" | undefined };
  /** Is another 2023 daemon there that has invited Bob? */
  inviter: { is: boolean };
}

/** Alice's node with a conversation with Bob, whose device is connected. */
function withDelivery(test: (scene: Scene) => Promise<void>): Promise<void> {
  return withPlaces([alice], async (place) => {
    const { clock, store, conversations } = place;
    const id = await conversations.oneToOne(bob.account);
    const conversation = conversations.get(id);
    assert.ok(conversation);
    const [connection] = connectionPair(peerOf(alice), peerOf(bob));
    const told: string[] = [];
    const online = { is: true };
    const generation: Scene["generation"] = { is: "sip" };
    const inviter = { is: false };
    let since = clock.now();
    const delivery = new Delivery({
      store,
      clock,
      device: alice.device,
      live: (device) => online.is && device === bob.device ? connection : undefined,
      notify: (_connection, { commit, device, conversation }) => {
        assert.deepEqual([device, conversation], [alice.device, id]);
        told.push(`${clock.now() - since} ${commit}`);
        return Promise.reject(new Error("a failure to tell is no failure of ours"));
      },
      generation: () => generation.is,
      inviterIsThere: (_conversation, invited) => inviter.is && invited === bob.account,
      check: () => void told.push(`${clock.now() - since} check`),
    });
    const reset = () => {
      told.length = 0;
      since = clock.now();
    };
    await test({ ...place, conversation, delivery, told, reset, online, generation, inviter });
    delivery.stop();
  });
}

/** Bob accepts: from now on he is a member like others. */
async function joinBob(conversation: Conversation, clock: VirtualClock): Promise<void> {
  const context = { reader: conversation.repository, head: conversation.head, identity: bob, displayName: "bob" };
  const { head, objects } = await join({ ...context, now: clock.now() });
  await conversation.take({ head, objects: new Map(objects.map((object) => [object.oid, object])) });
}

Deno.test("delivery: a device is told of the newest commit, again and again, then asked what it has", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    await joinBob(conversation, clock);
    const commit = await post(conversation, clock, "one");
    reset();
    delivery.tell(conversation, bob.device);
    await clock.advance(10 * 60_000);
    let at = 0;
    const expected = [0, ...RENOTIFY_MS.slice(0, -1)].map((wait) => `${at += wait} ${commit}`);
    const last = RENOTIFY_MS[RENOTIFY_MS.length - 1];
    for (let wait = RETELL_FIRST_MS; at + last < 10 * 60_000; wait *= 2) {
      expected.push(`${at += last} check`);
      if (at + wait < 10 * 60_000) expected.push(`${at + wait} ${commit}`);
      at += wait;
    }
    assert.deepEqual(told, expected);
    await clock.advance(24 * 60 * 60_000);
    reset();
    await clock.advance(60 * 60_000);
    assert.ok(told.length >= 10 && told.length <= 12, `${told.length} in an hour, after a day in vain`);
    await post(conversation, clock, "two");
    reset();
    delivery.tell(conversation, bob.device);
    await clock.advance(10_000);
    assert.equal(told.length, 4, "something new: as at first");
    delivery.holds(conversation, bob.account, bob.device, conversation.head);
    reset();
    await clock.advance(60 * 60_000);
    assert.deepEqual(told, [], "it has it");
  }));

Deno.test("delivery: who is invited is told until it has the conversation, and never asked what it has", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const commit = await post(conversation, clock, "one");
    delivery.tell(conversation, bob.device);
    await clock.advance(10 * 60_000);
    reset();
    await clock.advance(10 * 60_000);
    assert.ok(told.length >= 10, `${told.length} in ten minutes`);
    assert.ok(told.every((what) => what.endsWith(commit)));
    delivery.holds(conversation, bob.account, bob.device, commit);
    reset();
    await clock.advance(10 * 60_000);
    assert.deepEqual(told, []);
  }));

Deno.test("delivery: a 2023 device whose inviter is there is left to it: two clones at once would cost it the conversation", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset, inviter, generation }) => {
    inviter.is = true;
    await post(conversation, clock, "one");
    reset();
    delivery.tell(conversation, bob.device);
    await clock.advance(20_000);
    await post(conversation, clock, "two");
    delivery.tell(conversation, bob.device);
    await clock.advance(5_000);
    assert.deepEqual(told, [], "whatever is said meanwhile");
    await clock.advance(10 * 60_000);
    assert.ok(told.length >= 6 && told.length <= 10, `${told.length} in ten minutes`);
    inviter.is = false;
    reset();
    await clock.advance(60_000);
    assert.ok(told.length >= 2, "gone, it leaves the telling to us");

    inviter.is = true;
    generation.is = "msg";
    reset();
    delivery.gone(bob.device);
    delivery.tell(conversation, bob.device);
    assert.equal(told.length, 1, "today's keep a clone that is there");
  }));

Deno.test("delivery: what a device holds is never told, with all before it", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const first = await post(conversation, clock, "one");
    const second = await post(conversation, clock, "two");
    delivery.holds(conversation, bob.account, bob.device, second);
    reset();
    delivery.tell(conversation, bob.device);
    assert.deepEqual(told, []);
    delivery.holds(conversation, bob.account, bob.device, first);
    assert.deepEqual(delivery.held(conversation, bob.device), [second], "less than known is no news");
    delivery.holds(conversation, bob.account, bob.device, "0".repeat(40));
    assert.deepEqual(delivery.held(conversation, bob.device), [second], "what we lack we know nothing of");
    await clock.advance(60_000);
    assert.deepEqual(told, []);
  }));

Deno.test("delivery: several heads of a device are kept, up to a bound, and those below others go", () =>
  withDelivery(async ({ delivery, conversation, clock }) => {
    const base = await post(conversation, clock, "base");
    // branches beside each other, as concurrent writers make them
    const branches: string[] = [];
    for (let n = 0; n < HEADS_PER_DEVICE + 2; n++) {
      const context = {
        reader: conversation.repository,
        head: base,
        identity: alice,
        displayName: "",
        now: clock.now() + n * 1000,
      };
      const written = await writeText(context, `branch ${n}`);
      await conversation.take({ head: written.head, objects: new Map(written.objects.map((o) => [o.oid, o])) });
      branches.push(written.head);
    }
    delivery.holds(conversation, bob.account, bob.device, base);
    for (const branch of branches) delivery.holds(conversation, bob.account, bob.device, branch);
    const held = delivery.held(conversation, bob.device);
    assert.equal(held.length, HEADS_PER_DEVICE);
    assert.ok(!held.includes(base) && held[0] === branches.at(-1));
    delivery.holds(conversation, bob.account, bob.device, conversation.head);
    assert.deepEqual(delivery.held(conversation, bob.device), [conversation.head]);
    assert.equal(conversation.countLacking(held), 2, "the branches that gave way");
  }));

Deno.test("delivery: while a device is served it is not told, right afterwards of the rest", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const first = await post(conversation, clock, "one");
    reset();
    const served = delivery.serve(conversation, bob.device);
    delivery.tell(conversation, bob.device);
    await clock.advance(5_000);
    assert.deepEqual(told, []);
    delivery.holds(conversation, bob.account, bob.device, first);
    const second = await post(conversation, clock, "two");
    delivery.tell(conversation, bob.device);
    reset();
    served();
    await clock.advance(AFTER_SERVING_MS);
    assert.deepEqual(told, [`${AFTER_SERVING_MS} ${second}`]);
    delivery.holds(conversation, bob.account, bob.device, second);
    await clock.advance(60_000);
    assert.match(told.join(), /^\d+ [0-9a-f]{40},\d+ check$/);
  }));

Deno.test("delivery: two exchanges at once count as one", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const commit = await post(conversation, clock, "one");
    const [one, two] = [delivery.serve(conversation, bob.device), delivery.serve(conversation, bob.device)];
    reset();
    one();
    await clock.advance(1_000);
    assert.deepEqual(told, []);
    two();
    await clock.advance(AFTER_SERVING_MS);
    assert.deepEqual(told, [`${1_000 + AFTER_SERVING_MS} ${commit}`]);
  }));

Deno.test("delivery: many commits at once are told at a distance, the newest only", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const first = await post(conversation, clock, "0");
    reset();
    delivery.tell(conversation, bob.device);
    let last = "";
    for (let n = 1; n <= 5; n++) {
      const [row] = await conversation.write((context) => writeText(context, `${n}`));
      last = row.id;
      delivery.tell(conversation, bob.device);
    }
    await clock.advance(NOTIFY_DISTANCE_MS);
    assert.deepEqual(told, [`0 ${first}`, `${NOTIFY_DISTANCE_MS} ${last}`]);
  }));

Deno.test("delivery: a device that took a part is told of the rest, also after it was given up", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    await joinBob(conversation, clock);
    const first = await post(conversation, clock, "one");
    const second = await post(conversation, clock, "two");
    delivery.tell(conversation, bob.device);
    await clock.advance(10 * 60_000);
    reset();
    delivery.holds(conversation, bob.account, bob.device, first);
    await clock.advance(RENOTIFY_MS[0]);
    assert.deepEqual(told, [`${RENOTIFY_MS[0]} ${second}`]);
  }));

Deno.test("delivery: nothing is told to who is gone, left, or may not have it", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset, online }) => {
    await post(conversation, clock, "one");
    delivery.tell(conversation, bob.device);
    const served = delivery.serve(conversation, bob.device);
    reset();
    online.is = false;
    delivery.gone(bob.device);
    served();
    await clock.advance(60_000);
    assert.deepEqual(told, []);
    online.is = true;
    delivery.tell(conversation, carol.device);
    delivery.tell(conversation, bob.device);
    assert.equal(told.length, 1);
    delivery.drop(conversation.id);
    await clock.advance(60_000);
    assert.equal(told.length, 1);
  }));

Deno.test("delivery: merges alone are not told", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const base = await post(conversation, clock, "base");
    const context = { reader: conversation.repository, head: base, identity: alice, displayName: "", now: clock.now() };
    const other = await writeText(context, "beside");
    const mine = await post(conversation, clock, "mine");
    await conversation.take({ head: other.head, objects: new Map(other.objects.map((o) => [o.oid, o])) });
    for (const commit of [mine, other.head]) delivery.holds(conversation, bob.account, bob.device, commit);
    reset();
    delivery.tell(conversation, bob.device);
    assert.deepEqual(told, []);
    assert.notEqual(conversation.head, mine);
    assert.equal(conversation.countLacking(delivery.held(conversation, bob.device)), 0);
  }));

Deno.test("delivery: after the stop no timer is left, whatever ends later", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    await post(conversation, clock, "one");
    delivery.tell(conversation, bob.device);
    const served = delivery.serve(conversation, bob.device);
    delivery.stop();
    reset();
    served();
    delivery.tell(conversation, bob.device);
    await clock.advance(60_000);
    assert.deepEqual(told, []);
  }));

Deno.test("delivery: after a new device has come 2023's devices are told a little later, today's and the invited at once", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset, generation }) => {
    const before = conversation.head;
    const invited = await post(conversation, clock, "to the invited");
    delivery.introduce(conversation, [carol.device], before);
    delivery.tell(conversation, bob.device);
    assert.deepEqual(told.map((line) => line.split(" ")[1]), [invited]);
    await joinBob(conversation, clock);
    delivery.holds(conversation, bob.account, bob.device, conversation.head);
    const commit = await post(conversation, clock, "one");
    reset();
    delivery.introduce(conversation, [carol.device], before);
    delivery.tell(conversation, bob.device);
    await clock.advance(INTRODUCTION_MS);
    assert.deepEqual(told, [`${INTRODUCTION_MS} ${commit}`]);
    assert.equal(delivery.headFor(conversation, peerOf(bob)), conversation.head);
    generation.is = undefined;
    delivery.introduce(conversation, [carol.device], before);
    delivery.introduce(conversation, [carol.device], commit);
    assert.equal(delivery.headFor(conversation, peerOf(bob)), before, "nor is it served before");
    delivery.tell(conversation, bob.device);
    generation.is = "msg";
    assert.equal(delivery.headFor(conversation, peerOf(bob)), conversation.head);
    await clock.advance(NOTIFY_DISTANCE_MS);
    reset();
    delivery.tell(conversation, bob.device);
    await clock.advance(NOTIFY_DISTANCE_MS);
    assert.equal(told.length, 1);
  }));

Deno.test("delivery: a device that was served is asked whether it took it; one that did not gets it again, some times", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    await joinBob(conversation, clock);
    const before = conversation.head;
    delivery.holds(conversation, bob.account, bob.device, before);
    const commit = await post(conversation, clock, "one");
    const shows = (head: string) => delivery.shows(conversation, bob.account, bob.device, [head]);
    delivery.tell(conversation, bob.device);
    for (let n = 0; n <= MAX_FAILED_DELIVERIES; n++) {
      const served = delivery.serve(conversation, bob.device);
      delivery.holds(conversation, bob.account, bob.device, commit);
      shows(before); // from before
      served();
      shows(before); // it may be at work still
      assert.deepEqual(delivery.held(conversation, bob.device), [commit]);
      reset();
      await clock.advance(AFTER_SERVING_MS + VERIFY_MS);
      assert.deepEqual(told, [`${AFTER_SERVING_MS + VERIFY_MS} check`]);
      shows(before);
      assert.deepEqual(delivery.held(conversation, bob.device), [before], "what it shows is the truth");
      reset();
      await clock.advance(NOTIFY_DISTANCE_MS);
      assert.deepEqual(told, n < MAX_FAILED_DELIVERIES ? [`${NOTIFY_DISTANCE_MS} ${commit}`] : []);
    }
    await clock.advance(3_600_000);
    assert.deepEqual(told, [], "until something new comes");
    delivery.tell(conversation, bob.device);
    assert.equal(told.length, 1);
    const served = delivery.serve(conversation, bob.device);
    delivery.holds(conversation, bob.account, bob.device, commit);
    served();
    await clock.advance(AFTER_SERVING_MS + VERIFY_MS);
    shows(commit);
    reset();
    await clock.advance(3_600_000);
    assert.deepEqual([told, delivery.held(conversation, bob.device)], [[], [commit]]);
  }));

Deno.test("delivery: a new device does not wait for itself", () =>
  withDelivery(async ({ delivery, conversation, clock, told, reset }) => {
    const before = conversation.head;
    await joinBob(conversation, clock);
    delivery.introduce(conversation, [bob.device], before);
    delivery.holds(conversation, bob.account, bob.device, conversation.head);
    const commit = await post(conversation, clock, "welcome");
    reset();
    delivery.tell(conversation, bob.device);
    assert.deepEqual(told, [`0 ${commit}`]);
    assert.equal(delivery.headFor(conversation, peerOf(bob)), commit);
  }));
