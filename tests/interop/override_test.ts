/** What Kituo's admin decides where rules and daemons disagree, with real daemons: a refused history accepted, and votes of two admins. */

import assert from "node:assert/strict";
import { Certificate } from "../../core/identity/certificate.ts";
import { PrivateKey } from "../../core/identity/keys.ts";
import { loadIdentity } from "../../core/identity/storage.ts";
import { jsonMessage } from "../../core/swarm/commit.ts";
import { readCommit } from "../../core/swarm/conversation_facts.ts";
import { treesOf } from "../../core/swarm/members.ts";
import { writeOverrides } from "../../core/swarm/override_file.ts";
import { Repository } from "../../core/swarm/repository.ts";
import { type FileEdits } from "../../core/swarm/tree_edit.ts";
import { writeCommit, type Writer } from "../../core/swarm/write.ts";
import { DaemonTimeout, type JamiDaemon, people } from "./driver/daemon.ts";
import { assertClean, assertSound, errorsOf, repositoryOf } from "./driver/evidence.ts";
import { ApiError, type KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { type ApiMessage, readyKituo, waitKituoMembers, waitKituoTexts } from "./driver/scenario.ts";

const RELINK = 90_000; // ms: jamid waits up to 32 s for a dead connection, and then for a reason to connect
const RACES = 20; // joins until one goes wrong: every second one does, one way or another
const RACE_TIME = 10_000; // ms until a join has come to Kituo, or does not come at all
const STRANGER = "c".repeat(40); // invited, never there

interface Refused {
  commit: string;
  reason: string;
  detail: string;
  author: string;
  overridable: boolean;
  refusedBy: string;
}

interface Detail {
  members: { jamiId: string; role: string }[];
  votes: { kind: string; target: string; votes: string[]; needed: number }[];
}

interopTest(
  "a text that takes a file along: refused, shown, accepted, and everybody talks on",
  async () => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network);
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    const conversation = await groupOf(kituo, alice);
    const path = `/conversations/${conversation}`;
    await kituo.api("POST", `${path}/members`, { jamiId: STRANGER });
    await alice.waitMember(conversation, STRANGER, ["invited"]);
    await alice.stop();
    const commit = await byHand(await Repository.open(alice.repoPath(conversation)), await writerOf(alice), {
      message: jsonMessage({ type: "text/plain", body: "odd" }),
      edits: () => Promise.resolve(new Map([[`invited/${STRANGER}`, null]])),
    });
    await alice.git(conversation, "reset", "-q", "--hard");
    await alice.start();
    await alice.send(conversation, "on top of it");

    const refused = async () => (await kituo.api<{ refused: Refused[] }>("GET", `${path}/refused`)).refused;
    const [shown] = await kituo.until("the refusal", async () => {
      const all = await refused();
      return all.length > 0 && all;
    }, RELINK);
    assert.deepEqual([shown.commit, shown.author, shown.overridable], [commit, alice.uri, true]);
    assert.deepEqual([shown.reason, shown.detail], ["Malformed commit", `not allowed: invited/${STRANGER}`]);
    await assertSound(kituo, conversation); // nothing of it is in the repository

    // Kituo has to make do with what it kept. (And a fetch of 2023's daemon that a kill of its peer cuts off may hang until its own restart.)
    await alice.stop();
    await kituo.kill();
    await kituo.start();
    await kituo.waitReady();
    assert.deepEqual((await refused()).map(({ commit }) => commit), [commit]);
    await kituo.api("POST", `${path}/refused/${commit}/override`, { reason: "harmless" });
    await waitKituoTexts(kituo, conversation, ["odd", "on top of it"]);
    assert.deepEqual(await refused(), []);
    await assert.rejects(
      kituo.api("POST", `${path}/refused/${commit}/override`, { reason: "again" }),
      (error) => error instanceof ApiError && error.status === 404,
    );
    const { members } = await kituo.api<Detail>("GET", path);
    assert(!members.some(({ jamiId }) => jamiId === STRANGER), "the members are those of its tree");
    await alice.start();
    await talk(kituo, conversation, alice);
    await assertSound(kituo, conversation); // `deno task verify` knows the override
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

interopTest(
  "a text that a daemon writes during its own join: all refuse it, the admin may accept it, and knows who then parts",
  async () => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network);
    const [alice, bob] = await people(network, "alice", "bob");
    await using _alice = alice, _bob = bob;
    const { conversation, commit } = await joinRace(kituo, alice, bob);
    const path = `/conversations/${conversation}`;
    const [shown] = (await kituo.api<{ refused: Refused[] }>("GET", `${path}/refused`)).refused;
    assert.deepEqual([shown.commit, shown.author, shown.overridable], [commit, alice.uri, true]);
    assert.deepEqual([shown.reason, shown.detail], ["Malformed commit", `not allowed: invited/${alice.uri}`]);
    assert.equal(shown.refusedBy, "all");

    // the join itself may stand on top of it, and be no proper one any more: commit by commit
    await kituo.until("nothing refused", async () => {
      const [first] = (await kituo.api<{ refused: Refused[] }>("GET", `${path}/refused`)).refused;
      if (!first) return true;
      await kituo.api("POST", `${path}/refused/${first.commit}/override`, { reason: "only the two of us matter" });
    });
    await waitKituoTexts(kituo, conversation, ["said while joining"]);
    await waitKituoMembers(kituo, conversation, [alice.uri]);
    await talk(kituo, conversation, alice);
    await kituo.api("POST", `${path}/messages`, { body: "Bob does not get this" });
    await alice.waitText(conversation, "Bob does not get this");
    await bob.send(conversation, "but he is heard");
    await waitKituoTexts(kituo, conversation, ["but he is heard"]);
    // Bob's daemon refuses it, too, when it is told (it does not always say so), and so never has what stands on top
    const heard = (await bob.history(conversation)).map(({ body }) => body);
    assert.deepEqual(heard.filter((body) => /joining|does not get/.test(body)), []);
    await assertSound(kituo, conversation);
    assert.deepEqual(await errorsOf(kituo), []);
  },
);

