/** What Kituo writes passes its own rules, git's, and what the specification says of each commit. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { historyNodes, nextStep } from "../../../core/swarm/ancestry.ts";
import { conversationFacts, readCommit } from "../../../core/swarm/conversation_facts.ts";
import { membersAt, type Role, treesOf } from "../../../core/swarm/members.ts";
import { parseProfile, writeProfile } from "../../../core/swarm/profile.ts";
import { changedFiles } from "../../../core/swarm/diff.ts";
import { blob, buildTree, type GitObject, type Oid } from "../../../core/swarm/object.ts";
import { editTree, file } from "../../../core/swarm/tree_edit.ts";
import {
  ban,
  createConversation,
  invite,
  join as joinConversation,
  leave,
  unban,
  updateProfile,
} from "../../../core/swarm/write_members.ts";
import { mergeHeads } from "../../../core/swarm/write_merge.ts";
import { writeEdit, writeMessage, writeReaction, writeText } from "../../../core/swarm/write_messages.ts";
import { writeCommit, WriteRefused, type Written } from "../../../core/swarm/write.ts";
import { buildCommit, jsonMessage, memberMessage } from "../../../core/swarm/commit.ts";
import { fsck, git, gitLines, withFolder } from "../../support/git_vectors.ts";
import { deviceOf, type Person, person, readBundle, refusal, Scene, verdicts } from "./support.ts";
import { text, utf8 } from "../../../core/base/bytes.ts";

const [alice, bob, carol] = await Promise.all([person(), person(), person()]);
const alice2 = await deviceOf(alice);

/** A group of alice (admin) and bob. */
async function group(): Promise<{ scene: Scene; id: Oid }> {
  const scene = new Scene();
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  await scene.put(invite(scene.as(alice), bob.account));
  await scene.put(joinConversation(scene.as(bob)));
  return { scene, id };
}

async function role(scene: Scene, who: Person): Promise<Role | undefined> {
  return (await membersAt(scene.reader, (await readCommit(scene.reader, scene.head)).tree)).roles.get(who.account);
}

async function changes(scene: Scene): Promise<string[]> {
  const { tree, parents } = await readCommit(scene.reader, scene.head);
  const before = (await readCommit(scene.reader, parents[0])).tree;
  const all = await changedFiles(treesOf(scene.reader), before, tree);
  return all.map(({ path, after }) => `${after === null ? "-" : "+"}${path}`).sort();
}

/** Puts all objects into a repository on disk: git and openssl must agree with us. */
async function checkWithGit(objects: Iterable<GitObject>, head: Oid): Promise<void> {
  await withFolder(async (folder) => {
    await git(folder, ["init", "-q", "--bare", "-b", "main", "."]);
    for (const { type, data, oid } of objects) {
      const [written] = text(await git(folder, ["hash-object", "-t", type, "-w", "--stdin"], data)).split("\n");
      assert.equal(written, oid);
    }
    await git(folder, ["update-ref", "refs/heads/main", head]);
    assert.deepEqual(await fsck(folder), []);
    for (const id of await gitLines(folder, "rev-list", "main")) {
      const raw = text(await git(folder, ["cat-file", "commit", id]));
      const value = /\nsignature (.*)\n/.exec(raw)?.[1] ?? "";
      const device = /^author .* <([0-9a-f]{64})> /m.exec(raw)?.[1] ?? "";
      const isRemoval = raw.includes('"action":"remove"');
      const pem = await git(folder, ["show", `${id}${isRemoval ? "^" : ""}:devices/${device}.crt`]);
      await Deno.writeFile(join(folder, "c.pem"), pem);
      await Deno.writeFile(join(folder, "s"), Uint8Array.fromBase64(value));
      await Deno.writeTextFile(join(folder, "p"), raw.replace(/\nsignature .*/, ""));
      const openssl = async (...args: string[]) => {
        const { code } = await new Deno.Command("openssl", { args, cwd: folder, stdout: "null", stderr: "null" })
          .output();
        assert.equal(code, 0, `openssl ${args[0]} on ${id}`);
      };
      const key = text(
        await new Deno.Command("openssl", { args: ["x509", "-in", "c.pem", "-pubkey", "-noout"], cwd: folder })
          .output().then(({ stdout }) => new Uint8Array(stdout)),
      );
      await Deno.writeTextFile(join(folder, "k.pem"), key);
      await openssl("dgst", "-sha512", "-verify", "k.pem", "-signature", "s", "p");
    }
  });
}

