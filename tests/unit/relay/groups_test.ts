import assert from "node:assert/strict";
import { type Emitter, Emitter as Events } from "../../../core/base/events.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { LEAVING_MS, LINK_BURST, MAX_PENDING_INVITED, PUBLIC_JOIN_BURST } from "../../../core/relay/constants.ts";
import type { DeliveryEvents } from "../../../core/relay/delivery.ts";
import { Groups, NoGroup } from "../../../core/relay/groups.ts";
import { JoinLinks, type LinkFault, LinkRefused } from "../../../core/relay/join_links.ts";
import { Moderation } from "../../../core/relay/moderation.ts";
import { OwedInvitations } from "../../../core/relay/owed_invitations.ts";
import type { Invite } from "../../../core/messaging/payload.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { WriteConflict, WriteRefused } from "../../../core/swarm/write.ts";
import { invite, leave } from "../../../core/swarm/write_members.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { connectionPair } from "../../support/channel_pair.ts";
import { peerOf, until } from "../../support/people.ts";
import { alice, allOf, bob, bring, carol, NOW, opened, type Place, withPlaces } from "./support.ts";

interface Scene {
  groups: Groups;
  moderation: Moderation;
  links: JoinLinks;
  owed: OwedInvitations;
  /** What was sent, to whom. */
  sent: { to: string; invitation: Invite }[];
  /** Accounts with a live connection. */
  online: Set<string>;
  delivery: Emitter<DeliveryEvents>;
}

function scene({ store, clock, conversations }: Place, self = alice, enforceModes = true): Scene {
  const sent: Scene["sent"] = [];
  const online = new Set<string>();
  const delivery = new Events<DeliveryEvents>();
  const owed = new OwedInvitations({
    store,
    clock,
    conversations,
    connected: (account) =>
      [bob, carol].filter((one) => one.account === account && online.has(account)).map(connectionWith),
    onOwed: () => {},
    onSent: () => {},
    send: ({ peer }, invitation) => {
      sent.push({ to: peer.account, invitation });
      return Promise.resolve();
    },
  });
  const groups = new Groups({
    store,
    clock,
    self: self.account,
    conversations,
    delivery,
    invitations: owed,
    onLeft: () => {},
  });
  const moderation = new Moderation({ store, clock, self: self.account, groups, enforceModes });
  const links = new JoinLinks({ store, clock, random: systemRandom, self: self.account, conversations, groups });
  return { groups, moderation, links, owed, sent, online, delivery };
}

/** Bob's node takes up the invitation; his conversation. */
async function joins(place: Place, from: Conversation): Promise<Conversation> {
  place.conversations.want(from.id, alice.account, 2);
  const conversation = await place.conversations.finishClone(from.id, await allOf(from));
  assert.ok(conversation?.joined);
  await bring(conversation, from);
  return conversation;
}

/** Our end of a connection. */
const connectionWith = (peer: Identity) => connectionPair(peerOf(alice), peerOf(peer))[0];

const roleIn = ({ members }: Conversation, { account }: { account: string }) => members.roles.get(account);

Deno.test("groups: made with a title, named anew; the record and the profile say the same", () =>
  withPlaces([alice], async (place) => {
    const { groups } = scene(place);
    const group = await groups.create(Mode.invitesOnly, { title: "one", description: "d" });
    assert.deepEqual([group.record.title, group.record.description], ["one", "d"]);
    await groups.update(group, { title: "two", avatar: "AAAA" });
    assert.deepEqual(await group.profile(), {
      title: "two",
      description: "d",
      avatar: "AAAA",
      rdvAccount: "",
      rdvDevice: "",
    });
    assert.equal(group.record.title, "two");
    const head = group.head;
    await groups.update(group, { title: "two" });
    assert.equal(group.head, head, "nothing new is written");
    // two of the same second are two, whatever their mode
    const others = await Promise.all([
      groups.create(Mode.public),
      groups.create(Mode.invitesOnly),
      groups.create(Mode.public),
    ]);
    assert.equal(new Set([group, ...others].map(({ id }) => id)).size, 4);
    for (const { id } of others) {
      const last = place.store.commits.latest(id, 1).map((commit) => place.store.commits.get(id, commit)?.timestamp);
      assert.ok((last[0] ?? Infinity) * 1_000 <= NOW, "none says a time to come");
    }
  }));

