import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reindexCommand } from "../../../core/reindex_command.ts";
import { lockFolder } from "../../../core/store/lock.ts";
import { openStore } from "../../../core/store/store.ts";
import type { CommitRow } from "../../../core/store/commits.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { alice, bob, carol, closePlace, opened, type Place, post, withPlaces } from "./support.ts";

/** All rows of a data folder in display order, without their arrival numbers, which are given anew. */
function rowsOf(dir: string): Omit<CommitRow, "seq">[] {
  const store = openStore(join(dir, "kituo.db"));
  try {
    return store.conversations.all().flatMap(({ id }) => store.commits.page(id, { limit: 1_000 })).map((
      { seq: _, ...row },
    ) => row);
  } finally {
    store.close();
  }
}

/** Two conversations, one with a merge in it; closed. */
async function twoConversations(place: Place): Promise<[string, string]> {
  const { conversations, clock } = place;
  const ids: [string, string] = [
    await conversations.oneToOne(bob.account),
    await conversations.oneToOne(carol.account),
  ];
  const conversation = opened(place, ids[0]);
  const base = await post(conversation, clock, "base");
  const context = {
    reader: conversation.repository,
    head: base,
    identity: alice,
    displayName: "",
    now: clock.now() + 5_000,
  };
  const beside = await writeText(context, "beside");
  await post(conversation, clock, "main");
  await conversation.take({ head: beside.head, objects: new Map(beside.objects.map((o) => [o.oid, o])) });
  await post(opened(place, ids[1]), clock, "hello carol");
  conversation.page({ limit: 1 }); // brings the rows into display order
  conversations.want("f".repeat(40), carol.account, 2);
  await closePlace(place);
  return ids;
}

/** Runs the command here. */
async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const [out, err]: string[][] = [[], []];
  const code = await reindexCommand(args, (line) => out.push(line), (line) => err.push(line));
  return { code, out, err };
}

/** Forgets all rows, as if the database had been lost but for the list of conversations. */
function wipe(dir: string): void {
  const store = openStore(join(dir, "kituo.db"));
  for (const { id } of store.conversations.all()) {
    store.commits.drop(id);
    store.conversations.setHead(id, "");
  }
  store.close();
}

Deno.test("reindex: the rows are the same as before they were lost", () =>
  withPlaces([alice], async (place) => {
    const ids = await twoConversations(place);
    const before = rowsOf(place.dir);
    assert.equal(before.length, 7);
    wipe(place.dir);
    assert.deepEqual(rowsOf(place.dir), []);
    const { code, out, err } = await run("--data", place.dir);
    assert.deepEqual(err, []);
    assert.equal(code, 0);
    assert.deepEqual(
      out.sort(),
      [`${ids[0]} 5 commits`, `${ids[1]} 2 commits`, `${"f".repeat(40)} is not cloned yet`].sort(),
    );
    assert.deepEqual(rowsOf(place.dir), before);
    const again = await run("--data", place.dir);
    assert.equal(again.code, 0);
    assert.deepEqual(rowsOf(place.dir), before, "doing it twice does no harm");
    const store = openStore(join(place.dir, "kituo.db"));
    assert.equal(store.conversations.get(ids[0])?.head, before.find(({ type }) => type === "merge")?.id);
    store.close();
  }));

Deno.test("reindex: a damaged repository is reported, its rows stay, the others are rebuilt", () =>
  withPlaces([alice], async (place) => {
    const [one, two] = await twoConversations(place);
    const before = rowsOf(place.dir);
    const folder = join(place.dir, "conversations", `${two}.git`);
    const victim = before.find((row) => row.id === two);
    await Deno.remove(join(folder, "objects", two.slice(0, 2), two.slice(2)));
    const { code, out, err } = await run("--data", place.dir);
    assert.equal(code, 1);
    assert.ok(out.includes(`${one} 5 commits`));
    assert.equal(err.length, 1);
    assert.match(err[0], new RegExp(`^${two} is damaged: `));
    assert.deepEqual(rowsOf(place.dir), before);
    assert.ok(victim);
    // a repository that is another conversation's, or gone
    await Deno.remove(folder, { recursive: true });
    assert.equal((await run("--data", place.dir)).code, 1);
    await Deno.rename(join(place.dir, "conversations", `${one}.git`), folder);
    assert.match(
      (await run("--data", place.dir)).err.join("\n"),
      new RegExp(`${two} is damaged: the history is another conversation's`),
    );
    assert.deepEqual(rowsOf(place.dir), before);
  }));

/** The list of conversations without what is only about this node's past. */
function recordsOf(dir: string) {
  const store = openStore(join(dir, "kituo.db"));
  try {
    return store.conversations.all().map(({ id, mode, state, head }) => ({ id, mode, state, head }));
  } finally {
    store.close();
  }
}

