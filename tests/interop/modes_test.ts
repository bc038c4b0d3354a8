/**
 * The modes of conversations (swarm-repository.md 3): each made by Kituo and by daemons, joined, used, left; and what Kituo does where daemons do not keep a mode's
 * promise. 2023's daemon makes modes 0 and 2 only: the others are made by the test peer of today's generation.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { Audit } from "../../core/store/audit.ts";
import { type JamiDaemon, people } from "./driver/daemon.ts";
import { assertSound, errorsOf } from "./driver/evidence.ts";
import { ApiError, type KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { acceptRequest, readyKituo, waitKituoMembers, waitKituoTexts } from "./driver/scenario.ts";
import { TodayPeer } from "./driver/today_peer.ts";

const SILENCE = 3_000; // ms in which a message that must not come would have come
const QUIET = ["--log-level", "debug", "--offer-contact", "false"];

interopTest("admin-invites-only: Kituo bans whom a plain member invites, until it invites him itself", async (t) => {
  await using network = await Network.up();
  await using kituo = await openNode(network, "kituo", ...QUIET);
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const conversation = await makeGroup(kituo, { mode: "admin-invites-only", title: "Baraza" });

  await t.step("a plain member's invitation is undone: her daemon sees it, the audit trail says why", async () => {
    await inviteAndJoin(kituo, conversation, alice);
    await alice.invite(conversation, bob.uri);
    await alice.waitMember(conversation, bob.uri, ["banned"]);
    assert.equal(await roleOf(kituo, conversation, bob.uri), "banned");
    using database = new DatabaseSync(`${kituo.data}/kituo.db`, { readOnly: true });
    const [{ actor, detail }] = new Audit(database).list({ action: "member.ban", target: bob.uri }, 1);
    assert.equal(actor, "system");
    assert.match(detail, new RegExp(`${alice.uri}, who is no admin`));
  });

  await t.step("he accepts what she sent, but Kituo declines his channel", async () => {
    await believeInvitedBy(kituo, bob, alice, conversation);
    await kituo.until("the refusal", async () => await declines(kituo, bob, conversation) > 0);
    assert.equal(await roleOf(kituo, conversation, bob.uri), "banned");
  });

  await t.step("invited by Kituo he is un-banned, gets in, and all talk", async () => {
    const members = `/conversations/${conversation}/members`;
    assert.equal((await kituo.api<{ role: string }>("POST", members, { jamiId: bob.uri })).role, "invited");
    await alice.waitMember(conversation, bob.uri, ["invited", "member"]);
    await bob.until("the conversation or the invitation", async () => {
      if ((await bob.conversationRequests()).some(({ id }) => id === conversation)) await bob.acceptGroup(conversation);
      return (await bob.members(conversation))[bob.uri] === "member";
    });
    await waitKituoMembers(kituo, conversation, [alice.uri, bob.uri]);
    await talk(kituo, conversation, alice, bob);
  });

  await t.step("a member leaves, the others go on; then Kituo leaves", async () => {
    await leaves(kituo, conversation, bob);
    await talk(kituo, conversation, alice);
    await kituoLeaves(kituo, conversation, alice);
  });

  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("admin-invites-only with --enforce-modes false: a plain member's invitation stands", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", ...QUIET, "--enforce-modes", "false");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const conversation = await makeGroup(kituo, { mode: "admin-invites-only" });
  await inviteAndJoin(kituo, conversation, alice);
  await alice.invite(conversation, bob.uri);
  await bob.acceptGroup(conversation);
  await waitKituoMembers(kituo, conversation, [alice.uri, bob.uri]);
  await talk(kituo, conversation, alice, bob);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("public: who asks Kituo gets in, by a message or a join link; a banned one does not", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", ...QUIET);
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const conversation = await makeGroup(kituo, { mode: "public", title: "Soko <la> wote" });
  const group = `/conversations/${conversation}`;
  const asks = (daemon: JamiDaemon) =>
    daemon.call("ConfigurationManager", "sendTextMessage", daemon.account, kituo.jamiId, {
      "application/invite": conversation,
    });

  await t.step("a daemon asks for an invitation with the message that daemons have for that", async () => {
    await asks(bob);
    await bob.acceptGroup(conversation);
    await waitKituoMembers(kituo, conversation, [bob.uri]);
    await talk(kituo, conversation, bob);
  });

  await t.step("a person opens the join link, gives a Jami ID, and finds the invitation in Jami", async () => {
    const { path } = await kituo.api<{ path: string }>("POST", `${group}/join-link`, { maxUses: 1 });
    const page = await kituo.request("GET", path);
    assert.equal(page.status, 200);
    assert.ok(page.text.includes("Soko &lt;la&gt; wote") && page.text.includes(kituo.jamiId));
    const joins = (jamiId: string) => kituo.request("POST", path, { jamiId });
    const answer = await joins(`jami:${alice.uri}`);
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { result: "invited", inviter: kituo.jamiId }]);
    await alice.acceptGroup(conversation);
    await waitKituoMembers(kituo, conversation, [alice.uri]);
    assert.equal(JSON.parse((await joins(alice.uri)).text).result, "member");
    assert.equal((await joins("1".repeat(40))).status, 404, "it was for one");
    await kituo.api("DELETE", `${group}/join-link`);
    assert.equal((await kituo.request("GET", path)).status, 404);
    await talk(kituo, conversation, alice, bob);
  });

  await t.step("who left may come again; who was banned may not", async () => {
    await leaves(kituo, conversation, bob);
    await asks(bob);
    await kituo.until("his invitation", async () => await roleOf(kituo, conversation, bob.uri) === "invited");
    await kituo.api("DELETE", `${group}/members/${bob.uri}?reason=test`);
    await asks(bob);
    const { path } = await kituo.api<{ path: string }>("POST", `${group}/join-link`, {});
    assert.equal((await kituo.request("POST", path, { jamiId: bob.uri })).status, 403);
    await talk(kituo, conversation, alice);
    assert.equal(await roleOf(kituo, conversation, bob.uri), "banned");
  });

  await t.step("Kituo leaves, and its link with it", async () => {
    const { path } = await kituo.api<{ path: string }>("POST", `${group}/join-link`, {});
    await kituoLeaves(kituo, conversation, alice);
    assert.equal((await kituo.request("GET", path)).status, 404);
  });

  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("one-to-one: nobody else gets in, and it ends with the contact", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--log-level", "debug");
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  await kituo.api("POST", "/contacts", { jamiId: alice.uri });
  await alice.acceptContact(kituo.jamiId);
  const conversation = await alice.conversationWith(kituo.jamiId);
  await waitKituoMembers(kituo, conversation, [alice.uri]);
  const path = `/conversations/${conversation}`;
  await talk(kituo, conversation, alice);

  await t.step("neither of the two can add anybody, and it is not left as a group", async () => {
    await rejects(kituo.api("POST", `${path}/members`, { jamiId: bob.uri }), 409);
    await rejects(kituo.api("POST", `${path}/join-link`, {}), 409);
    await rejects(kituo.api("POST", `${path}/leave`), 409);
    await alice.invite(conversation, bob.uri);
    await talk(kituo, conversation, alice);
    assert.equal(await roleOf(kituo, conversation, bob.uri), undefined);
  });

  await t.step("without the contact it is over: nothing more comes in", async () => {
    await kituo.api("DELETE", `/contacts/${alice.uri}`);
    assert.equal((await kituo.api<{ state: string }>("GET", path)).state, "left");
    const since = alice.mark();
    await alice.send(conversation, "anybody there?");
    await alice.waitText(conversation, "anybody there?", { since });
    await new Promise((resolve) => setTimeout(resolve, SILENCE));
    assert.equal((await kituo.api<{ state: string }>("GET", path)).state, "left");
  });

  await t.step("added again the two go on in it, with what was said meanwhile", async () => {
    await kituo.api("POST", "/contacts", { jamiId: alice.uri });
    await kituo.until("the conversation", async () => {
      return (await kituo.api<{ state: string }>("GET", path)).state === "active";
    });
    await waitKituoTexts(kituo, conversation, ["anybody there?"]);
    // while nobody answered it, a daemon of 2023 waits a minute with its next notification
    await alice.stop();
    await alice.start();
    await talk(kituo, conversation, alice);
  });

  await assertSound(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest("groups of each mode made by a peer of today: Kituo joins, relays to a 2023 daemon, leaves", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network, "kituo", "--log-level", "debug");
  const anna = await TodayPeer.createAccount(network, "anna", { neighbours: [kituo.host] });
  await using _anna = anna;
  await anna.waitAnnounced();
  const [dave] = await people(network, "dave");
  await using _dave = dave;
  await anna.addContact(kituo.jamiId);
  await acceptRequest(kituo, anna.uri);

  for (const mode of [1, 2, 3]) {
    await t.step(`mode ${mode}: created, invited, joined, talked, left`, async () => {
      const conversation = await anna.startGroup(mode);
      await anna.invite(conversation, kituo.jamiId);
      await acceptRequest(kituo, conversation);
      await anna.waitMember(conversation, kituo.jamiId);
      const invited = kituo.api("POST", `/conversations/${conversation}/members`, { jamiId: "1".repeat(40) });
      if (mode === 1) await rejects(invited, 403); // Kituo is a plain member there, and keeps to the mode
      else await invited;
      await anna.invite(conversation, dave.uri);
      await dave.acceptGroup(conversation);
      await waitKituoMembers(kituo, conversation, [anna.uri, dave.uri]);
      await anna.waitMember(conversation, dave.uri);
      await passes(anna, dave, kituo, conversation);
      if (mode === 1) {
        // a member's invitation stands where the admin's daemon lets it stand: Kituo only follows
        await dave.invite(conversation, "2".repeat(40));
        await kituo.until("the invited", async () => await roleOf(kituo, conversation, "2".repeat(40)) === "invited");
      }
      await leaves(kituo, conversation, dave);
      await anna.until("Dave's leaving", async () => !(await anna.members(conversation))[dave.uri]);
      await kituo.api("POST", `/conversations/${conversation}/leave`);
      await anna.until("Kituo's leaving", async () => !(await anna.members(conversation))[kituo.jamiId]);
      await assertSound(kituo, conversation);
    });
  }

  await t.step("mode 0: left by the peer, with the commit that today's daemons write", async () => {
    const conversation = await anna.conversationWith(kituo.jamiId);
    await anna.waitMember(conversation, kituo.jamiId);
    await anna.leave(conversation);
    await kituo.until("her leaving", async () => await roleOf(kituo, conversation, anna.uri) === "left");
    await assertSound(kituo, conversation);
  });

  assert.deepEqual(await errorsOf(kituo), []);
});

interopTest(
  "public: a peer of today asks with a contact request that names the group, or comes by a link",
  async (t) => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network, "kituo", "--log-level", "debug");
    const peers: TodayPeer[] = [];
    for (const name of ["anna", "ben"]) {
      const neighbours = [kituo.host, ...peers.map(({ host }) => host)];
      const peer = await TodayPeer.createAccount(network, name, { neighbours });
      await peer.waitAnnounced();
      peers.push(peer);
    }
    const [anna, ben] = peers;
    await using _anna = anna, _ben = ben;
    const conversation = await makeGroup(kituo, { mode: "public", title: "Soko" });
    const closed = await makeGroup(kituo, { mode: "invites-only", title: "Siri" });

    await t.step("the request gets her into the group, and is no request for a contact", async () => {
      await anna.askForGroup(kituo.jamiId, conversation);
      await anna.acceptGroup(conversation);
      await waitKituoMembers(kituo, conversation, [anna.uri]);
      await anna.post(conversation, "karibu?");
      await waitKituoTexts(kituo, conversation, ["karibu?"]);
      assert.deepEqual((await kituo.api<{ requests: unknown[] }>("GET", "/requests")).requests, []);
    });

    await t.step("a stranger who comes by a link accepts Kituo as a contact first, then the invitation", async () => {
      const { path } = await kituo.api<{ path: string }>("POST", `/conversations/${closed}/join-link`, {});
      assert.equal((await kituo.request("POST", path, { jamiId: ben.uri })).status, 200);
      await ben.acceptContact(kituo.jamiId);
      await ben.acceptGroup(closed);
      await waitKituoMembers(kituo, closed, [ben.uri]);
      await say(kituo, closed, "umefika");
      await ben.waitText(closed, "umefika");
    });

    await t.step("a group that is not public is not opened by a request", async () => {
      await anna.removeContact(kituo.jamiId);
      await anna.askForGroup(kituo.jamiId, closed);
      await ben.post(closed, "siri");
      await waitKituoTexts(kituo, closed, ["siri"]);
      await new Promise((resolve) => setTimeout(resolve, SILENCE));
      assert.equal(await roleOf(kituo, closed, anna.uri), undefined);
      assert.deepEqual((await kituo.api<{ requests: unknown[] }>("GET", "/requests")).requests, []);
    });

    for (const id of [conversation, closed]) await assertSound(kituo, id);
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

async function makeGroup(kituo: KituoProcess, group: Record<string, string>): Promise<string> {
  return (await kituo.api<{ id: string }>("POST", "/conversations", group)).id;
}

/** Kituo invites the daemon, which accepts. */
async function inviteAndJoin(kituo: KituoProcess, conversation: string, daemon: JamiDaemon): Promise<void> {
  await kituo.api("POST", `/conversations/${conversation}/members`, { jamiId: daemon.uri });
  await daemon.acceptGroup(conversation);
  await waitKituoMembers(kituo, conversation, [daemon.uri]);
}

