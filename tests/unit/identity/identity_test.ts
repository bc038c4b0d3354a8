import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Bytes, equal, text, utf8 } from "../../../core/base/bytes.ts";
import { asBytes, asMap, decode, encode } from "../../../core/base/msgpack.ts";
import { type Archive, readArchive } from "../../../core/identity/archive.ts";
import { Certificate, CertificateError } from "../../../core/identity/certificate.ts";
import { checkChain } from "../../../core/identity/chain.ts";
import {
  assembleIdentity,
  checkIdentity,
  createIdentity,
  type Identity,
  IdentityError,
  newDevice,
  renewArchive,
} from "../../../core/identity/identity.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import {
  checkReceipt,
  makeAnnouncement,
  parseReceipt,
  readAnnouncement,
  ReceiptError,
  receiptText,
  signReceipt,
} from "../../../core/identity/receipt.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import {
  hasIdentity,
  loadArchive,
  loadIdentity,
  saveDevice,
  saveIdentity,
  StorageError,
  type StorageFault,
  tidyIdentity,
} from "../../../core/identity/storage.ts";
import { expected, mutated, vector, vectorText } from "./vectors.ts";

const NOW = Date.parse("2026-11-21T12:00:00.500Z");
const YEAR = 365 * 86_400_000;

const daemonChain = Certificate.listFromPem(vectorText("chain.pem"));
const daemonKey = PrivateKey.fromPem(vectorText("device.key.pem"));
const daemonParts = {
  key: daemonKey,
  chain: daemonChain,
  receipt: vectorText("receipt.json"),
  receiptSignature: vector("receipt.sig"),
};

let made: Promise<{ identity: Identity; archive: Archive }> | undefined;
/** One real account for the whole file: three RSA-4096 keys take seconds. */
const account = () => made ??= createIdentity({ now: NOW });

async function inFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8" });
}

Deno.test("the daemon's receipt and announcement hold", async () => {
  const identity = await assembleIdentity(daemonParts, { now: NOW });
  assert.equal(identity.account, expected.ids.account_id);
  assert.equal(identity.device, expected.ids.device_id);
  assert.equal(identity.chainPem, vectorText("chain.pem"));
  await checkIdentity(identity, { now: NOW });
  const receipt = parseReceipt(daemonParts.receipt);
  assert.equal(receipt.ethereum, expected.ids.eth_address);
  assert.equal(receiptText(receipt), daemonParts.receipt);
  const published = asMap(decode(vector("announcement.value")), "value");
  assert.equal(String(published.get("id")), expected.announcement.value_id);
  const announcement = await readAnnouncement(vector("announcement.value"));
  assert.equal(announcement.owner.id, expected.announcement.dht_key);
  assert.equal(announcement.dev, expected.ids.device_sha1);
  assert.equal(announcement.pk?.longId, expected.ids.device_id);
  assert.deepEqual(encode(new Map([...published, ["id", 0]])), identity.announcement);
});

Deno.test("our announcement is the daemon's, byte for byte, but for the signature's key", async () => {
  const { accountKey } = await readArchive(vector("archive-nopassword.gz"));
  const announcement = await makeAnnouncement(accountKey, daemonKey.publicKey);
  assert.deepEqual(announcement, parseReceipt(daemonParts.receipt).announcement);
  assert.deepEqual(await signReceipt(accountKey, daemonParts.receipt), daemonParts.receiptSignature);
});

Deno.test("an identity whose parts do not belong together does not start", async (t) => {
  const peerChain = Certificate.listFromPem(vectorText("peer-chain.pem"));
  const peerKey = PrivateKey.fromPem(vectorText("peer-device.key.pem"));
  const { accountKey } = await readArchive(vector("archive-nopassword.gz"));
  const good = parseReceipt(daemonParts.receipt);
  const signed = async (change: Partial<typeof good>) => {
    const receipt = receiptText({ ...good, ...change });
    return { ...daemonParts, receipt, receiptSignature: await signReceipt(accountKey, receipt) };
  };
  const data = (announcement: Bytes) => asMap(asMap(decode(announcement), "v").get("dat"), "dat");
  const otherBody = new Map([...asMap(data(good.announcement).get("body"), "body"), ["seq", 1]]);
  const cases: [string, () => Promise<typeof daemonParts>][] = [
    ["another key", () => Promise.resolve({ ...daemonParts, key: peerKey })],
    ["another chain", () => Promise.resolve({ ...daemonParts, key: peerKey, chain: peerChain })],
    ["a changed receipt", () => Promise.resolve({ ...daemonParts, receipt: daemonParts.receipt + " " })],
    ["no receipt", () => signed({}).then((parts) => ({ ...parts, receipt: "" }))],
    ["a receipt for another account", () => signed({ account: expected.ids.peer_account_id })],
    ["a receipt for another device", () => signed({ device: expected.ids.peer_device_sha1 })],
    [
      "another account's announcement",
      async () => signed({ announcement: await makeAnnouncement(peerKey, daemonKey.publicKey) }),
    ],
    [
      "another device's announcement",
      async () => signed({ announcement: await makeAnnouncement(accountKey, peerKey.publicKey) }),
    ],
    [
      "an announcement with a wrong signature",
      () =>
        signed({
          announcement: encode({
            id: 0,
            dat: { body: otherBody, sig: asBytes(data(good.announcement).get("sig"), "sig") },
          }),
        }),
    ],
    ["no announcement", () => signed({ announcement: new Uint8Array(0) })],
  ];
  for (const [name, make] of cases) {
    await t.step(name, async () => assert.rejects(assembleIdentity(await make(), { now: NOW }), IdentityError));
  }
  await t.step(
    "an expired chain",
    () => assert.rejects(assembleIdentity(daemonParts, { now: NOW + 11 * YEAR }), IdentityError),
  );
});

