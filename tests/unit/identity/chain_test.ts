import assert from "node:assert/strict";
import { text } from "../../../core/base/bytes.ts";
import { asBytes, asMap, decode } from "../../../core/base/msgpack.ts";
import {
  Certificate,
  CertificateError,
  type CertificateFault,
  chainToPem,
} from "../../../core/identity/certificate.ts";
import { type ChainChecks, checkChain } from "../../../core/identity/chain.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import { chainOf, hostile, issueList, KEYS, NOW } from "./hostile.ts";
import { expected, mutated, vector, vectorText } from "./vectors.ts";

const now = Date.parse("2026-11-22T00:00:00Z");

function refused(reason: CertificateFault, chain: Certificate[], options: Partial<ChainChecks> = {}): void {
  assert.throws(() => checkChain(chain, { now: NOW, ...options }), (error) => {
    assert.ok(error instanceof CertificateError, String(error));
    assert.equal(error.reason, reason, error.message);
    return true;
  });
}

function unreadable(reason: CertificateFault, read: () => unknown): void {
  assert.throws(read, (error) => error instanceof CertificateError && error.reason === reason);
}

Deno.test("the daemon's chain is who expected.json says, negative serials and all", () => {
  const chain = Certificate.listFromPem(vectorText("chain.pem"));
  const peer = checkChain(chain, { now, account: expected.ids.account_id, device: expected.ids.device_id });
  assert.equal(peer.account, expected.ids.account_id);
  assert.equal(peer.device, expected.ids.device_id);
  assert.equal(peer.shortId, expected.ids.device_sha1);
  assert.equal(chain[1].publicKey.longId, expected.ids.account_long_id);
  assert.equal(chain[2].publicKey.id, expected.ids.ca_id);
  assert.equal(chain[0].serial, "b98a0d2de9665846");
  assert.equal(chain[2].serial, "c37ca4f691f68c59");
  assert.equal(chain[0].subjectUid, expected.ids.device_sha1);
  assert.equal(chain[0].issuerUid, expected.ids.account_id);
  assert.equal(chain[0].notBefore, Date.parse("2026-11-20T21:36:09Z"));
  assert.equal(chain[0].notAfter, Date.parse("2036-11-17T21:36:09Z"));
  assert.deepEqual(chain.map((c) => c.isCa), [false, true, true]);
  assert.equal(chainToPem(chain), vectorText("chain.pem"));
});

Deno.test("the other chains of the vectors", () => {
  const peer = checkChain(Certificate.listFromPem(vectorText("peer-chain.pem")), { now });
  assert.equal(peer.account, expected.ids.peer_account_id);
  assert.equal(peer.device, expected.ids.peer_device_id);
  const own = checkChain(Certificate.listFromPem(vectorText("webcrypto-chain.pem")), { now });
  assert.equal(own.account, expected.webcrypto.account_id);
  assert.equal(own.device, expected.webcrypto.device_id);
});

Deno.test("the certificate value holds the chain behind a msgpack header", () => {
  const value = asMap(decode(vector("certificate.value")), "value");
  const body = asMap(asMap(value.get("dat"), "dat").get("body"), "body");
  const data = asBytes(body.get("data"), "data");
  assert.equal(body.get("type"), expected.certificate_value.type);
  assert.equal(chainToPem(Certificate.listFromPem(text(data))), vectorText("chain.pem"));
  assert.equal(chainToPem(Certificate.listFromPem(text(asBytes(decode(data), "pem")))), vectorText("chain.pem"));
});

Deno.test("a device is refused once the account's list names its serial", () => {
  const chain = Certificate.listFromPem(vectorText("revoked-device-chain.pem"));
  const list = RevocationList.fromDer(vector("crl.der"));
  const peer = checkChain(chain, { now });
  assert.equal(peer.device, expected.crl.revoked_device);
  assert.equal(peer.account, expected.ids.account_id);
  assert.equal(list.isSignedBy(chain[1]), true);
  assert.equal(list.isSignedBy(Certificate.listFromPem(vectorText("peer-chain.pem"))[1]), false);
  assert.deepEqual([...list.entries.keys()], [expected.crl.revoked_serial_hex]);
  assert.equal(list.number, 5241836746000935077n);
  refused("revoked", chain, { now, revocations: [list] });
  checkChain(Certificate.listFromPem(vectorText("chain.pem")), { now, revocations: [list] });
});