interopTest("two admins, Kituo and a daemon: each vote alone waits for the other's, whoever begins", async (t) => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  const conversation = await groupOf(kituo, alice, bob);
  await makeAdmin(kituo, conversation, alice);
  for (const daemon of [alice, bob]) {
    await daemon.until("the second admin", async () => {
      const files = await daemon.git(conversation, "ls-tree", "-r", "--name-only", "HEAD");
      return files.includes(`admins/${alice.uri}.crt`);
    }, RELINK);
  }
  await alice.stop(); // the list of members that it keeps is made anew only at a `member` commit, and at a start
  await alice.start();
  await alice.waitMember(conversation, alice.uri, ["admin"]);
  const path = `/conversations/${conversation}`;
  const votes = async () => (await kituo.api<Detail>("GET", path)).votes;
  const roleOfBob = async () =>
    (await kituo.api<Detail>("GET", path)).members.find(({ jamiId }) => jamiId === bob.uri)?.role;

  await t.step("Kituo votes first: the ban comes with the daemon's vote", async () => {
    await kituo.api("DELETE", `${path}/members/${bob.uri}`);
    assert.deepEqual(await votes(), [{ kind: "ban", target: bob.uri, votes: [kituo.jamiId], needed: 2 }]);
    await alice.until("Kituo's vote", async () => {
      const files = await alice.git(conversation, "ls-tree", "-r", "--name-only", "HEAD");
      return files.includes(`votes/ban/members/${bob.uri}/${kituo.jamiId}`);
    });
    assert.equal(await roleOfBob(), "member");
    await alice.ban(conversation, bob.uri);
    await kituo.until("the ban", async () => await roleOfBob() === "banned");
    await alice.waitMember(conversation, bob.uri, ["banned"]);
    assert.deepEqual(await votes(), []);
  });

  await t.step("the daemon votes first: its vote is shown, and Kituo's decides", async () => {
    await alice.unban(conversation, bob.uri);
    await kituo.until("her vote", async () => (await votes()).length > 0);
    assert.deepEqual(await votes(), [{ kind: "unban", target: bob.uri, votes: [alice.uri], needed: 2 }]);
    assert.equal(await roleOfBob(), "banned", "Kituo adds no vote by itself");
    await kituo.api("POST", `${path}/members/${bob.uri}/unban`);
    assert.equal(await roleOfBob(), "member");
    await alice.waitMember(conversation, bob.uri);
  });

  await talk(kituo, conversation, alice);
  await assertClean(kituo, conversation);
  assert.deepEqual(await errorsOf(kituo), []);
});