Deno.test("groups: others' changes of the profile come into the record; only admins may", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups } = scene(hers);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    const bobs = await joins(his, group);
    await groups.update(group, { title: "hers" });
    await bring(group, bobs);
    assert.equal(bobs.record.title, "hers");
    const his2 = scene(his, bob);
    await assert.rejects(his2.groups.update(bobs, { title: "his" }), WriteRefused);
    await assert.rejects(his2.groups.ban(bobs, alice.account, ""), WriteRefused);
  }));

Deno.test("groups: an invitation is owed until the invited joined, over restarts, and repeated as it was", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, owed, sent, online } = scene(hers);
    const group = await groups.create(Mode.invitesOnly, { title: "T", description: "D" });
    await groups.invite(group, bob.account);
    assert.equal(roleIn(group, bob), "invited");
    assert.equal(sent.length, 0);
    const connection = connectionWith(bob);
    assert.equal(owed.awaits(group.id, connection), true);
    owed.onConnection(connection);
    await until("it is sent", () => !owed.awaits(group.id, connection));
    sent.length = 0;
    await hers.clock.advance(60_000);
    const later = scene(hers);
    later.owed.onConnection(connectionWith(carol));
    later.owed.onConnection(connectionWith(bob));
    later.owed.onConnection(connectionWith(bob));
    await until("both are sent", () => later.sent.length === 2);
    assert.deepEqual(later.sent.map(({ to }) => to), [bob.account, bob.account]);
    assert.deepEqual([...later.sent[0].invitation.metadatas], [["mode", "2"], ["title", "T"], ["description", "D"]]);
    assert.deepEqual(later.sent.map(({ invitation }) => invitation.received), [NOW, NOW]);
    // asked again by the admin it is a new one, without a commit
    online.add(bob.account);
    const head = group.head;
    await groups.invite(group, bob.account);
    await until("it is sent", () => sent.length > 0);
    assert.deepEqual([sent[0].invitation.received, group.head], [NOW + 60_000, head]);
    await joins(his, group);
    owed.settle(group);
    assert.deepEqual(hers.store.invites.all(), []);
    await assert.rejects(groups.invite(group, bob.account), WriteConflict);
  }));

Deno.test("groups: the same invitation, ban or end of it asked for twice at once is done once, and is no conflict", () =>
  withPlaces([alice], async (place) => {
    const { groups, owed } = scene(place);
    const group = await groups.create(Mode.invitesOnly);
    const twice = async (work: () => Promise<void>) => {
      const before = place.store.commits.count(group.id);
      await Promise.all([work(), work(), work()]);
      return place.store.commits.count(group.id) - before;
    };
    assert.equal(await twice(() => groups.invite(group, bob.account)), 1);
    assert.deepEqual([owed.owes(group.id, bob.account), roleIn(group, bob)], [true, "invited"]);
    assert.equal(await twice(() => groups.ban(group, bob.account, "")), 2, "a vote and the ban");
    assert.equal(await twice(() => groups.unban(group, bob.account)), 2);
    assert.deepEqual([owed.owes(group.id, bob.account), roleIn(group, bob)], [true, "invited"]);
  }));

Deno.test("groups: a ban ends what is owed, its end renews it", () =>
  withPlaces([alice], async (place) => {
    const { groups, owed } = scene(place);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    await groups.ban(group, bob.account, "");
    owed.settle(group);
    assert.deepEqual([place.store.invites.all().length, group.isMember(bob.account)], [0, false]);
    const banned = group.head;
    await groups.ban(group, bob.account, "");
    assert.equal(group.head, banned, "a second ban writes nothing");
    await assert.rejects(groups.ban(group, carol.account, ""), WriteConflict);
    await assert.rejects(groups.admit(group, bob.account), WriteConflict);
    await groups.unban(group, bob.account);
    assert.deepEqual([owed.owes(group.id, bob.account), roleIn(group, bob)], [true, "invited"]);
    const free = group.head;
    await groups.unban(group, bob.account);
    assert.equal(group.head, free, "and so does a second end of it");
    await assert.rejects(groups.unban(group, carol.account), WriteConflict);
    // a new invitation by the admin ends a ban, too, as with daemons
    await groups.ban(group, bob.account, "");
    await groups.invite(group, bob.account);
    assert.deepEqual([owed.owes(group.id, bob.account), roleIn(group, bob)], [true, "invited"]);
  }));

