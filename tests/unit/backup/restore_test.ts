import assert from "node:assert/strict";
import { join } from "node:path";
import { utf8 } from "../../../core/base/bytes.ts";
import { backupCommand } from "../../../core/backup/backup_command.ts";
import { backUp, backUpTo, prepareBackup } from "../../../core/backup/make.ts";
import { restore } from "../../../core/backup/restore.ts";
import { restoreCommand } from "../../../core/backup/restore_command.ts";
import { saveDevice } from "../../../core/identity/storage.ts";
import { verifyCommand } from "../../../core/swarm/verify_command.ts";
import { alice, bob, closePlace, NOW, opened, openPlace, type Place, post, withPlaces } from "../relay/support.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const PASSPHRASE = "nine blue herons wade";

/** A node's folder with a conversation, an identity, a file that a member sent, and what does not belong into a back-up. */
async function furnish(place: Place): Promise<string> {
  const { dir, conversations, clock } = place;
  await Deno.mkdir(join(dir, "identity"));
  await saveDevice(join(dir, "identity"), alice);
  Deno.writeTextFileSync(join(dir, "kituo.json"), '{"name":"Pwani"}');
  Deno.writeTextFileSync(join(dir, "admin.token"), "t0ken");
  Deno.mkdirSync(join(dir, "files/ab"), { recursive: true });
  Deno.mkdirSync(join(dir, "files/parts"));
  Deno.writeTextFileSync(join(dir, "files/ab", "ab".repeat(64)), "a picture");
  Deno.writeTextFileSync(join(dir, "files/parts/x.part"), "half a pict");
  Deno.writeTextFileSync(join(dir, "lock"), "");
  Deno.mkdirSync(join(dir, "refused"));
  Deno.writeTextFileSync(join(dir, "old.kituo-backup"), "an earlier one");
  const id = await conversations.oneToOne(bob.account);
  await post(opened(place, id), clock, "hello");
  return id;
}

async function prepared(dir: string, files = true) {
  return await prepareBackup(dir, { passphrase: PASSPHRASE, files, now: NOW });
}

/** A new folder beside the node's, not made yet. */
function beside(place: Place, name: string): string {
  return join(place.dir, "..", name);
}

async function restored(file: string, to: string) {
  using handle = await Deno.open(file);
  return await restore(handle, PASSPHRASE, to);
}

/** All files below a folder. */
function filesIn(folder: string, below = ""): string[] {
  return [...Deno.readDirSync(join(folder, below))].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(folder, join(below, name)) : [join(below, name)]
  ).sort();
}

/** The texts of the conversation in a folder, opened as a node would. */
async function textsIn(dir: string, id: string): Promise<string[]> {
  const place = openPlace(dir, alice, new VirtualClock(NOW));
  try {
    await place.conversations.start();
    const rows = opened(place, id).page({ limit: 1_000 });
    return rows.filter(({ type }) => type === "text/plain").map(({ body }) => JSON.parse(body).body).reverse();
  } finally {
    await closePlace(place);
  }
}

Deno.test("everything a node knows comes back, readable by its owner only, and nothing else", () =>
  withPlaces([alice], async (place) => {
    const id = await furnish(place);
    const [file, to] = [beside(place, "b.kituo-backup"), beside(place, "new")];
    const size = await backUpTo(file, place.dir, await prepared(place.dir));
    assert.equal((await Deno.stat(file)).size, size);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const about = await restored(file, to);
    assert.equal(about.jamiId, alice.account);
    const names = filesIn(to);
    for (
      const name of ["kituo.db", "kituo.json", "admin.token", "identity/device.key", `files/ab/${"ab".repeat(64)}`]
    ) {
      assert.ok(names.includes(name), name);
      assert.equal(Deno.statSync(join(to, name)).mode! & 0o777, 0o600, name);
    }
    assert.equal(Deno.statSync(to).mode! & 0o777, 0o700);
    assert.deepEqual(names.filter((name) => /part|backup|snapshot|kituo\.db-/.test(name)), []);
    assert.deepEqual(await textsIn(to, id), ["hello"]);
    assert.equal(await verifyCommand([join(to, `conversations/${id}.git`)], () => {}, () => {}), 0);
    // nothing is left in the node's folder either, and nobody's text is readable in the file
    assert.deepEqual(filesIn(place.dir).filter((name) => name.includes("snapshot")), []);
    const bytes = Deno.readFileSync(file);
    assert.equal(new TextDecoder("latin1").decode(bytes).includes("Pwani"), false);
  }));

