import assert from "node:assert/strict";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { concat, text, utf8 } from "../../../core/base/bytes.ts";
import { asBytes, asMap, decode } from "../../../core/base/msgpack.ts";
import {
  type Archive,
  ArchiveError,
  type ArchiveFault,
  formatArchive,
  openContainer,
  parseArchive,
  readArchive,
  writeArchive,
} from "../../../core/identity/archive.ts";
import { ethereumAddress } from "../../../core/identity/ethereum.ts";
import { isPin, openPinExport, pinKeys } from "../../../core/identity/pin.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import { stretch, unseal } from "../../../core/identity/stretch.ts";
import { expected, mutated, vector, vectorText } from "./vectors.ts";

const { password_utf8: password, salt, aes_key, iv } = expected.archive_password;

function fails(reason: ArchiveFault, run: Promise<unknown>): Promise<void> {
  return assert.rejects(run, (error) => error instanceof ArchiveError && error.reason === reason);
}

/** All that an archive holds, in a form that can be compared. */
function plain(archive: Archive) {
  return {
    ...archive,
    accountKey: archive.accountKey.toPem(),
    accountChain: archive.accountChain.map((certificate) => certificate.toPem()),
    caKey: archive.caKey?.toPem(),
    revocations: archive.revocations?.toPem(),
  };
}

Deno.test("the daemon's archive without password", async () => {
  assert.equal(await openContainer(vector("archive-nopassword.gz")), vectorText("archive-nopassword.json"));
  const archive = await readArchive(vector("archive-nopassword.gz"));
  assert.equal(archive.accountKey.publicKey.id, expected.ids.account_id);
  assert.equal(archive.caKey?.publicKey.id, expected.ids.ca_id);
  assert.equal(archive.accountChain.length, 2);
  assert.equal(ethereumAddress(archive.ethereumKey ?? new Uint8Array(0)), expected.ids.eth_address);
  assert.ok(expected.ids.peer_account_id in archive.contacts);
  assert.ok(expected.trustrequest.decoded.conversationId in archive.conversations);
  assert.equal(archive.settings["Account.displayName"], "alice");
  assert.equal(archive.settings["TLS.privateKeyFile"], undefined, "the exporting device's key is left alone");
});

Deno.test("the daemon's archive with password: key, and the same content but for one setting", async () => {
  const file = vector("archive-password.bin");
  assert.equal(file.subarray(0, 16).toHex(), salt);
  assert.equal(file.subarray(16, 28).toHex(), iv);
  const key = await stretch(password, file.subarray(0, 16));
  assert.equal(key.toHex(), aes_key);
  assert.ok(await unseal(key, file.subarray(16)));
  const json = JSON.parse(await openContainer(file, password));
  const other = JSON.parse(vectorText("archive-nopassword.json"));
  assert.deepEqual(json, { ...other, "Account.archiveHasPassword": json["Account.archiveHasPassword"] });
  assert.notEqual(json["Account.archiveHasPassword"], other["Account.archiveHasPassword"]);
});

Deno.test("the archives made with WebCrypto, and one that a web server compressed again", async () => {
  const open = await readArchive(vector("webcrypto-archive.gz"));
  assert.equal(open.accountKey.publicKey.id, expected.webcrypto.account_id);
  const closed = vector("webcrypto-archive-password.bin");
  const read = await readArchive(closed, expected.webcrypto.archive_password);
  assert.equal(read.accountKey.publicKey.id, expected.webcrypto.account_id);
  const again = await readArchive(gzipSync(closed), expected.webcrypto.archive_password);
  assert.deepEqual(plain(again), plain(read));
  assert.deepEqual(plain(await readArchive(gzipSync(vector("webcrypto-archive.gz")))), plain(open));
});

Deno.test("readArchive(writeArchive(x)) = x, with and without password", async () => {
  const archive = {
    ...await readArchive(vector("archive-nopassword.gz")),
    revocations: RevocationList.fromDer(vector("crl.der")),
  };
  const open = await writeArchive(archive);
  assert.equal(open.subarray(0, 3).toHex(), "1f8b08");
  assert.deepEqual(plain(await readArchive(open)), plain(archive));
  const closed = await writeArchive(archive, "nywila");
  assert.deepEqual(plain(await readArchive(closed, "nywila")), plain(archive));
  assert.notDeepEqual(closed.subarray(0, 16), (await writeArchive(archive, "nywila")).subarray(0, 16), "a new salt");
  await fails("wrong password", readArchive(closed, "nywilA"));
  await fails("password needed", readArchive(closed));
});

