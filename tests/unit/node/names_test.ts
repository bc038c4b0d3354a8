/** What the API tells and does of names, with a real name server on a socket and the archive of a real daemon. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { parseConfig } from "../../../core/config.ts";
import { NodeNames } from "../../../core/node_names.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import { serveNames } from "../../../routes/serve.ts";
import { expected, vector, vectorText } from "../identity/vectors.ts";

const SELF: string = expected.ids.account_id;
const PASSWORD: string = expected.archive_password.password_utf8;
const BOB = JSON.parse(vectorText("nameserver-register-request.json"));

const ADMIN = { actor: "admin", address: "192.0.2.7" };

interface World {
  names: NodeNames;
  store: Store;
  /** a node of another account, or without a name server, over the same data */
  other(self: string, server?: string): NodeNames;
}

/** Runs `test` with a node that is its own name server. */
async function withNode(test: (world: World) => Promise<void>): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "kituo-names-" });
  const store = openStore(join(data, "kituo.db"));
  const made: NodeNames[] = [];
  const make = (self: string, server: string) => {
    const config = parseConfig(["--data", data, "--name-server", server], () => undefined, () => undefined);
    made.push(new NodeNames(config, self, store, systemClock));
    return made[made.length - 1];
  };
  const face = serveNames(make(SELF, "none").nameServer(), { host: "127.0.0.1", port: 0 });
  try {
    await Deno.mkdir(join(data, "identity"));
    await Deno.writeFile(join(data, "identity", "archive.gz"), vector("archive-password.bin"));
    await test({ names: make(SELF, face.url), store, other: (self, server = face.url) => make(self, server) });
  } finally {
    for (const names of made) await names.stop();
    await face.close();
    store.close();
    await Deno.remove(data, { recursive: true });
  }
}

Deno.test("a node registers its name with the account's key, shows it, and the trail tells who did", () =>
  withNode(async ({ names, store }) => {
    assert.deepEqual(names.called(SELF), { name: "Kituo", registeredName: "" });
    for (const password of ["", "wrong"]) {
      await assert.rejects(names.registerName("kituo-1", password, ADMIN), { fault: "forbidden" });
    }
    assert.deepEqual(store.audit.list({}, 10), []);
    assert.deepEqual(await names.registerName("Kituo-1", PASSWORD, ADMIN), { jamiId: SELF, registeredName: "kituo-1" });
    assert.deepEqual(names.called(SELF), { name: "Kituo", registeredName: "kituo-1" });
    assert.deepEqual(await names.lookUpName("KITUO-1"), { jamiId: SELF, registeredName: "kituo-1" });
    await assert.rejects(names.registerName("kituo-2", PASSWORD, ADMIN), { fault: "conflict" });
    assert.deepEqual(names.givenNames({ limit: 5 }).items.map(({ registeredName }) => registeredName), ["kituo-1"]);
    names.takeName("KITUO-1", ADMIN);
    assert.throws(() => names.takeName("kituo-1", ADMIN), { fault: "not found" });
    const trail = store.audit.list({ action: "name." }, 10).map((
      { actor, address, action, target },
    ) => [actor, address, action, target]);
    assert.deepEqual(
      trail,
      ["name.delete", "name.register"].map((action) => ["admin", "192.0.2.7", action, "kituo-1"]),
    );
  }));

Deno.test("an account is called by its profile, else by its registered name, which is told when it comes", () =>
  withNode(async ({ names, store }) => {
    assert.equal(await names.nameServer().register("BobSPare", BOB), "registered");
    const learnt = new Promise((resolve) => names.onLearnt(resolve));
    assert.deepEqual(names.calledInList()(BOB.addr), { name: "", registeredName: "" });
    assert.deepEqual(await learnt, { jamiId: BOB.addr, name: "bobspare", registeredName: "bobspare" });
    const vcard = new Uint8Array(1);
    store.profiles.put({ account: BOB.addr, name: "Bob", vcard, modified: 0, received: 1 });
    assert.deepEqual(names.called(BOB.addr), { name: "Bob", registeredName: "bobspare" });
    assert.deepEqual(await names.lookUpAddress(BOB.addr), { jamiId: BOB.addr, registeredName: "bobspare" });
    await assert.rejects(names.lookUpAddress("0".repeat(40)), { fault: "not found" });
    await assert.rejects(names.lookUpName("nobody"), { fault: "not found" });
    await assert.rejects(names.lookUpName("a/b"), { fault: "bad request" });
  }));

Deno.test("without a name server nothing is asked; one that is away, and another's archive, are told of", () =>
  withNode(async ({ other }) => {
    const none = other(SELF, "none");
    assert.deepEqual(none.called(BOB.addr), { name: "", registeredName: "" });
    await assert.rejects(none.lookUpName("asha"), { fault: "conflict" });
    await assert.rejects(none.registerName("asha", PASSWORD, ADMIN), { fault: "conflict" });
    await assert.rejects(other(SELF, "http://127.0.0.1:1").lookUpName("asha"), { fault: "unavailable" });
    await assert.rejects(other(BOB.addr).registerName("asha", PASSWORD, ADMIN), { fault: "conflict" });
  }));