Deno.test("without files there are none, and all else", () =>
  withPlaces([alice], async (place) => {
    const id = await furnish(place);
    const [file, to] = [beside(place, "b"), beside(place, "new")];
    await backUpTo(file, place.dir, await prepared(place.dir, false));
    assert.equal((await restored(file, to)).files, false);
    assert.deepEqual(filesIn(to).filter((name) => name.startsWith("files")), []);
    assert.deepEqual(await textsIn(to, id), ["hello"]);
  }));

Deno.test("a back-up is consistent although the node writes and repacks all the time", () =>
  withPlaces([alice], async (place) => {
    const id = await furnish(place);
    const conversation = opened(place, id), to = beside(place, "new"), file = beside(place, "b");
    let n = 0;
    const said = ["hello"];
    using out = await Deno.open(file, { write: true, createNew: true });
    // between any two parts the node goes on: it posts, and now and then puts everything into one pack
    const small = await prepared(place.dir);
    small.seal.chunk = 512;
    new DataView(small.seal.head.buffer).setUint32(16, small.seal.chunk);
    let acknowledged = 0;
    for await (const part of backUp(place.dir, small)) {
      for (let at = 0; at < part.length;) at += await out.write(part.subarray(at));
      if (n === 0) acknowledged = said.length;
      if (++n % 3 !== 0 || n > 300) continue;
      said.push(`message ${n}`);
      await post(conversation, place.clock, `message ${n}`);
      if (n % 30 === 0) await repackNow(conversation.repository);
    }
    assert.ok(said.length > 20, `${said.length} messages came meanwhile`);
    await restored(file, to);
    const texts = await textsIn(to, id);
    assert.ok(texts.length >= acknowledged);
    assert.deepEqual(texts, said.slice(0, texts.length));
    assert.equal(await verifyCommand([join(to, `conversations/${id}.git`)], () => {}, () => {}), 0);
    const fsck = await new Deno.Command("git", {
      args: ["--git-dir", join(to, `conversations/${id}.git`), "fsck", "--strict", "--full"],
    }).output();
    assert.equal(fsck.code, 0, new TextDecoder().decode(fsck.stderr));
  }));

/** As `repository.repack()` does once there is enough: all loose objects into a pack, and they are gone. */
async function repackNow(repository: { gitdir: string; release(): void }): Promise<void> {
  const { code } = await new Deno.Command("git", {
    args: ["--git-dir", repository.gitdir, "repack", "-a", "-d", "-q"],
  }).output();
  assert.equal(code, 0);
  repository.release();
}

Deno.test("a back-up that is damaged, cut off, or opened with a wrong passphrase leaves nothing behind", () =>
  withPlaces([alice], async (place) => {
    await furnish(place);
    const [file, to] = [beside(place, "b"), beside(place, "new")];
    await backUpTo(file, place.dir, await prepared(place.dir));
    const whole = Deno.readFileSync(file);
    const flipped = whole.slice();
    flipped[whole.length - 100] ^= 4;
    const tries: [Uint8Array, string, RegExp][] = [
      [whole, "another passphrase", /passphrase is wrong/],
      [flipped, PASSPHRASE, /damaged/],
      [whole.subarray(0, whole.length - 1), PASSPHRASE, /cut off/],
      [whole.subarray(0, 100), PASSPHRASE, /cut off/],
      [
        utf8("PK\x03\x04 something else, of another program, and long enough to have a head"),
        PASSPHRASE,
        /not a back-up/,
      ],
    ];
    const before = filesIn(join(place.dir, ".."));
    for (const [bytes, passphrase, message] of tries) {
      Deno.writeFileSync(file, bytes);
      using handle = await Deno.open(file);
      await assert.rejects(restore(handle, passphrase, to), message);
      assert.deepEqual(filesIn(join(place.dir, "..")), before);
      await assert.rejects(Deno.stat(to), Deno.errors.NotFound);
      await assert.rejects(Deno.stat(`${to}.restoring`), Deno.errors.NotFound);
    }
  }));

