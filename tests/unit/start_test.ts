/** `core/start.sh`: what runs is made from the sources that are there, however they came there. */

import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url);
const PARTS = ["core", "islands", "routes", "static", "main.ts", "deno.json", "deno.lock", "LICENSE"];

/** An installation of its own, without what was built. */
async function installation(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "kituo-start-" });
  await run("cp", ["-a", ...PARTS.map((part) => new URL(part, ROOT).pathname), root]);
  await Deno.remove(join(root, "static/dist"), { recursive: true }).catch(() => {}); // reason: nothing need be built here
  return root;
}

async function run(program: string, args: string[]): Promise<string> {
  const env = { DENO: Deno.execPath(), NO_COLOR: "1" };
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env, stdin: "null" }).output();
  assert.ok(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("a start builds what is missing or has changed, even with an old date, and nothing else", async (t) => {
  const root = await installation();
  try {
    const version = () => run("bash", [join(root, "core/start.sh"), "--version"]);
    const isNoted = () => Deno.stat(join(root, "dist/.same")).then(() => true, () => false);
    const program = join(root, "dist/main.js");
    const first = await version();

    await t.step("a start that finds all made notes it, and the next one leaves it so", async () => {
      assert.match(first, /^Kituo \d/);
      assert.equal(await isNoted(), false);
      const { mtime } = await Deno.stat(program);
      for (const _ of [1, 2]) {
        assert.equal(await version(), first);
        assert.equal(await isNoted(), true);
      }
      assert.deepEqual((await Deno.stat(program)).mtime, mtime);
    });

    await t.step("a source that changes and keeps size and date is noticed", async () => {
      const path = join(root, "core/version.ts");
      const { atime, mtime } = await Deno.stat(path);
      const source = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, source.replace(/\d+\.\d+\.\d+/, (old) => old.replaceAll(/\d/g, "7")));
      await Deno.utime(path, atime!, mtime!);
      assert.match(await version(), /^Kituo 7/);
    });

    await t.step("a file of the program that is gone is made again", async () => {
      await version(); // notes it
      for (const path of [program, join(root, "static/dist/manifest.json")]) {
        await Deno.remove(path);
        assert.match(await version(), /^Kituo 7/);
        assert.ok(await Deno.stat(path));
      }
    });

    await t.step("a source that was broken is a start that fails, not an old program that runs", async () => {
      await version();
      await Deno.writeTextFile(join(root, "core/version.ts"), "export const VERSION = ;\n");
      await assert.rejects(version(), /version\.ts/);
      await assert.rejects(version(), /version\.ts/);
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
