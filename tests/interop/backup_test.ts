/** A back-up of a running node, restored on another machine: the same node to everybody. */

import assert from "node:assert/strict";
import { createWriteStream } from "node:fs";
import { get } from "node:http";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { people } from "./driver/daemon.ts";
import { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo, groupWithKituo, kituoHistory, postInOrder, readyKituo, waitKituoTexts } from "./driver/scenario.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PASSPHRASE = "nine blue herons wade";

interopTest(
  "a node is backed up while members post, dies, and is restored elsewhere: same Jami ID, all messages, and it relays on",
  async () => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network, "kituo", "--offer-contact", "false");
    const [alice, bob] = await people(network, "alice", "bob");
    await using _alice = alice;
    await using _bob = bob;
    await askKituo(alice, kituo);
    const group = await groupWithKituo(alice, kituo, bob);
    const before = Array.from({ length: 20 }, (_, n) => `before ${n}`);
    await postInOrder(alice, group, before);
    await waitKituoTexts(kituo, group, before);
    await bob.stop();

    // the back-up is made while Alice goes on
    const file = `${network.folder}/node.kituo-backup`;
    const during = Array.from({ length: 20 }, (_, n) => `during ${n}`);
    await Promise.all([download(kituo, file), postInOrder(alice, group, during)]);
    await waitKituoTexts(kituo, group, during);
    const known = await kituoHistory(kituo, group);
    const { stdout: direct } = await task("backup", `${file}2`, "--data", kituo.data, ...await passphrase(network));
    assert.match(direct, new RegExp(`backed up jami:${kituo.jamiId}`));
    await alice.stop();
    await kituo.kill();
    const log = await kituo.logText();
    for (const secret of [PASSPHRASE, before[0], during[0], await kituo.token()]) {
      assert.ok(!log.includes(secret), secret);
    }

    // nobody is there who could help: everything comes from the file
    await Deno.mkdir(`${network.folder}/second`);
    const { stdout } = await task(
      "restore",
      file,
      "--data",
      `${network.folder}/second/data`,
      ...await passphrase(network),
    );
    assert.match(stdout, new RegExp(`restored jami:${kituo.jamiId}`));
    await using second = await KituoProcess.start(network, "second");
    assert.equal(second.jamiId, kituo.jamiId);
    assert.notEqual(second.host.address, kituo.host.address);
    const restored = await kituoHistory(second, group);
    const texts = restored.filter(({ type }) => type === "text/plain").map(({ body }) => body).reverse();
    assert.deepEqual(texts.slice(0, before.length), before);
    assert.deepEqual(texts, [...before, ...during].slice(0, texts.length), "a gap");
    console.log(`    ${texts.length - before.length} of ${during.length} messages came in while the back-up was made`);
    for (const { id, body } of restored) assert.equal(known.find((one) => one.id === id)?.body, body);

    // members find it, and it relays
    await second.waitReady();
    await alice.start();
    await postInOrder(alice, group, ["after"]);
    await waitKituoTexts(second, group, [...before, ...during, "after"]);
    await alice.stop();
    const since = bob.mark();
    await bob.start();
    await bob.waitText(group, "after", { since });
    const all = (await bob.history(group)).map(({ body }) => body);
    for (const text of [...before, ...during, "after"]) assert.ok(all.includes(text), text);
  },
);

/** Asks for a back-up and fetches it, as the console does. */
async function download(kituo: KituoProcess, path: string): Promise<void> {
  const { id } = await kituo.api<{ id: string }>("POST", "/backups", { passphrase: PASSPHRASE });
  const headers = { authorization: `Bearer ${await kituo.token()}` };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  get(`${kituo.url}/api/v1/backups/${id}`, { headers, agent: false }, (response) => {
    assert.equal(response.statusCode, 200);
    pipeline(response, createWriteStream(path)).then(resolve, reject);
  }).on("error", reject);
  await promise;
}

/** The passphrase in a file, as an option of the commands. */
async function passphrase({ folder }: Network): Promise<string[]> {
  const path = `${folder}/passphrase`;
  await Deno.writeTextFile(path, PASSPHRASE, { mode: 0o600 });
  return ["--passphrase-file", path];
}

/** A task of deno.json, with the permissions that it has there. */
async function task(name: string, ...args: string[]): Promise<{ stdout: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["task", name, ...args], cwd: ROOT });
  const { code, stdout, stderr } = await command.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return { stdout: new TextDecoder().decode(stdout) };
}
