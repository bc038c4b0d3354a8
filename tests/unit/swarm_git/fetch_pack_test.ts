import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { concat, equal, text, utf8 } from "../../../core/base/bytes.ts";
import { Budget } from "../../../core/base/limits.ts";
import { KituoError, LimitError, ProtocolError, TimeoutError } from "../../../core/base/errors.ts";
import { type Fetched, type FetchOptions, FetchRefused, GitClient } from "../../../core/swarm/fetch_pack.ts";
import { EXCHANGE_IDLE_MS, PACK_LIMITS } from "../../../core/swarm/git_limits.ts";
import { buildTree, type GitObject, gitObject, type Oid } from "../../../core/swarm/object.ts";
import { emptyReader } from "../../../core/swarm/overlay.ts";
import { PackError } from "../../../core/swarm/pack_entry.ts";
import { pktLine } from "../../../core/swarm/pkt_line.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { serveGit } from "../../../core/swarm/upload_pack.ts";
import { type Channel, ConnectionClosed } from "../../../core/transport/channel.ts";
import { channelPair, type MemoryChannel, testPeer } from "../../support/channel_pair.ts";
import { commitData, fsck, gitExchanges, type RecordedExchange, withFolder } from "../../support/git_vectors.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const CONVERSATION = "c".repeat(40);
const DEVICE = "d".repeat(64);
const HEAD = "a".repeat(40);
const FLUSH = utf8("0000");
const nothing: FetchOptions = { have: [], known: () => false, base: emptyReader };

function connect(): { client: GitClient; theirs: MemoryChannel; clock: VirtualClock } {
  const clock = new VirtualClock();
  const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
  return { client: new GitClient(mine, { conversation: CONVERSATION, device: DEVICE, clock }), theirs, clock };
}

/** Answers the client with these bytes, whatever it says. */
function answer(theirs: MemoryChannel, ...bytes: Uint8Array[]): void {
  const writer = theirs.writable.getWriter();
  writer.closed.catch(() => {});
  for (const part of bytes) writer.write(concat(part)).catch(() => {}); // reason: the client may hang up first
  theirs.readable.pipeTo(new WritableStream()).catch(() => {});
}

const advertisement = concat(pktLine(`${HEAD} HEAD\0side-band-64k\n`), pktLine(`${HEAD} refs/heads/main\n`), FLUSH);

/** Plays the recorded server; checks each frame of the client against the recorded client's. */
async function replay(exchange: RecordedExchange, theirs: MemoryChannel): Promise<void> {
  const reader = theirs.readable.getReader();
  const writer = theirs.writable.getWriter();
  for (const { client, data } of exchange.frames) {
    if (!client) await writer.write(data);
    else {
      const { value } = await reader.read();
      assert.equal(text(value ?? new Uint8Array(0)), text(data));
    }
  }
  reader.releaseLock();
  writer.releaseLock();
}

for (
  const file of [
    "sync/clone",
    "sync/fetch-incremental",
    "sync/fetch-uptodate",
    "sync/fetch-20-haves",
    "sync/notification-and-fetch",
    "sync/reconnect-bootstrap",
    "sync/nonmember-clone",
    "today/contact-clone-message",
    "today/relay-reconnect",
    "today/banned-member",
    "today/with-2023",
  ]
) {
  Deno.test(`fetches from the servers recorded in ${file}, saying what their client said, frame by frame`, async () => {
    for (const exchange of gitExchanges(`${file}.jsonl`)) {
      const [, conversation, device] = /\/([0-9a-f]{40})\0host=([0-9a-f]{64})\0/.exec(exchange.request) ?? [];
      const haves = exchange.frames.filter((f) => f.client)
        .flatMap(({ data }) => text(data).match(/(?<=have )[0-9a-f]{40}/g) ?? []);
      const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
      const client = new GitClient(mine, { conversation, device });
      const upToDate = exchange.pack.length === 0;
      const shown: Oid[] = [];
      const [fetched] = await Promise.all([
        client.fetch({ ...nothing, have: haves, known: () => upToDate, onAdvertised: (oid) => shown.push(oid) }),
        replay(exchange, theirs),
      ]);
      assert.equal(fetched?.head ?? null, upToDate ? null : exchange.head);
      if (fetched) assert.equal(fetched.objects.get(exchange.head)?.type, "commit");
      assert.deepEqual(shown, [exchange.head]);
      client.close();
    }
  });
}