Deno.test("a revoked device of one's own account does not start", async () => {
  const chain = Certificate.listFromPem(vectorText("revoked-device-chain.pem"));
  const key = PrivateKey.fromPem(vectorText("revoked-device.key.pem"));
  const { accountKey } = await readArchive(vector("archive-nopassword.gz"));
  const announcement = await makeAnnouncement(accountKey, key.publicKey);
  const receipt = receiptText({
    account: accountKey.publicKey.id,
    device: key.publicKey.id,
    ethereum: "",
    announcement,
  });
  const receiptSignature = await signReceipt(accountKey, receipt);
  const identity = await assembleIdentity({ key, chain, receipt, receiptSignature }, { now: NOW });
  const revocations = [RevocationList.fromDer(vector("crl.der"))];
  await assert.rejects(checkIdentity(identity, { now: NOW, revocations }), (error) => {
    assert.ok(error instanceof IdentityError && error.cause instanceof CertificateError);
    assert.equal(error.cause.reason, "revoked");
    return true;
  });
});

Deno.test("a new account: its names, its receipt, and an archive with the keys", async () => {
  const { identity, archive } = await account();
  assert.equal(identity.account, archive.accountKey.publicKey.id);
  assert.equal(identity.device, identity.key.publicKey.longId);
  assert.equal(identity.shortId, identity.key.publicKey.id);
  assert.equal(checkChain(identity.chain, { now: NOW }).account, identity.account);
  await checkIdentity(identity, { now: NOW });
  await checkReceipt(identity.receipt, identity.receiptSignature, archive.accountKey.publicKey, identity.key.publicKey);
  assert.match(parseReceipt(identity.receipt).ethereum, /^[0-9a-f]{40}$/);
  assert.match(
    identity.receipt,
    /^\{"id":"[0-9a-f]{40}","dev":"[0-9a-f]{40}","eth":"[0-9a-f]{40}","announce":"[^"]+"\}$/,
  );
  assert.equal(archive.caKey?.publicKey.id, identity.chain[2].publicKey.id);
  assert.equal(Object.values(identity).some((value) => value === archive.accountKey), false);
  await assert.rejects(checkIdentity({ ...identity, account: expected.ids.account_id }, { now: NOW }), IdentityError);
});

Deno.test("new certificates say what the table of account.md 1.1 says", async () => {
  const { identity: { chain } } = await account();
  for (const [i, certificate] of chain.entries()) {
    assert.equal(certificate.notBefore, Date.parse("2026-11-21T11:55:00Z"));
    assert.equal(certificate.notAfter - certificate.notBefore, 10 * YEAR);
    assert.match(certificate.serial, /^[4-7][0-9a-f]{15}$/);
    assert.equal(certificate.subjectUid, certificate.publicKey.id);
    assert.equal(certificate.isCa, i > 0);
    assert.equal(certificate.publicKey.bits, 4096);
  }
  assert.equal(new Set(chain.map((certificate) => certificate.serial)).size, 3);
});

Deno.test("new certificates have the bytes of the accepted ones, but for keys, ids, serials, times and signatures", async () => {
  const { identity: { chain } } = await account();
  for (const [i, accepted] of Certificate.listFromPem(vectorText("webcrypto-chain.pem")).entries()) {
    assert.equal(skeleton(chain[i]), skeleton(accepted));
  }
});

