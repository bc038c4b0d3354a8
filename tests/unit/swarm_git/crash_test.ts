import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../../core/base/random.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { fsck, git, gitLines, withFolder } from "../../support/git_vectors.ts";

const CHILD = fileURLToPath(new URL("../../support/git_crash_child.ts", import.meta.url));
const KILLS = 12;

Deno.test("killed at random moments while it writes and repacks, a repository has the last durable head or the one after it, whole", async () => {
  await withFolder(async (folder) => {
    const random = seededRandom(7);
    const dir = join(folder, "r");
    await (await Repository.create(dir)).close();
    let durable: string | null = null;
    let rounds = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-lock", CHILD, dir],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      let printed = "";
      const lines = child.stdout.pipeThrough(new TextDecoderStream());
      const after = 1 + random.int(60);
      for await (const chunk of lines) {
        printed += chunk;
        if (printed.split("\n").length > after) {
          // Somewhere within the next write, wherever that is by then.
          await new Promise<void>((resolve) => setTimeout(resolve, random.float() * 12));
          child.kill("SIGKILL");
          break;
        }
      }
      await child.status;
      const heads = printed.split("\n").slice(0, -1);
      rounds += heads.length;
      durable = heads.at(-1) ?? durable;

      assert.deepEqual(await fsck(dir), []);
      const [head] = await gitLines(dir, "rev-parse", "refs/heads/main");
      assert.ok(durable !== null);
      await git(dir, ["merge-base", "--is-ancestor", durable, head]);
      await git(dir, ["rev-list", "--objects", "main"]);
      const repository = await Repository.open(dir);
      assert.equal(await repository.head(), head);
      for (const line of await gitLines(dir, "rev-list", "--objects", "main")) await repository.read(line.slice(0, 40));
      await repository.close();
      assert.deepEqual(await fsck(dir), []);
      const left = (await Array.fromAsync(Deno.readDir(join(dir, "objects/pack")))).map((entry) => entry.name);
      assert.ok(left.every((name) => /^pack-[0-9a-f]{40}\.(pack|idx)$/.test(name)), left.join());
    }
    const packs = (await gitLines(dir, "count-objects", "-v")).find((line) => line.startsWith("packs: "));
    console.log(`      ${KILLS} kills over ${rounds} rounds; ${packs} in the end`);
    assert.ok(rounds > 70, "packs were consolidated at least once");
  });
});