/** A group of Kituo's with these daemons in it. */
async function groupOf(kituo: KituoProcess, ...daemons: JamiDaemon[]): Promise<string> {
  const { id } = await kituo.api<{ id: string }>("POST", "/conversations", { mode: "invites-only" });
  for (const daemon of daemons) {
    await kituo.api("POST", `/conversations/${id}/members`, { jamiId: daemon.uri });
    await daemon.acceptGroup(id);
    await waitKituoMembers(kituo, id, [daemon.uri]);
  }
  for (const daemon of daemons) {
    for (const { uri } of [...daemons, { uri: kituo.jamiId }]) await daemon.waitMember(id, uri);
  }
  await talk(kituo, id, ...daemons);
  return id;
}

/**
 * Makes Alice's daemon speak in the moment in which it joins, in one group of Kituo's and Bob's after the other, until it has written the text on the commit
 * before, with the join's files in it. The moment: its own certificate has come into its work tree, and is not committed yet. A join that goes well ends
 * a try; so does one that goes wrong in another way: the daemon may also lose the text, or keep to itself what it wrote.
 */
async function joinRace(
  kituo: KituoProcess,
  alice: JamiDaemon,
  bob: JamiDaemon,
): Promise<{ conversation: string; commit: string }> {
  for (let tries = 0; tries < RACES; tries++) {
    const conversation = await groupOf(kituo, bob);
    await kituo.api("POST", `/conversations/${conversation}/members`, { jamiId: alice.uri });
    await bob.waitMember(conversation, alice.uri, ["invited"]);
    await alice.acceptGroup(conversation);
    await appears(`${alice.repoPath(conversation)}/members/${alice.uri}.crt`);
    alice.freeze();
    const said = alice.send(conversation, "said while joining"); // waits on her bus
    alice.thaw();
    await said;
    const refused = await refusedOrTaken(kituo, conversation, alice);
    if (refused && await isSpokenWithAllFiles(alice, conversation, refused)) return { conversation, commit: refused };
  }
  throw new Error(`the daemon came through ${RACES} joins`);
}

/** What became of a join: the commit that Kituo refused, or null when it took the join, or nothing came in time. */
async function refusedOrTaken(kituo: KituoProcess, conversation: string, alice: JamiDaemon): Promise<string | null> {
  const path = `/conversations/${conversation}`;
  const outcome = async () => {
    const { refused: [first] } = await kituo.api<{ refused: Refused[] }>("GET", `${path}/refused`);
    if (first) return { commit: first.commit };
    const { members } = await kituo.api<Detail>("GET", path);
    return members.some(({ jamiId, role }) => jamiId === alice.uri && role === "member") && { commit: null };
  };
  try {
    return (await kituo.until("her join", outcome, RACE_TIME)).commit;
  } catch (error) {
    if (error instanceof DaemonTimeout) return null;
    throw error;
  }
}

