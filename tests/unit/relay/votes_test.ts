/** Groups with two admins, where a ban needs both. Nothing lawful makes a second one: here an override does, as after a commit that only 2023's daemons take. */

import assert from "node:assert/strict";
import { Emitter } from "../../../core/base/events.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import type { DeliveryEvents } from "../../../core/relay/delivery.ts";
import { Groups } from "../../../core/relay/groups.ts";
import { OwedInvitations } from "../../../core/relay/owed_invitations.ts";
import { jsonMessage } from "../../../core/swarm/commit.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { file } from "../../../core/swarm/tree_edit.ts";
import { certificateBlobs, writeCommit } from "../../../core/swarm/write.ts";
import { alice, allOf, bob, bring, carol, opened, type Place, post, withPlaces } from "./support.ts";

function groupsOf({ store, clock, conversations }: Place, { account }: Identity): Groups {
  const quiet = { connected: () => [], onOwed: () => {}, onSent: () => {}, send: () => Promise.resolve() };
  const invitations = new OwedInvitations({ store, clock, conversations, ...quiet });
  const delivery = new Emitter<DeliveryEvents>();
  return new Groups({ store, clock, self: account, conversations, delivery, invitations, onLeft: () => {} });
}

interface TwoAdmins {
  hers: Conversation;
  his: Conversation;
  herGroups: Groups;
  hisGroups: Groups;
}

/** A group of which Alice and Bob are admins; Carol is invited. */
async function twoAdmins(atAlice: Place, atBob: Place): Promise<TwoAdmins> {
  const herGroups = groupsOf(atAlice, alice);
  const hers = await herGroups.create(Mode.invitesOnly);
  for (const one of [bob, carol]) {
    await atAlice.clock.advance(1_000);
    await herGroups.invite(hers, one.account);
  }
  atBob.conversations.want(hers.id, alice.account, 2);
  await atBob.conversations.finishClone(hers.id, await allOf(hers));
  const his = opened(atBob, hers.id);
  await bring(his, hers);
  const edited = await post(hers, atAlice.clock, "x");
  await bring(hers, his);

  const { account } = certificateBlobs(bob);
  const context = {
    reader: hers.repository,
    head: hers.head,
    identity: alice,
    displayName: "",
    now: atAlice.clock.now(),
  };
  const { head, objects } = await writeCommit(context, {
    message: jsonMessage({ type: "application/edited-message", body: "", edit: edited }),
    edits: new Map([[`members/${bob.account}.crt`, null], [`admins/${bob.account}.crt`, file(account.oid)]]),
    objects: [account],
    certificates: "none",
  });
  for (const [place, conversation] of [[atAlice, hers], [atBob, his]] as const) {
    place.store.overrides.put({ conversation: hers.id, commit: head, violated: "", reason: "a second admin", at: 1 });
    await conversation.take({ head, objects: new Map(objects.map((object) => [object.oid, object])) });
    assert.equal(conversation.members.roles.get(bob.account), "admin");
  }
  return { hers, his, herGroups, hisGroups: groupsOf(atBob, bob) };
}

const roleOfCarol = ({ members }: Conversation) => members.roles.get(carol.account);

Deno.test("two admins: the first vote stays open and is shown, the second decides", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const { hers, his, herGroups, hisGroups } = await twoAdmins(atAlice, atBob);
    assert.deepEqual(await hers.votes(), []);
    await herGroups.ban(hers, carol.account, "");
    const open = { action: "ban", target: carol.account, voters: [alice.account], needed: 2 };
    assert.deepEqual(await hers.votes(), [open]);
    assert.equal(roleOfCarol(hers), "invited");
    const head = hers.head;
    await herGroups.ban(hers, carol.account, "");
    assert.equal(hers.head, head, "nobody votes twice");
    await herGroups.carryOut(hers);
    assert.equal(hers.head, head, "one of two decides nothing");

    await bring(hers, his);
    await hisGroups.carryOut(his);
    assert.equal(his.head, head, "a node does not vote by itself");
    await atBob.clock.advance(1_000);
    await hisGroups.ban(his, carol.account, "");
    assert.equal(roleOfCarol(his), "banned");
    assert.deepEqual(await his.votes(), []);
    await bring(his, hers);
    assert.equal(roleOfCarol(hers), "banned");

    await herGroups.unban(hers, carol.account);
    assert.deepEqual((await hers.votes()).map(({ action, voters }) => [action, voters]), [["unban", [alice.account]]]);
    await bring(hers, his);
    await atBob.clock.advance(1_000);
    await hisGroups.unban(his, carol.account);
    await bring(his, hers);
    for (const one of [hers, his]) assert.equal(roleOfCarol(one), "invited");
  }));

Deno.test("two admins: votes that meet in a merge are carried out, and by both at once does no harm", () =>
  withPlaces([alice, bob], async (atAlice, atBob) => {
    const { hers, his, herGroups, hisGroups } = await twoAdmins(atAlice, atBob);
    await atAlice.clock.advance(1_000);
    await herGroups.ban(hers, carol.account, "");
    await atBob.clock.advance(1_000);
    await hisGroups.ban(his, carol.account, "");
    const [one, two] = [await allOf(hers), await allOf(his)];
    await hers.take(two);
    await his.take(one);
    for (const conversation of [hers, his]) {
      assert.equal((await conversation.votes())[0].voters.length, 2);
      assert.equal(roleOfCarol(conversation), "invited");
    }
    await Promise.all([herGroups.carryOut(hers), hisGroups.carryOut(his)]);
    for (const conversation of [hers, his]) assert.equal(roleOfCarol(conversation), "banned");
    assert.deepEqual(
      atAlice.store.audit.list({ action: "member.ban" }, 10).map(({ actor, target }) => [actor, target]),
      [["system", `${hers.id}/${carol.account}`]],
    );
    await atAlice.clock.advance(1_000);
    await bring(hers, his);
    await bring(his, hers);
    await post(hers, atAlice.clock, "all agree");
    await bring(hers, his);
    for (const conversation of [hers, his]) {
      assert.deepEqual([roleOfCarol(conversation), await conversation.votes()], ["banned", []]);
    }
  }));
