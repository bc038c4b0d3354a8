/** The `verify` command, as an operator runs it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { text } from "../../../core/base/bytes.ts";
import { openStore } from "../../../core/store/store.ts";
import { verifyCommand } from "../../../core/swarm/verify_command.ts";
import { git, VECTORS, withFolder } from "../../support/git_vectors.ts";
import { readJson } from "./support.ts";

interface Line {
  commit: string;
  type: string;
  author: string | null;
  device: string;
  valid: boolean;
  reason?: string;
  members: Record<string, string>;
}

async function verify(...args: string[]): Promise<{ code: number; lines: Line[]; complaints: string[] }> {
  const [lines, complaints]: [Line[], string[]] = [[], []];
  const code = await verifyCommand(args, (line) => lines.push(JSON.parse(line)), (line) => complaints.push(line));
  return { code, lines, complaints };
}

const bundle = (name: string) => join(VECTORS, `swarm/${name}.bundle`);

Deno.test("a good history: one line per commit, oldest first, with roles; exit code 0", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", bundle("one-to-one"), "r"]);
    const { code, lines, complaints } = await verify(join(folder, "r"));
    const { commits, conversation } = readJson<{ conversation: string; commits: { id: string; author: string }[] }>(
      "swarm/one-to-one.json",
    );
    assert.deepEqual([code, complaints, lines.length], [0, [], commits.length]);
    assert.equal(lines[0].commit, conversation);
    assert.deepEqual(Object.keys(lines[0]), ["commit", "type", "author", "device", "valid", "members"]);
    assert.deepEqual(Object.values(lines[0].members).sort(), ["admin", "invited"]);
    assert.deepEqual(Object.values(lines[1].members).sort(), ["admin", "member"]);
    for (const line of lines) assert.equal(line.author, commits.find(({ id }) => id === line.commit)?.author);
  });
});

Deno.test("any ref by its full or short name, in a clone with a work tree too; merges are called so", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--branch", "main", bundle("group"), "r"]);
    const path = join(folder, "r");
    for (const ref of ["main", "refs/heads/main", "origin/bob", "refs/remotes/origin/bob", "heads/main", "HEAD"]) {
      const { code, lines } = await verify(path, "--ref", ref);
      assert.deepEqual([code, lines.length], [0, 63], ref);
      assert.ok(lines.some(({ type }) => type === "merge"));
    }
    const { code, lines } = await verify(
      "--ref",
      readJson<{ conversation: string }>("swarm/group.json").conversation,
      path,
    );
    assert.deepEqual([code, lines.length], [0, 1]);
  });
});

Deno.test("a refused commit: its reason, and all that descends from it; exit code 1", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", bundle("hostile"), "r"]);
    const { code, lines } = await verify(join(folder, "r"), "--ref", "second_root");
    assert.equal(code, 1);
    assert.deepEqual(lines.filter(({ valid }) => !valid).map(({ type, reason }) => [type, reason]), [
      ["initial", "Malformed initial commit"],
      ["merge", "descends from a refused commit"],
    ]);
  });
});

Deno.test("usage, unreadable paths, unknown refs and damaged repositories: one line, exit code 2", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", bundle("mode1"), "r"]);
    const path = join(folder, "r");
    const bad = [[], [path, path], [path, "--nonsense"], [join(folder, "nothing")], [path, "--ref", "nobody"], [
      folder,
    ]];
    for (const args of bad) {
      const { code, lines, complaints } = await verify(...args);
      assert.deepEqual([code, lines.length, complaints.length], [2, 0, 1], JSON.stringify(args));
      assert.ok(!complaints[0].includes("\n"));
    }
    for await (const { name } of Deno.readDir(join(path, "objects/pack"))) {
      await Deno.chmod(join(path, "objects/pack", name), 0o600);
      if (name.endsWith(".pack")) await Deno.truncate(join(path, "objects/pack", name), 40);
    }
    const { code, complaints } = await verify(path);
    assert.deepEqual([code, complaints.length], [2, 1], complaints[0]);
  });
});

Deno.test("as a program: lines on standard output, the exit code to the shell", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", bundle("mode3"), "r"]);
    const program = fileURLToPath(new URL("../../../core/swarm/verify_command.ts", import.meta.url));
    const run = (...args: string[]) =>
      new Deno.Command(Deno.execPath(), { args: ["run", "-A", program, ...args], stdout: "piped", stderr: "piped" })
        .output();
    const good = await run(join(folder, "r"));
    assert.deepEqual([good.code, text(new Uint8Array(good.stdout)).trim().split("\n").length], [0, 5]);
    const bad = await run();
    assert.equal(bad.code, 2);
    assert.match(text(new Uint8Array(bad.stderr)), /^usage: .*\n$/);
  });
});

Deno.test("`deno task verify` has all the rights that it needs", async () => {
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", bundle("one-to-one"), "r"]);
    const cwd = fileURLToPath(new URL("../../../", import.meta.url));
    const args = ["task", "verify", join(folder, "r")];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
    assert.equal(code, 0, text(stderr));
    assert.equal(
      text(stdout).trim().split("\n").length,
      readJson<{ commits: unknown[] }>("swarm/one-to-one.json").commits.length,
    );
  });
});

Deno.test("a data folder: its audit trail is checked, also while the node runs; nothing is written", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "kituo.db");
    const store = openStore(path);
    const event = { actor: "Asha", address: "", action: "member.ban", target: "t", detail: "" };
    const rows = [1, 2, 3].map((at) => store.audit.append(event, at));
    const check = async () => {
      const lines: string[] = [];
      const code = await verifyCommand([folder], (line) => lines.push(line), (line) => lines.push(line));
      return [code, ...lines.map((line) => JSON.parse(line))];
    };
    const sound = [0, { rows: 3, head: rows[2].hash, broken: null }];
    assert.deepEqual(await check(), sound);
    store.close();
    const before = await Deno.readFile(path);
    assert.deepEqual(await check(), sound);
    assert.deepEqual(await Deno.readFile(path), before);
    const tampering = new DatabaseSync(path);
    tampering.exec("DROP TRIGGER audit_fixed; UPDATE audit SET actor = 'Eve' WHERE seq = 2");
    tampering.close();
    assert.deepEqual(await check(), [1, { rows: 1, head: rows[0].hash, broken: 2 }]);
    await Deno.writeTextFile(path, "no database");
    const complaints: string[] = [];
    assert.equal(await verifyCommand([folder], () => {}, (line) => complaints.push(line)), 2);
    assert.match(complaints[0], /cannot read/);
  });
});