async function writeChain({ dir }: Place): Promise<void> {
  await Deno.mkdir(join(dir, "identity"));
  await Deno.writeTextFile(join(dir, "identity", "chain.pem"), alice.chainPem);
}

/** What `kituo.db` comes to, and how the command says so. */
const losses: [string, (path: string) => void, RegExp][] = [
  ["missing", (path) => Deno.removeSync(path), /^there is no database: a new one is made$/],
  [
    "no database at all",
    (path) => Deno.writeTextFileSync(path, "x".repeat(20_000)),
    /^the database is damaged \(.*\): it is .*kituo\.db\.damaged-\d{8}T\d{6}Z now and a new one is made$/,
  ],
  ["damaged inside", (path) => {
    const bytes = Deno.readFileSync(path);
    Deno.writeFileSync(path, bytes.fill(0xa5, 8_192, bytes.length - 4_096));
  }, /^the database is damaged /],
];

for (const [what, spoil, says] of losses) {
  Deno.test(`reindex: a database that is ${what} is rebuilt from the repositories`, () =>
    withPlaces([alice], async (place) => {
      const [one, two] = await twoConversations(place);
      await writeChain(place);
      const [rows, records] = [rowsOf(place.dir), recordsOf(place.dir).filter(({ state }) => state !== "cloning")];
      spoil(join(place.dir, "kituo.db"));
      const { code, out, err } = await run("--data", place.dir);
      assert.deepEqual([code, err], [0, []]);
      assert.match(out[0], says);
      const told = out.slice(1).filter((line) => !/^[0-9a-f]{40} /.test(line)).join("\n");
      for (const lost of ["contacts", "admins", "bans", "audit trail", "join links", "API tokens", "back-up"]) {
        assert.ok(told.includes(lost), `${lost} is not named`);
      }
      assert.deepEqual(
        out.slice(1).filter((line) => /^[0-9a-f]{40} /.test(line)),
        [[one, 5], [two, 2]].sort().map(([id, count]) =>
          `${id} ${count} commits; it was not in the database and is active now`
        ),
      );
      assert.deepEqual(recordsOf(place.dir), records);
      assert.deepEqual(rowsOf(place.dir), rows);
      const aside = [...Deno.readDirSync(place.dir)].filter(({ name }) => /^kituo\.db\.damaged-\w+$/.test(name));
      assert.equal(aside.length, what === "missing" ? 0 : 1);
      assert.equal((await run("--data", place.dir)).out.length, 2, "the second time all is known");
    }));
}

Deno.test("reindex: a repository in which we are no more is taken up as left, a damaged one not at all", () =>
  withPlaces([alice], async (place) => {
    const [one, two] = await twoConversations(place);
    await Deno.mkdir(join(place.dir, "identity"));
    await Deno.writeTextFile(join(place.dir, "identity", "chain.pem"), bob.chainPem); // Bob is in the first only
    await Deno.remove(join(place.dir, "kituo.db"));
    const strange = join(place.dir, "conversations", `${"e".repeat(40)}.git`);
    await Deno.mkdir(strange);
    const { code, err } = await run("--data", place.dir);
    assert.equal(code, 1);
    assert.deepEqual(err.map((line) => line.slice(0, 52)), [`${"e".repeat(40)} is damaged:`]);
    const states = Object.fromEntries(recordsOf(place.dir).map(({ id, state }) => [id, state]));
    assert.deepEqual(states, { [one]: "active", [two]: "left" });
  }));

Deno.test("reindex: without a data folder, with a running node or wrong options nothing is done", () =>
  withPlaces([alice], async (place) => {
    await twoConversations(place);
    const nowhere = await run("--data", join(place.dir, "nowhere"));
    assert.deepEqual([nowhere.code, nowhere.err.length], [2, 1]);
    assert.deepEqual([...Deno.readDirSync(place.dir)].some(({ name }) => name === "nowhere"), false);
    for (const args of [["--else"], ["--data"], ["--data", ""], ["somewhere"]]) {
      assert.equal((await run(...args)).code, 2);
    }
    const lock = lockFolder(place.dir);
    const locked = await run("--data", place.dir);
    lock.release();
    assert.equal(locked.code, 2);
    assert.match(locked.err[0], /in use/);
  }));

Deno.test("reindex: the task has the rights it needs and no more", () =>
  withPlaces([alice], async (place) => {
    const ids = await twoConversations(place);
    wipe(place.dir);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "reindex", "--data", place.dir],
      cwd: fileURLToPath(new URL("../../../", import.meta.url)),
      stdout: "piped",
      stderr: "piped",
    }).output();
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(code, 0);
    assert.ok(new TextDecoder().decode(stdout).includes(`${ids[0]} 5 commits\n`));
  }));