/** What openssl sees in a certificate, without what differs from one to the next. */
function skeleton(certificate: Certificate): string {
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(file, certificate.der);
    return openssl("asn1parse", "-inform", "DER", "-in", file)
      .replaceAll(/(INTEGER +:)[0-9A-F]{14,16}\b/g, "$1serial")
      .replaceAll(/(UTCTIME +:)\d{12}Z/g, "$1time")
      .replaceAll(/(PRINTABLESTRING +:)[0-9a-f]{40}/g, "$1id")
      .replaceAll(/(OCTET STRING +\[HEX DUMP\]:0414)[0-9A-F]{40}/g, "$1id");
  } finally {
    Deno.removeSync(file);
  }
}

Deno.test("openssl verifies the chain of a new account", async () => {
  const { identity: { chain } } = await account();
  await inFolder(async (dir) => {
    for (const [i, certificate] of chain.entries()) {
      await Deno.writeTextFile(join(dir, `${i}.pem`), certificate.toPem());
    }
    const at = String(Math.floor(NOW / 1000));
    const args = ["verify", "-attime", at, "-CAfile", join(dir, "2.pem"), "-untrusted", join(dir, "1.pem")];
    assert.match(openssl(...args, join(dir, "0.pem")), /: OK/);
    const shown = openssl("x509", "-in", join(dir, "1.pem"), "-noout", "-text");
    assert.match(shown, /Issuer: CN ?= ?Jami CA, UID ?= ?[0-9a-f]{40}/);
    assert.match(shown, /Subject: CN ?= ?Jami, UID ?= ?[0-9a-f]{40}/);
    assert.match(shown, /Basic Constraints: critical\s+CA:TRUE\s/);
    assert.match(shown, /Key Usage: critical\s+Certificate Sign, CRL Sign\s/);
    assert.match(shown, /Signature Algorithm: sha384WithRSAEncryption/);
    assert.doesNotMatch(openssl("x509", "-in", join(dir, "0.pem"), "-noout", "-text"), /X509v3/);
  });
});

Deno.test("an imported archive makes another device of the same account, with the daemon's names byte for byte", async () => {
  const archive = await readArchive(vector("archive-nopassword.gz"));
  const identity = await newDevice(archive, NOW);
  assert.equal(identity.account, expected.ids.account_id);
  assert.notEqual(identity.device, expected.ids.device_id);
  assert.ok(equal(identity.chain[0].issuer, daemonChain[1].subject));
  assert.equal(parseReceipt(identity.receipt).ethereum, expected.ids.eth_address);
  await assert.rejects(newDevice({ ...archive, accountChain: archive.accountChain.slice(1) }, NOW), IdentityError);
});

Deno.test("an archive past its dates is renewed with the same keys, if the authority's key is there", async () => {
  const archive = await readArchive(vector("archive-nopassword.gz"));
  assert.equal(await renewArchive(archive, NOW), archive);
  const later = NOW + 11 * YEAR;
  await assert.rejects(newDevice(archive, later), IdentityError);
  const renewed = await renewArchive(archive, later);
  assert.equal((await newDevice(renewed, later)).account, expected.ids.account_id);
  assert.deepEqual(renewed.accountChain.map((c) => c.publicKey.id), archive.accountChain.map((c) => c.publicKey.id));
  await assert.rejects(renewArchive({ ...archive, caKey: null }, later), IdentityError);
});

Deno.test("an identity goes to its folder and comes back; only its owner may look", async () => {
  const { identity, archive } = await account();
  await inFolder(async (parent) => {
    for (const [name, password] of [["open", ""], ["closed", "nywila"]]) {
      const dir = join(parent, name);
      await Deno.mkdir(dir, { mode: 0o755 });
      assert.equal(await hasIdentity(dir), false);
      await saveIdentity(dir, identity, archive, password);
      const loaded = await loadIdentity(dir, NOW);
      assert.equal(loaded.key.toPem(), identity.key.toPem());
      assert.deepEqual({ ...loaded, key: 0, chain: 0 }, { ...identity, key: 0, chain: 0 });
      assert.equal((await loadArchive(dir, password)).accountKey.toPem(), archive.accountKey.toPem());
      assert.equal((await Deno.stat(dir)).mode! & 0o777, 0o700);
      const files = (await Array.fromAsync(Deno.readDir(dir))).map((entry) => entry.name).sort();
      assert.deepEqual(files, ["archive.gz", "chain.pem", "device.key", "receipt.json", "receipt.sig"]);
      for (const file of files) assert.equal((await Deno.stat(join(dir, file))).mode! & 0o777, 0o600, file);
      for (const file of files.filter((file) => file !== "archive.gz")) {
        const content = text(await Deno.readFile(join(dir, file)));
        assert.ok(!content.includes(archive.accountKey.toPem().slice(40, 200)), `${file} holds the account's key`);
      }
    }
  });
});