Deno.test("the recorded channel of A and R serves a clone and then an up-to-date fetch", async () => {
  const { client, theirs } = connect();
  const [clone] = gitExchanges("sync/clone.jsonl");
  const [later] = gitExchanges("sync/fetch-uptodate.jsonl");
  const fit = (exchange: RecordedExchange) => ({
    ...exchange,
    frames: exchange.frames.map((frame, i) =>
      i === 0 ? { client: true, data: pktLine(`git-upload-pack /${CONVERSATION}\0host=${DEVICE}\0`) } : frame
    ),
  });
  const [fetched] = await Promise.all([client.fetch(nothing), replay(fit(clone), theirs)]);
  assert.equal(fetched?.objects.size, 8);
  const [second] = await Promise.all([client.fetch({ ...nothing, known: () => true }), replay(fit(later), theirs)]);
  assert.equal(second, null);
  client.close();
});

const tree = buildTree([]);
function line(count: number, from: Oid[] = [], label = "x"): GitObject[] {
  const out: GitObject[] = [];
  for (let i = 0; i < count; i++) {
    out.push(
      gitObject("commit", commitData(tree.oid, i === 0 ? from : [out[i - 1].oid], 1_700_000_000 + i, label + i)),
    );
  }
  return out;
}

/** A client and a server of ours, each with a repository. */
async function withTwo(run: (client: GitClient, mine: Repository, theirs: Repository, served: Oid[]) => Promise<void>) {
  await withFolder(async (folder) => {
    const mine = await Repository.create(join(folder, "mine"));
    const theirs = await Repository.create(join(folder, "theirs"));
    const [ours, other] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
    const served: Oid[] = [];
    const serving = serveGit(other, {
      repository: theirs,
      authorize: () => true,
      onFetched: (oid) => served.push(oid),
    });
    const client = new GitClient(ours, { conversation: CONVERSATION, device: DEVICE });
    await run(client, mine, theirs, served);
    client.close();
    await serving;
    for (const repository of [mine, theirs]) {
      assert.deepEqual(await fsck(repository.dir), []);
      await repository.close();
    }
  });
}

async function take(mine: Repository, fetched: Fetched | null): Promise<number> {
  if (!fetched) return 0;
  await mine.add(fetched.objects.values());
  await mine.setHead(fetched.head);
  return fetched.objects.size;
}

async function* historyOf(repository: Repository): AsyncGenerator<Oid> {
  for (let oid = await repository.head(); oid; oid = (await repository.commitParents(oid))[0] ?? null) yield oid;
}

Deno.test("our client and our server: clone, fetches of what is new, nothing new, on one channel", async () => {
  await withTwo(async (client, mine, theirs, served) => {
    const fetchNow = () =>
      client.fetch({ have: historyOf(mine), known: async (oid) => await mine.head() === oid, base: mine });
    const all = line(3000);
    let stored = 0;
    const grow = async (to: number) => {
      await theirs.add([tree, ...all.slice(stored, to)]);
      await theirs.setHead(all[to - 1].oid);
      stored = to;
    };
    await grow(2500); // parsed in the worker
    assert.equal(await take(mine, await fetchNow()), 2501);
    await grow(2501);
    assert.equal(await take(mine, await fetchNow()), 1);
    await grow(3000);
    assert.equal(await take(mine, await fetchNow()), 499);
    assert.equal(await fetchNow(), null);
    assert.deepEqual(served, [all[2499].oid, all[2500].oid, all[2999].oid, all[2999].oid]);
  });
});

Deno.test("far apart: own commits that the server lacks are told in batches until one is known", async () => {
  await withTwo(async (client, mine, theirs) => {
    const common = line(30);
    const own = line(100, [common[29].oid], "mine");
    const other = line(5, [common[29].oid], "theirs");
    await mine.add([tree, ...common, ...own]);
    await mine.setHead(own[99].oid);
    await theirs.add([tree, ...common, ...other]);
    await theirs.setHead(other[4].oid);
    const fetched = await client.fetch({ have: historyOf(mine), known: (oid) => mine.has(oid), base: mine });
    assert.deepEqual([...fetched?.objects.keys() ?? []].sort(), other.map((c) => c.oid).sort());
  });
});