Deno.test("a whole life of a group: every kind of commit passes our rules, git fsck --strict and openssl", async () => {
  const { scene, id } = await group();
  assert.deepEqual(
    await changes(scene),
    [
      `+devices/${bob.device}.crt`,
      `+members/${bob.account}.crt`,
      `-invited/${bob.account}`,
    ].sort(),
  );
  const first = await scene.put(writeText(scene.as(bob), "héllo 👍"));
  assert.equal(
    (await readCommit(scene.reader, first)).message,
    '{"body":"h\\u00e9llo \\ud83d\\udc4d","type":"text/plain"}',
  );
  await scene.put(writeText(scene.as(alice), "yes", { replyTo: first }));
  const reaction = await scene.put(writeReaction(scene.as(alice), first, "👍"));
  await scene.put(writeEdit(scene.as(alice), reaction, ""));
  await scene.put(writeEdit(scene.as(bob), first, "hello"));
  await scene.put(
    writeMessage(scene.as(bob), { type: "application/call-history+json", to: alice.account, duration: "5" }),
  );
  await scene.put(updateProfile(scene.as(alice), { title: "Group", description: "of two" }));
  assert.deepEqual(await changes(scene), ["+profile.vcf"]);
  await scene.put(invite(scene.as(bob), carol.account));
  assert.equal(await role(scene, carol), "invited");
  for (const target of [carol, bob]) {
    const before = await role(scene, target);
    await scene.put(ban(scene.as(alice), target.account));
    assert.equal(await role(scene, target), "banned");
    await scene.put(unban(scene.as(alice), target.account));
    assert.equal(await role(scene, target), before);
  }
  await scene.put(writeText(scene.as(alice2), "from my other device"));
  assert.deepEqual(await changes(scene), [`+devices/${alice2.device}.crt`]);
  await scene.put(ban(scene.as(alice), bob.device));
  assert.equal(
    await refusal(scene.reader, (await scene.keep(writeRaw(scene, bob, "text/plain"))).head, id),
    "Invalid user",
  );
  // daemons refuse a vote that stands on the ban itself
  const vote = new Map([[`votes/unban/devices/${bob.device}/${alice.account}`, file(blob(new Uint8Array()).oid)]]);
  const plain = writeForced(scene, alice, vote, jsonMessage({ type: "vote", uri: bob.device }));
  assert.equal(await refusal(scene.reader, (await scene.keep(plain)).head, id), "Malformed vote");
  await scene.put(unban(scene.as(alice), bob.device));
  await scene.put(writeText(scene.as(bob), "bye"));
  await scene.put(leave(scene.as(bob)));
  assert.deepEqual(await changes(scene), [`-devices/${bob.device}.crt`, `-members/${bob.account}.crt`]);
  assert.equal(await role(scene, bob), undefined);
  const all = await verdicts(scene.reader, scene.head, id);
  assert.deepEqual(all.filter(({ valid }) => !valid), []);
  assert.ok(all.length > 20);
  await checkWithGit(scene.reader.objects.values(), scene.head);
});

/** A commit of a type, whatever our own writing would say. */
function writeRaw(scene: Scene, who: Person, type: string): Promise<Written> {
  return writeCommit(scene.as(who), { message: jsonMessage({ type, body: "" }), certificates: "none" }).catch(() =>
    writeForced(scene, who, new Map(), jsonMessage({ type, body: "" }))
  );
}

/** A signed commit with any files. */
async function writeForced(
  scene: Scene,
  who: Person,
  edits: Parameters<typeof editTree>[2],
  message: string,
  objects: GitObject[] = [],
): Promise<Written> {
  const { tree } = await readCommit(scene.reader, scene.head);
  const edited = await editTree(treesOf(scene.reader), tree, edits);
  const commit = await buildCommit({
    tree: edited.tree,
    parents: [scene.head],
    name: "x",
    device: who.device,
    timestamp: scene.now / 1000,
    message,
  }, who.key);
  return { objects: [...objects, ...edited.objects, commit], head: commit.oid, commits: [commit.oid] };
}