Deno.test("a folder with an identity is never written over", async () => {
  const { identity, archive } = await account();
  await inFolder(async (dir) => {
    await saveIdentity(dir, identity, archive);
    const before = await Deno.readFile(join(dir, "archive.gz"));
    await failsToStore("exists", saveIdentity(dir, identity, archive));
    await Deno.remove(join(dir, "device.key"));
    await failsToStore("exists", saveIdentity(dir, identity, archive));
    assert.deepEqual(await Deno.readFile(join(dir, "archive.gz")), before);
    await failsToStore("incomplete", loadIdentity(dir, NOW));
    await saveDevice(dir, identity);
    assert.equal((await loadIdentity(dir, NOW)).device, identity.device);
  });
});

Deno.test("an identity is in its folder whole or not at all, at every moment of the first start", async () => {
  const { identity, archive } = await account();
  await inFolder(async (parent) => {
    const dir = join(parent, "identity");
    let saved = false;
    const saving = saveIdentity(dir, identity, archive).finally(() => saved = true);
    const seen = new Set<number>();
    while (!saved) {
      const count = (path: string) => {
        try {
          return [...Deno.readDirSync(path)].length;
        } catch {
          return 0; // not there
        }
      };
      seen.add(count(dir));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await saving;
    assert.deepEqual([...seen].filter((files) => files !== 0 && files !== 5), []);
    assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["identity"]);
  });
});

Deno.test("what a crash left of an identity is cleared away, and a key that others may read is closed", async () => {
  const { identity, archive } = await account();
  await inFolder(async (parent) => {
    const dir = join(parent, "identity");
    await Deno.mkdir(`${dir}.new`);
    await Deno.writeTextFile(join(`${dir}.new`, "archive.gz"), "half");
    await tidyIdentity(dir);
    assert.deepEqual([...Deno.readDirSync(parent)], []);
    assert.equal(await hasIdentity(dir), false);
    await Deno.mkdir(`${dir}.new`); // also without it
    await Deno.writeTextFile(join(`${dir}.new`, "archive.gz"), "half");
    await saveIdentity(dir, identity, archive);
    const leftover = join(dir, `.device.key.${crypto.randomUUID()}`);
    await Deno.writeTextFile(leftover, "half");
    await Deno.writeTextFile(join(dir, "note"), "the admin's own");
    await Deno.chmod(join(dir, "device.key"), 0o644);
    await Deno.chmod(dir, 0o755);
    await tidyIdentity(dir);
    assert.equal((await Deno.stat(join(dir, "device.key"))).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(dir)).mode! & 0o777, 0o700);
    const files = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["archive.gz", "chain.pem", "device.key", "note", "receipt.json", "receipt.sig"]);
    assert.equal((await loadIdentity(dir, NOW)).device, identity.device);
  });
});

Deno.test("a damaged folder says what is wrong", async () => {
  const { identity, archive } = await account();
  await inFolder(async (dir) => {
    await failsToStore("missing", loadIdentity(dir, NOW));
    await failsToStore("missing", loadIdentity(join(dir, "nowhere"), NOW));
    await failsToStore("missing", loadArchive(dir));
    await saveIdentity(dir, identity, archive);
    await failsToStore("not valid", loadIdentity(dir, NOW + 11 * YEAR));
    for (const name of ["device.key", "chain.pem", "receipt.json", "receipt.sig"]) {
      const good = await Deno.readFile(join(dir, name));
      await Deno.writeFile(join(dir, name), good.subarray(0, 100));
      const fault = name.startsWith("receipt") ? "not valid" : "damaged";
      await failsToStore(fault, loadIdentity(dir, NOW));
      await Deno.remove(join(dir, name));
      await failsToStore("incomplete", loadIdentity(dir, NOW));
      await Deno.writeFile(join(dir, name), good);
    }
    await Deno.writeTextFile(join(dir, "chain.pem"), vectorText("chain.pem"));
    await failsToStore("not valid", loadIdentity(dir, NOW));
  });
});

function failsToStore(reason: StorageFault, run: Promise<unknown>): Promise<void> {
  return assert.rejects(run, (error) => {
    assert.ok(error instanceof StorageError, String(error));
    assert.equal(error.reason, reason, error.message);
    return true;
  });
}

Deno.test("1000 mutated receipts and announcements: read, or ReceiptError; never another meaning", async () => {
  for (const bytes of mutated(utf8(daemonParts.receipt), 1000)) {
    try {
      parseReceipt(text(bytes));
    } catch (error) {
      assert.ok(error instanceof ReceiptError, String(error));
    }
  }
  for (const bytes of mutated(vector("announcement.value"), 1000)) {
    try {
      assert.equal((await readAnnouncement(bytes)).pk?.longId, expected.ids.device_id);
    } catch (error) {
      assert.ok(error instanceof ReceiptError, String(error));
    }
  }
});