Deno.test("at most 256 haves are told; then everything comes", async () => {
  await withTwo(async (client, mine, theirs) => {
    const common = line(3);
    const own = line(400, [common[2].oid], "mine");
    const other = line(1, [common[2].oid], "theirs");
    await mine.add([tree, ...common, ...own]);
    await mine.setHead(own[399].oid);
    await theirs.add([tree, ...common, ...other]);
    await theirs.setHead(other[0].oid);
    const fetched = await client.fetch({ have: historyOf(mine), known: (oid) => mine.has(oid), base: mine });
    assert.equal(fetched?.objects.size, 5);
  });
});

Deno.test("fetches on one client wait for each other", async () => {
  await withTwo(async (client, mine, theirs) => {
    const all = line(50);
    await theirs.add([tree, ...all]);
    await theirs.setHead(all[49].oid);
    const results = await Promise.all([1, 2, 3].map(() => client.fetch({ ...nothing, base: mine })));
    assert.deepEqual(results.map((fetched) => fetched?.objects.size), [51, 51, 51]);
  });
});

Deno.test("a server that says nothing for 30 s, at any stage, is given up", async () => {
  const stages = [
    [],
    [advertisement],
    [advertisement, pktLine("NAK\n")],
    [advertisement, pktLine("NAK\n"), pktLine("\x01PACK")],
  ];
  for (const bytes of stages) {
    const { client, theirs, clock } = connect();
    answer(theirs, ...bytes);
    let over = false;
    const fetching = assert.rejects(client.fetch(nothing), TimeoutError).then(() => over = true);
    await new Promise<void>((resolve) => setTimeout(resolve, 0)); // all that was said is heard now
    await clock.advance(EXCHANGE_IDLE_MS - 1);
    assert.equal(over, false);
    await clock.advance(1);
    await fetching;
    assert.equal(client.closed, true);
    await theirs.closed;
    await assert.rejects(client.fetch(nothing), ConnectionClosed);
  }
});

Deno.test("what a server may do wrong gives the error for it, and ends the channel", async () => {
  const [clone] = gitExchanges("sync/clone.jsonl");
  const data = (bytes: Uint8Array) => pktLine(concat(Uint8Array.of(1), bytes));
  const bad: Record<string, [Uint8Array[], (error: unknown) => boolean]> = {
    "an ERR line": [[pktLine("ERR no\n")], (e) => e instanceof FetchRefused && e.message === "no"],
    "no refs": [[pktLine("hello\n")], (e) => e instanceof ProtocolError],
    "endless refs": [
      [concat(...Array(10_002).fill(pktLine(`${HEAD} refs/heads/x\n`)))],
      (e) => e instanceof ProtocolError,
    ],
    "a long ref": [[pktLine(`${HEAD} ${"x".repeat(5000)}\n`)], (e) => e instanceof ProtocolError],
    "no pkt-line": [[utf8("HTTP/1.1 200 OK")], (e) => e instanceof ProtocolError],
    "side-band 3": [
      [advertisement, pktLine("\x03go away\n")],
      (e) => e instanceof FetchRefused && e.message === "go away",
    ],
    "side-band 4": [[advertisement, pktLine("NAK\n"), pktLine("\x04")], (e) => e instanceof ProtocolError],
    "no pack": [[advertisement, pktLine("NAK\n"), FLUSH], (e) => e instanceof ProtocolError],
    "NAK without end": [
      [advertisement, concat(...Array(300).fill(pktLine("NAK\n")))],
      (e) => e instanceof ProtocolError,
    ],
    "garbage as pack": [[advertisement, pktLine("NAK\n"), data(utf8("garbage")), FLUSH], (e) => e instanceof PackError],
    "another's pack": [[advertisement, pktLine("NAK\n"), data(clone.pack), FLUSH], (e) => e instanceof PackError],
    "too large a pack": [
      [advertisement, pktLine("NAK\n"), ...Array(40).fill(data(new Uint8Array(60_000)))],
      (e) => e instanceof LimitError,
    ],
  };
  for (const [why, [bytes, expected]] of Object.entries(bad)) {
    const { client, theirs } = connect();
    answer(theirs, ...bytes);
    await assert.rejects(client.fetch({ ...nothing, limits: { ...PACK_LIMITS, bytes: 2_000_000 } }), expected, why);
    assert.equal(client.closed, true, why);
    await theirs.closed;
  }
});