Deno.test("the value of a revocation list, and a list without a number", () => {
  const body = asMap(asMap(asMap(decode(vector("crl.value")), "v").get("dat"), "dat").get("body"), "body");
  assert.deepEqual(asBytes(decode(asBytes(body.get("data"), "data")), "der"), vector("crl.der"));
  const list = RevocationList.fromDer(vector("webcrypto-crl.der"));
  const chain = Certificate.listFromPem(vectorText("webcrypto-chain.pem"));
  assert.equal(list.number, null);
  assert.equal(list.isSignedBy(chain[1]), true);
});

Deno.test("a good chain of 2, 3 and 5 certificates is accepted; the account is the leaf's direct issuer", async () => {
  for (const length of [2, 3, 5]) {
    const chain = await chainOf(length);
    const peer = checkChain(chain, { now: NOW });
    assert.equal(peer.account, KEYS[1].publicKey.id);
    assert.equal(peer.device, KEYS[0].publicKey.longId);
  }
});

Deno.test("a top that is not self-signed is an anchor all the same", async () => {
  const chain = await chainOf(3);
  assert.equal(checkChain(chain.slice(0, 2), { now: NOW }).account, KEYS[1].publicKey.id);
});

Deno.test("each refusal of account.md 1.2 has its reason", async (t) => {
  const good = await chainOf(3);
  const [leaf, account, ca] = good;
  const cases: [string, CertificateFault, () => Promise<Certificate[]> | Certificate[], Partial<ChainChecks>?][] = [
    ["nothing", "incomplete chain", () => []],
    ["a leaf alone", "incomplete chain", () => [leaf]],
    ["a self-signed leaf alone", "self-signed leaf", () => [ca]],
    ["a self-signed leaf twice", "self-signed leaf", () => [ca, ca]],
    ["more than ten", "too large", () => [leaf, account, ...Array(9).fill(ca)]],
    ["the wrong order", "name mismatch", () => [leaf, ca, account]],
    ["another issuer name", "name mismatch", async () => [await hostile(0, 1, { issuerName: "Other" }), account, ca]],
    [
      "the issuer's name in another string type",
      "name mismatch",
      async () => [await hostile(0, 1, { utf8Issuer: true }), account, ca],
    ],
    ["a leaf signed by a stranger", "bad signature", async () => [await hostile(0, 1, { signer: 3 }), account, ca]],
    [
      "an account signed by a stranger",
      "bad signature",
      async () => [leaf, await hostile(1, 2, { signer: 3, ca: true }), ca],
    ],
    [
      "a top signed by a stranger",
      "bad signature",
      async () => [leaf, account, await hostile(2, 2, { signer: 3, ca: true })],
    ],
    ["an issuer without CA:TRUE", "not a CA", async () => [leaf, await hostile(1, 2, { ca: false }), ca]],
    ["an issuer without basicConstraints", "not a CA", async () => [leaf, await hostile(1, 2, {}), ca]],
    ["an issuer that may not certify", "not a CA", async () => [leaf, await hostile(1, 2, { ca: true, usage: 1 }), ca]],
    [
      "a top with path length 0",
      "not a CA",
      async () => [leaf, account, await hostile(2, 2, { ca: true, pathLength: 0 })],
    ],
    ["an expired leaf", "expired", async () => [await hostile(0, 1, { notAfter: NOW - 1000 }), account, ca]],
    ["an expired account", "expired", async () => [leaf, await hostile(1, 2, { ca: true, notAfter: NOW - 1000 }), ca]],
    ["an expired top", "expired", async () => [leaf, account, await hostile(2, 2, { ca: true, notAfter: NOW - 1000 })]],
    ["a leaf of tomorrow", "not yet valid", async () => [await hostile(0, 1, { notBefore: NOW + 1000 }), account, ca]],
    ["another account", "wrong account", () => good, { account: KEYS[3].publicKey.id }],
    ["another device", "wrong device", () => good, { device: KEYS[3].publicKey.longId }],
  ];
  for (const [name, reason, make, options] of cases) {
    await t.step(name, async () => refused(reason, await make(), options));
  }
});

Deno.test("revocation lists count only when an issuer in the chain signed them", async () => {
  const chain = await chainOf(3);
  const [leaf, account, ca] = chain;
  refused("revoked", chain, { revocations: [await issueList(account, 1, [leaf.serial])] });
  refused("revoked", chain, { revocations: [await issueList(ca, 2, [account.serial])] });
  checkChain(chain, { now: NOW, revocations: [await issueList(account, 3, [leaf.serial])] });
  checkChain(chain, { now: NOW, revocations: [await issueList(ca, 2, [leaf.serial])] });
  checkChain(chain, { now: NOW, revocations: [await issueList(account, 1, ["01"])] });
});