async function say(kituo: KituoProcess, conversation: string, body: string): Promise<void> {
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body });
}

let said = 0;

/** Everybody says something, everybody else hears it. */
async function talk(kituo: KituoProcess, conversation: string, ...daemons: JamiDaemon[]): Promise<void> {
  const round = ++said;
  for (const daemon of daemons) {
    const text = `${round}: ${daemon.name}`;
    const marks = daemons.map((other) => other.mark());
    await daemon.send(conversation, text);
    await Promise.all(daemons.map((other, i) => other.waitText(conversation, text, { since: marks[i] })));
    await waitKituoTexts(kituo, conversation, [text]);
  }
  const marks = daemons.map((daemon) => daemon.mark());
  await say(kituo, conversation, `${round}: Kituo`);
  await Promise.all(daemons.map((daemon, i) => daemon.waitText(conversation, `${round}: Kituo`, { since: marks[i] })));
}

/** A text of each of the two reaches the other. */
async function passes(peer: TodayPeer, daemon: JamiDaemon, kituo: KituoProcess, conversation: string): Promise<void> {
  const [sinceDaemon, sincePeer] = [daemon.mark(), peer.mark()];
  await peer.post(conversation, "2026");
  await daemon.waitText(conversation, "2026", { since: sinceDaemon });
  await daemon.send(conversation, "2023");
  await peer.waitText(conversation, "2023", { since: sincePeer });
  await waitKituoTexts(kituo, conversation, ["2026", "2023"]);
}