Deno.test("progress on side-band 2 is passed over, however the stream is cut", async () => {
  const [clone] = gitExchanges("sync/clone.jsonl");
  const { client, theirs } = connect();
  const stream = concat(
    pktLine(`${clone.head} HEAD\0side-band-64k\n`),
    pktLine(`${clone.head} refs/heads/main\n`),
    FLUSH,
    pktLine("NAK\n"),
    pktLine("\x02counting\n"),
    pktLine(concat(Uint8Array.of(1), clone.pack.subarray(0, 1000))),
    pktLine("\x02more\n"),
    pktLine(concat(Uint8Array.of(1), clone.pack.subarray(1000))),
    FLUSH,
  );
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 7) chunks.push(stream.subarray(at, at + 7));
  answer(theirs, ...chunks);
  assert.equal((await client.fetch(nothing))?.objects.size, 8);
  client.close();
});

Deno.test("a server that hangs up as soon as it has said everything was of use", async () => {
  const [clone] = gitExchanges("sync/clone.jsonl");
  const refs = concat(pktLine(`${clone.head} HEAD\0x\n`), pktLine(`${clone.head} refs/heads/main\n`), FLUSH);
  const pack = [pktLine("NAK\n"), pktLine(concat(Uint8Array.of(1), clone.pack)), FLUSH];
  for (const known of [false, true]) {
    const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
    const through = mine.writable.getWriter();
    const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: (chunk) => text(chunk) === "0000" ? Promise.reject(new Error("broken pipe")) : through.write(chunk),
    });
    const channel: Channel = Object.create(mine, { writable: { value: writable } });
    const client = new GitClient(channel, { conversation: CONVERSATION, device: DEVICE, clock: new VirtualClock() });
    answer(theirs, refs, ...known ? [] : pack);
    assert.equal((await client.fetch({ ...nothing, known: () => known }))?.objects.size, known ? undefined : 8);
    assert.equal(client.closed, true);
  }
});

Deno.test("a server with nothing on main has nothing to fetch", async () => {
  for (const refs of [[], [pktLine(`${HEAD} HEAD\0side-band-64k\n`)], [pktLine(`${HEAD} refs/remotes/x/main\n`)]]) {
    const { client, theirs } = connect();
    answer(theirs, concat(...refs, FLUSH));
    assert.equal(await client.fetch(nothing), null);
    client.close();
  }
});

Deno.test("an abort, and the end of the channel, end a fetch", async () => {
  const stop = new AbortController();
  const one = connect();
  answer(one.theirs, advertisement);
  const begun = Promise.withResolvers<void>();
  const fetching = one.client.fetch({ ...nothing, signal: stop.signal, onAdvertised: () => begun.resolve() });
  await begun.promise;
  stop.abort(new Error("enough"));
  await assert.rejects(fetching, /enough/);
  assert.equal(one.client.closed, true);

  const two = connect();
  const lost = two.client.fetch(nothing);
  two.theirs.end();
  await assert.rejects(lost, ConnectionClosed);
});

Deno.test("mutated answers of a server give a typed error or the pack", async () => {
  const [clone] = gitExchanges("sync/clone.jsonl");
  const good = concat(...clone.frames.filter((frame) => !frame.client).map((frame) => frame.data));
  assert.ok(equal(good.subarray(0, 4), utf8("006a")));
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
      const bytes = good.slice();
      bytes[at % 260] = byte;
      const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
      const client = new GitClient(mine, { conversation: CONVERSATION, device: DEVICE });
      const writer = theirs.writable.getWriter();
      writer.write(bytes).then(() => writer.close()).catch(() => {}); // reason: the client may hang up first
      try {
        await client.fetch(nothing);
      } catch (error) {
        assert.ok(error instanceof KituoError, String(error));
      }
      client.close();
    }),
    { numRuns: 1000 },
  );
});

Deno.test("fetches share a budget: one too large for what is left fails, and all is given back in any case", async () => {
  const pack = concat(Uint8Array.of(1), new Uint8Array(200));
  for (const [size, error] of [[100, LimitError], [1_000, PackError]] as const) {
    const budget = new Budget("packs being received", size);
    const { client, theirs } = connect();
    answer(theirs, advertisement, pktLine("NAK\n"), pktLine(pack), FLUSH);
    await assert.rejects(client.fetch({ ...nothing, budget }), error);
    budget.take(size);
    assert.throws(() => budget.take(1), LimitError);
  }
});