Deno.test("certificates that cannot be trusted by their form are not even read", async () => {
  const { der } = (await chainOf(2))[0];
  unreadable("weak", () => Certificate.fromDer(withOid(der, "2a864886f70d01010b", "2a864886f70d010105"))); // sha1
  unreadable("weak", () => Certificate.fromDer(withOid(der, "2a864886f70d01010b", "2a864886f70d010104"))); // md5
  unreadable("unsupported", () => Certificate.fromDer(withOid(der, "2a864886f70d01010b", "2a864886f70d01010a"))); // pss
  unreadable("weak", () => Certificate.fromDer(Uint8Array.fromHex(SMALL_KEY)));
  unreadable("malformed", () => Certificate.fromDer(new Uint8Array([...der, 0])));
  unreadable("malformed", () => Certificate.fromDer(new Uint8Array(0)));
  unreadable("too large", () => Certificate.fromDer(new Uint8Array(100_000)));
  unreadable("malformed", () => Certificate.listFromPem(""));
  unreadable("malformed", () => Certificate.listFromPem("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----"));
  unreadable("malformed", () => Certificate.listFromPem("-----BEGIN CERTIFICATE-----\nAAAA"));
  unreadable("too large", () => Certificate.listFromPem("x".repeat(100_000)));
  unreadable("too large", () => Certificate.listFromPem(Certificate.fromDer(der).toPem().repeat(11)));
  const critical = await hostile(0, 1, { critical: "1.2.3.4" }).catch((error) => error);
  assert.ok(critical instanceof CertificateError && critical.reason === "unsupported", String(critical));
});

Deno.test("1000 mutated certificates and lists: read or refused with CertificateError; never trusted", () => {
  const [leaf, account, ca] = Certificate.listFromPem(vectorText("chain.pem"));
  for (const bytes of mutated(leaf.der, 1000)) {
    try {
      const bad = Certificate.fromDer(bytes);
      if (bytes.toHex() === leaf.der.toHex()) continue;
      checkChain([bad, account, ca], { now });
      assert.fail("a damaged certificate was trusted");
    } catch (error) {
      assert.ok(error instanceof CertificateError, String(error));
    }
  }
  for (const bytes of mutated(vector("crl.der"), 1000)) {
    try {
      const list = RevocationList.fromDer(bytes);
      assert.ok(!list.isSignedBy(account) || bytes.toHex() === vector("crl.der").toHex());
    } catch (error) {
      assert.ok(error instanceof CertificateError, String(error));
    }
  }
  for (const bytes of mutated(vector("chain.pem"), 1000)) {
    try {
      Certificate.listFromPem(text(bytes));
    } catch (error) {
      assert.ok(error instanceof CertificateError, String(error));
    }
  }
});

/** The DER with one object identifier put for another of the same length, everywhere. */
function withOid(der: Uint8Array, from: string, to: string): Uint8Array {
  assert.ok(der.toHex().includes(from));
  return Uint8Array.fromHex(der.toHex().replaceAll(from, to));
}

/** openssl req -x509 -newkey rsa:1024 -subj /CN=small -sha256 -outform DER | xxd -p */
const SMALL_KEY =
  "308201fc30820165a00302010202140961eb441f201bff2c4f05fe85c95797563c52ef300d06092a864886f70d01010b05003010310e300c06035504030c05736d616c6c301e170d3236313132313030333735355a170d3236313232313030333735355a3010310e300c06035504030c05736d616c6c30819f300d06092a864886f70d010101050003818d0030818902818100d6f0e563348317d26d4f71b35fe345c0e43079b719e4b708c059022dcecffe0dd93cd2c5c0f8dfa68641a6e3c7b069afb84721e0bd28e5a197d75190e8c9995b13e83bf611b8ee787539efe78de3dc932ecfc048df6c896296468aa4cfb2aa81d439081972cfe887ae450f62f63108fce1ad315473ba2456b476619ee0fb24d90203010001a3533051301d0603551d0e041604146443ec5a7e9f8f651ea338422d087a1d2f6476e6301f0603551d230418301680146443ec5a7e9f8f651ea338422d087a1d2f6476e6300f0603551d130101ff040530030101ff300d06092a864886f70d01010b0500038181003201bb57e8885d743cc73545b9d034ed6a21dc4ca7ced498171e47431b660870f9e259d9575e5c23d38544d62367da975cf8216574bdb6cff8751134e9cd7fdb61306ad50e7f316f695e0e388c04b209e55ab4973dbb8d105e0f021bb2cbfc0861f9118f20a445870a3d36fcf1a70ed01c44bcd2038dd954fcb5659b7787f312";
