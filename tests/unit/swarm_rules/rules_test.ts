/** Each file of core/swarm/rules with a commit that it must let in and one that it must keep out; real bytes wherever peers wrote such. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { buildCommit, jsonMessage, mergeMessage } from "../../../core/swarm/commit.ts";
import { readCommit } from "../../../core/swarm/conversation_facts.ts";
import { treesOf } from "../../../core/swarm/members.ts";
import { blob, type Oid } from "../../../core/swarm/object.ts";
import { editTree, file } from "../../../core/swarm/tree_edit.ts";
import { EMPTY_BLOB } from "../../../core/swarm/rules/context.ts";
import { certificateBlobs, writeCommit, type Written } from "../../../core/swarm/write.ts";
import { createConversation, invite, join } from "../../../core/swarm/write_members.ts";
import { writeMessage, writeText } from "../../../core/swarm/write_messages.ts";
import { utf8 } from "../../../core/base/bytes.ts";
import { MemoryReader, NOW, person, readBundle, readJson, refusal, Scene, verdicts } from "./support.ts";

interface Pair {
  /** A valid history and the commits in it that the rule is about; or a case of vectors/swarm/hostile.json that peers accept. */
  good: { bundle: string; type: string; action?: string } | string;
  /** Cases of vectors/swarm/hostile.json, with what is said of them. */
  hostile: Record<string, string>;
}

const PAIRS: Record<string, Pair> = {
  call_history: { good: { bundle: "group", type: "application/call-history+json" }, hostile: {} },
  data_transfer: { good: { bundle: "one-to-one", type: "application/data-transfer+json" }, hostile: {} },
  document: { good: "collab_doc", hostile: {} },
  edit: {
    good: { bundle: "one-to-one", type: "application/edited-message" },
    hostile: { edit_of_other: "Malformed edit commit" },
  },
  initial: { good: { bundle: "one-to-one", type: "initial" }, hostile: { second_root: "Malformed initial commit" } },
  member: {
    good: { bundle: "group", type: "member", action: "unban" },
    hostile: { unknown_member_action: "Malformed member commit" },
  },
  member_add: {
    good: { bundle: "group", type: "member", action: "add" },
    hostile: { add_self: "Malformed add member commit", add_nonempty_invite: "Malformed add member commit" },
  },
  member_ban: {
    good: { bundle: "group", type: "member", action: "ban" },
    hostile: { ban_by_member: "Malformed ban member commit", ban_without_vote: "Malformed ban member commit" },
  },
  member_join: {
    good: { bundle: "group", type: "member", action: "join" },
    hostile: { join_uninvited: "Malformed join member commit" },
  },
  member_remove: {
    good: { bundle: "group", type: "member", action: "remove" },
    hostile: { remove_of_other: "Member removed by somebody else" },
  },
  profile: {
    good: { bundle: "group", type: "application/update-profile" },
    hostile: { profile_by_member: "Malformed profile updates commit" },
  },
  text: {
    good: { bundle: "split-and-merge", type: "text/plain" },
    hostile: {
      text_adds_file: "Malformed commit",
      text_self_promotion: "Malformed commit",
      text_deletes_other_device: "Malformed commit",
      text_edit_of_other: "Malformed edit commit",
    },
  },
  unknown: { good: "unknown_type", hostile: {} },
  vote: {
    good: { bundle: "group", type: "vote" },
    hostile: {
      vote_by_member: "Malformed vote",
      vote_for_self: "Malformed vote",
      vote_in_the_name_of_admin: "Malformed vote",
    },
  },
};

/** Those without such vectors: below. */
const BY_HAND = ["checkpoint", "merge"];

/** What the rules are made with. */
const TOOLS = ["context", "envelope", "index", "message", "plain", "refused_by", "violation"];

Deno.test("every rule has its pair", () => {
  const folder = fileURLToPath(new URL("../../../core/swarm/rules", import.meta.url));
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/\.ts$/, ""));
  assert.deepEqual(names.sort(), [...Object.keys(PAIRS), ...BY_HAND, ...TOOLS].sort());
});

const hostile = await readBundle("swarm/hostile.bundle");
const { conversation } = readJson<{ conversation: string }>("swarm/hostile.json");

for (const [rule, { good, hostile: cases }] of Object.entries(PAIRS)) {
  Deno.test(`${rule}: a real one is valid, hostile ones are refused for what they are`, async () => {
    for (const [reader, commit, id] of await goodOnes(good)) assert.equal(await refusal(reader, commit, id), null);
    for (const [name, reason] of Object.entries(cases)) {
      const all = await verdicts(hostile.reader, hostile.refs.get(name) ?? "", conversation);
      const refused = all.filter(({ valid }) => !valid);
      assert.equal(refused[0]?.reason, reason, name);
    }
  });
}

