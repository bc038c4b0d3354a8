/** Histories that break a rule: kept aside, told, accepted by the operator, dropped. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { MAX_REFUSED_OF_CONVERSATION } from "../../../core/relay/constants.ts";
import { Fetcher } from "../../../core/relay/fetcher.ts";
import { NothingRefused, NotOverridable, RefusedHistories } from "../../../core/relay/refused.ts";
import type { RefusedHistory } from "../../../core/store/refused.ts";
import { jsonMessage, memberMessage } from "../../../core/swarm/commit.ts";
import { blob, type GitObject } from "../../../core/swarm/object.ts";
import { missingObjects } from "../../../core/swarm/reachable.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { RuleViolation } from "../../../core/swarm/rules/violation.ts";
import { file, type FileEdits } from "../../../core/swarm/tree_edit.ts";
import { serveGit } from "../../../core/swarm/upload_pack.ts";
import { verifyCommand } from "../../../core/swarm/verify_command.ts";
import { certificateBlobs, writeCommit, type WriteContext, type Written } from "../../../core/swarm/write.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { connectionPair } from "../../support/channel_pair.ts";
import { fsck } from "../../support/git_vectors.ts";
import { peerOf } from "../../support/people.ts";
import {
  alice,
  allOf,
  bob,
  carol,
  closePlace,
  inviteTo,
  opened,
  openPlace,
  type Place,
  post,
  withPlaces,
} from "./support.ts";

/** The refused histories of a node. */
async function asideOf(place: Place): Promise<{ refused: RefusedHistories; events: RefusedHistory[] }> {
  const { store, clock, conversations } = place;
  const refused = new RefusedHistories({ dir: join(place.dir, "refused"), store, clock, conversations });
  const events: RefusedHistory[] = [];
  refused.on("refused", (history) => void events.push(history));
  await refused.start();
  return { refused, events };
}

/** Bob's own repository, written by hand: whatever his daemon would write, lawful or not. */
class Hand implements AsyncDisposable {
  private constructor(readonly repository: Repository, readonly clock: Place["clock"], public head: string) {}

  static async copyOf(place: Place, id: string): Promise<Hand> {
    const { head, objects } = await allOf(opened(place, id));
    const repository = await Repository.create(join(place.dir, `by-hand-${crypto.randomUUID()}.git`));
    await repository.add(objects.values());
    await repository.setHead(head);
    return new Hand(repository, place.clock, head);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.repository.close();
  }

  async write(what: (context: WriteContext) => Promise<Written>, identity: Identity = bob): Promise<string> {
    await this.clock.advance(1_000);
    const context = { reader: this.repository, head: this.head, identity, displayName: "", now: this.clock.now() };
    const { objects, head } = await what(context);
    await this.repository.add(objects);
    await this.repository.setHead(head);
    return this.head = head;
  }

  /** A commit with this message and these changes. */
  commit(message: string, edits: FileEdits = new Map(), identity: Identity = bob): Promise<string> {
    const { account } = certificateBlobs(identity);
    const objects = [account, EMPTY];
    return this.write((context) => writeCommit(context, { message, edits, objects, certificates: "add" }), identity);
  }

  /** Lets the node fetch from here. */
  async offer(fetcher: Fetcher, id: string): Promise<void> {
    const [connection, ours] = connectionPair(peerOf(alice), peerOf(bob));
    ours.accept = () => (channel) => void serveGit(channel, { repository: this.repository, authorize: () => true });
    await fetcher.fetch(id, connection);
    await connection.close("the end");
  }
}

const EMPTY = blob(new Uint8Array());
const text = (body: string) => jsonMessage({ type: "text/plain", body });

/** What a join changes. */
function joinOf(identity: Identity): FileEdits {
  const { account } = certificateBlobs(identity);
  return new Map([
    [`invited/${identity.account}`, null],
    [`members/${identity.account}.crt`, file(account.oid)],
  ]);
}

/**
 * What 2023's daemon writes when a text is sent during its join: the text has the join's files in it, the join then has
 * nothing left to change.
 */
async function textDuringJoin(hand: Hand): Promise<{ text: string; join: string; head: string }> {
  const first = await hand.commit(text("too early"), joinOf(bob));
  const second = await hand.commit(memberMessage("join", bob.account));
  const head = await hand.write((context) => writeText(context, "and on it goes"));
  return { text: first, join: second, head };
}

