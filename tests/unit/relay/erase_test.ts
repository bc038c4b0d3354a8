import assert from "node:assert/strict";
import { join } from "node:path";
import { bundleOf } from "../../../core/swarm/bundle.ts";
import { concat } from "../../../core/base/bytes.ts";
import { repositoryPath } from "../../../core/store/places.ts";
import { alice, post, withPlaces } from "./support.ts";

Deno.test("a conversation is deleted only once it was left: history, index and repository go, others stay", async () => {
  await withPlaces([alice], async (place) => {
    const { conversations, store, clock, dir } = place;
    const [gone, kept] = [await conversations.create({ mode: 1 }), await conversations.create({ mode: 1 })];
    for (const conversation of [gone, kept]) await post(conversation, clock, "salamu");
    assert.equal(await conversations.erase(gone.id), false, "it is still served");
    assert.equal(store.commits.count(gone.id), 2);
    conversations.leave(gone.id);
    assert.equal(await conversations.erase(gone.id), true);
    assert.equal(store.commits.count(gone.id), 0);
    assert.equal(store.commits.count(kept.id), 2);
    assert.equal(store.search.find({ text: "salamu", limit: 10 }).length, 1);
    const record = store.conversations.get(gone.id);
    assert.deepEqual([record?.state, record?.title, record?.erased], ["left", "", clock.now()]);
    const path = (id: string) => repositoryPath(join(dir, "conversations"), id);
    await assert.rejects(Deno.stat(path(gone.id)), Deno.errors.NotFound);
    assert.ok(await Deno.stat(path(kept.id)));
    assert.equal(await conversations.erase("a".repeat(40)), false, "there never was such a one");
  });
});

Deno.test("any git clones a bundle, with every commit", async () => {
  await withPlaces([alice], async ({ conversations, clock, dir }) => {
    const conversation = await conversations.create({ mode: 1 });
    for (const text of ["one", "two", "three"]) await post(conversation, clock, text);
    const file = join(dir, "history.bundle");
    await Deno.writeFile(file, concat(...await Array.fromAsync(bundleOf(conversation))));
    const git = async (...args: string[]) => {
      const { stdout, stderr, success } = await new Deno.Command("git", { args }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout).trim();
    };
    await git("clone", "--quiet", "--bare", file, join(dir, "clone"));
    assert.equal(await git("-C", join(dir, "clone"), "rev-parse", "main"), conversation.head);
    assert.equal(await git("-C", join(dir, "clone"), "rev-list", "--count", "main"), "4");
    await git("-C", join(dir, "clone"), "fsck", "--strict");
  });
});
