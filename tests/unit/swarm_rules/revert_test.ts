/** Merges by which a plain member would bring back what others decided, and those like them that honest daemons write. */

import assert from "node:assert/strict";
import { historyNodes } from "../../../core/swarm/ancestry.ts";
import { jsonMessage, mergeMessage } from "../../../core/swarm/commit.ts";
import { readCommit } from "../../../core/swarm/conversation_facts.ts";
import { broughtBack } from "../../../core/swarm/merge.ts";
import { treesOf } from "../../../core/swarm/members.ts";
import { blob, type Oid } from "../../../core/swarm/object.ts";
import { editTree, file } from "../../../core/swarm/tree_edit.ts";
import { writeCommit, type Written } from "../../../core/swarm/write.ts";
import { mergeHeads } from "../../../core/swarm/write_merge.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { ban, createConversation, invite, join, unban, updateProfile } from "../../../core/swarm/write_members.ts";
import { type Person, person, readBundle, refusal, Scene } from "./support.ts";

const [alice, bob, carol] = await Promise.all([person(), person(), person()]);
const REVERTED = "Merge brings back what one side changed";

/** A group of Alice's with Bob and Carol, in which all have written; its id. */
async function group(scene: Scene): Promise<Oid> {
  const id = await scene.put(createConversation(scene.as(alice), { mode: 2 }));
  for (const one of [bob, carol]) {
    await scene.put(invite(scene.as(alice), one.account));
    await scene.put(join(scene.as(one)));
  }
  return id;
}

/** A merge with the tree of a commit, whatever that undoes. */
async function mergeTaking(scene: Scene, who: Person, first: Oid, second: Oid, like: Oid): Promise<Written> {
  const { tree } = await readCommit(scene.reader, like);
  return await scene.keep(writeCommit(scene.as(who, first), {
    message: mergeMessage(second),
    certificates: "none",
    merge: { parent: second, tree },
  }));
}

Deno.test("a merge of the head with its own ancestor cannot bring a banned member back, whoever writes it", async () => {
  const scene = new Scene();
  const id = await group(scene);
  const before = scene.head;
  const banned = await scene.put(ban(scene.as(alice), carol.account));
  for (const who of [alice, bob]) {
    for (const [first, second] of [[banned, before], [before, banned]]) {
      const evil = await mergeTaking(scene, who, first, second, before);
      assert.equal(await refusal(scene.reader, evil.head, id), REVERTED);
      // an idle merge is odd, but does no harm
      const idle = await mergeTaking(scene, who, first, second, banned);
      assert.equal(await refusal(scene.reader, idle.head, id), null);
    }
  }
});

Deno.test("nor can one with a branch from before the ban, one across a criss-cross, or one with two heads of the branch", async () => {
  const scene = new Scene();
  const id = await group(scene);
  const before = scene.head;
  const banned = await scene.put(ban(scene.as(alice), carol.account));
  const beside = await scene.keep(writeText(scene.as(bob, before), "beside"));
  const evil = await mergeTaking(scene, bob, banned, beside.head, before);
  assert.equal(await refusal(scene.reader, evil.head, id), REVERTED);
  // two merges of the same two heads, then each goes on: their bases are both heads
  const [one, two] = [
    await scene.keep(mergeHeads(scene.as(alice, banned), beside.head)),
    await scene.keep(mergeHeads(scene.as(bob, beside.head), banned)),
  ];
  const [left, right] = [
    await scene.keep(unban(scene.as(alice, one.head), carol.account)),
    await scene.keep(writeText(scene.as(bob, two.head), "on the other side")),
  ];
  const crossed = await mergeTaking(scene, bob, left.head, right.head, right.head);
  assert.equal(await refusal(scene.reader, crossed.head, id), REVERTED, "an un-ban is not undone either");
  const honest = await scene.keep(mergeHeads(scene.as(bob, left.head), right.head));
  assert.equal(await refusal(scene.reader, honest.head, id), null);
});

Deno.test("a deletion is not undone by a change of the deleted file on a branch", async () => {
  const scene = new Scene();
  const id = await group(scene);
  const before = scene.head;
  const banned = await scene.put(ban(scene.as(alice), carol.account));
  // Carol renews her certificate beside the ban, and Bob takes hers
  const path = `members/${carol.account}.crt`;
  const { tree } = await readCommit(scene.reader, before);
  const old = await treesOf(scene.reader).file(tree, path);
  const content = (await scene.reader.read(old?.oid ?? "")).data;
  const renewed = blob(new Uint8Array([...content, 0x0a]));
  const beside = await scene.keep(writeCommit(scene.as(carol, before), {
    message: jsonMessage({ type: "text/plain", body: "renewed" }),
    edits: new Map([[path, file(renewed.oid)]]),
    objects: [renewed],
    certificates: "none",
  }));
  assert.equal(await refusal(scene.reader, beside.head, id), null);
  const head = await readCommit(scene.reader, banned);
  const edits = new Map([[path, file(renewed.oid)]]);
  const kept = await editTree(treesOf(scene.reader), head.tree, edits);
  scene.reader.add(kept.objects);
  const evil = await scene.keep(writeCommit(scene.as(bob, banned), {
    message: mergeMessage(beside.head),
    certificates: "none",
    merge: { parent: beside.head, tree: kept.tree },
  }));
  assert.equal(await refusal(scene.reader, evil.head, id), REVERTED);
  const honest = await scene.keep(mergeHeads(scene.as(bob, banned), beside.head));
  assert.equal(await refusal(scene.reader, honest.head, id), null);
});

Deno.test("a profile that both sides changed may be either's, one that one side changed only that one's", async () => {
  const scene = new Scene();
  const id = await group(scene);
  const start = scene.head;
  const left = await scene.keep(updateProfile(scene.as(alice, start), { title: "left" }));
  const right = await scene.keep(updateProfile(scene.as(alice, start), { title: "right" }));
  for (const like of [left.head, right.head]) {
    const merge = await mergeTaking(scene, bob, left.head, right.head, like);
    assert.equal(await refusal(scene.reader, merge.head, id), null);
  }
  const beside = await scene.keep(writeText(scene.as(bob, start), "beside"));
  const evil = await mergeTaking(scene, bob, left.head, beside.head, beside.head);
  assert.equal(await refusal(scene.reader, evil.head, id), REVERTED);
});

Deno.test("no merge that any daemon of either generation wrote is touched by the rule, nor the one that heals a split", async () => {
  let merges = 0;
  const bundles = ["swarm/group", "swarm/split-and-merge", "swarm/mode1", "swarm/mode3", "swarm/leave-versus-ban"];
  for (const name of [...bundles, "today/group", "today/mixed-with-2023"]) {
    const { reader, refs } = await readBundle(`${name}.bundle`);
    const nodes = historyNodes(reader);
    const all = new Set(refs.values());
    for (const id of all) {
      const { parents, tree } = await nodes(id);
      for (const parent of parents) all.add(parent);
      if (parents.length < 2) continue;
      assert.equal(await broughtBack(reader, nodes, [parents[0], parents[1]], tree), null, id);
      merges++;
    }
  }
  assert.ok(merges >= 25, `${merges}`);
});
