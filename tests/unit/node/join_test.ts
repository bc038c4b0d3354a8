import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../../core/config.ts";
import { joinAccount, JoinError } from "../../../core/node_join.ts";

Deno.test("an archive that is none is refused by its name, and nothing is written", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kituo-join-" });
  const junk = join(folder, "junk.gz"), data = join(folder, "data");
  await Deno.writeTextFile(junk, "junk");
  try {
    const config = parseConfig(["--data", data, "--import-archive", junk], () => undefined, () => undefined);
    const named = (error: unknown) => error instanceof JoinError && error.message.startsWith(junk);
    await assert.rejects(joinAccount(config), named);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["junk.gz"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
