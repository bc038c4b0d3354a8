import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { concat, text, utf8 } from "../../../core/base/bytes.ts";
import { EXCHANGE_IDLE_MS, MAX_HAVES_SERVED } from "../../../core/swarm/git_limits.ts";
import { buildTree, type GitObject, gitObject, type Oid } from "../../../core/swarm/object.ts";
import { emptyReader } from "../../../core/swarm/overlay.ts";
import { parsePack } from "../../../core/swarm/parse_pack.ts";
import { type Packet, PktDecoder, pktLine } from "../../../core/swarm/pkt_line.ts";
import { Repository } from "../../../core/swarm/repository.ts";
import { serveGit, type ServeOptions } from "../../../core/swarm/upload_pack.ts";
import { channelPair, type MemoryChannel, testPeer } from "../../support/channel_pair.ts";
import { commitData, gitExchanges, type RecordedExchange, withFolder } from "../../support/git_vectors.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const REQUEST = pktLine(`git-upload-pack /${"c".repeat(40)}\0host=${"b".repeat(64)}\0`);
const DONE = utf8("0009done\n");
const FLUSH = utf8("0000");

/** A client that speaks in raw frames. */
class RawClient {
  readonly served: Promise<void>;
  readonly fetched: Oid[] = [];
  #channel: MemoryChannel;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #decoder = new PktDecoder();
  #packets: Packet[] = [];
  frames: string[] = [];

  constructor(repository: ServeOptions["repository"], options: Partial<ServeOptions> = {}) {
    const [mine, theirs] = channelPair(testPeer("a"), testPeer("b"), "git://x/y");
    this.#channel = mine;
    this.#reader = mine.readable.getReader();
    this.#writer = mine.writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.served = serveGit(theirs, {
      repository,
      authorize: () => true,
      onFetched: (oid) => this.fetched.push(oid),
      ...options,
    });
  }

  async send(...parts: Uint8Array[]): Promise<void> {
    await this.#writer.write(concat(...parts)).catch(() => {}); // reason: the server may have hung up
  }

  /** The next packet; `null` when the channel has ended. Each frame must be of whole packets. */
  async next(): Promise<Packet | null> {
    while (this.#packets.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.frames.push(text(value));
      this.#packets = this.#decoder.push(value);
      assert.equal(this.#decoder.incomplete, false, "a frame of whole packets");
    }
    return this.#packets.shift() ?? null;
  }

  async line(): Promise<string | null> {
    const packet = await this.next();
    return packet === null || packet === "flush" ? packet : text(packet);
  }

  async advertisement(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== null && line !== "flush"; line = await this.line()) lines.push(line);
    return lines;
  }

  /** The objects of the pack that comes now. */
  async pack(): Promise<Map<Oid, GitObject>> {
    const parts: Uint8Array[] = [];
    for (let packet = await this.next(); packet !== "flush"; packet = await this.next()) {
      assert.ok(packet !== null && packet[0] === 1);
      parts.push(packet.subarray(1));
    }
    return await parsePack(concat(...parts), emptyReader);
  }

  /** Reads everything, so that the server is never held back. */
  async drain(): Promise<void> {
    while (await this.next() !== null);
  }

  async end(): Promise<void> {
    this.#channel.close();
    await this.served;
  }
}

const tree = buildTree([]);
function line(count: number, from: Oid[] = [], label = "x"): GitObject[] {
  const out: GitObject[] = [];
  for (let i = 0; i < count; i++) {
    const parents = i === 0 ? from : [out[i - 1].oid];
    out.push(gitObject("commit", commitData(tree.oid, parents, 1_700_000_000 + i, `${label}${i}`)));
  }
  return out;
}
const commits = line(60);
const head = commits[59].oid;

async function withRepository(run: (repository: Repository) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    await repository.add([tree, ...commits]);
    await repository.setHead(head);
    await run(repository);
    await repository.close();
  });
}

function want(oid: Oid): Uint8Array {
  return utf8(`004dwant ${oid} side-band-64k include-tag \n`);
}

function haves(list: GitObject[]): Uint8Array {
  return concat(...list.map(({ oid }) => pktLine(`have ${oid}\n`)));
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
  Deno.test(`serves the clients recorded in ${file} as their server did`, async () => {
    for (const exchange of gitExchanges(`${file}.jsonl`)) {
      const objects = exchange.pack.length > 0 ? await parsePack(exchange.pack, emptyReader) : new Map();
      const client = new RawClient(recordedRepository(exchange, objects));
      for (const { client: fromClient, data } of exchange.frames) {
        if (fromClient) {
          await client.send(data);
          continue;
        }
        for (const packet of new PktDecoder().push(data)) {
          const expected = packet === "flush" ? packet : text(packet);
          // We list two refs only, and the data of the pack is compared as a whole, at the flush that ends it.
          if (expected.includes("refs/remotes/") || expected.startsWith("\x01")) continue;
          if (expected === "flush" && data.length === 4) {
            const got = [...(await client.pack()).keys()];
            assert.ok(got.includes(exchange.head));
            assert.ok(got.every((oid) => objects.has(oid)));
            if (!exchange.frames.some((frame) => text(frame.data).includes("have "))) {
              assert.equal(got.length, objects.size);
            }
          } else assert.equal(await client.line(), expected);
        }
      }
      await client.end();
      assert.deepEqual(client.fetched, [exchange.head]);
    }
  });
}