Deno.test("groups: a banned device may not fetch, its account's others may; the ban ends, also twice", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups } = scene(hers);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    await joins(his, group);
    for (let times = 0; times < 2; times++) {
      await groups.ban(group, bob.device, "");
      assert.deepEqual([group.mayFetch(bob), group.mayFetch({ ...bob, device: "e".repeat(64) })], [false, true]);
      await groups.unban(group, bob.device);
      assert.equal(group.mayFetch(bob), true);
      assert.ok(group.members.devices.has(bob.device));
    }
  }));

Deno.test("groups: one-to-one conversations are not run as groups", () =>
  withPlaces([alice], async (place) => {
    const { groups } = scene(place);
    const conversation = opened(place, await place.conversations.oneToOne(bob.account));
    await assert.rejects(groups.invite(conversation, carol.account), NoGroup);
    await assert.rejects(groups.ban(conversation, bob.account, ""), NoGroup);
    await assert.rejects(groups.leave(conversation.id), NoGroup);
    assert.equal(conversation.record.state, "active");
  }));

Deno.test("groups: leaving lasts until a member has the commit, over a restart; alone it is at once", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, delivery } = scene(hers);
    const alone = await groups.create(Mode.invitesOnly);
    await groups.leave(alone.id);
    assert.deepEqual([alone.record.state, alone.record.removed], ["left", NOW]);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    const before = (await joins(his, group)).head;
    await groups.leave(group.id);
    assert.deepEqual([group.record.state, group.joined], ["leaving", false]);
    const held = (heads: string[]) => {
      hers.store.ledger.set({ conversation: group.id, device: bob.device, account: bob.account, heads, at: NOW });
      delivery.emit("held", { conversation: group, device: bob.device });
    };
    held([before]);
    await hers.clock.advance(LEAVING_MS);
    assert.equal(group.record.state, "leaving");
    held([group.head]);
    groups.stop();
    const again = scene(hers).groups;
    again.start();
    await hers.clock.advance(LEAVING_MS - 1);
    assert.ok(hers.conversations.get(group.id), "others may fetch it for a while");
    await hers.clock.advance(1);
    assert.deepEqual([hers.conversations.get(group.id), group.record.state], [undefined, "left"]);
  }));

Deno.test("groups: asked a second time, leaving waits for nobody", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups } = scene(hers);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    await joins(his, group);
    await groups.leave(group.id);
    await groups.leave(group.id);
    assert.equal(group.record.state, "left");
  }));

Deno.test("groups: whoever asks to leave at the same time gets the same answer; an end that was to come does not touch the next stay", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, delivery } = scene(hers);
    const group = await groups.create(Mode.invitesOnly);
    await groups.invite(group, bob.account);
    await joins(his, group);
    await Promise.all([1, 2, 3, 4].map(() => groups.leave(group.id)));
    assert.equal(group.record.state, "leaving");
    const at = { device: bob.device, account: bob.account, heads: [group.head], at: NOW };
    hers.store.ledger.set({ conversation: group.id, ...at });
    delivery.emit("held", { conversation: group, device: bob.device });
    hers.conversations.want(group.id, bob.account, Mode.invitesOnly);
    await hers.clock.advance(LEAVING_MS);
    assert.ok(hers.conversations.isWanted(group.id));
  }));

Deno.test("modes: where only admins invite, an invitation by a member is undone; what an admin did stays", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, moderation } = scene(hers);
    const group = await groups.create(Mode.adminInvitesOnly);
    await groups.invite(group, bob.account);
    const bobs = await joins(his, group);
    await assert.rejects(scene(his, bob).groups.invite(bobs, carol.account), WriteRefused);
    await bobs.write((context) => invite(context, carol.account));
    await bring(bobs, group);
    await moderation.onMembers(group);
    assert.deepEqual([roleIn(group, carol), roleIn(group, bob)], ["banned", "member"]);
    const [{ actor, action, target, detail }, ...more] = hers.store.audit.list({}, 10);
    assert.deepEqual([actor, action, target, more.length], ["system", "member.ban", carol.account, 0]);
    assert.match(detail, new RegExp(`${group.id}.*${bob.account}, who is no admin`));
    const ban = hers.store.conversationBans.get(group.id, carol.account);
    assert.deepEqual([ban?.by, ban?.held, ban?.expires], ["system", false, null]);
    assert.match(ban?.reason ?? "", new RegExp(`${bob.account}, who is no admin; only admins invite`));
    const head = group.head;
    await moderation.onMembers(group);
    assert.equal(group.head, head);
    await groups.invite(group, carol.account);
    await moderation.onMembers(group);
    assert.equal(roleIn(group, carol), "invited");
  }));