async function goodOnes(good: Pair["good"]): Promise<[MemoryReader, Oid, Oid][]> {
  if (typeof good === "string") return [[hostile.reader, hostile.refs.get(good) ?? assert.fail(good), conversation]];
  const { commits, conversation: id } = readJson<
    { conversation: string; commits: { id: string; type: string; action?: string | null }[] }
  >(`swarm/${good.bundle}.json`);
  const { reader } = await readBundle(`swarm/${good.bundle}.bundle`);
  const wanted = commits.filter(({ type, action }) => type === good.type && (action ?? undefined) === good.action);
  assert.ok(wanted.length > 0);
  return wanted.map((commit) => [reader, commit.id, id]);
}

const [alice, bob] = await Promise.all([person(), person()]);

Deno.test("merge: two heads and what both have is valid; a file of neither, three parents and none of ours are refused", async () => {
  const scene = new Scene();
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  const [one, two, three] = [
    await scene.keep(writeText(scene.as(alice, id), "1")),
    await scene.keep(writeText(scene.as(alice, id), "2")),
    await scene.keep(writeText(scene.as(alice, id), "3")),
  ].map(({ head }) => head);
  const { tree } = await readCommit(scene.reader, id);
  const extra = blob(utf8("x"));
  const edited = await editTree(treesOf(scene.reader), tree, new Map([["members/x.crt", file(extra.oid)]]));
  scene.reader.add([extra, ...edited.objects]);
  const merge = async (parents: Oid[], root: Oid, { device, key } = alice) => {
    const fields = { tree: root, parents, name: "x", device, timestamp: NOW / 1000, message: mergeMessage(parents[1]) };
    const commit = await buildCommit(fields, key);
    scene.reader.add([commit]);
    return await refusal(scene.reader, commit.oid, id);
  };
  assert.equal(await merge([one, two], tree), null);
  assert.equal(await merge([one, two], edited.tree), "Malformed merge commit");
  assert.equal(await merge([one, two, three], tree), "Malformed merge commit");
  assert.equal(await merge([one, two], tree, bob), "Malformed commit");
});

Deno.test("checkpoint: in a document, an attachment under its own name; elsewhere, or under another name, never", async () => {
  const content = blob(utf8("a picture"));
  const { account, device } = certificateBlobs(alice);
  const reader = new MemoryReader([account, device, content]);
  const { tree, objects } = await editTree(
    treesOf(reader),
    null,
    new Map([[`admins/${alice.account}.crt`, file(account.oid)], [`devices/${alice.device}.crt`, file(device.oid)]]),
  );
  reader.add(objects);
  const checkpoint = jsonMessage({ type: "application/checkpoint", body: "" });
  for (
    const [mode, name, expected] of [
      [4, content.oid, null],
      [4, "picture.png", "Malformed checkpoint commit"],
      [2, content.oid, "Malformed checkpoint commit"],
    ] as const
  ) {
    const root = await buildCommit({
      tree,
      parents: [],
      name: "x",
      device: alice.device,
      timestamp: NOW / 1000,
      message: jsonMessage({ type: "initial", mode }),
    }, alice.key);
    reader.add([root]);
    const context = { reader, head: root.oid, identity: alice, displayName: "x", now: NOW };
    const edits = new Map([[`attachments/${name}`, file(content.oid)]]);
    const written = await writeCommit(context, { message: checkpoint, edits, certificates: "none" });
    reader.add(written.objects);
    assert.equal(await refusal(reader, written.head, root.oid), expected, `${mode} ${name}`);
    const text = await writeText(context, "no message in a document");
    reader.add(text.objects);
    assert.equal(
      await refusal(reader, text.head, root.oid),
      mode === 4 ? "Message commit in document repository" : null,
    );
  }
});

/** One of each kind of message, and what of it (if anything) its author may edit afterwards. */
const MESSAGES: Record<string, { body: Record<string, string>; edit?: Record<string, string> }> = {
  call_history: { body: { type: "application/call-history+json", confId: "7", device: "d", uri: "u" } },
  data_transfer: {
    body: {
      type: "application/data-transfer+json",
      displayName: "a.txt",
      sha3sum: "0".repeat(128),
      tid: "7",
      totalSize: "1",
    },
    edit: { type: "application/data-transfer+json", tid: "" },
  },
  document: {
    body: { type: "application/collab-doc+json", uri: "1".repeat(40), displayName: "Notes", mimeType: "text/x-y" },
    edit: { type: "application/collab-doc+json" },
  },
  text: { body: { type: "text/plain", body: "hi" }, edit: { type: "text/plain", body: "ho" } },
  unknown: { body: { type: "application/x-of-2031+json" } },
};

