import assert from "node:assert/strict";
import { Invitations, UnknownInvitation } from "../../../core/relay/invitations.ts";
import { peerOf } from "../../support/people.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { leave } from "../../../core/swarm/write_members.ts";
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
  withPlaces,
} from "./support.ts";

const ID = "c".repeat(40);
const invite = (metadatas: [string, string][] = [["mode", "2"], ["title", "a group"]], conversation = ID) => ({
  kind: "invite" as const,
  conversation,
  metadatas: new Map(metadatas),
});

function invitationsOf({ store, clock, conversations }: Place, welcome = (_account: string) => false) {
  const invitations = new Invitations({ store, clock, conversations, welcome });
  const events: string[] = [];
  invitations.on("invitation", ({ conversation, from }) => events.push(`invitation ${conversation} ${from}`));
  invitations.on("accepted", ({ conversation, from }) => events.push(`accepted ${conversation} ${from}`));
  return { invitations, events };
}

Deno.test("invitations: one waits for the admin, over a restart; accepted, it is to be cloned from who sent it", () =>
  withPlaces([bob], (place) => {
    const { invitations, events } = invitationsOf(place);
    invitations.onInvite(peerOf(alice), invite());
    invitations.onInvite(peerOf(alice), invite());
    assert.ok(events.every((event) => event === `invitation ${ID} ${alice.account}`));
    const again = invitationsOf(place);
    assert.deepEqual(
      again.invitations.pending().map(({ conversation, from, metadatas }) => [conversation, from, metadatas.title]),
      [
        [ID, alice.account, "a group"],
      ],
    );
    again.invitations.accept(ID);
    assert.deepEqual(again.events, [`accepted ${ID} ${alice.account}`]);
    assert.deepEqual(place.conversations.wanted(), [{ id: ID, from: [alice.account] }]);
    const record = place.store.conversations.get(ID);
    assert.deepEqual([record?.mode, record?.title, record?.state], [2, "a group", "cloning"]);
    assert.deepEqual(again.invitations.pending(), []);
    assert.throws(() => again.invitations.accept(ID), UnknownInvitation);
    // what is being cloned is not asked about again
    again.invitations.onInvite(peerOf(carol), invite());
    assert.equal(again.events.length, 1);
    return Promise.resolve();
  }));

Deno.test("invitations: a declined one is not shown again", () =>
  withPlaces([bob], async (place) => {
    const { invitations, events } = invitationsOf(place);
    invitations.onInvite(peerOf(alice), invite());
    invitations.decline(ID);
    assert.throws(() => invitations.decline(ID), UnknownInvitation);
    await place.clock.advance(3_600_000);
    invitations.onInvite(peerOf(alice), invite());
    invitations.onInvite(peerOf(carol), invite());
    assert.equal(events.length, 1);
    assert.deepEqual(invitations.pending(), []);
  }));

Deno.test("invitations: of welcome accounts they are accepted at once; into conversations that are here they are nothing", () =>
  withPlaces([bob], async (place) => {
    const { invitations, events } = invitationsOf(place, (account) => account === alice.account);
    const here = await place.conversations.oneToOne(carol.account);
    invitations.onInvite(peerOf(alice), invite([], here));
    invitations.onInvite(peerOf(alice), invite());
    invitations.onInvite(peerOf(carol), invite([], "d".repeat(40)));
    assert.deepEqual(events, [`accepted ${ID} ${alice.account}`, `invitation ${"d".repeat(40)} ${carol.account}`]);
  }));

Deno.test("invitations: of what they say only title, description and mode are kept", () =>
  withPlaces([bob], (place) => {
    const { invitations } = invitationsOf(place);
    invitations.onInvite(peerOf(alice), invite([["avatar", "A".repeat(60_000)], ["title", "t"], ["else", "x"]]));
    assert.deepEqual(invitations.pending()[0].metadatas, { mode: "2", title: "t", description: "" });
    return Promise.resolve();
  }));

/** A group of Alice's that Bob has joined and is leaving, as she knows. */
async function leaving(hers: Place, his: Place) {
  const group = await hers.conversations.create({ mode: Mode.invitesOnly });
  await inviteTo(group, hers.clock, bob.account);
  his.conversations.want(group.id, alice.account, Mode.invitesOnly);
  const joined = await his.conversations.finishClone(group.id, await allOf(group));
  if (!joined) throw new Error("Bob is not in it");
  await joined.write(leave);
  his.conversations.leaving(group.id);
  await group.take(await allOf(joined));
  await inviteTo(group, hers.clock, bob.account);
  return group;
}

Deno.test("invitations: one that comes while we leave waits for a person, over a restart; accepted, the new stay begins with a clone", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const group = await leaving(hers, his);
    const { invitations, events } = invitationsOf(his, () => true);
    invitations.onInvite(peerOf(alice), invite(undefined, group.id));
    assert.deepEqual(events, [`invitation ${group.id} ${alice.account}`]);
    await opened(his, group.id).take(await allOf(group));
    await closePlace(his);
    const again = openPlace(his.dir, bob, his.clock);
    try {
      await again.conversations.start();
      const { invitations: later } = invitationsOf(again);
      assert.deepEqual(later.pending().map(({ conversation }) => conversation), [group.id]);
      const { record, joined } = opened(again, group.id);
      assert.deepEqual([record.state, joined], ["leaving", false]);
      later.accept(group.id);
      assert.deepEqual(again.conversations.wanted(), [{ id: group.id, from: [alice.account] }]);
      const stay = await again.conversations.finishClone(group.id, await allOf(group));
      assert.deepEqual([stay?.joined, stay?.record.state, later.pending()], [true, "active", []]);
    } finally {
      await closePlace(again);
    }
  }));

Deno.test("invitations: one that came while we left waits on, or is accepted as the policy says, when that has ended", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const group = await leaving(hers, his);
    const { invitations, events } = invitationsOf(his, () => true);
    invitations.onInvite(peerOf(alice), invite(undefined, group.id));
    his.conversations.leave(group.id);
    assert.equal(invitations.pending().length, 1);
    invitations.onNoted(group.id);
    assert.deepEqual(events.slice(1), [`accepted ${group.id} ${alice.account}`]);
  }));