/** The daemon leaves; Kituo sees it. */
async function leaves(kituo: KituoProcess, conversation: string, daemon: JamiDaemon): Promise<void> {
  await daemon.leave(conversation);
  await kituo.until("the leaving", async () => await roleOf(kituo, conversation, daemon.uri) === undefined);
}

/** Kituo leaves; the daemon sees it, and goes on alone. */
async function kituoLeaves(kituo: KituoProcess, conversation: string, daemon: JamiDaemon): Promise<void> {
  const path = `/conversations/${conversation}`;
  await kituo.api("POST", `${path}/leave`);
  await daemon.until("Kituo's leaving", async () => !(await daemon.members(conversation))[kituo.jamiId]);
  await kituo.until("the end", async () => (await kituo.api<{ state: string }>("GET", path)).state === "left");
  await rejects(say(kituo, conversation, "too late"), 409);
  const since = daemon.mark();
  await daemon.send(conversation, "without the node");
  await daemon.waitText(conversation, "without the node", { since });
}

/** The daemon has an invitation of the inviter's; it is made to believe that it is Kituo's, so that it clones there, and accepts. */
async function believeInvitedBy(
  kituo: KituoProcess,
  daemon: JamiDaemon,
  inviter: JamiDaemon,
  conversation: string,
): Promise<void> {
  await daemon.until("the invitation", async () => {
    return (await daemon.conversationRequests()).some(({ id }) => id === conversation);
  });
  await daemon.kill();
  const requests = `${daemon.home}/data/jami/${daemon.account}/convRequests`;
  const stored = Buffer.from(await Deno.readFile(requests)).toString("latin1");
  assert(stored.includes(inviter.uri));
  await Deno.writeFile(requests, Buffer.from(stored.replaceAll(inviter.uri, kituo.jamiId), "latin1"));
  await daemon.start();
  await daemon.waitRegistered();
  await daemon.acceptGroup(conversation);
}

/** How often Kituo declined the daemon's wish to fetch. */
async function declines(kituo: KituoProcess, daemon: JamiDaemon, conversation: string): Promise<number> {
  const fetching = new RegExp(`"name":"git://[0-9a-f]{64}/${conversation}"`);
  return (await kituo.logText()).split("\n")
    .filter((line) => line.includes("declined") && fetching.test(line) && line.includes(daemon.device)).length;
}

async function roleOf(kituo: KituoProcess, conversation: string, jamiId: string): Promise<string | undefined> {
  const path = `/conversations/${conversation}`;
  const { members } = await kituo.api<{ members: { jamiId: string; role: string }[] }>("GET", path);
  return members.find((member) => member.jamiId === jamiId)?.role;
}

async function rejects(request: Promise<unknown>, status: number): Promise<void> {
  await assert.rejects(request, (error) => error instanceof ApiError && error.status === status);
}
