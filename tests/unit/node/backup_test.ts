import assert from "node:assert/strict";
import { join } from "node:path";
import { restore } from "../../../core/backup/restore.ts";
import { saveDevice } from "../../../core/identity/storage.ts";
import { type BackupSettings, NodeBackups } from "../../../core/node_backup.ts";
import { alice, bob, type Place, withPlaces } from "../relay/support.ts";

const PASSPHRASE = "nine blue herons wade";
const HOUR = 3_600_000;

async function settingsFor({ dir, conversations }: Place): Promise<Required<BackupSettings>> {
  await Deno.mkdir(join(dir, "identity"));
  await saveDevice(join(dir, "identity"), alice);
  await conversations.oneToOne(bob.account);
  const backupPassphraseFile = join(dir, "../passphrase");
  Deno.writeTextFileSync(backupPassphraseFile, PASSPHRASE);
  Deno.chmodSync(backupPassphraseFile, 0o600);
  const backupDir = join(dir, "../backups");
  return { data: dir, backupDir, backupEvery: 24, backupKeep: 2, backupPassphraseFile, backupFiles: true };
}

Deno.test("a node makes back-ups by itself: when one is due, and keeps so many", () =>
  withPlaces([alice], async (place) => {
    const { clock, dir } = place;
    const settings = await settingsFor(place);
    const backups = new NodeBackups(settings, clock);
    const names = async () => (await backups.schedule())?.made.map(({ name }) => name) ?? [];
    await backups.look();
    const [first] = await names();
    assert.match(first, new RegExp(`^kituo-${alice.account.slice(0, 8)}-20261121T1200\\d\\dZ\\.kituo-backup$`));
    await clock.advance(23 * HOUR);
    await backups.look();
    assert.deepEqual(await names(), [first]);
    Deno.writeTextFileSync(join(settings.backupDir, "notes.txt"), "mine");
    for (let day = 0; day < 3; day++) {
      await clock.advance(24 * HOUR);
      await backups.look();
    }
    const kept = await names();
    assert.equal(kept.length, 2);
    assert.equal(kept.includes(first), false);
    assert.deepEqual([...Deno.readDirSync(settings.backupDir)].map(({ name }) => name).sort(), [
      ...kept.toSorted(),
      "notes.txt",
    ]);
    using file = await Deno.open(join(settings.backupDir, kept[0]));
    assert.equal((await restore(file, PASSPHRASE, join(dir, "../new"))).jamiId, alice.account);
    // another node over the same folder knows what was made before it
    assert.deepEqual((await new NodeBackups(settings, clock).schedule())?.made.map(({ name }) => name), kept);
  }));

Deno.test("what keeps a back-up from being made is told, until one is", () =>
  withPlaces([alice], async (place) => {
    const settings = await settingsFor(place);
    const backups = new NodeBackups(settings, place.clock);
    Deno.chmodSync(settings.backupPassphraseFile, 0o644);
    await backups.look();
    assert.match((await backups.schedule())?.problem ?? "", /Others can read/);
    Deno.chmodSync(settings.backupPassphraseFile, 0o600);
    await backups.look();
    assert.equal((await backups.schedule())?.problem, "");
    assert.throws(() => new NodeBackups({ ...settings, backupPassphraseFile: undefined }, place.clock), /needs a pass/);
  }));

Deno.test("an offered back-up is given once and within its time, and only so many wait or are made", () =>
  withPlaces([alice], async (place) => {
    const backups = new NodeBackups(await settingsFor(place), place.clock);
    const wish = { passphrase: PASSPHRASE, files: false };
    await assert.rejects(backups.prepare({ ...wish, passphrase: "short" }), /at least/);
    const late = await backups.prepare(wish);
    await place.clock.advance(6 * 60_000);
    assert.throws(() => backups.take(late.id), /waited too long/);
    const offers: { id: string }[] = [];
    for (let n = 0; n < 8; n++) offers.push(await backups.prepare(wish));
    await assert.rejects(backups.prepare(wish), /Too many/);
    const running = offers.slice(0, 2).map(({ id }) => backups.take(id).content[Symbol.asyncIterator]());
    for (const one of running) await one.next();
    assert.throws(() => backups.take(offers[0].id), /fetched already/);
    assert.throws(() => backups.take(offers[2].id), /Other back-ups/);
    for (const one of running) await one.return?.();
    assert.equal((await Array.fromAsync(backups.take(offers[2].id).content)).length > 1, true);
  }));