for (const mode of [0, 1, 2, 3] as const) {
  Deno.test(`a conversation of mode ${mode} starts validly, and people join it`, async () => {
    const scene = new Scene();
    const what = mode === 0 ? { mode, invited: bob.account } as const : { mode };
    const id = await scene.put(createConversation(scene.as(alice), what));
    const facts = await conversationFacts(scene.reader, id);
    assert.equal(facts.mode, mode);
    assert.deepEqual(facts.initialMembers, mode === 0 ? [alice.account, bob.account] : []);
    if (mode !== 0) await scene.put(invite(scene.as(alice), bob.account));
    await scene.put(joinConversation(scene.as(bob)));
    assert.equal(await refusal(scene.reader, scene.head, id), null);
    await scene.put(invite(scene.as(bob), carol.account));
    assert.equal(await refusal(scene.reader, scene.head, id), mode === 0 ? "Malformed add member commit" : null);
    assert.equal((await checkWithGit(scene.reader.objects.values(), scene.head)) ?? null, null);
  });
}

Deno.test("split and merge: both sides' texts, members and profiles come together, whoever merges", async () => {
  const { scene, id } = await group();
  const fork = scene.head;
  await scene.put(invite(scene.as(alice), carol.account));
  await scene.put(updateProfile(scene.as(alice), { title: "A" }));
  const ours = scene.head;
  scene.head = fork;
  await scene.put(writeText(scene.as(bob), "meanwhile"));
  const theirs = scene.head;
  const merged = await scene.keep(mergeHeads(scene.as(alice, ours), theirs));
  const other = await scene.keep(mergeHeads(scene.as(bob, theirs), ours));
  const [a, b] = await Promise.all([merged.head, other.head].map((head) => readCommit(scene.reader, head)));
  assert.deepEqual(a.parents, [ours, theirs]);
  assert.equal(a.message, `Merge commit '${theirs}'`);
  assert.equal(a.tree, b.tree);
  assert.deepEqual(merged.conflicts, []);
  for (const head of [merged.head, other.head]) assert.equal(await refusal(scene.reader, head, id), null);
  assert.equal(await nextStep(historyNodes(scene.reader), merged.head, other.head), "keep");
});

Deno.test("leave against ban heals, and passes the rules", async () => {
  const { scene, id } = await group();
  await scene.put(invite(scene.as(alice), carol.account));
  await scene.put(joinConversation(scene.as(carol)));
  const fork = scene.head;
  const left = await scene.put(leave(scene.as(bob)));
  scene.head = fork;
  const banned = await scene.put(ban(scene.as(alice), bob.account));
  for (const [head, other, who] of [[left, banned, carol], [banned, left, alice]] as const) {
    const merged = await scene.keep(mergeHeads(scene.as(who, head), other));
    assert.equal(await refusal(scene.reader, merged.head, id), null);
    scene.head = merged.head;
    assert.equal(await role(scene, bob), "banned");
  }
});

Deno.test("what must not be written is refused before it is signed", async () => {
  const { scene } = await group();
  const refused = (written: Promise<Written>) => assert.rejects(written, WriteRefused);
  await refused(writeText(scene.as(carol), "not a member"));
  await refused(writeMessage(scene.as(alice), { type: "member", action: "ban" }));
  await refused(joinConversation(scene.as(carol)));
  await refused(joinConversation(scene.as(bob)));
  await refused(invite(scene.as(alice), bob.account));
  await refused(invite(scene.as(alice), "nobody"));
  await refused(ban(scene.as(bob), alice.account));
  await refused(ban(scene.as(alice), alice.account));
  await refused(ban(scene.as(alice), carol.account));
  await refused(unban(scene.as(alice), bob.account));
  await refused(updateProfile(scene.as(bob), { title: "x" }));
  await refused(writeText({ ...scene.as(alice), now: alice.chain[0].notAfter + 1000 }, "expired"));
  await scene.put(ban(scene.as(alice), bob.account));
  await refused(writeText(scene.as(bob), "banned"));
  await refused(invite(scene.as(alice), bob.account));
});

