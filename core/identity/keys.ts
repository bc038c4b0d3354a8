/**
 * RSA keys as this network uses them (account.md 0): names that are hashes of the SubjectPublicKeyInfo, data signatures with SHA-512, and encryption to
 * a key with RSAES-PKCS1-v1_5, followed by AES-256-GCM where one block is too small.
 */

import { Buffer } from "node:buffer";
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  verify,
} from "node:crypto";
import { type Bytes, concat, equal, owned } from "../base/bytes.ts";
import { KituoError, messageOf } from "../base/errors.ts";
import { MAX_CIPHERTEXT, MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS, MIN_RSA_BITS, RSA_BITS } from "./constants.ts";
import { bitStringBytes, readDer, Tag, unsignedInteger } from "./der.ts";

/** A key that cannot be read, or that this network does not allow. */
export class KeyError extends KituoError {}

/** The digests that occur in signatures. */
export type Digest = "SHA-256" | "SHA-384" | "SHA-512";

const RSASSA = "RSASSA-PKCS1-v1_5";
const NONCE = 12;
const TAG = 16;
const AES_KEY = 32;
/** What RSAES-PKCS1-v1_5 needs of a block for itself. */
const PADDING = 11;

/** AlgorithmIdentifier of rsaEncryption with its NULL parameters. */
const RSA_ENCRYPTION = Uint8Array.fromHex("300d06092a864886f70d0101010500");

/** SubjectPublicKeyInfo of P-256, P-384 and P-521 up to the point, which is uncompressed, and the bytes of the point. */
const CURVES: readonly { prefix: Bytes; point: number; bits: number }[] = [
  { prefix: Uint8Array.fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), point: 64, bits: 256 },
  { prefix: Uint8Array.fromHex("3076301006072a8648ce3d020106052b8104002203620004"), point: 96, bits: 384 },
  { prefix: Uint8Array.fromHex("30819b301006072a8648ce3d020106052b810400230381860004"), point: 132, bits: 521 },
];