/** A repository with what the recorded server sent, and with stand-ins for the commits that its client named. */
function recordedRepository(exchange: RecordedExchange, objects: Map<Oid, GitObject>): ServeOptions["repository"] {
  const named = new Set(exchange.frames.flatMap(({ data }) => text(data).match(/(?<=have )[0-9a-f]{40}/g) ?? []));
  const standIn: GitObject = gitObject("commit", commitData(tree.oid, [], 0, "stands for another"));
  const known = new Map([[tree.oid, tree], ...objects]);
  return {
    head: () => Promise.resolve(exchange.head),
    has: (oid) => Promise.resolve(known.has(oid) || named.has(oid)),
    read: (oid) => Promise.resolve(known.get(oid) ?? standIn),
    packed: () => null,
  };
}

Deno.test("a clone gets everything, a fetch with a known have only what is missing, on one channel", async () => {
  await withRepository(async (repository) => {
    const shown: Oid[] = [];
    const client = new RawClient(repository, { onAdvertised: (oid) => shown.push(oid) });
    await client.send(REQUEST);
    assert.deepEqual(await client.advertisement(), [
      `${head} HEAD\0side-band side-band-64k shallow no-progress include-tag\n`,
      `${head} refs/heads/main\n`,
    ]);
    assert.equal(client.frames.length, 1);
    await client.send(want(head), FLUSH, DONE);
    assert.equal(await client.line(), "NAK\n");
    assert.equal((await client.pack()).size, 61);
    await client.send(FLUSH);
    for (const [known, missing] of [[59, 0], [58, 1], [40, 19], [0, 59]]) {
      await client.send(REQUEST);
      await client.advertisement();
      await client.send(want(head), FLUSH, haves([commits[known]]), DONE);
      assert.equal(await client.line(), `ACK ${commits[known].oid}\n`);
      assert.deepEqual([...(await client.pack()).keys()].sort(), commits.slice(60 - missing).map((c) => c.oid).sort());
      await client.send(FLUSH);
    }
    await client.send(REQUEST);
    await client.advertisement();
    await client.send(FLUSH);
    await client.end();
    assert.deepEqual(client.fetched, Array(6).fill(head));
    assert.deepEqual(shown, Array(6).fill(head));
  });
});

Deno.test("batches of haves: NAK until one is known, then ACK continue and NAK; unknown haves get everything", async () => {
  await withRepository(async (repository) => {
    const client = new RawClient(repository);
    const strangers = line(20, [head], "foreign");
    await client.send(REQUEST);
    await client.advertisement();
    await client.send(want(head), FLUSH, haves(strangers), FLUSH);
    assert.equal(await client.line(), "NAK\n");
    await client.send(haves(commits.slice(30, 50).reverse()), FLUSH);
    assert.equal(await client.line(), `ACK ${commits[49].oid} continue\n`);
    assert.equal(await client.line(), "NAK\n");
    await client.send(DONE);
    assert.equal(await client.line(), `ACK ${commits[49].oid}\n`);
    assert.equal((await client.pack()).size, 10);
    await client.send(FLUSH, REQUEST);
    await client.advertisement();
    await client.send(want(head), FLUSH, haves(strangers), DONE);
    assert.equal(await client.line(), "NAK\n");
    assert.equal((await client.pack()).size, 61);
    await client.end();
  });
});

Deno.test("pkt-lines cut anywhere, shallow and deepen, and older wants do no harm", async () => {
  await withRepository(async (repository) => {
    const client = new RawClient(repository);
    const bytes = concat(
      REQUEST,
      want(head),
      want(commits[9].oid),
      pktLine(`shallow ${head}\n`),
      pktLine("deepen 1\n"),
      FLUSH,
      DONE,
    );
    for (const byte of bytes) await client.send(Uint8Array.of(byte));
    await client.advertisement();
    assert.equal(await client.line(), "NAK\n");
    assert.equal((await client.pack()).size, 11);
    await client.end();
    assert.deepEqual(client.fetched, [commits[9].oid]);
  });
});

Deno.test("each request is authorised, and so is each pack", async () => {
  await withRepository(async (repository) => {
    const refused = new RawClient(repository, { authorize: () => false });
    await refused.send(REQUEST);
    assert.equal(await refused.next(), null);
    await refused.served;

    let allowed = true;
    const client = new RawClient(repository, { authorize: () => allowed });
    await client.send(REQUEST);
    await client.advertisement();
    await client.send(FLUSH, REQUEST);
    await client.advertisement();
    allowed = false;
    await client.send(want(head), FLUSH, DONE);
    assert.equal(await client.line(), "NAK\n");
    assert.equal(await client.next(), null);
    await client.served;

    allowed = true;
    const other = new RawClient(repository, { authorize: () => allowed });
    await other.send(REQUEST);
    await other.advertisement();
    await other.send(FLUSH);
    allowed = false;
    await other.send(REQUEST);
    assert.equal(await other.next(), null);
    await other.served;
  });
});

