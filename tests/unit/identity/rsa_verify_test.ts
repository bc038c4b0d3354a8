import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type JsonWebKey, sign } from "node:crypto";
import fc from "fast-check";
import { concat, hex, utf8 } from "../../../core/base/bytes.ts";
import { type Digest, isSignedWith } from "../../../core/identity/rsa_verify.ts";

const DIGESTS: readonly Digest[] = ["SHA-256", "SHA-384", "SHA-512"];
const SHA_512 = Uint8Array.fromHex("3051300d060960864801650304020305000440");

/** A key whose private numbers are known, so that it can sign any block. */
function keyOf(bits: number, publicExponent = 65537) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits, publicExponent });
  const { n, e, d }: JsonWebKey = privateKey.export({ format: "jwk" });
  const number = (text = "") => BigInt(`0x${Uint8Array.fromBase64(text, { alphabet: "base64url" }).toHex()}`);
  const modulus = number(n), size = Math.ceil(bits / 8);
  const raw = (block: Uint8Array) => bytesOf(power(BigInt(`0x${hex(block)}`), number(d), modulus), size);
  return { privateKey, size, numbers: { modulus, exponent: number(e) }, raw };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = result * result * (bit === "1" ? base : 1n) % modulus;
  return result;
}

function bytesOf(number: bigint, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(number.toString(16).padStart(size * 2, "0"));
}

const key = keyOf(2048);
const data = utf8("karibu");
const digest = createHash("sha512").update(data).digest();

function isTaken(signature: Uint8Array): boolean {
  return isSignedWith("SHA-512", key.numbers, key.size, data, signature);
}

Deno.test("signatures of another implementation are taken, with every digest, size and exponent", () => {
  for (const { privateKey, numbers, size } of [key, keyOf(2049), keyOf(2048, 3)]) {
    for (const digest of DIGESTS) {
      const signature = sign(digest.replace("-", ""), data, privateKey);
      assert.equal(isSignedWith(digest, numbers, size, data, signature), true);
      assert.equal(isSignedWith(digest, numbers, size, utf8("kwaheri"), signature), false);
      for (const other of DIGESTS) {
        assert.equal(isSignedWith(other, numbers, size, data, signature), other === digest);
      }
    }
  }
});

Deno.test("a signature with any damage is refused", () => {
  const signature = sign("SHA512", data, key.privateKey);
  fc.assert(fc.property(fc.nat(key.size - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
    const damaged = new Uint8Array(signature);
    damaged[at] ^= change;
    assert.equal(isTaken(damaged), false);
  }));
  for (const other of [new Uint8Array(), signature.subarray(1), concat(signature, Uint8Array.of(0))]) {
    assert.equal(isTaken(other), false);
  }
  assert.equal(isTaken(concat(Uint8Array.of(0), signature)), false);
  for (const number of [0n, 1n, key.numbers.modulus - 1n]) assert.equal(isTaken(bytesOf(number, key.size)), false);
});

Deno.test("a signature is refused that is the right one and the modulus once more", () => {
  const small = keyOf(2049); // so that the sum still fits
  const signature = sign("SHA512", data, small.privateKey);
  assert.equal(isSignedWith("SHA-512", small.numbers, small.size, data, signature), true);
  const more = bytesOf(BigInt(`0x${hex(signature)}`) + small.numbers.modulus, small.size);
  assert.equal(more.length, small.size);
  assert.equal(isSignedWith("SHA-512", small.numbers, small.size, data, more), false);
});

Deno.test("blocks that lax readers take are refused, though the owner of the key made them", () => {
  const ff = (n: number) => new Uint8Array(n).fill(0xff);
  const head = Uint8Array.of(0, 1), zero = Uint8Array.of(0);
  const info = concat(SHA_512, digest);
  const whole = key.size - 3 - info.length;
  assert.equal(isTaken(key.raw(concat(head, ff(whole), zero, info))), true);
  const withoutNull = concat(Uint8Array.fromHex("304f300b0609608648016503040203"), Uint8Array.of(4, 64), digest);
  const bad: Record<string, Uint8Array> = {
    "short padding with garbage behind": concat(head, ff(8), zero, info, new Uint8Array(whole - 8)),
    "a hole in the padding": concat(head, ff(whole - 1), Uint8Array.of(0xfe), zero, info),
    "type 2": concat(Uint8Array.of(0, 2), ff(whole), zero, info),
    "no zero before the digest": concat(head, ff(whole + 1), info),
    "no NULL": concat(head, ff(key.size - 3 - withoutNull.length), zero, withoutNull),
    "the digest alone": concat(head, ff(key.size - 3 - digest.length), zero, digest),
    "the digest of another text": concat(head, ff(whole), zero, SHA_512, createHash("sha512").update("x").digest()),
    "another first byte": concat(Uint8Array.of(1, 1), ff(whole), zero, info),
  };
  for (const [what, made] of Object.entries(bad)) {
    assert.equal(made.length, key.size, what);
    assert.equal(isTaken(key.raw(made)), false, what);
  }
});