/** The public half of a key. */
export class PublicKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  /** SHA-1 of `spki`, 40 hex digits. */
  readonly id: string;
  /** SHA-256 of `spki`, 64 hex digits. */
  readonly longId: string;
  /** Size of the modulus. */
  readonly bits: number;
  /** Accounts and devices have RSA keys; an authority above an account may have an elliptic one. */
  readonly kind: "rsa" | "elliptic";
  readonly #key: KeyObject;
  #verifier: Promise<CryptoKey> | undefined;

  private constructor(spki: Uint8Array, curve?: number) {
    this.spki = new Uint8Array(spki);
    this.kind = curve === undefined ? "rsa" : "elliptic";
    this.bits = curve ?? modulusBits(this.spki);
    this.id = createHash("sha1").update(this.spki).digest("hex");
    this.longId = createHash("sha256").update(this.spki).digest("hex");
    this.#key = createPublicKey({ key: Buffer.from(this.spki), format: "der", type: "spki" });
  }

  /**
   * The key of a DER SubjectPublicKeyInfo.
   * @throws {KeyError} not RSA, less than 2048 or more than 8192 bits, or not its only DER form (the name would then differ between readers)
   */
  static fromSpki(spki: Uint8Array): PublicKey {
    try {
      return new PublicKey(spki);
    } catch (error) {
      throw error instanceof KeyError ? error : new KeyError(`not an RSA key: ${messageOf(error)}`);
    }
  }

  /**
   * As `fromSpki`, for the key in a certificate, which may be that of an authority: on a curve too (account.md 9.2).
   * @throws {KeyError}
   */
  static inCertificate(spki: Uint8Array): PublicKey {
    const curve = CURVES.find(({ prefix, point }) =>
      spki.length === prefix.length + point && equal(spki.subarray(0, prefix.length), prefix)
    );
    if (!curve) return PublicKey.fromSpki(spki);
    try {
      return new PublicKey(spki, curve.bits);
    } catch (error) {
      throw new KeyError(`not a point on its curve: ${messageOf(error)}`);
    }
  }

  /**
   * The key of a PEM text ("PUBLIC KEY").
   * @throws {KeyError}
   */
  static fromPem(pem: string): PublicKey {
    const body = pem.match(/-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]{1,8192})-----END PUBLIC KEY-----/)?.[1];
    if (body === undefined) throw new KeyError("not a PEM public key");
    try {
      return PublicKey.fromSpki(Uint8Array.fromBase64(body));
    } catch (error) {
      throw error instanceof KeyError ? error : new KeyError("not base64");
    }
  }

  /** Did the owner of this key sign `data` (RSASSA-PKCS1-v1_5, SHA-512)? Holds the main loop for half a millisecond: Deno has no thread for it. */
  async verify(data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    if (this.kind !== "rsa" || signature.length !== this.blockSize) return false;
    this.#verifier ??= crypto.subtle.importKey("spki", this.spki, { name: RSASSA, hash: "SHA-512" }, false, ["verify"]);
    return await crypto.subtle.verify(RSASSA, await this.#verifier, owned(signature), owned(data));
  }

  /** As `verify`, at once, with another digest: half a millisecond, for the few signatures of certificates. */
  verifyNow(digest: Digest, data: Uint8Array, signature: Uint8Array): boolean {
    if (this.kind === "rsa" && signature.length !== this.blockSize) return false;
    try {
      return verify(digest.replace("-", ""), data, this.#key, signature);
    } catch {
      return false;
    }
  }

  /** The ciphertext that only the owner of this key can read. */
  async encrypt(plain: Uint8Array): Promise<Bytes> {
    if (this.kind !== "rsa") throw new KeyError("nothing can be encrypted to an elliptic key");
    if (plain.length <= this.blockSize - PADDING) return this.#encryptBlock(plain);
    const secret = crypto.getRandomValues(new Uint8Array(AES_KEY));
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
    const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["encrypt"]);
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, owned(plain));
    return concat(this.#encryptBlock(secret), nonce, new Uint8Array(sealed));
  }

  #encryptBlock(plain: Uint8Array): Bytes {
    return new Uint8Array(publicEncrypt({ key: this.#key, padding: constants.RSA_PKCS1_PADDING }, plain));
  }

  /** The key as PEM SubjectPublicKeyInfo. */
  toPem(): string {
    return pem("PUBLIC KEY", this.spki);
  }

  /** Bytes in the modulus, in a signature and in one encrypted block. */
  get blockSize(): number {
    return Math.ceil(this.bits / 8);
  }

  equals(other: PublicKey): boolean {
    return equal(this.spki, other.spki);
  }
}

/** The number of bits in the modulus of an RSA SubjectPublicKeyInfo. @throws {KeyError} @throws {ProtocolError} */
function modulusBits(spki: Bytes): number {
  if (spki.length > MAX_RSA_BITS / 8 + 64) throw new KeyError("larger than 8192 bits");
  const outer = readDer(spki, Tag.sequence);
  if (!equal(outer.next(Tag.sequence).raw, RSA_ENCRYPTION)) throw new KeyError("not an RSA key");
  const numbers = readDer(bitStringBytes(outer.next(Tag.bitString)), Tag.sequence);
  outer.end();
  const modulus = unsignedInteger(numbers.next(Tag.integer));
  const exponent = unsignedInteger(numbers.next(Tag.integer));
  numbers.end();
  const bits = modulus.toString(2).length;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) throw new KeyError(`${bits} bits`);
  if (modulus % 2n === 0n || exponent % 2n === 0n || exponent < 3n) throw new KeyError("not an RSA key");
  if (exponent >> BigInt(MAX_RSA_EXPONENT_BITS)) throw new KeyError("a public exponent too large");
  return bits;
}

/** A key pair. */
export class PrivateKey {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;
  readonly #pkcs8: Bytes;
  readonly #signers = new Map<Digest, Promise<CryptoKey>>();

  private constructor(key: KeyObject) {
    this.#key = key;
    this.#pkcs8 = new Uint8Array(key.export({ format: "der", type: "pkcs8" }));
    this.publicKey = PublicKey.fromSpki(createPublicKey(key).export({ format: "der", type: "spki" }));
  }

  /** A new RSA-4096 key; takes about 2 seconds, off the main loop. */
  static async generate(): Promise<PrivateKey> {
    const { privateKey } = await crypto.subtle.generateKey(
      { name: RSASSA, hash: "SHA-512", modulusLength: RSA_BITS, publicExponent: Uint8Array.of(1, 0, 1) },
      true,
      ["sign", "verify"],
    );
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", privateKey);
    return new PrivateKey(createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" }));
  }

  /**
   * The key of an unencrypted PEM text.
   * @throws {KeyError} when it holds no RSA private key this network allows
   */
  static fromPem(text: string): PrivateKey {
    try {
      return new PrivateKey(createPrivateKey(text));
    } catch (error) {
      // What the library says may quote its input: never repeat it for a secret.
      throw error instanceof KeyError ? error : new KeyError("not an RSA private key");
    }
  }

  /** The key as PKCS#8 PEM, not encrypted. */
  toPem(): string {
    return pem("PRIVATE KEY", this.#pkcs8);
  }

  /** The data signature of `data` (RSASSA-PKCS1-v1_5, SHA-512). Holds the main loop for some 3 ms: Deno has no thread for it. */
  async sign(data: Uint8Array): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.sign(RSASSA, await this.signer("SHA-512"), owned(data)));
  }

  /** The WebCrypto form of this key; such a key is bound to one digest. */
  signer(digest: Digest): Promise<CryptoKey> {
    const known = this.#signers.get(digest);
    if (known) return known;
    const imported = crypto.subtle.importKey("pkcs8", this.#pkcs8, { name: RSASSA, hash: digest }, false, ["sign"]);
    this.#signers.set(digest, imported);
    return imported;
  }

  /** What was encrypted to this key, or `null` for every failure alike: telling them apart would help an attacker (account.md 13). */
  async decrypt(cipher: Uint8Array): Promise<Bytes | null> {
    const block = this.publicKey.blockSize;
    if (cipher.length < block || cipher.length > MAX_CIPHERTEXT) return null;
    if (cipher.length > block && cipher.length < block + NONCE + TAG) return null;
    try {
      const first = new Uint8Array(
        privateDecrypt({ key: this.#key, padding: constants.RSA_PKCS1_PADDING }, cipher.subarray(0, block)),
      );
      if (cipher.length === block) return first;
      if (first.length !== AES_KEY) return null;
      const key = await crypto.subtle.importKey("raw", first, "AES-GCM", false, ["decrypt"]);
      const iv = owned(cipher.slice(block, block + NONCE));
      return new Uint8Array(
        await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, owned(cipher.slice(block + NONCE))),
      );
    } catch {
      return null;
    }
  }
}

/** DER as PEM with lines of 64 characters. */
export function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
