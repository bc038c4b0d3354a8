import assert from "node:assert/strict";
import { Certificate, CertificateError } from "../../../core/identity/certificate.ts";
import { checkChain } from "../../../core/identity/chain.ts";
import { KeyError, PublicKey } from "../../../core/identity/keys.ts";
import { x509 } from "../../../core/identity/x509.ts";
import { KEYS, NOW } from "./hostile.ts";

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" };

/** A chain like that of today's new devices (account.md 9.2): RSA device and user, and an authority on a curve. */
async function chainOn(namedCurve: string): Promise<Certificate[]> {
  const authority = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve }, true, ["sign", "verify"]);
  const dates = { notBefore: new Date(NOW - 60_000), notAfter: new Date(NOW + 86_400_000) };
  const ca = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign),
  ];
  const onCurve = { signingKey: authority.privateKey, signingAlgorithm: { name: "ECDSA", hash: "SHA-384" } };
  const rsa = { signingKey: await KEYS[1].signer("SHA-384"), signingAlgorithm: RSA };
  const common = { serialNumber: "41", ...dates };
  const made = await Promise.all([
    x509.X509CertificateGenerator.create({
      ...common,
      ...rsa,
      subject: "CN=device",
      issuer: "CN=user",
      publicKey: new x509.PublicKey(KEYS[0].publicKey.spki),
    }),
    x509.X509CertificateGenerator.create({
      ...common,
      ...onCurve,
      subject: "CN=user",
      issuer: "CN=authority",
      publicKey: new x509.PublicKey(KEYS[1].publicKey.spki),
      extensions: ca,
    }),
    x509.X509CertificateGenerator.create({
      ...common,
      ...onCurve,
      subject: "CN=authority",
      issuer: "CN=authority",
      publicKey: authority.publicKey,
      extensions: ca,
    }),
  ]);
  return made.map(({ rawData }) => Certificate.fromDer(new Uint8Array(rawData)));
}

for (const curve of ["P-256", "P-384", "P-521"]) {
  Deno.test(`an authority with a key on ${curve} certifies an account, whose devices have RSA keys`, async () => {
    const chain = await chainOn(curve);
    assert.equal(checkChain(chain, { now: NOW }).account, KEYS[1].publicKey.id);
    assert.equal(chain[2].publicKey.kind, "elliptic");
    const [, , other] = await chainOn(curve);
    assert.throws(
      () => checkChain([chain[0], chain[1], other], { now: NOW }),
      (error) => error instanceof CertificateError && error.reason === "bad signature",
    );
    assert.throws(
      () => checkChain([chain[1], chain[2]], { now: NOW }),
      (error) => error instanceof CertificateError && error.reason === "unsupported",
      "an account has an RSA key",
    );
  });
}

Deno.test("keys on curves are authorities' only: nothing is encrypted to them, no data is signed by them", async () => {
  const [, , { publicKey }] = await chainOn("P-384");
  assert.throws(() => PublicKey.fromSpki(publicKey.spki), KeyError);
  await assert.rejects(publicKey.encrypt(new Uint8Array(1)), KeyError);
  assert.equal(await publicKey.verify(new Uint8Array(1), new Uint8Array(48)), false);
  for (let at = 0; at < publicKey.spki.length; at++) {
    const damaged = publicKey.spki.slice();
    damaged[at] ^= 0x41;
    assert.throws(() => PublicKey.inCertificate(damaged), KeyError);
  }
});