Deno.test("a device that never wrote shows itself before it names the group or leaves: 2023's peers refuse both together", async () => {
  const { scene, id } = await group();
  const before = scene.head;
  await scene.put(updateProfile(scene.as(alice2), { title: "from the new device" }));
  assert.deepEqual(await changes(scene), ["+profile.vcf"]);
  const [introduction] = (await readCommit(scene.reader, scene.head)).parents;
  const shown = await readCommit(scene.reader, introduction);
  assert.deepEqual([shown.type, shown.parents], ["application/x-kituo-device", [before]]);
  await scene.put(updateProfile(scene.as(alice2), { title: "again" }));
  const another = await deviceOf(alice, undefined, Date.now());
  await scene.put(leave(scene.as(another)));
  assert.equal(await role(scene, alice), undefined);
  assert.equal(await refusal(scene.reader, scene.head, id), null);
});

Deno.test("an expired certificate is renewed with a message, and with nothing else", async () => {
  const past = Date.parse("2010-01-01T00:00:00Z");
  const old = await person(past);
  const scene = new Scene();
  const id = await scene.put(createConversation({ ...scene.as(old), now: past + 1000 }, { mode: 2 }));
  const fresh = { ...await deviceOf(old, old.key), chain: [...old.chain] } as Person; // reason: three as before
  const now = old.chain[0].notAfter + 1000;
  await assert.rejects(writeText({ ...scene.as(fresh), now }, "account expired"), WriteRefused);
  const renewed = await renew(old, now);
  await assert.rejects(invite({ ...scene.as(renewed), now }, bob.account), WriteRefused);
  await scene.put(writeText({ ...scene.as(renewed), now }, "renewed"));
  assert.deepEqual(await changes(scene), [`+admins/${old.account}.crt`, `+devices/${old.device}.crt`]);
  assert.equal(await refusal(scene.reader, scene.head, id), null);
});

/** The same keys with new dates. */
async function renew(old: Person, now: number): Promise<Person> {
  const { issueCertificate } = await import("../../../core/identity/issue.ts");
  const ca = await person(now);
  const account = await issueCertificate({
    kind: "account",
    subject: old.accountKey.publicKey,
    issuer: ca.chain[2],
    signer: ca.accountKey, // whoever signs the account is not looked at in a conversation
    now,
  });
  return await deviceOf({ accountKey: old.accountKey, chain: [account, account, ca.chain[2]] }, old.key, now);
}

Deno.test("a parent some minutes ahead is followed, one far ahead is not", async () => {
  const { scene } = await group();
  const { timestamp } = await readCommit(scene.reader, scene.head);
  for (const [ahead, expected] of [[200, timestamp], [4000, timestamp - 4000]]) {
    const written = await scene.keep(writeText({ ...scene.as(bob), now: (timestamp - ahead) * 1000 }, "late"));
    assert.equal((await readCommit(scene.reader, written.head)).timestamp, expected);
  }
});

Deno.test("what only Kituo refuses: privileges slipped into leaving, un-banning and editing", async () => {
  const { scene, id } = await group();
  const crt = (who: Person) => treesOf(scene.reader).file(treeOfHead, `members/${who.account}.crt`);
  const treeOfHead = (await readCommit(scene.reader, scene.head)).tree;
  const bobFile = await crt(bob) ?? assert.fail();
  const said = await scene.put(writeText(scene.as(bob), "x"));
  const admin = new Map([[`admins/${bob.account}.crt`, bobFile]]);
  const check = async (written: Promise<Written>) => refusal(scene.reader, (await scene.keep(written)).head, id);
  const removal = memberMessage("remove", bob.account);
  assert.equal(await check(writeForced(scene, bob, admin, removal)), "Leaving member changes more than its own files");
  const edit = jsonMessage({ type: "application/edited-message", edit: said, body: "" });
  assert.equal(await check(writeForced(scene, bob, admin, edit)), "Edit commit changes files of others");
  assert.equal(await check(writeForced(scene, bob, admin, jsonMessage({ type: "x" }))), "Malformed commit");
  await scene.put(ban(scene.as(alice), bob.account));
  const vote = `votes/unban/members/${bob.account}/${alice.account}`;
  const empty = blob(new Uint8Array());
  await scene.put(
    writeForced(scene, alice, new Map([[vote, file(empty.oid)]]), jsonMessage({ type: "vote", uri: bob.account }), [
      empty,
    ]),
  );
  assert.equal(await refusal(scene.reader, scene.head, id), null);
  const promotion = new Map([[vote, null], [`banned/members/${bob.account}.crt`, null], ...admin]);
  assert.equal(
    await check(writeForced(scene, alice, promotion, memberMessage("unban", bob.account))),
    "Ban or un-ban does not move the file of its target",
  );
});

