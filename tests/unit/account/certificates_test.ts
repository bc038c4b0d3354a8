import assert from "node:assert/strict";
import { utf8 } from "../../../core/base/bytes.ts";
import { decode, encode } from "../../../core/base/msgpack.ts";
import { CertificateBook, readRevocationValue } from "../../../core/account/certificates.ts";
import { MAX_BRIDGED_CHAINS, MAX_LOOKUPS } from "../../../core/account/constants.ts";
import { CERTIFICATE_TYPE, certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import { unpackValue } from "../../../core/dht/value.ts";
import { Certificate, chainToPem } from "../../../core/identity/certificate.ts";
import { checkChain } from "../../../core/identity/chain.ts";
import { issueCertificate } from "../../../core/identity/issue.ts";
import { PublicKey } from "../../../core/identity/keys.ts";
import { peerOf } from "../../support/people.ts";
import { alice, bob, bobsPhone, NOW, plainValue, publishChain, textVector, vector, withScene } from "./support.ts";

const PLACES = ["today's place", "2023's place"];

for (const [i, place] of PLACES.entries()) {
  for (const wrapped of [true, false]) {
    Deno.test(`certificates: found at ${place}, ${wrapped ? "wrapped as bin" : "as bare PEM"}, and kept`, () =>
      withScene(async ({ table, certificates, store }) => {
        const key = bob.key.publicKey;
        const data = wrapped ? encode(utf8(bob.chainPem)) : utf8(bob.chainPem);
        table.put(certificateKeys(key)[i], { id: 1n, type: CERTIFICATE_TYPE, data });
        assert.equal((await certificates.find(key))?.[1].publicKey.id, bob.account);
        assert.equal(store.certificates.byDevice(bob.device)?.account, bob.account);
        table.close();
        const asked = table.asked.length;
        assert.equal((await certificates.find(key))?.length, 3);
        assert.equal((await certificates.findByShortId(bob.shortId))?.length, 3);
        assert.equal(table.asked.length, asked, "from the store, without asking again");
      }));
  }
}

Deno.test("certificates: the values of both generations of daemons are read", () =>
  withScene(async ({ table, certificates }) => {
    for (
      const [value, chain] of [["account/certificate.value", "account/chain.pem"], [
        "today/dht/certificate.value",
        "today/dht/x-chain.pem",
      ]]
    ) {
      const [{ publicKey: key }] = Certificate.listFromPem(textVector(chain));
      table.put(certificateKeys(key)[0], unpackValue(vector(value)));
      assert.equal((await certificates.find(key))?.[0].publicKey.longId, key.longId);
    }
  }));

Deno.test("certificates: what is not the device's good chain is passed over", () =>
  withScene(async ({ table, certificates, clock }) => {
    const key = bob.key.publicKey;
    const [place] = certificateKeys(key);
    const put = (id: bigint, data: Uint8Array<ArrayBuffer>, type = CERTIFICATE_TYPE) =>
      table.put(place, { id, type, data });
    put(1n, utf8(alice.chainPem));
    put(2n, utf8(bob.chain[0].toPem()));
    put(3n, utf8(chainToPem([bob.chain[0], alice.chain[1], alice.chain[2]])));
    put(4n, utf8("-----BEGIN CERTIFICATE-----\nAAAA"));
    put(5n, utf8(bob.chainPem), 3);
    put(6n, utf8(bob.chainPem + "#".repeat(40_000)));
    assert.equal(await certificates.find(key), null);
    put(7n, utf8(bob.chainPem));
    await clock.advance(0);
    assert.ok(await certificates.find(key));
  }));

Deno.test("certificates: one look-up at a time for a device, and a bounded number in all", () =>
  withScene(async ({ table, certificates }) => {
    publishChain(table, bob);
    const key = bob.key.publicKey;
    const both = await Promise.all([certificates.find(key), certificates.find(key)]);
    assert.ok(both[0] && both[1]);
    for (const place of certificateKeys(key)) assert.equal(table.count("get", place), 1);
    const many = Array.from(
      { length: MAX_LOOKUPS + 5 },
      (_, i) => certificates.findByShortId(i.toString(16).padStart(40, "0")),
    );
    await Promise.all(many);
    assert.equal(table.asked.filter(({ what }) => what === "get").length, 2 + MAX_LOOKUPS);
    assert.ok(await certificates.find(alice.key.publicKey) === null, "and later ones are made again");
  }));

/** A chain that certifies Bob's device as one of Alice's: anybody can make one. */
async function stolen(): Promise<Certificate[]> {
  const [, account, ca] = alice.chain;
  const request = {
    kind: "device",
    subject: bob.key.publicKey,
    issuer: account,
    signer: alice.accountKey,
    now: NOW,
  } as const;
  return [await issueCertificate(request), account, ca];
}

Deno.test("certificates: a stranger who certifies somebody's device does not hide it from those who know the account", () =>
  withScene(async ({ table, certificates, store }) => {
    const key = bob.key.publicKey;
    const [today, older] = certificateKeys(key);
    table.put(today, certificateValue(chainToPem(await stolen())));
    assert.equal((await certificates.find(key))?.[1].publicKey.id, alice.account, "who knows no better believes it");
    assert.equal(await certificates.find(key, bob.account), null);
    table.put(older, certificateValue(bob.chainPem));
    assert.equal((await certificates.find(key, bob.account))?.[1].publicKey.id, bob.account);
    assert.equal((await certificates.findByShortId(bob.shortId, bob.account))?.[1].publicKey.id, bob.account);
    // what the device itself shows is the truth
    certificates.remember(peerOf(bob));
    assert.equal(store.certificates.byDevice(bob.device)?.account, bob.account);
    assert.equal((await certificates.find(key))?.[1].publicKey.id, bob.account);
  }));

Deno.test("certificates: a renewed chain takes the place of the expired one", () =>
  withScene(async ({ table, certificates, clock }) => {
    const key = bob.key.publicKey;
    certificates.remember(peerOf(bob));
    await clock.advance(bob.chain[0].notAfter - clock.now() + 1000);
    assert.equal(await certificates.find(key), null);
    const renewed: Certificate[] = [];
    for (const kind of ["account", "device"] as const) {
      const subject = kind === "account" ? bob.accountKey.publicKey : key;
      const issuer = kind === "account" ? null : renewed[0];
      renewed.unshift(await issueCertificate({ kind, subject, issuer, signer: bob.accountKey, now: clock.now() }));
    }
    table.put(certificateKeys(key)[0], certificateValue(chainToPem(renewed)));
    assert.equal((await certificates.find(key))?.[0].notAfter, renewed[0].notAfter);
    assert.ok(certificates.known(bob.device)?.[0].notAfter === renewed[0].notAfter);
  }));

Deno.test("revocations: kept until a certificate of the account is known, whatever else is put there", () =>
  withScene(({ certificates, store, clock }) => {
    const account = PublicKey.fromSpki(Certificate.listFromPem(textVector("account/chain.pem"))[1].publicKey.spki).id;
    const der = readRevocationValue(unpackValue(vector("account/crl.value")));
    assert.deepEqual(der && [...der], [...vector("account/crl.der")]);
    const told: string[] = [];
    certificates.on("revoked", ({ list }) => told.push(...list.entries.keys()));
    certificates.learnRevocations(account, vector("account/crl.der"));
    certificates.learnRevocations(account, Uint8Array.of(0x30, 0));
    assert.deepEqual(certificates.revocations(account), []);
    const chain = Certificate.listFromPem(textVector("account/chain.pem"));
    certificates.remember(checkChain(chain, { now: clock.now() }));
    const { revoked_serial_hex, revoked_device } = JSON.parse(textVector("account/expected.json")).crl;
    assert.deepEqual(told, [revoked_serial_hex]);
    assert.equal(store.revocations.get(account)?.account, account);
    const revoked = Certificate.listFromPem(textVector("account/revoked-device-chain.pem"));
    assert.equal(revoked[0].publicKey.longId, revoked_device);
    const revocations = new CertificateBook({ get: () => Promise.resolve([]), keep: () => assert.fail() }, store, clock)
      .revocations(account);
    assert.throws(() => checkChain(revoked, { now: clock.now(), revocations }), /revoked/);
    checkChain(chain, { now: clock.now(), revocations });
    return Promise.resolve();
  }));

Deno.test("revocations: a list is taken once, and only from its account", () =>
  withScene((scene) => {
    const { certificates, store } = scene;
    const chain = Certificate.listFromPem(textVector("account/chain.pem"));
    certificates.remember(checkChain(chain, { now: NOW }));
    certificates.remember(peerOf(bob));
    let told = 0;
    certificates.on("revoked", () => told++);
    certificates.learnRevocations(bob.account, vector("account/crl.der"));
    assert.equal(store.revocations.get(bob.account), undefined);
    const account = chain[1].publicKey.id;
    certificates.learnRevocations(account, vector("account/crl.der"));
    certificates.learnRevocations(account, vector("account/crl.der"));
    const damaged = vector("account/crl.der");
    damaged[damaged.length - 1] ^= 1;
    certificates.learnRevocations(account, damaged);
    certificates.learnRevocations(account, new Uint8Array(70_000).fill(0x30));
    assert.equal(told, 1);
    assert.equal(readRevocationValue(plainValue(new Uint8Array(70_000).fill(0x30))), null);
    assert.equal(readRevocationValue({ ...plainValue(vector("account/crl.der")), owner: bob.key.publicKey }), null);
    assert.equal(readRevocationValue({ id: 1n, type: 0, data: vector("account/crl.der").slice(0, 9) }), null);
    return Promise.resolve();
  }));

Deno.test("bridge: a chain is published at both keys, once, until the end", () =>
  withScene(async ({ table, certificates }) => {
    certificates.bridge(bob.device);
    assert.deepEqual(table.asked, [], "nothing is known of it");
    certificates.remember(peerOf(bob));
    certificates.bridge(bob.device);
    certificates.bridge(bob.device);
    for (const place of certificateKeys(bob.key.publicKey)) {
      assert.equal(table.count("keep", place), 1);
      const [{ data }] = table.values(place);
      assert.deepEqual(decode(data), utf8(bob.chainPem));
    }
    certificates.stop();
    await Promise.resolve();
  }));

Deno.test("bridge: when there are too many the oldest give way", () => {
  let kept = 0;
  const dht = {
    get: () => Promise.resolve([]),
    keep: () => {
      kept++;
      return { done: new Promise<never>(() => {}), stop: () => void kept-- };
    },
  };
  // one chain under many device ids, as the store would give them
  const row = { device: "", shortId: "", account: bob.account, chainPem: bobsPhone.chainPem, seen: 0 };
  const store = { certificates: { byDevice: (device: string) => ({ ...row, device }) } };
  // reason: of the store only this one look-up is used
  const book = new CertificateBook(dht, store as unknown as ConstructorParameters<typeof CertificateBook>[1], {
    now: () => NOW,
    after: () => () => {},
  });
  for (let i = 0; i <= MAX_BRIDGED_CHAINS; i++) book.bridge(i.toString(16).padStart(64, "0"));
  assert.equal(kept, 2 * MAX_BRIDGED_CHAINS);
  book.stop();
  assert.equal(kept, 0);
});