Deno.test("a text written during a join: refused, kept, accepted commit by commit, and life goes on", () =>
  withPlaces([alice], async (place) => {
    const id = await place.conversations.oneToOne(bob.account);
    const conversation = opened(place, id);
    const { refused, events } = await asideOf(place);
    const fetcher = new Fetcher(place.conversations, systemClock, refused);
    await using hand = await Hand.copyOf(place, id);
    const bad = await textDuringJoin(hand);
    await hand.offer(fetcher, id);

    const [kept] = refused.list(id);
    assert.deepEqual(events, [kept]);
    assert.deepEqual([kept.commit, kept.head, kept.type, kept.author], [bad.text, bad.head, "text/plain", bob.account]);
    assert.deepEqual([kept.account, kept.device, kept.overridable], [bob.account, bob.device, true]);
    assert.equal(kept.reason, "Malformed commit");
    assert.match(kept.detail, /not allowed: (invited|members)/);
    assert.equal(conversation.head, id);
    assert.equal(await conversation.repository.has(bad.text), false, "nothing of it is in the repository");

    let taken = 0;
    refused.on("taken", () => void taken++);
    const [left, ...others] = await refused.override(id, bad.text, "sent while joining");
    assert.deepEqual([left.commit, left.reason, others], [bad.join, "Malformed join member commit", []]);
    assert.equal(conversation.head, id, "the rest waits for the next decision");
    assert.deepEqual(refused.list(id), [left]);
    assert.deepEqual(await refused.override(id, bad.join, "the same"), []);
    assert.equal(conversation.head, bad.head);
    assert.equal(taken, 1, "once it is in, others are to hear of it");
    assert.deepEqual(refused.list(id), []);
    assert.deepEqual([...Deno.readDirSync(join(place.dir, "refused"))], []);

    assert.equal(conversation.members.roles.get(bob.account), "member");
    assert.deepEqual(conversation.members.devices.get(bob.device), bob.account);
    assert.deepEqual(place.store.commits.get(id, bad.text)?.author, bob.account);
    const ours = await post(conversation, place.clock, "welcome");
    await hand.write((context) => writeText(context, "beside it"));
    await hand.offer(fetcher, id);
    const [merge] = conversation.page({ limit: 1 });
    assert.equal(merge.type, "merge");
    assert.deepEqual(merge.parents, [ours, hand.head]);
    assert.deepEqual(await fsck(conversation.repository.dir), []);

    const [lines, said]: [{ commit: string; valid: boolean; reason?: string; overridden?: string }[], string[]] = [
      [],
      [],
    ];
    const code = await verifyCommand(
      [conversation.repository.dir],
      (line) => lines.push(JSON.parse(line)),
      (line) => said.push(line),
    );
    assert.equal(code, 0);
    assert.deepEqual(lines.filter(({ reason }) => reason).map(({ commit, overridden }) => [commit, overridden]), [
      [bad.text, "sent while joining"],
      [bad.join, "the same"],
    ]);
    assert.equal(said.length, 2);
    assert.match(said[0], new RegExp(`${bad.text} breaks a rule .* accepted by the operator`));
  }));

Deno.test("over a restart: what was refused is there, and what was accepted is accepted when it is met again", () =>
  withPlaces([alice], async (place) => {
    const id = await place.conversations.oneToOne(bob.account);
    const { refused } = await asideOf(place);
    await using hand = await Hand.copyOf(place, id);
    const bad = await textDuringJoin(hand);
    await hand.offer(new Fetcher(place.conversations, systemClock, refused), id);
    const before = refused.list(id);
    await refused.stop();
    await closePlace(place);
    await Deno.writeTextFile(join(place.dir, "refused", "left-by-a-crash.pack.new"), "x");

    const again = openPlace(place.dir, alice, place.clock);
    await again.conversations.start();
    const { refused: later } = await asideOf(again);
    assert.deepEqual(later.list(id), before);
    assert.equal([...Deno.readDirSync(join(place.dir, "refused"))].length, 1);
    await later.override(id, bad.text, "a");
    await later.drop(id, bad.join);
    assert.deepEqual(later.list(id), []);
    await closePlace(again);

    const third = openPlace(place.dir, alice, place.clock);
    await third.conversations.start();
    const { refused: last, events } = await asideOf(third);
    const fetcher = new Fetcher(third.conversations, systemClock, last);
    await hand.offer(fetcher, id);
    assert.deepEqual(events.map(({ commit }) => commit), [bad.join], "the first one is accepted for good");
    await last.override(id, bad.join, "b");
    assert.equal(opened(third, id).head, bad.head);
    await closePlace(third);
  }));

Deno.test("a clone that breaks a rule: accepted, it is finished and joined", () =>
  withPlaces([alice, carol], async (hers, carols) => {
    const group = await hers.conversations.create({ mode: 2 });
    await inviteTo(group, hers.clock, bob.account);
    await inviteTo(group, hers.clock, carol.account);
    await using hand = await Hand.copyOf(hers, group.id);
    const bad = await textDuringJoin(hand);
    carols.conversations.want(group.id, alice.account, 2);
    const { refused } = await asideOf(carols);
    const fetcher = new Fetcher(carols.conversations, systemClock, refused);
    await hand.offer(fetcher, group.id);
    assert.equal(carols.conversations.get(group.id), undefined);
    assert.deepEqual(refused.list(group.id).map(({ commit }) => commit), [bad.text]);
    await refused.override(group.id, bad.text, "a");
    await refused.override(group.id, bad.join, "b");
    const conversation = opened(carols, group.id);
    assert.ok(conversation.joined);
    assert.ok(conversation.has(bad.head));
    const lines: { valid: boolean }[] = [];
    await verifyCommand([conversation.repository.dir], (line) => lines.push(JSON.parse(line)), () => {});
    assert.ok(lines.length > 5 && lines.every(({ valid }) => valid), "the repository knows the overrides, too");
  }));

