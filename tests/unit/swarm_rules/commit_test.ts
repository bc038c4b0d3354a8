/** Commits from and to bytes. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { base64, concat, equal, fromBase64, hex, text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import { buildCommit, field, jsonMessage, parseCommit, signatureName } from "../../../core/swarm/commit.ts";
import { MAX_HEADER_BYTES, MAX_MESSAGE_BYTES } from "../../../core/swarm/history_limits.ts";
import { hashObject } from "../../../core/swarm/object.ts";
import { VECTORS } from "../../support/git_vectors.ts";
import { readJson } from "./support.ts";

interface Sample {
  id: string;
  type: string;
  rawCommit: string;
  signedBytes: string;
  signatureHeaderValue: string;
}

const { samples } = readJson<{ samples: Sample[] }>("swarm/signing-samples.json");
const key = PrivateKey.fromPem(Deno.readTextFileSync(`${VECTORS}/swarm/carol-device-key.pem`));
const device = key.publicKey.longId;

function parsed(data: Uint8Array) {
  return parseCommit(hashObject("commit", data), data);
}

Deno.test("signing samples: what was signed, by whom, and the same bytes again from the same fields", async () => {
  assert.ok(samples.length > 0);
  for (const sample of samples) {
    const commit = parsed(fromBase64(sample.rawCommit));
    assert.equal(commit.id, sample.id);
    assert.equal(commit.type, sample.type);
    assert.ok(equal(commit.payload, fromBase64(sample.signedBytes)));
    assert.equal(base64(commit.signature ?? new Uint8Array()), sample.signatureHeaderValue);
    assert.ok(await key.publicKey.verify(commit.payload, commit.signature ?? new Uint8Array()));
    const { tree, parents, authorName: name, timestamp, message } = commit;
    const built = await buildCommit({ tree, parents, name, device, timestamp, message }, key);
    assert.equal(built.oid, sample.id);
    assert.equal(base64(built.data), sample.rawCommit);
  }
});

const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => hex(bytes));
const quick = { sign: (data: Uint8Array) => Promise.resolve(utf8(hashObject("blob", data))) };

Deno.test("property: a commit that was built is read back, and its payload is what was signed", async () => {
  await fc.assert(
    fc.asyncProperty(
      oid,
      fc.array(oid, { maxLength: 2 }),
      fc.string({ unit: "grapheme" }),
      fc.nat(),
      fc.string({ unit: "grapheme" }),
      async (tree, parents, name, timestamp, message) => {
        const fields = { tree, parents, name: signatureName(name, device), device, timestamp, message };
        // reason: only `sign` is asked of the key, and RSA would make this slow
        const { data } = await buildCommit(fields, quick as unknown as PrivateKey);
        const commit = parsed(data);
        assert.deepEqual(
          [commit.tree, commit.parents, commit.authorName, commit.device, commit.timestamp, commit.message],
          [tree, parents, fields.name, device, timestamp, message.toWellFormed()],
        );
        assert.deepEqual(commit.signature, await quick.sign(commit.payload));
      },
    ),
  );
});

Deno.test("property: a message is ASCII, read back the same, with its keys in order", () => {
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.integer());
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), value), (body) => {
    const message = jsonMessage(body);
    assert.match(message, /^[\x20-\x7f]*$/);
    assert.deepEqual({ ...JSON.parse(message) }, { ...body });
    const keys = [...message.matchAll(/[{,]("(?:[^"\\]|\\.)*"):/g)].map((match) => utf8(JSON.parse(match[1])));
    for (let i = 1; i < keys.length; i++) assert.ok(hex(keys[i - 1]) < hex(keys[i]));
  }));
});

Deno.test("messages are written as jsoncpp writes them", () => {
  assert.equal(jsonMessage({ type: "initial", mode: 0, invited: "a" }), '{"invited":"a","mode":0,"type":"initial"}');
  assert.equal(
    jsonMessage({ type: "text/plain", body: '\u{1f44d} "é"\\/\n\t\u0001\u007f' }),
    '{"body":"\\ud83d\\udc4d \\"\\u00e9\\"\\\\/\\n\\t\\u0001\u007f","type":"text/plain"}',
  );
});

Deno.test("values of a body are texts; nothing is inherited", () => {
  const body = { a: "x", b: 5, c: true, d: null, e: {} };
  assert.deepEqual(["a", "b", "c", "d", "e", "toString"].map((key) => field(body, key)), [
    "x",
    "5",
    "true",
    "",
    "",
    "",
  ]);
  assert.equal(field(null, "a"), "");
});

Deno.test("names: what may stand in a commit, else the device", () => {
  assert.equal(signatureName("  Ann <ann@x>, ", device), "Ann ann@x");
  assert.equal(signatureName("a\nparent b", device), "aparent b");
  assert.equal(signatureName(" .,:;\"'\\ <>", device), device);
});

const head = `tree ${"a".repeat(40)}\nauthor A <${device}> 1 +0000\ncommitter A <${device}> 2 +0000\n`;

Deno.test("a signature on several lines is one signature; the payload has none of them", () => {
  const commit = parsed(utf8(`${head}signature AAAA\n AAAA\nother x\n\n{"type":"a","edit":3}`));
  assert.deepEqual(commit.signature, new Uint8Array(6));
  assert.equal(text(commit.payload), `${head}other x\n\n{"type":"a","edit":3}`);
  assert.equal(commit.timestamp, 2);
});

Deno.test("commits that are not well-formed, or beyond the limits, are refused", () => {
  const bad = [
    "",
    "\n",
    "tree x\n\n",
    head,
    `${head}signature AAAA\nsignature AAAA\n\n`,
    ` ${head}\n`,
    head.replace("committer", "commiter") + "\n",
    head.replace("tree", `parent ${"b".repeat(40)}\ntree`) + "\n",
    head.replace(" 2 ", " -2 ") + "\n",
    head.replace("<", "") + "\n",
    head.replace("\nauthor", `\nparent ${"b".repeat(40)}`.repeat(17) + "\nauthor") + "\n",
    `${head}x ${"y".repeat(MAX_HEADER_BYTES)}\n\n`,
    `${head}${"x y\n".repeat(100)}\n`,
    `${head}\n${"x".repeat(MAX_MESSAGE_BYTES + 1)}`,
  ];
  for (const data of bad) assert.throws(() => parsed(utf8(data)), ProtocolError, JSON.stringify(data.slice(0, 200)));
  assert.equal(parsed(utf8(`${head}signature A*==\n\n`)).signature?.length, 0);
  assert.equal(parsed(utf8(`${head}\n{"type":"x"`)).body, null);
  assert.equal(parsed(concat(utf8(`${head}\n{"type":"`), Uint8Array.of(0xff), utf8('"}'))).body, null);
  assert.equal(parsed(utf8(`${head}\n[1]`)).body, null);
});

Deno.test("1000 mutations of real commits: read, or refused as malformed", () => {
  const raw = samples.map((sample) => fromBase64(sample.rawCommit));
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(255), fc.nat(3), (which, where, byte, kind) => {
      const data = raw[which % raw.length].slice();
      const at = where % data.length;
      const mutated = kind === 0
        ? data.subarray(0, at)
        : kind === 1
        ? concat(data.subarray(0, at), Uint8Array.of(byte), data.subarray(at))
        : kind === 2
        ? concat(data.subarray(0, at), data.subarray(at + byte))
        : data.with(at, byte);
      try {
        const commit = parsed(mutated);
        assert.ok(commit.payload.length <= mutated.length);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
