import assert from "node:assert/strict";
import { join } from "node:path";
import { type Archive, ArchiveError, readArchive, writeArchive } from "../../../core/identity/archive.ts";
import { IMPORT_STEPS, importArchive, type ImportStep } from "../../../core/identity/import.ts";
import { InheritanceError, parseInheritance } from "../../../core/identity/inheritance.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import {
  dropInheritance,
  loadArchive,
  loadIdentity,
  loadInheritance,
  StorageError,
  tidyIdentity,
} from "../../../core/identity/storage.ts";
import { expected, vector } from "./vectors.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const { password_utf8: password } = expected.archive_password;

async function inFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(join(folder, "identity"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a daemon's archive with a password becomes a new device of its account, with all it is to take over", () =>
  inFolder(async (dir) => {
    const steps: ImportStep[] = [];
    const onStep = (step: ImportStep) => void steps.push(step);
    const made = await importArchive(dir, vector("archive-password.bin"), { password, now: NOW, onStep });
    assert.deepEqual(steps, IMPORT_STEPS);
    const identity = await loadIdentity(dir, NOW);
    assert.equal(identity.account, expected.ids.account_id);
    assert.equal(identity.device, made.device);
    assert.notEqual(identity.device, expected.ids.device_id);
    await assert.rejects(loadArchive(dir), ArchiveError, "the password stays on it");
    const archive = await loadArchive(dir, password);
    const inherited = await loadInheritance(dir);
    assert.ok(inherited);
    for (const part of ["contacts", "conversations", "conversationRequests"] as const) {
      assert.deepEqual(inherited[part], archive[part]);
    }
    assert.ok(expected.ids.peer_account_id in inherited.contacts);
    assert.equal(inherited.revocations, null);
    assert.doesNotMatch(await Deno.readTextFile(join(dir, "inherited.json")), /Key|PRIVATE/);
    assert.equal(((await Deno.stat(join(dir, "inherited.json"))).mode ?? 0) & 0o777, 0o600);
    await tidyIdentity(dir);
    assert.ok(await loadInheritance(dir), "a crash before it was taken over loses nothing");
    await dropInheritance(dir);
    await dropInheritance(dir);
    assert.equal(await loadInheritance(dir), null);
  }));

Deno.test("the list of revoked devices is taken over too", () =>
  inFolder(async (dir) => {
    const revocations = RevocationList.fromDer(vector("crl.der"));
    const archive: Archive = { ...await readArchive(vector("archive-nopassword.gz")), revocations };
    await importArchive(dir, await writeArchive(archive), { now: NOW });
    assert.equal((await loadInheritance(dir))?.revocations?.toPem(), revocations.toPem());
  }));

Deno.test("what cannot be imported leaves nothing behind, and an identity is never written over", () =>
  inFolder(async (dir) => {
    const file = vector("archive-password.bin");
    const refused = (reason: string, run: Promise<unknown>) =>
      assert.rejects(run, (error) => error instanceof ArchiveError && error.reason === reason);
    await refused("wrong password", importArchive(dir, file, { password: "x", now: NOW }));
    await refused("password needed", importArchive(dir, file, { now: NOW }));
    await assert.rejects(Deno.stat(dir), Deno.errors.NotFound);
    await importArchive(dir, vector("archive-nopassword.gz"), { now: NOW });
    const again = importArchive(dir, vector("webcrypto-archive.gz"), { now: NOW });
    await assert.rejects(again, (error) => error instanceof StorageError && error.reason === "exists");
  }));

Deno.test("an inheritance that is damaged is told as such", () => {
  for (const text of ["", "[]", "null", "{}x", '{"contacts":[]}', '{"contacts":{"a":1}}', '{"crl":"AAAA"}']) {
    if (text === "[]") assert.deepEqual(parseInheritance(text).contacts, {});
    else assert.throws(() => parseInheritance(text), InheritanceError, text);
  }
});
