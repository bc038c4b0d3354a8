import assert from "node:assert/strict";
import fc from "fast-check";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { parseChannelName, writeChannelName } from "../../../core/messaging/channel_name.ts";
import { FILE_TYPE, fileIdOf, readFileMessage } from "../../../core/swarm/file_message.ts";
import { jsonMessage } from "../../../core/swarm/commit.ts";
import { mutate } from "../messaging/support.ts";

const COMMIT = "692ac0bc09f4dae2fe2d8edcae6fdb76bfc7f3d3";
const OTHER = "a".repeat(40);
const SHA3 = "e".repeat(128);

const announcement = {
  displayName: "report.txt",
  sha3sum: SHA3,
  tid: "6416009210147396",
  totalSize: "100000",
  type: FILE_TYPE,
};

Deno.test("file message: an announcement, in the daemons' form", () => {
  assert.deepEqual(readFileMessage(COMMIT, jsonMessage(announcement)), {
    kind: "announcement",
    fileId: `${COMMIT}_6416009210147396.txt`,
    name: "report.txt",
    size: 100_000,
    sha3: SHA3,
  });
  assert.ok(readFileMessage(COMMIT, jsonMessage({ ...announcement, "reply-to": OTHER })));
});

Deno.test("file message: a deletion", () => {
  const deletion = { type: FILE_TYPE, edit: OTHER, tid: "" };
  assert.deepEqual(readFileMessage(COMMIT, jsonMessage(deletion)), { kind: "deletion", of: OTHER });
  assert.equal(readFileMessage(COMMIT, jsonMessage({ ...deletion, tid: "1" })), null);
  assert.equal(readFileMessage(COMMIT, jsonMessage({ ...deletion, edit: "x" })), null);
});

Deno.test("file message: everything else is nothing", () => {
  const wrong: Record<string, string | number>[] = [
    { ...announcement, type: "text/plain" },
    { ...announcement, sha3sum: "E".repeat(128) },
    { ...announcement, sha3sum: "../../etc/passwd" },
    { ...announcement, sha3sum: SHA3.slice(1) },
    { ...announcement, tid: "" },
    { ...announcement, tid: "12/34" },
    { ...announcement, tid: "1".repeat(21) },
    { ...announcement, totalSize: "-1" },
    { ...announcement, totalSize: "1e3" },
    { ...announcement, totalSize: "1".repeat(16) },
    { ...announcement, totalSize: 100_000 },
    { ...announcement, displayName: "x".repeat(20_000) },
    {},
  ];
  for (const body of wrong) assert.equal(readFileMessage(COMMIT, jsonMessage(body)), null, JSON.stringify(body));
  for (const message of ["", "null", "[]", '"x"', "{", "Merge commit 'x'"]) {
    assert.equal(readFileMessage(COMMIT, message), null);
  }
});

Deno.test("file id: the extension is what follows the last dot, unless that has eight bytes or more", () => {
  const cases: [string, string][] = [
    ["report.txt", ".txt"],
    ["archive.tar.gz", ".gz"],
    ["Report v1.2 final", ".2 final"],
    ["photo.JPEG", ".JPEG"],
    ["no extension", ""],
    ["ends with.", ""],
    ["", ""],
    ["a.1234567", ".1234567"],
    ["a.12345678", ""],
    ["a.éééé", ""],
    ["a.ééé", ".ééé"],
  ];
  for (const [name, extension] of cases) assert.equal(fileIdOf(COMMIT, "7", name), `${COMMIT}_7${extension}`, name);
});

Deno.test("file message: any announcement is read, and its file id never is a path", () => {
  const name = fc.string({ unit: "binary", maxLength: 300 });
  fc.assert(fc.property(name, fc.nat(), fc.bigInt(0n, 2n ** 64n - 1n), (displayName, size, tid) => {
    const message = jsonMessage({ ...announcement, displayName, totalSize: `${size}`, tid: `${tid}` });
    const read = readFileMessage(COMMIT, message);
    if (message.length > 16_384) return assert.equal(read, null);
    assert.equal(read?.kind, "announcement");
    if (read?.kind !== "announcement") return;
    assert.equal(read.size, size);
    assert.ok(read.fileId.startsWith(`${COMMIT}_${tid}`));
    assert.ok(!/\p{Cc}/u.test(read.name));
    // What cannot stand in a channel name is never asked for under another one.
    const channel = { conversation: OTHER, device: "b".repeat(64), fileId: read.fileId, start: 0, end: 0 };
    const parsed = parseChannelName(writeChannelName({ kind: "file", ...channel }));
    if (parsed.kind === "file") assert.equal(parsed.fileId, read.fileId);
    else assert.equal(parsed.kind, "unknown");
  }));
});

Deno.test("file message: mutated ones are read or are nothing", () => {
  const messages = [announcement, { type: FILE_TYPE, edit: OTHER, tid: "" }].map((body) => utf8(jsonMessage(body)));
  mutate(messages, (bytes) => {
    const read = readFileMessage(COMMIT, text(bytes));
    if (read?.kind === "announcement") {
      assert.match(read.sha3, /^[0-9a-f]{128}$/);
      assert.ok(Number.isSafeInteger(read.size) && read.size >= 0);
    } else if (read) assert.match(read.of, /^[0-9a-f]{40}$/);
  });
});
