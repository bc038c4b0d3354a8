import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "../../../core/store/errors.ts";
import { lockFolder } from "../../../core/store/lock.ts";
import { migrate, migrations, schemaVersion } from "../../../core/store/migrations.ts";
import { openStore } from "../../../core/store/store.ts";
import { commit, withPath, withStore } from "./support.ts";

/** Is it a StoreError of this kind? */
const fault = (wanted: StoreError["fault"]) => (error: unknown) =>
  error instanceof StoreError && error.fault === wanted;

function schemaOf(db: DatabaseSync): string[] {
  return db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").all().map((r) =>
    String(r.sql)
  );
}

Deno.test("what was written is there after a reopen, in files only the owner can read", () =>
  withPath(async (path, folder) => {
    const first = openStore(path);
    first.settings.set("a", "1");
    first.settings.set("a", "2");
    for await (const entry of Deno.readDir(folder)) {
      const { mode } = await Deno.stat(`${folder}/${entry.name}`);
      assert.equal((mode ?? 0) & 0o777, 0o600, entry.name);
    }
    first.close();
    const second = openStore(path);
    assert.equal(second.settings.get("a"), "2");
    assert.equal(second.settings.get("b"), undefined);
    second.settings.delete("a");
    assert.equal(second.settings.get("a"), undefined);
    second.close();
  }));

Deno.test("what was written is there at once for another connection, as after a kill", () =>
  withPath((path) => {
    const killed = openStore(path);
    killed.settings.set("kept", "yes");
    // never closed before the other opens: the WAL is as a killed process leaves it
    const after = openStore(path);
    assert.equal(after.settings.get("kept"), "yes");
    after.close();
    killed.close();
  }));

Deno.test("migrating from each number gives the same schema as a new file", () =>
  withPath((path) => {
    const fresh = new DatabaseSync(":memory:");
    migrate(fresh);
    for (let from = 0; from <= migrations.length; from++) {
      const old = new DatabaseSync(path);
      migrate(old, migrations.slice(0, from));
      assert.equal(schemaVersion(old), from);
      old.close();
      openStore(path).close();
      const now = new DatabaseSync(path);
      assert.equal(schemaVersion(now), migrations.length);
      assert.deepEqual(schemaOf(now), schemaOf(fresh));
      now.close();
      Deno.removeSync(path);
    }
    fresh.close();
  }));

Deno.test("an index of commits without the columns of the display is dropped, to be made anew from the repositories", () =>
  withPath((path) => {
    const old = new DatabaseSync(path);
    migrate(old, migrations.slice(0, 1));
    old.exec(`
      INSERT INTO conversations VALUES ('c', 2, 1, 0, 0, 'active', '', NULL, 'head', NULL);
      INSERT INTO commits VALUES (7, 'c', 'head', 0, '', 't', 'a', 'd', 'text/plain', 1, '{}', 1);
    `);
    old.close();
    const store = openStore(path);
    assert.equal(store.commits.count("c"), 0);
    assert.deepEqual([store.conversations.get("c")?.head, store.conversations.get("c")?.state], ["", "active"]);
    store.commits.insertMany([commit("c", 0)]);
    assert.ok((store.commits.get("c", commit("c", 0).id)?.seq ?? 0) > 7, "numbers of arrival are not given twice");
    store.close();
  }));

Deno.test("a step that fails leaves the database as the step before left it", () => {
  const db = new DatabaseSync(":memory:");
  const steps = ["CREATE TABLE one (a)", "CREATE TABLE two (a); CREATE TABLE one (a)"];
  assert.throws(() => migrate(db, steps), fault("not a store"));
  assert.equal(schemaVersion(db), 1);
  assert.deepEqual(schemaOf(db), ["CREATE TABLE one (a)"]);
  migrate(db, [steps[0], "CREATE TABLE two (a)"]);
  assert.equal(schemaVersion(db), 2);
  db.close();
});

Deno.test("a newer schema, another program's database and a file that is none are refused by name", () =>
  withPath((path) => {
    openStore(path).close();
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${migrations.length + 1}`);
    newer.close();
    assert.throws(() => openStore(path), (error) => fault("newer schema")(error) && String(error).includes(path));

    Deno.removeSync(path);
    const foreign = new DatabaseSync(path);
    foreign.exec("CREATE TABLE theirs (a)");
    foreign.close();
    assert.throws(() => openStore(path), fault("not a store"));

    Deno.writeTextFileSync(path, "not a database, but long enough to be looked at ".repeat(50));
    assert.throws(() => openStore(path), fault("not a store"));
  }));

Deno.test("a transaction keeps all or nothing; an inner one undoes only itself", () =>
  withStore((store) => {
    const boom = new Error("boom");
    assert.throws(() =>
      store.transaction(() => {
        store.settings.set("a", "1");
        throw boom;
      }), boom);
    assert.equal(store.settings.get("a"), undefined);

    const result = store.transaction(() => {
      store.settings.set("outer", "1");
      assert.throws(() =>
        store.transaction(() => {
          store.settings.set("inner", "1");
          throw boom;
        }), boom);
      store.transaction(() => store.settings.set("second", "1"));
      return 42;
    });
    assert.equal(result, 42);
    assert.deepEqual(["outer", "inner", "second"].map((key) => store.settings.get(key)), ["1", undefined, "1"]);
  }));

Deno.test("a transaction that would wait is refused and undone", () =>
  withStore((store) => {
    assert.throws(() =>
      store.transaction(() => {
        store.settings.set("a", "1");
        return Promise.resolve();
      }), fault("misuse"));
    assert.equal(store.settings.get("a"), undefined);
  }));

Deno.test("a data folder is locked for one holder, and free when that one lets go", () =>
  withPath((_path, folder) => {
    const lock = lockFolder(folder);
    assert.throws(() => lockFolder(folder), (error) => fault("in use")(error) && String(error).includes(folder));
    lock.release();
    lockFolder(folder).release();
  }));

Deno.test("a lock ends with the process that held it", () =>
  withPath(async (_path, folder) => {
    const lockFile = new URL("../../../core/store/lock.ts", import.meta.url).href;
    const program = `import { lockFolder } from ${JSON.stringify(lockFile)};
      lockFolder(${JSON.stringify(folder)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "data:text/javascript," + encodeURIComponent(program)],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assert.throws(() => lockFolder(folder), fault("in use"));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    lockFolder(folder).release();
  }));