/** Is it the text, with all files of her join? Without her device's certificate nobody can say who wrote it, without the member's not for whom. */
async function isSpokenWithAllFiles(alice: JamiDaemon, conversation: string, commit: string): Promise<boolean> {
  const content = await alice.git(conversation, "cat-file", "commit", commit);
  const files = (await alice.git(conversation, "ls-tree", "-r", "--name-only", commit)).split("\n");
  return content.includes("said while joining") && !files.includes(`invited/${alice.uri}`) &&
    [`devices/${alice.device}.crt`, `members/${alice.uri}.crt`].every((file) => files.includes(file));
}

/** Until a file is there: looked for without a pause, for the moment is short. */
async function appears(path: string): Promise<void> {
  for (const end = performance.now() + RELINK; performance.now() < end;) {
    for (let looks = 0; looks < 200; looks++) {
      try {
        return void Deno.statSync(path);
      } catch {
        // not yet
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  throw new Error(`no ${path}`);
}

let round = 0;

/** Kituo and each daemon say something, and the others hear it. */
async function talk(kituo: KituoProcess, conversation: string, ...daemons: JamiDaemon[]): Promise<void> {
  const text = `round ${++round}`;
  const marks = daemons.map((daemon) => daemon.mark());
  await kituo.api("POST", `/conversations/${conversation}/messages`, { body: text });
  for (const [i, daemon] of daemons.entries()) {
    await daemon.waitText(conversation, text, { timeout: RELINK, since: marks[i] });
    await daemon.send(conversation, `${text}: ${daemon.name}`);
    await waitKituoTexts(kituo, conversation, [`${text}: ${daemon.name}`]);
  }
}

/** A daemon's device, as its files have it. */
async function writerOf(daemon: JamiDaemon): Promise<Writer> {
  const folder = `${daemon.home}/data/jami/${daemon.account}`;
  const key = PrivateKey.fromPem(await Deno.readTextFile(`${folder}/ring_device.key`));
  const chain = Certificate.listFromPem(await Deno.readTextFile(`${folder}/ring_device.crt`));
  return { account: daemon.uri, device: daemon.device, key, chain };
}

/** Writes a commit into the repository of a program that is stopped; its id. */
async function byHand(
  repository: Repository,
  identity: Writer,
  { message, edits }: { message: string; edits: (repository: Repository, head: string) => Promise<FileEdits> },
): Promise<string> {
  const head = await repository.head() ?? assert.fail("an empty repository");
  const context = { reader: repository, head, identity, displayName: "by hand", now: Date.now() };
  const made = await edits(repository, head);
  const written = await writeCommit(context, { message, edits: made, certificates: "none" });
  await repository.add(written.objects);
  await repository.setHead(written.head);
  await repository.close();
  return written.head;
}

/** Only an edit that changes files, which 2023's daemons accept, makes a second admin. Kituo's own repository gets it, with its admin's consent. */
async function makeAdmin(kituo: KituoProcess, conversation: string, daemon: JamiDaemon): Promise<void> {
  const path = `/conversations/${conversation}/messages`;
  const { id: edit } = await kituo.api<ApiMessage>("POST", path, { body: "to be edited" });
  await daemon.waitText(conversation, "to be edited");
  await kituo.stop();
  const repository = await Repository.open(repositoryOf(kituo, conversation));
  const commit = await byHand(repository, await loadIdentity(`${kituo.data}/identity`, Date.now()), {
    message: jsonMessage({ type: "application/edited-message", body: "edited", edit }),
    edits: async (reader, head) => {
      const { tree } = await readCommit(reader, head);
      const file = await treesOf(reader).file(tree, `members/${daemon.uri}.crt`);
      return new Map([[`members/${daemon.uri}.crt`, null], [`admins/${daemon.uri}.crt`, file]]);
    },
  });
  const note = { commit, violated: "Edit commit changes files of others", reason: "a second admin", at: Date.now() };
  await writeOverrides(repositoryOf(kituo, conversation), [note]);
  await kituo.start();
  await kituo.waitReady();
}