Deno.test("what nobody can vouch for is never accepted", () =>
  withPlaces([alice], async (place) => {
    const id = await place.conversations.oneToOne(bob.account);
    const { refused } = await asideOf(place);
    const fetcher = new Fetcher(place.conversations, systemClock, refused);
    // signed with another's key, and breaking a rule besides
    await using forged = await Hand.copyOf(place, id);
    await forged.commit(text("forged"), joinOf(bob), { ...bob, key: carol.key });
    // a device that the account never signed
    await using stranger = await Hand.copyOf(place, id);
    const [device] = carol.chain;
    await stranger.commit(text("stranger"), joinOf(bob), {
      ...bob,
      device: carol.device,
      key: carol.key,
      chain: [device, ...bob.chain.slice(1)],
    });
    for (const hand of [forged, stranger]) {
      await hand.offer(fetcher, id);
      const kept = refused.list(id).find(({ head }) => head === hand.head);
      assert.deepEqual([kept?.overridable, kept?.bytes], [false, 0]);
      await assert.rejects(refused.override(id, hand.head, "please"), NotOverridable);
    }
    assert.deepEqual(place.store.overrides.forConversation(id), []);
    await assert.rejects(refused.override(id, "0".repeat(40), "what?"), NothingRefused);
    // an override that got into the database some other way does not help either
    place.store.overrides.put({ conversation: id, commit: forged.head, violated: "", reason: "", at: 0 });
    await assert.rejects(opened(place, id).take(await historyOf(forged)), RuleViolation);
  }));

async function historyOf({ repository, head }: Hand) {
  const objects = new Map<string, GitObject>();
  for (const oid of await missingObjects(repository, head, [])) objects.set(oid, await repository.read(oid));
  return { head, objects };
}

Deno.test("room: a flood of one member pushes out its own histories, not those of others", () =>
  withPlaces([alice], async (place) => {
    const id = await place.conversations.oneToOne(bob.account);
    const { refused } = await asideOf(place);
    await using hand = await Hand.copyOf(place, id);
    await hand.commit(text("the one that matters"), joinOf(bob));
    const fetched = await historyOf(hand);
    const violation = await opened(place, id).take(fetched).catch((error) => error);
    await refused.keep(id, peerOf(carol), fetched, violation);
    const offence = { type: "text/plain", author: bob.account, overridable: true };
    for (let n = 0; n < MAX_REFUSED_OF_CONVERSATION.count + 5; n++) {
      const object = blob(Uint8Array.of(n));
      const flood = { head: object.oid, objects: new Map([[object.oid, object]]) };
      await refused.keep(id, peerOf(bob), flood, new RuleViolation(object.oid, "x", "", offence));
    }
    const kept = refused.list(id);
    assert.equal(kept.length, MAX_REFUSED_OF_CONVERSATION.count);
    assert.ok(kept.some(({ head }) => head === hand.head));
    assert.equal([...Deno.readDirSync(join(place.dir, "refused"))].length, kept.length);
    // what grew takes the place of what it grew from, and what ends with us is gone
    await hand.write((context) => writeText(context, "more"));
    const more = await historyOf(hand);
    const again = await opened(place, id).take({ ...more, objects: new Map(more.objects) }).catch((error) => error);
    await refused.keep(id, peerOf(carol), more, again);
    assert.ok(refused.list(id).some(({ head }) => head === hand.head));
    assert.equal(refused.list(id).filter(({ commit }) => commit === violation.commit).length, 1);
    place.conversations.leave(id);
    assert.deepEqual(refused.list(id), []);
  }));

Deno.test("rules: an override is for that commit alone", () =>
  withPlaces([alice], async (place) => {
    const id = await place.conversations.oneToOne(bob.account);
    const { refused } = await asideOf(place);
    const fetcher = new Fetcher(place.conversations, systemClock, refused);
    await using hand = await Hand.copyOf(place, id);
    const first = await hand.commit(text("one"), joinOf(bob));
    await hand.offer(fetcher, id);
    await refused.override(id, first, "fine");
    const { account } = certificateBlobs(bob);
    const second = await hand.commit(text("two"), new Map([[`admins/${bob.account}.crt`, file(account.oid)]]));
    await hand.offer(fetcher, id);
    assert.deepEqual(refused.list(id).map(({ commit }) => commit), [second]);
    assert.equal(opened(place, id).members.roles.get(bob.account), "member");
  }));