Deno.test("a want outside our history is refused with side-band 3, though the object is there", async () => {
  await withRepository(async (repository) => {
    const side = line(1, [head], "refused");
    await repository.add(side);
    for (const oid of [side[0].oid, tree.oid, "f".repeat(40)]) {
      const client = new RawClient(repository);
      await client.send(REQUEST);
      await client.advertisement();
      await client.send(want(oid), FLUSH, DONE);
      assert.equal(await client.line(), "\x03not our commit\n");
      assert.equal(await client.next(), null);
      await client.served;
      assert.deepEqual(client.fetched, []);
    }
  });
});

Deno.test("what breaks the protocol ends the channel", async () => {
  await withRepository(async (repository) => {
    const bad: Record<string, Uint8Array[]> = {
      "another service": [pktLine("git-receive-pack /x\0")],
      "no pkt-line": [utf8("GET / HTTP/1.1\r\n")],
      "done without a want": [REQUEST, DONE],
      "a want that is no name": [REQUEST, pktLine("want ../../etc/passwd\n")],
      "a have that is no name": [REQUEST, want(head), FLUSH, pktLine("have x\n")],
      "no side-band-64k": [REQUEST, pktLine(`want ${head}\n`), FLUSH, DONE],
      "too many haves": [REQUEST, want(head), FLUSH, concat(...Array(MAX_HAVES_SERVED + 1).fill(haves([commits[0]])))],
      "wants without end": [REQUEST, concat(...Array(2000).fill(want(head)))],
    };
    for (const [why, parts] of Object.entries(bad)) {
      const client = new RawClient(repository);
      for (const part of parts) await client.send(part);
      await client.served;
      assert.deepEqual(client.fetched, [], why);
    }
  });
});

Deno.test("an exchange may rest 30 s, the channel between exchanges for ever", async () => {
  await withRepository(async (repository) => {
    const clock = new VirtualClock();
    const client = new RawClient(repository, { clock });
    let over = false;
    client.served.then(() => over = true);
    await client.send(REQUEST);
    await client.advertisement();
    await client.send(FLUSH);
    await clock.advance(24 * 3_600_000);
    await client.send(REQUEST);
    await client.advertisement();
    await clock.advance(EXCHANGE_IDLE_MS - 1);
    assert.equal(over, false);
    await clock.advance(1);
    assert.equal(await client.next(), null);
    await client.served;
  });
});

Deno.test("a peer that does not read its pack is dropped, and a slot bounds how many are made", async () => {
  await withFolder(async (folder) => {
    const repository = await Repository.create(join(folder, "r"));
    const noise = (i: number) => gitObject("blob", crypto.getRandomValues(new Uint8Array(50_000)).fill(i, 0, 1));
    const blobs = Array.from({ length: 20 }, (_, i) => noise(i));
    const full = buildTree(blobs.map(({ oid }, i) => ({ mode: "100644", path: `${i}`, oid, type: "blob" })));
    const commit = gitObject("commit", commitData(full.oid, [], 1, "x"));
    await repository.add([...blobs, full, commit]);
    await repository.setHead(commit.oid);
    const clock = new VirtualClock();
    let running = 0;
    const begun = Promise.withResolvers<void>();
    const slot: ServeOptions["slot"] = async (work) => {
      running++;
      begun.resolve();
      try {
        return await work();
      } finally {
        running--;
      }
    };
    const client = new RawClient(repository, { clock, slot });
    await client.send(REQUEST);
    await client.advertisement();
    await client.send(want(commit.oid), FLUSH, DONE);
    await begun.promise;
    while (running > 0) await advanceWithLoop(clock, 1000);
    await client.served;
    assert.deepEqual(client.fetched, []);
    await repository.close();
  });
});

/** Virtual time, with turns of the real event loop for the file system in between. */
async function advanceWithLoop(clock: VirtualClock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  await clock.advance(ms);
}

Deno.test("mutated requests end with the channel, never otherwise", async () => {
  await withRepository(async (repository) => {
    const good = concat(REQUEST, want(head), FLUSH, haves(commits.slice(50)), DONE, FLUSH);
    const answers = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), async (at, byte) => {
        const bytes = good.slice();
        bytes[at] = byte;
        const client = new RawClient(repository);
        client.drain();
        await client.send(bytes);
        // The server has all it needs in memory: a few turns of the loop let it answer what it understood.
        for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setTimeout(resolve, 0));
        answers.add(client.frames.length);
        await client.end();
      }),
      { numRuns: 1000 },
    );
    assert.ok(
      answers.has(0) && answers.has(1) && answers.size > 2,
      "refused at once, after the advertisement, and never",
    );
  });
});