Deno.test("a restore never writes over anything, takes an empty folder, and clears away what a killed one left", () =>
  withPlaces([alice], async (place) => {
    await furnish(place);
    const [file, to] = [beside(place, "b"), beside(place, "new")];
    await backUpTo(file, place.dir, await prepared(place.dir));
    await assert.rejects(restored(file, place.dir), /not an empty folder/);
    await assert.rejects(restored(file, beside(place, "no/such/folder")), /no folder/);
    Deno.mkdirSync(to);
    Deno.mkdirSync(join(`${to}.restoring`, "conversations"), { recursive: true });
    Deno.writeTextFileSync(join(`${to}.restoring`, "kituo.db"), "half");
    assert.equal((await restored(file, to)).jamiId, alice.account);
    await assert.rejects(Deno.stat(`${to}.restoring`), Deno.errors.NotFound);
    await assert.rejects(backUpTo(file, place.dir, await prepared(place.dir)), /something at .* already/);
  }));

/** Runs a command as a script would, with a passphrase in a file. */
async function run(command: typeof backupCommand, ...args: string[]) {
  const [out, err]: string[][] = [[], []];
  const code = await command(args, (line) => out.push(line), (line) => err.push(line));
  return { code, out: out.join("\n"), err: err.join("\n") };
}

Deno.test("the commands: there and back, with plain words about what went wrong", () =>
  withPlaces([alice], async (place) => {
    const id = await furnish(place);
    const [file, to, secret] = [beside(place, "b"), beside(place, "new"), beside(place, "passphrase")];
    Deno.writeTextFileSync(secret, `${PASSPHRASE}\n`, { mode: 0o644 });
    Deno.chmodSync(secret, 0o644);
    const backup = (...args: string[]) => run(backupCommand, file, "--data", place.dir, ...args);
    assert.match((await backup("--passphrase-file", secret)).err, /Others can read/);
    Deno.chmodSync(secret, 0o600);
    assert.equal((await run(backupCommand)).code, 2);
    assert.match(
      (await run(backupCommand, file, "--data", "/nowhere", "--passphrase-file", secret)).err,
      /not the data/,
    );
    const made = await backup("--passphrase-file", secret);
    assert.equal(made.code, 0, made.err);
    assert.match(made.out, new RegExp(`backed up jami:${alice.account}`));
    Deno.writeTextFileSync(secret, "short");
    assert.match(
      (await run(backupCommand, `${file}2`, "--data", place.dir, "--passphrase-file", secret)).err,
      /at least/,
    );
    const wrong = await run(restoreCommand, file, "--data", to, "--passphrase-file", secret);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /passphrase is wrong.* Nothing was restored/);
    Deno.writeTextFileSync(secret, PASSPHRASE);
    const back = await run(restoreCommand, file, "--data", to, "--passphrase-file", secret);
    assert.equal(back.code, 0, back.err);
    assert.deepEqual(await textsIn(to, id), ["hello"]);
  }));

Deno.test("memory stays small although files are large", () =>
  withPlaces([alice], async (place) => {
    await furnish(place);
    const big = 256 * 1024 * 1024;
    const path = join(place.dir, "files/ab", "cd".repeat(64));
    (await Deno.open(path, { write: true, createNew: true })).close();
    await Deno.truncate(path, big);
    let most = 0, size = 0;
    const before = Deno.memoryUsage().rss;
    for await (const part of backUp(place.dir, await prepared(place.dir))) {
      size += part.length;
      most = Math.max(most, Deno.memoryUsage().rss - before);
    }
    assert.ok(size > big);
    assert.ok(most < big / 2, `${most} bytes more`);
  }));

Deno.test("where no passphrase is given, that is what is said", async () => {
  const file = await Deno.makeTempFile();
  try {
    const command = new URL("../../../core/backup/restore_command.ts", import.meta.url).pathname;
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", command, file, "--data", `${file}.data`],
      stdin: "null",
    }).output();
    assert.equal(code, 2);
    assert.match(new TextDecoder().decode(stderr), /No passphrase was given.*Nothing was restored/);
  } finally {
    await Deno.remove(file);
  }
});
