import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat } from "../../../core/base/bytes.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { HEAD_BYTES, newSeal, seal, unseal } from "../../../core/backup/container.ts";
import { BackupError, type BackupFault } from "../../../core/backup/errors.ts";
import { type BackupEntry, decodeRecords, encodeRecords } from "../../../core/backup/records.ts";

const PASSPHRASE = "nine blue herons wade";
const CHEAP = { cost: { memory: 8, passes: 1 }, chunk: 16 };
const SEALED = CHEAP.chunk + 16;

async function all(parts: AsyncIterable<Uint8Array> | Uint8Array[]): Promise<Bytes> {
  return concat(...await Array.fromAsync(parts));
}

async function sealed(plain: Uint8Array): Promise<Bytes> {
  return await all(seal(await newSeal(PASSPHRASE, systemRandom, CHEAP), ReadableStream.from([plain])));
}

async function opened(file: Uint8Array, passphrase = PASSPHRASE): Promise<Bytes> {
  // in odd pieces: nothing may depend on how a file is read
  const pieces = Array.from({ length: Math.ceil(file.length / 7) }, (_, i) => file.subarray(i * 7, i * 7 + 7));
  return await all(unseal(ReadableStream.from(pieces), passphrase));
}

async function refused(file: Uint8Array, fault: BackupFault, message: RegExp, passphrase?: string): Promise<void> {
  await assert.rejects(opened(file, passphrase), (error) => {
    assert.ok(error instanceof BackupError, String(error));
    assert.equal(error.fault, fault);
    assert.match(error.message, message);
    return true;
  });
}

const PLAIN = new Uint8Array(40).map((_, i) => i); // two whole chunks and a half

Deno.test("what is sealed comes out again, whatever its length", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (plain) => {
      assert.deepEqual(await opened(await sealed(plain)), new Uint8Array(plain));
    }),
    { numRuns: 60, examples: [[new Uint8Array(0)], [new Uint8Array(16)], [new Uint8Array(32)]] },
  );
});

Deno.test("two files of one content and passphrase have nothing in common but the first fields", async () => {
  const [a, b] = [await sealed(PLAIN), await sealed(PLAIN)];
  assert.deepEqual(a.subarray(0, 20), b.subarray(0, 20));
  for (let at = 20; at < a.length; at += 16) assert.notDeepEqual(a.subarray(at, at + 16), b.subarray(at, at + 16));
});

Deno.test("a wrong passphrase is told as such; letters typed in another way are not another passphrase", async () => {
  const file = await sealed(PLAIN);
  await refused(file, "passphrase", /passphrase is wrong/, "nine blue herons wad");
  const accents = await all(
    seal(await newSeal("é".normalize("NFC") + PASSPHRASE, systemRandom, CHEAP), ReadableStream.from([PLAIN])),
  );
  assert.deepEqual(await opened(accents, "é".normalize("NFD") + PASSPHRASE), PLAIN);
});

Deno.test("a file that is cut off anywhere is refused", async () => {
  const file = await sealed(PLAIN);
  for (let length = 0; length < file.length; length++) {
    const atChunk = length > HEAD_BYTES && (length - HEAD_BYTES) % SEALED === 0;
    const [fault, message]: [BackupFault, RegExp] = length < HEAD_BYTES
      ? ["not a back-up", /not a back-up/]
      : ["damaged", atChunk ? /its end is missing/ : /cut off/];
    await refused(file.subarray(0, length), fault, message);
  }
});

Deno.test("a file with any bit changed is refused", async () => {
  const file = await sealed(PLAIN);
  for (let at = 0; at < file.length; at++) {
    const changed = file.slice();
    changed[at] ^= 1 << (at % 8);
    // the cost of a damaged head is bounded before it is paid; a huge one takes long here
    if (at >= 12 && at < 16 && new DataView(changed.buffer).getUint32(12) > 1 << 16) continue;
    await assert.rejects(opened(changed), BackupError, `byte ${at}`);
  }
});

Deno.test("a file whose parts are swapped, repeated or left out, or that has more behind its end, is refused", async () => {
  const file = await sealed(PLAIN);
  const head = file.subarray(0, HEAD_BYTES);
  const [first, second, third] = [0, 1, 2].map((n) =>
    file.subarray(HEAD_BYTES + n * SEALED, HEAD_BYTES + n * SEALED + SEALED)
  );
  for (
    const parts of [
      [second, first, third],
      [first, first, third],
      [first, third],
      [third],
      [first, second, third, third],
      [first, second, third, Uint8Array.of(0)],
    ]
  ) {
    await assert.rejects(
      opened(concat(head, ...parts)),
      (error) => error instanceof BackupError && error.fault === "damaged",
    );
  }
  const other = await sealed(PLAIN);
  await refused(concat(other.subarray(0, HEAD_BYTES), file.subarray(HEAD_BYTES)), "damaged", /in part 1/);
});

Deno.test("another file is no back-up, and neither is one that asks for all memory", async () => {
  await refused(new Uint8Array(1000), "not a back-up", /not a back-up/);
  const greedy = (await sealed(PLAIN)).slice();
  new DataView(greedy.buffer).setUint32(12, 0xffffffff);
  await refused(greedy, "damaged", /head/);
  const newer = (await sealed(PLAIN)).slice();
  newer[8] = 2;
  await refused(newer, "not a back-up", /newer Kituo/);
});

function entry(path: string, content: Uint8Array, size = content.length): BackupEntry {
  return { path, size, content: ReadableStream.from([content]) };
}

async function decoded(bytes: Uint8Array): Promise<[string, Bytes][]> {
  const found: [string, Bytes][] = [];
  for await (const { path, content } of decodeRecords(ReadableStream.from([bytes]))) {
    found.push([path, await all(content ?? [])]);
  }
  return found;
}

Deno.test("files come out of the records as they went in", async () => {
  const path = fc.array(fc.stringMatching(/^[\p{L}\p{N} .-]*[\p{L}\p{N}]$/u), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/"));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(path, fc.uint8Array())), async (files) => {
      const bytes = await all(encodeRecords(ReadableStream.from(files.map(([path, content]) => entry(path, content)))));
      assert.deepEqual(await decoded(bytes), files.map(([path, content]) => [path, new Uint8Array(content)]));
      // whatever is missing at the end shows
      const cut = bytes.subarray(0, Math.floor(bytes.length / 2));
      await assert.rejects(decoded(cut), BackupError);
    }),
    { numRuns: 50 },
  );
});

Deno.test("a path that leads elsewhere is refused", async () => {
  for (const path of ["../x", "/etc/passwd", "a/../../x", "a//b", ".", "a/./b", "", "a\0b", "a\\b", "a\nb"]) {
    const bytes = await all(encodeRecords(ReadableStream.from([entry(path, Uint8Array.of(1))])));
    await assert.rejects(decoded(bytes), BackupError, JSON.stringify(path));
  }
});

Deno.test("a file that changes its length while it is read ends the back-up", async () => {
  for (const size of [2, 4]) {
    const bytes = all(encodeRecords(ReadableStream.from([entry("x", Uint8Array.of(1, 2, 3), size)])));
    await assert.rejects(bytes, /x changed while it was read/);
  }
});