for (const [rule, { body, edit }] of Object.entries(MESSAGES)) {
  Deno.test(`${rule}: by today's rules one of its own and what edits it; never files of others, another's edit or a forged one`, async () => {
    const scene = new Scene();
    const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
    await scene.put(invite(scene.as(alice), bob.account));
    await scene.put(join(scene.as(bob)));
    const message = await scene.put(writeMessage(scene.as(alice), body));
    const verdict = async (written: Promise<Written>) =>
      await refusal(scene.reader, (await scene.keep(written)).head, id);
    assert.equal(await verdict(writeMessage(scene.as(alice), body)), null);
    const change = { ...edit ?? body, edit: message };
    assert.equal(await verdict(writeMessage(scene.as(alice), change)), edit ? null : "Malformed edit commit");
    assert.equal(await verdict(writeMessage(scene.as(bob), change)), "Malformed edit commit");
    assert.equal(
      await verdict(writeMessage(scene.as(bob), { ...change, edit: "1".repeat(40) })),
      "Malformed edit commit",
    );
    const edits = new Map([[`members/${bob.account}.crt`, null]]);
    for (
      const [says, reason] of [[body, "Malformed commit"], [
        change,
        edit && "Edit commit changes files of others",
      ]] as const
    ) {
      if (!reason) continue;
      const greedy = writeCommit(scene.as(alice), { message: jsonMessage(says), edits, certificates: "none" });
      assert.equal(await verdict(greedy), reason);
    }
    const forger = { ...scene.as(alice), identity: { ...alice, key: bob.key } };
    assert.equal(await verdict(writeMessage(forger, body)), "Invalid user");
  });
}

Deno.test("member: whom it is about must be told; nothing else is asked of the name", async () => {
  const scene = new Scene();
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  for (const uri of ["", "0".repeat(40), "bob", `jami:${bob.account}`]) {
    const message = jsonMessage({ type: "member", action: "add", uri });
    const edits = new Map([[`invited/${bob.account}`, file(EMPTY_BLOB)]]);
    const written = await scene.keep(
      writeCommit(scene.as(alice), { message, edits, objects: [blob(new Uint8Array())], certificates: "none" }),
    );
    assert.equal(await refusal(scene.reader, written.head, id), "Invalid member URI", uri);
  }
});

Deno.test("a type that nobody knows is valid when its envelope is, whatever its keys; not when it changes files or is forged", async () => {
  const scene = new Scene();
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  const unknown = { type: "application/x-of-2031+json", body: "?", action: "ban", uri: bob.account };
  const kept = await scene.keep(writeMessage(scene.as(alice), unknown));
  assert.equal(await refusal(scene.reader, kept.head, id), null);
  const [{ commit }] = (await verdicts(scene.reader, kept.head, id)).slice(-1);
  assert.equal(commit?.type, unknown.type);
  const forged = await scene.keep(writeMessage({ ...scene.as(alice), identity: { ...alice, key: bob.key } }, unknown));
  assert.equal(await refusal(scene.reader, forged.head, id), "Invalid user");
  const greedy = await scene.keep(writeCommit(scene.as(alice), {
    message: jsonMessage(unknown),
    edits: new Map([[`members/${bob.account}.crt`, file(certificateBlobs(bob).account.oid)]]),
    objects: [certificateBlobs(bob).account],
    certificates: "none",
  }));
  assert.equal(await refusal(scene.reader, greedy.head, id), "Malformed commit");
});

Deno.test("a side branch is checked wherever it is merged: nothing hides behind a merge", async () => {
  const scene = new Scene();
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  const forged = await scene.keep(
    writeText(
      { ...scene.as(alice, id), identity: { ...alice, key: bob.key }, now: NOW - 10 * 365 * 86_400_000 },
      "old",
    ),
  );
  await scene.put(writeText(scene.as(alice), "honest"));
  const { tree } = await readCommit(scene.reader, scene.head);
  const merge = { parent: forged.head, tree };
  await scene.put(writeCommit(scene.as(alice), { message: mergeMessage(forged.head), merge, certificates: "none" }));
  const all = await verdicts(scene.reader, scene.head, id);
  assert.deepEqual(all.filter(({ valid }) => !valid).map(({ id }) => id), [forged.head, scene.head]);
});