Deno.test("modes: whom a member invited while nothing was enforced is banned at the next look, unless the admin approved", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, moderation } = scene(hers, alice, false);
    const group = await groups.create(Mode.adminInvitesOnly);
    await groups.invite(group, bob.account);
    const bobs = await joins(his, group);
    const [approved, other] = ["1", "2"].map((digit) => ({ account: digit.repeat(40) }));
    for (const { account } of [approved, other]) await bobs.write((context) => invite(context, account));
    await bring(bobs, group);
    await moderation.onMembers(group);
    assert.deepEqual([roleIn(group, approved), roleIn(group, other)], ["invited", "invited"]);
    await groups.invite(group, approved.account);
    await scene(hers).moderation.onMembers(group);
    assert.deepEqual([roleIn(group, approved), roleIn(group, other)], ["invited", "banned"]);
  }));

Deno.test("modes: an approval ends when the approved leaves: a member's new invitation is undone", () =>
  withPlaces([alice, bob, carol], async (hers, his, carols) => {
    const { groups, moderation } = scene(hers, alice);
    const group = await groups.create(Mode.adminInvitesOnly);
    await groups.invite(group, bob.account);
    const bobs = await joins(his, group);
    await bobs.write((context) => invite(context, carol.account));
    await bring(bobs, group);
    await groups.invite(group, carol.account);
    const hersToo = await joins(carols, group);
    await moderation.onMembers(group);
    assert.equal(roleIn(group, carol), "member");
    await hersToo.write(leave);
    for (const one of [group, bobs]) await bring(hersToo, one);
    await bobs.write((context) => invite(context, carol.account));
    await bring(bobs, group);
    await moderation.onMembers(group);
    assert.equal(roleIn(group, carol), "banned");
  }));

Deno.test("modes: in others a member's invitation stays, and only the admin of the group undoes", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, moderation } = scene(hers);
    for (const mode of [Mode.invitesOnly, Mode.adminInvitesOnly]) {
      const group = await groups.create(mode);
      await groups.invite(group, bob.account);
      const bobs = await joins(his, group);
      await bobs.write((context) => invite(context, carol.account));
      await scene(his, bob).moderation.onMembers(bobs);
      assert.equal(roleIn(bobs, carol), "invited");
      if (mode !== Mode.invitesOnly) continue;
      await bring(bobs, group);
      await moderation.onMembers(group);
      assert.equal(roleIn(group, carol), "invited");
    }
  }));

Deno.test("modes: who asks is invited into a public group, at a bounded rate; not the banned, not elsewhere", () =>
  withPlaces([alice], async (place) => {
    const { groups, moderation } = scene(place);
    const group = await groups.create(Mode.public);
    await moderation.onRequest(group, bob.account);
    assert.equal(roleIn(group, bob), "invited");
    await groups.ban(group, bob.account, "");
    await moderation.onRequest(group, bob.account);
    assert.equal(roleIn(group, bob), "banned");
    const crowd = Array.from({ length: PUBLIC_JOIN_BURST + 10 }, (_, i) => `${i + 1}`.padStart(40, "0"));
    for (const account of crowd) await moderation.onRequest(group, account);
    assert.equal(crowd.filter((account) => group.isMember(account)).length, PUBLIC_JOIN_BURST - 1);
    const asked = place.store.audit.list({ action: "member.invite" }, 100);
    assert.equal(asked.length, PUBLIC_JOIN_BURST);
    const closed = await groups.create(Mode.invitesOnly);
    await moderation.onRequest(closed, carol.account);
    assert.equal(closed.isMember(carol.account), false);
    const another = await groups.create(Mode.public);
    await scene(place, alice, false).moderation.onRequest(another, carol.account);
    assert.equal(another.isMember(carol.account), false);
  }));

Deno.test("modes: a plain member too invites who asks into a public group", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups } = scene(hers);
    const group = await groups.create(Mode.public);
    await groups.invite(group, bob.account);
    const bobs = await joins(his, group);
    await scene(his, bob).moderation.onRequest(bobs, carol.account);
    assert.equal(roleIn(bobs, carol), "invited");
  }));

const refused = (fault: LinkFault) => (error: unknown) => error instanceof LinkRefused && error.fault === fault;
const stranger = (n: number) => `${n}`.padStart(40, "0");

