import assert from "node:assert/strict";
import { join } from "node:path";
import { text } from "../../../core/base/bytes.ts";
import { bundleOf } from "../../../core/swarm/bundle.ts";
import { git, withFolder } from "../../support/git_vectors.ts";
import { alice, post, withPlaces } from "../relay/support.ts";

Deno.test("a bundle: git verifies it, and a clone of it has the whole history and main checked out", async () => {
  await withPlaces([alice], async ({ conversations, clock }) => {
    const group = await conversations.create({ mode: 2 });
    for (const body of ["one", "two", "three"]) await post(group, clock, body);
    await withFolder(async (folder) => {
      const run = async (dir: string, ...args: string[]) => text(await git(dir, args)).trim();
      await Deno.writeFile(join(folder, "b.bundle"), ReadableStream.from(bundleOf(group)));
      await run(folder, "clone", "-q", "b.bundle", "copy");
      const copy = join(folder, "copy");
      await run(copy, "bundle", "verify", "-q", join(folder, "b.bundle"));
      await run(copy, "fsck", "--strict");
      assert.equal(await run(copy, "rev-parse", "HEAD"), group.head);
      assert.equal(await run(copy, "symbolic-ref", "HEAD"), "refs/heads/main");
      assert.equal(await run(copy, "rev-list", "--count", "HEAD"), "4");
      assert.equal(await run(copy, "status", "--porcelain"), "");
      assert.ok((await Deno.stat(join(copy, "admins", `${alice.account}.crt`))).isFile, "checked out");
    });
  });
});
