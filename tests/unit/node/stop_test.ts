import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parseConfig } from "../../../core/config.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Node } from "../../../core/node.ts";
import { conversationsPath, databasePath, repositoryIds } from "../../../core/store/places.ts";
import { openStore } from "../../../core/store/store.ts";
import { makeLargeGroup } from "../../support/large_group.ts";
import { testIdentity } from "../../support/people.ts";

const COMMITS = 100;
const crowd = Array.from({ length: 30 }, (_, n) => createHash("sha1").update(`member ${n}`).digest("hex"));

/** Everything below a folder. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...namesIn(join(folder, name)).map((below) => join(name, below))] : [name]
  ).toSorted();
}

Deno.test("a node that stops right after its start leaves the folder alone from then on, and nothing half made in it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kituo-stop-" });
  const alice = await testIdentity(Date.now());
  const filled = openStore(databasePath(folder));
  await makeLargeGroup(folder, filled, alice, COMMITS, undefined, crowd);
  const args = ["--data", folder, "--bootstrap", "none", "--dht-port", "0", "--peer-port", "0"];
  const config = parseConfig(args, () => undefined, () => undefined);
  assert.ok(config.offerContact, "members are asked to be contacts, each with a conversation of its own");
  const node = new Node(config, alice, filled, writeVcard("Kituo"));
  const written = Deno.watchFs(conversationsPath(folder));
  await node.start();
  for await (const { paths } of written) if (paths.some((path) => path.includes(".git.new"))) break;
  await node.stop();
  const before = namesIn(folder);
  assert.deepEqual(before.filter((name) => name.endsWith(".git.new")), []);
  const store = openStore(databasePath(folder));
  const known = store.conversations.all().map(({ id }) => id);
  assert.deepEqual((await repositoryIds(conversationsPath(folder))).toSorted(), known.toSorted());
  const oneToOne = store.conversations.all().filter(({ mode }) => mode === 0).map(({ id }) => id);
  assert.ok(oneToOne.length > 0);
  assert.ok(oneToOne.length < crowd.length, "one is asked after the other, so that a stop waits for one at most");
  assert.deepEqual(store.contacts.all().map(({ conversation }) => conversation).toSorted(), oneToOne.toSorted());
  store.close();
  await Deno.remove(folder, { recursive: true });
});