Deno.test("join links: who has it is invited, so many times, until it ends; nobody twice, no banned one", () =>
  withPlaces([alice], async (place) => {
    const { groups, links, owed } = scene(place);
    const { clock, store } = place;
    const group = await groups.create(Mode.invitesOnly);
    const secret = links.create(group, { expires: clock.now() + 60_000, maxUses: 3 });
    assert.equal(links.target(secret), group);
    assert.ok(!JSON.stringify(store.joinLinks.get(group.id)).includes(secret));
    // at the same time: one use
    const twice = await Promise.all([1, 2].map(() => links.join(secret, bob.account, "192.0.2.1")));
    assert.deepEqual([twice, roleIn(group, bob), owed.owes(group.id, bob.account)], [
      ["invited", "invited"],
      "invited",
      true,
    ]);
    assert.equal(store.joinLinks.get(group.id)?.uses, 1);
    const [{ actor, address, target }, ...more] = store.audit.list({ action: "member.invite" }, 10);
    assert.deepEqual([actor, address, target, more.length], ["system", "192.0.2.1", bob.account, 0]);
    await assert.rejects(links.join(secret, alice.account, ""), refused("own account"));
    await groups.ban(group, bob.account, "");
    await assert.rejects(links.join(secret, bob.account, ""), refused("banned"));
    await links.join(secret, stranger(1), "");
    await links.join(secret, stranger(2), "");
    await assert.rejects(links.join(secret, stranger(3), ""), refused("no link"));
    assert.equal(await links.join(secret, stranger(1), ""), "invited", "who is invited needs no further use");
    await clock.advance(60_000);
    await assert.rejects(links.join(secret, stranger(1), ""), refused("no link"));
    assert.throws(() => links.target(secret), refused("no link"));
  }));

Deno.test("join links: a new one ends the old one; revoked, or left behind, it leads nowhere; none without a group", () =>
  withPlaces([alice, bob], async (hers, his) => {
    const { groups, links } = scene(hers);
    const terms = { expires: NOW + 1e9, maxUses: 10 };
    const group = await groups.create(Mode.adminInvitesOnly);
    const old = links.create(group, terms);
    const secret = links.create(group, terms);
    assert.throws(() => links.target(old), refused("no link"));
    assert.equal(await links.join(secret, bob.account, ""), "invited");
    const bobs = await joins(his, group);
    assert.equal(await links.join(secret, bob.account, ""), "member");
    assert.throws(() => scene(his, bob).links.create(bobs, terms), WriteRefused);
    hers.store.joinLinks.delete(group.id);
    assert.throws(() => links.target(secret), refused("no link"));
    assert.throws(() => links.target(""), refused("no link"));
    const left = await groups.create(Mode.public);
    const leftSecret = links.create(left, terms);
    await groups.leave(left.id);
    assert.throws(() => links.target(leftSecret), refused("no link"));
    const oneToOne = opened(hers, await hers.conversations.oneToOne(carol.account));
    assert.throws(() => links.create(oneToOne, terms), NoGroup);
  }));

Deno.test("join links: at a bounded rate, and only so many at a time who have not come", () =>
  withPlaces([alice], async (place) => {
    const { groups, links, moderation } = scene(place);
    const group = await groups.create(Mode.public);
    const secret = links.create(group, { expires: NOW + 1e9, maxUses: 1_000 });
    let n = 0;
    for (; n < LINK_BURST; n++) await links.join(secret, stranger(n + 1), "");
    await assert.rejects(links.join(secret, stranger(n + 1), ""), refused("busy"));
    for (; n < MAX_PENDING_INVITED; n++) await groups.invite(group, stranger(n + 1));
    await place.clock.advance(60_000);
    await assert.rejects(links.join(secret, stranger(n + 1), ""), refused("busy"));
    await moderation.onRequest(group, stranger(n + 1));
    assert.equal(group.isMember(stranger(n + 1)), false);
    assert.equal(place.store.joinLinks.get(group.id)?.uses, LINK_BURST);
    await groups.ban(group, stranger(1), "");
    assert.equal(await links.join(secret, stranger(n + 1), ""), "invited");
  }));

Deno.test("join links: an invited one is not sent the invitation without end", () =>
  withPlaces([alice], async (place) => {
    const { groups, links, online, sent } = scene(place);
    const group = await groups.create(Mode.public);
    const secret = links.create(group, { expires: NOW + 1e9, maxUses: 10 });
    online.add(bob.account);
    for (let times = 0; times < 6; times++) assert.equal(await links.join(secret, bob.account, ""), "invited");
    await until("they are sent", () => sent.length >= 3);
    assert.equal(sent.length, 3);
  }));