Deno.test("odd files are refused: other modes, content that is not there, deep folders, huge certificates", async () => {
  const { scene, id } = await group();
  const path = `devices/${alice2.device}.crt`;
  const pem = blob(utf8(alice2.chain[0].toPem()));
  const message = jsonMessage({ type: "text/plain", body: "" });
  const check = async (edits: Parameters<typeof editTree>[2], objects: GitObject[]) =>
    refusal(scene.reader, (await scene.keep(writeForced(scene, alice2, edits, message, objects))).head, id);
  assert.equal(await check(new Map([[path, { oid: pem.oid, mode: "100755" }]]), [pem]), "File with an unusual mode");
  assert.equal(await check(new Map([[path, file("1".repeat(40))]]), []), "Missing object");
  const huge = blob(utf8(alice2.chain[0].toPem().repeat(100)));
  assert.equal(await check(new Map([[path, file(huge.oid)]]), [huge]), "Unreadable object");
  assert.equal(await check(new Map([["a/b/c/d/e/f/g/h", file(pem.oid)]]), [pem]), "Unreadable object");
  assert.equal(await check(new Map([["a/b", file(pem.oid)]]), [pem]), "Malformed commit");
  assert.equal(await check(new Map([[path, file(pem.oid)]]), [pem]), null);
});

Deno.test("profiles: daemons' bytes come out again", async () => {
  for (const name of ["swarm/group", "today/group"]) {
    const { reader, refs } = await readBundle(`${name}.bundle`);
    const { tree } = await readCommit(reader, refs.get("main") ?? "");
    const entry = await treesOf(reader).file(tree, "profile.vcf");
    const { data } = await reader.read(entry?.oid ?? "");
    const profile = parseProfile(data);
    assert.notEqual(profile.title, "");
    assert.equal(text(writeProfile(profile)), text(data));
  }
  const full = { title: "a:b", description: "c", avatar: "QUJD", rdvAccount: "d", rdvDevice: "e" };
  assert.deepEqual(parseProfile(writeProfile(full)), full);
  assert.equal(parseProfile(writeProfile({ ...full, title: "a\nRDV_ACCOUNT:x" })).rdvAccount, "d");
});

Deno.test("a merge may not bring anything that neither side has", async () => {
  const { scene, id } = await group();
  const fork = scene.head;
  const ours = await scene.put(writeText(scene.as(alice), "a"));
  scene.head = fork;
  const theirs = await scene.put(writeText(scene.as(bob), "b"));
  const { tree } = await readCommit(scene.reader, ours);
  const extra = blob(utf8("x"));
  const edited = await editTree(treesOf(scene.reader), tree, new Map([["members/x.crt", file(extra.oid)]]));
  const forged = async (parents: Oid[], root: Oid) => {
    const fields = { tree: root, parents, name: "x", device: bob.device, timestamp: 1, message: "Merge" };
    const commit = await buildCommit(fields, bob.key);
    scene.reader.add([extra, buildTree([]), ...edited.objects, commit]);
    return await refusal(scene.reader, commit.oid, id);
  };
  assert.equal(await forged([ours, theirs], edited.tree), "Malformed merge commit");
  assert.equal(await forged([ours, theirs, fork], tree), "Malformed merge commit");
  assert.equal(await forged([ours, theirs], tree), null);
});
