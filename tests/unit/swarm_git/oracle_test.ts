/** The wire against what others wrote: git itself, and the libgit2 of Jami's peers, both as clients over TCP; git as a server. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bytes, owned, text } from "../../../core/base/bytes.ts";
import { GitClient } from "../../../core/swarm/fetch_pack.ts";
import { blob, buildTree, type GitObject, gitObject, type Oid } from "../../../core/swarm/object.ts";
import { missingObjects } from "../../../core/swarm/reachable.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { serveGit } from "../../../core/swarm/upload_pack.ts";
import type { Channel } from "../../../core/transport/channel.ts";
import { connectionPair, testPeer } from "../../support/channel_pair.ts";
import { commitData, fsck, git, gitLines, VECTORS, withFolder } from "../../support/git_vectors.ts";

const LIBGIT2_CLIENT = fileURLToPath(new URL("../../support/libgit2_client.ts", import.meta.url));
const hasLibgit2 = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].some((folder) => {
  try {
    return Deno.statSync(`${folder}/libgit2.so.1.5`).isFile;
  } catch {
    return false;
  }
});

/** A TCP connection as a channel. */
function tcpChannel(tcp: Deno.TcpConn): Channel {
  const [connection] = connectionPair(testPeer("a"), testPeer("b"));
  const closed = Promise.withResolvers<void>();
  const readable = tcp.readable.pipeThrough(
    new TransformStream<Uint8Array, Bytes>({ transform: (chunk, out) => out.enqueue(owned(chunk)) }),
  );
  const close = () => {
    try {
      tcp.close();
    } catch {
      // The streams have closed it already.
    }
    closed.resolve();
  };
  return {
    peer: testPeer("b"),
    name: "git://x/y",
    incoming: true,
    connection,
    readable,
    writable: tcp.writable,
    closed: closed.promise,
    close,
  };
}

/** A child process that speaks on its standard streams, as a channel. */
function childChannel(child: Deno.ChildProcess): Channel {
  const [connection] = connectionPair(testPeer("a"), testPeer("b"));
  const input = child.stdin.getWriter();
  const output = child.stdout.getReader();
  const closed = Promise.withResolvers<void>();
  return {
    peer: testPeer("b"),
    name: "git://x/y",
    incoming: false,
    connection,
    readable: new ReadableStream<Bytes>({
      async pull(out) {
        const { done, value } = await output.read();
        if (done) out.close();
        else out.enqueue(owned(value));
      },
    }),
    writable: new WritableStream<Bytes>({ write: (chunk) => input.write(chunk) }),
    closed: closed.promise,
    close: () => {
      input.close().catch(() => {}); // reason: the child may have ended first
      output.cancel().then(closed.resolve);
    },
  };
}

/** Serves a repository at `git://127.0.0.1:PORT/c` while `run` runs. */
async function served(repository: Repository, run: (url: string) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const sessions: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const tcp of listener) sessions.push(serveGit(tcpChannel(tcp), { repository, authorize: () => true }));
  })();
  try {
    await run(`git://127.0.0.1:${listener.addr.port}/c`);
  } finally {
    listener.close();
    await accepting.catch(() => {}); // reason: closing ends the loop
    await Promise.all(sessions);
  }
}

async function libgit2(...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", LIBGIT2_CLIENT, ...args],
    stderr: "piped",
  }).output();
  assert.equal(code, 0, text(stderr));
}

/** One of the clients, as two verbs. */
interface Client {
  clone(url: string, dir: string): Promise<unknown>;
  fetch(dir: string): Promise<unknown>;
}

const clients: [string, boolean, Client][] = [
  ["git", true, {
    clone: (url, dir) => git("/", ["-c", "protocol.version=0", "clone", "-q", url, dir]),
    fetch: (dir) => git(dir, ["-c", "protocol.version=0", "fetch", "-q", "origin"]),
  }],
  ["libgit2", hasLibgit2, {
    clone: (url, dir) => libgit2("clone", url, dir),
    fetch: (dir) => libgit2("fetch", dir),
  }],
];