Deno.test("parseArchive(formatArchive(x)) = x, for any settings and records", async () => {
  const base = await readArchive(vector("webcrypto-archive.gz"));
  const record = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
    noNullPrototype: true,
  });
  const id = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => bytes.toHex());
  const records = fc.dictionary(id, record, { noNullPrototype: true });
  const settings = fc.dictionary(fc.string().map((s) => `Account.x${s}`), fc.string(), { noNullPrototype: true });
  fc.assert(
    fc.property(records, records, records, settings, (contacts, conversations, conversationRequests, settings) => {
      const archive = { ...base, contacts, conversations, conversationRequests, settings };
      assert.deepEqual(plain(parseArchive(formatArchive(archive))), plain(archive));
    }),
    { numRuns: 50 },
  );
});

Deno.test("the minimal archive has the four key fields and nothing else", async () => {
  const archive = await readArchive(vector("webcrypto-archive.gz"));
  const json = formatArchive({ ...archive, contacts: {}, settings: {} });
  assert.deepEqual(Object.keys(JSON.parse(json)).sort(), ["ethKey", "ringAccountCert", "ringAccountKey", "ringCaKey"]);
});

Deno.test("files that are no archives have their reasons", async () => {
  await fails("password needed", readArchive(new Uint8Array(0)));
  await fails("malformed", readArchive(new Uint8Array(5), "x"));
  await fails("too large", readArchive(new Uint8Array(9 * 1024 * 1024)));
  await fails("too large", readArchive(gzipSync(new Uint8Array(40 * 1024 * 1024))));
  await fails("malformed", readArchive(gzipSync(utf8("{}"))));
  await fails("malformed", readArchive(gzipSync(utf8("{"))));
  await assert.rejects(readArchive(gzipSync(utf8('{"ringAccountKey":"SECRET'))), (error) => {
    assert.doesNotMatch(Deno.inspect(error), /SECRET/, "what is in an archive is never quoted");
    return true;
  });
  await fails("malformed", readArchive(vector("archive-nopassword.gz").subarray(0, 1000)));
  const json = JSON.parse(vectorText("archive-nopassword.json"));
  const own = JSON.parse(await openContainer(vector("webcrypto-archive.gz")));
  for (
    const change of [
      { ringAccountCert: own.ringAccountCert },
      { ringAccountKey: "" },
      { ringAccountContacts: { x: {} } },
      { ringAccountContacts: [] },
      { conversations: { a: 1 } },
      { ringAccountCRL: "AAAA" },
    ]
  ) {
    const name = Object.keys(change)[0];
    assert.throws(() => parseArchive(JSON.stringify({ ...json, ...change })), ArchiveError, name);
  }
});

Deno.test("1000 mutated archives: read, or ArchiveError", async () => {
  for (const bytes of mutated(vector("archive-nopassword.gz"), 500)) await readOrFail(() => readArchive(bytes));
  for (const bytes of mutated(vector("archive-nopassword.json"), 500)) {
    await readOrFail(() => Promise.resolve().then(() => parseArchive(text(bytes))));
  }
});

async function readOrFail(read: () => Promise<unknown>): Promise<void> {
  await read().catch((error) => assert.ok(error instanceof ArchiveError, String(error)));
}

Deno.test("the account exported with a PIN", async () => {
  const { pin_shown, unix_time, salt_ascii, dht_key } = expected.pin_export;
  const value = asMap(decode(vector("pin-export.value")), "value");
  const data = asBytes(asMap(asMap(value.get("dat"), "dat").get("body"), "body").get("data"), "data");
  const [now, before] = await pinKeys(pin_shown, expected.pin_export.password, unix_time * 1000);
  assert.equal(now.salt, salt_ascii);
  assert.equal(now.dhtKey, dht_key);
  assert.equal((await openPinExport(data, now.key))?.accountKey.publicKey.id, expected.ids.account_id);
  assert.equal(await openPinExport(data, before.key), null);
  assert.equal(await openPinExport(concat(data, new Uint8Array(70_000)), now.key), null);
  assert.equal(await openPinExport(new Uint8Array(3), now.key), null);
  assert.equal(isPin("00mys0q2"), true);
  await fails("malformed", pinKeys("00mys0q", "", 0));
  for (const bytes of mutated(data, 200)) {
    if (bytes.toHex() !== data.toHex()) assert.equal(await openPinExport(bytes, now.key), null);
  }
});

Deno.test("a small bomb in zlib under the right password is refused", async () => {
  const { seal } = await import("../../../core/identity/stretch.ts");
  const salt = new Uint8Array(16);
  const sealed = await seal(await stretch("x", salt), deflateSync(new Uint8Array(40 * 1024 * 1024)));
  await fails("too large", readArchive(concat(salt, sealed), "x"));
});
