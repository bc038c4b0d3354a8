import assert from "node:assert/strict";
import { join } from "node:path";
import { parseConfig } from "../../../core/config.ts";
import { type ImportState, NodeError } from "../../../core/node_api.ts";
import { type Replaceable, settleIdentity, type Surroundings, Takeovers } from "../../../core/node_takeover.ts";
import { createNode, type Node } from "../../../core/node.ts";
import { accountIn } from "../../../core/identity/storage.ts";
import { databasePath, identityPath } from "../../../core/store/places.ts";
import { openStore } from "../../../core/store/store.ts";
import { serve } from "../../../routes/serve.ts";
import { until } from "../../support/people.ts";
import { expected, vector } from "../identity/vectors.ts";

const ARCHIVE = vector("archive-password.bin");
const PASSWORD = expected.archive_password.password_utf8;
const ACCOUNT = expected.ids.account_id;
const TOKEN = "t".repeat(43);
/** Making a key of 4096 bits takes seconds on a busy machine. */
const PATIENCE = 60_000;

async function inFolder(test: (data: string) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "kituo-takeover-" });
  try {
    await test(data);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

/** Until an import has ended. */
async function ended(takeovers: { importing: ImportState }): Promise<ImportState> {
  await until("the import ends", () => takeovers.importing.state !== "running", PATIENCE);
  return takeovers.importing;
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a node becomes a device of another account in place: same console, same admins, what it inherits", () =>
  inFolder(async (data) => {
    const args = [
      "--data",
      data,
      "--bootstrap",
      "none",
      "--dht-port",
      "0",
      "--peer-port",
      "0",
      "--name-server",
      "none",
    ];
    const config = parseConfig(args, () => undefined, () => undefined);
    const takeovers = new Takeovers<Node>(config);
    const first = await createNode(config, takeovers);
    const face = serve(first, TOKEN, { host: "127.0.0.1", port: 0 });
    takeovers.attach(first, {
      create: () => createNode(config, takeovers),
      onStop: () => face.pause(),
      onStart: (node) => face.show(node),
      onLost: (error) => assert.fail(`${error}`),
    });
    const ask = async (path: string) => {
      const response = await fetch(`${face.url}/api/v1${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
      return { status: response.status, answer: await response.json() };
    };
    try {
      await first.start();
      const site = { origin: face.url, rpId: "localhost" };
      await first.admins.setUp(
        first.admins.newSetupSecret() ?? "",
        { name: "Asha", password: "zebra monsoon ladder" },
        site,
      );
      first.setup.begin();
      const before = first.info().jamiId;
      const doer = { actor: "Asha", address: "" };
      first.setup.importArchive(ARCHIVE, "wrong", doer);
      assert.throws(() => first.setup.importArchive(ARCHIVE, PASSWORD, doer), NodeError, "one at a time");
      assert.deepEqual(await ended(first.setup), { state: "failed", fault: "wrong password" });
      assert.equal((await ask("/node")).answer.jamiId, before);

      first.setup.importArchive(ARCHIVE, PASSWORD, doer);
      assert.deepEqual(await ended(takeovers), { state: "done", jamiId: ACCOUNT });
      const { answer } = await ask("/node");
      assert.equal(answer.jamiId, ACCOUNT);
      const node = takeovers.node ?? assert.fail();
      assert.deepEqual(node.admins.list().map(({ name }) => name), ["Asha"]);
      assert.equal(node.setup.step, "node");
      assert.equal(await accountIn(identityPath(data)), ACCOUNT);
      assert.ok(node.contacts({ limit: 10 }).items.some(({ jamiId }) => jamiId === expected.ids.peer_account_id));
      assert.throws(() => node.setup.importArchive(ARCHIVE, PASSWORD, doer), /contacts or conversations/);
      assert.equal(await accountIn(`${identityPath(data)}-before-import`), before, "its key is not thrown away");
    } finally {
      await face.close();
      await face.finished;
      await takeovers.stop();
    }
  }));

/** Nodes that only say whose they are. */
class Named implements Replaceable {
  constructor(readonly jamiId: string, private readonly broken = false) {}
  start(): Promise<void> {
    return this.broken ? Promise.reject(new Error("no port")) : Promise.resolve();
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  info() {
    return { jamiId: this.jamiId };
  }
}

/** A data folder with an identity that is only a mark. */
async function marked(data: string, folder = "identity", mark = "old"): Promise<void> {
  await Deno.mkdir(join(data, folder), { recursive: true });
  await Deno.writeTextFile(join(data, folder, "mark"), mark);
}

Deno.test("when the new node does not start, the old one is there again", () =>
  inFolder(async (data) => {
    await marked(data);
    openStore(databasePath(data)).close();
    const takeovers = new Takeovers<Named>({ data });
    assert.throws(() => takeovers.begin(ARCHIVE, PASSWORD, () => true), NodeError, "nothing runs yet");
    const shown: string[] = [];
    let tries = 0;
    const around: Surroundings<Named> = {
      create: () => Promise.resolve(new Named(`${++tries}`, tries === 1)),
      onStop: () => shown.push("none"),
      onStart: ({ jamiId }) => shown.push(jamiId),
      onLost: (error) => assert.fail(`${error}`),
    };
    takeovers.attach(new Named("0"), around);
    takeovers.begin(ARCHIVE, PASSWORD, () => true);
    assert.deepEqual(await ended(takeovers), { state: "failed", fault: "failed" });
    assert.deepEqual(shown, ["none", "2"]);
    assert.equal(await Deno.readTextFile(join(data, "identity", "mark")), "old");
    assert.deepEqual(names(data).filter((name) => name.startsWith("identity")), ["identity"]);
    takeovers.begin(ARCHIVE, PASSWORD, () => false);
    assert.deepEqual(await ended(takeovers), { state: "failed", fault: "failed" }, "somebody came meanwhile");
    assert.deepEqual(shown, ["none", "2"], "it did not stop for that");
  }));

Deno.test("a crash at any point leaves one identity or the other, whole", () =>
  inFolder(async (data) => {
    const [dir, next, former] = ["identity", "identity-import", "identity-before-import"];
    const cases: [Record<string, string>, string][] = [
      [{ [dir]: "old", [next]: "new" }, "old"],
      [{ [former]: "old", [next]: "new" }, "new"],
      [{ [dir]: "new", [former]: "old" }, "new"],
      [{ [former]: "old" }, "old"],
    ];
    for (const [folders, mark] of cases) {
      for (const [folder, mark] of Object.entries(folders)) await marked(data, folder, mark);
      await settleIdentity(data);
      assert.equal(await Deno.readTextFile(join(data, dir, "mark")), mark, JSON.stringify(folders));
      assert.ok(!names(data).includes(next));
      for (const name of names(data)) await Deno.remove(join(data, name), { recursive: true });
    }
    await settleIdentity(data);
    assert.deepEqual(names(data), []);
  }));