const certificates = Array.from(
  { length: 5 },
  (_, i) => blob(crypto.getRandomValues(new Uint8Array(1500)).fill(i, 0, 1)),
);
const devices = buildTree(certificates.map(({ oid }, i) => ({ mode: "100644", path: `${i}.crt`, oid, type: "blob" })));
const root = buildTree([{ mode: "40000", path: "devices", oid: devices.oid, type: "tree" }]);

/** `count` commits with signatures, on top of `from`. */
function line(count: number, from: Oid[] = [], start = 1_700_000_000): GitObject[] {
  const out: GitObject[] = [];
  for (let i = 0; i < count; i++) {
    const signature = crypto.getRandomValues(new Uint8Array(512)).toBase64();
    const parents = i === 0 ? from : [out[i - 1].oid];
    out.push(gitObject("commit", commitData(root.oid, parents, start + i, `{"body":"${i}"}`, signature)));
  }
  return out;
}

for (const [name, available, client] of clients) {
  Deno.test({
    name: `${name} clones from us and fetches what is new: few haves, many, and many that we do not know`,
    ignore: !available,
    fn: async () => {
      await withFolder(async (folder) => {
        const repository = await Repository.create(join(folder, "served"));
        const all = line(70);
        const put = async (commits: GitObject[]) => {
          await repository.add([...certificates, devices, root, ...commits]);
          await repository.setHead(commits[commits.length - 1].oid);
        };
        await put(all.slice(0, 5));
        const copy = join(folder, "copy");
        const fetched = async () => {
          await client.fetch(copy);
          const [head] = await gitLines(copy, "rev-parse", "refs/remotes/origin/main");
          assert.equal(head, await repository.head());
          assert.deepEqual(await fsck(copy), []);
        };
        await served(repository, async (url) => {
          await client.clone(url, copy);
          assert.equal((await gitLines(copy, "rev-list", "HEAD")).length, 5);
          assert.equal((await Deno.stat(join(copy, "devices/3.crt"))).size, 1500);
          await fetched(); // nothing new
          await put(all.slice(0, 6)); // 5 haves
          await fetched();
          await put(all.slice(0, 69)); // a large step
          await fetched();
          await put(all); // 69 haves, the newest known
          await fetched();
          for (let i = 0; i < 45; i++) await git(copy, ["commit", "-q", "--allow-empty", "-m", `own ${i}`]);
          await put([...all, ...line(3, [all[69].oid], 1_700_001_000)]); // its newest 45 haves are unknown to us
          await fetched();
        });
        await repository.close();
      });
    },
  });

  Deno.test({
    name: `${name} clones the recorded swarms, merges and all, and a history of 10,000 commits (time printed)`,
    ignore: !available,
    fn: async () => {
      await withFolder(async (folder) => {
        for (const bundle of ["swarm/group", "today/group", "today/mixed-with-2023"]) {
          const path = join(folder, bundle.replace("/", "-"));
          await git(folder, ["clone", "-q", "--mirror", join(VECTORS, `${bundle}.bundle`), path]);
          const repository = await Repository.open(path, { readOnly: true });
          await served(repository, (url) => Promise.resolve(client.clone(url, `${path}-copy`)).then(() => {}));
          assert.deepEqual(
            await gitLines(`${path}-copy`, "rev-list", "--objects", "HEAD"),
            await gitLines(path, "rev-list", "--objects", "refs/heads/main"),
          );
          assert.deepEqual(await fsck(`${path}-copy`), []);
          await repository.close();
        }
        const repository = await Repository.create(join(folder, "large"));
        const commits = line(10_000);
        await repository.add([...certificates, devices, root, ...commits]);
        await repository.setHead(commits[9_999].oid);
        const start = performance.now();
        await served(repository, (url) => Promise.resolve(client.clone(url, join(folder, "copy"))).then(() => {}));
        console.log(`      ${name} cloned 10,000 commits from us in ${(performance.now() - start).toFixed(0)} ms`);
        assert.equal((await gitLines(join(folder, "copy"), "rev-list", "--count", "HEAD"))[0], "10000");
        await repository.close();
      });
    },
  });
}

Deno.test("we fetch from git itself: clone with its deltas, then what is new, and have batches", async () => {
  await withFolder(async (folder) => {
    const id = "c".repeat(40);
    const source = join(folder, id);
    await git(folder, ["clone", "-q", "--bare", join(VECTORS, "swarm/group.bundle"), source]);
    const all = await gitLines(source, "rev-list", "refs/heads/main");
    const mine = await Repository.create(join(folder, "mine"));
    for (const [tip, haves] of [[all[all.length - 30], 0], [all[5], 25], [all[0], 60]] as const) {
      await git(source, ["update-ref", "refs/heads/main", tip]);
      const child = new Deno.Command("git", {
        args: ["daemon", "--inetd", `--base-path=${folder}`, "--export-all"],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const channel = childChannel(child);
      const client = new GitClient(channel, { conversation: id, device: "localhost" });
      const have = haves === 0 ? [] : await gitLines(source, "rev-list", `-${haves}`, await mine.head() ?? "");
      const fetched = await client.fetch({ have, known: () => false, base: mine });
      await mine.add(fetched?.objects.values() ?? []);
      await mine.setHead(tip);
      client.close();
      await child.status;
      const expected = await gitLines(source, "rev-list", "--objects", tip);
      assert.deepEqual(await gitLines(mine.dir, "rev-list", "--objects", "main"), expected);
      assert.deepEqual(await fsck(mine.dir), []);
    }
    await mine.close();
  });
});

Deno.test("what we find missing is what git finds missing, in real histories with merges", async () => {
  await withFolder(async (folder) => {
    for (const bundle of ["swarm/group", "swarm/split-and-merge", "today/group"]) {
      const dir = join(folder, bundle.replace("/", "-"));
      await git(folder, ["clone", "-q", "--mirror", join(VECTORS, `${bundle}.bundle`), dir]);
      const repository = await Repository.open(dir, { readOnly: true });
      const commits = await gitLines(dir, "rev-list", "--all");
      for (let i = 0; i < commits.length; i += 3) {
        const want = commits[i];
        for (const haves of [[], [commits[(i * 7 + 5) % commits.length]], commits.slice(i + 1, i + 4)]) {
          const ours = new Set(await missingObjects(repository, want, haves));
          const gits = await gitLines(dir, "rev-list", "--objects", want, ...haves.map((have) => `^${have}`));
          for (const object of gits) assert.ok(ours.has(object.slice(0, 40)), `${object} is needed`);
          const all = await gitLines(dir, "rev-list", "--objects", want);
          if (haves.length === 0) assert.equal(ours.size, all.length);
          const commitsOnly = await gitLines(dir, "rev-list", want, ...haves.map((have) => `^${have}`));
          const sent = [];
          for (const oid of ours) if ((await repository.read(oid)).type === "commit") sent.push(oid);
          assert.deepEqual(sent.sort(), commitsOnly.sort());
        }
      }
      await repository.close();
    }
  });
});

Deno.test("commits with lying clocks: perhaps too much is sent, never too little", async () => {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    const commits: GitObject[] = [];
    for (let i = 0; i < 120; i++) {
      const parents = i === 0 ? [] : [commits[i - 1].oid, ...(i > 5 && i % 4 === 0 ? [commits[i - 5].oid] : [])];
      const time = 1_700_000_000 + (i * 7919) % 1000;
      commits.push(gitObject("commit", commitData(root.oid, parents, time, `${i}`)));
    }
    await repository.add([...certificates, devices, root, ...commits]);
    for (let i = 0; i < 120; i += 7) {
      const have = commits[i].oid;
      const sent = new Set(await missingObjects(repository, commits[119].oid, [have]));
      const needed = await gitLines(repository.dir, "rev-list", commits[119].oid, `^${have}`);
      for (const oid of needed) assert.ok(sent.has(oid));
    }
    assert.equal((await missingObjects(repository, commits[0].oid, [commits[119].oid])).length, 0);
    await repository.close();
  });
});
