/** A passkey authenticator in software (WebAuthn level 3, 6): one ES256 key for each credential, attestation "none". */

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { concat, utf8 } from "../../core/base/bytes.ts";

const base64url = (bytes: Uint8Array) => new Uint8Array(bytes).toBase64({ alphabet: "base64url", omitPadding: true });
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

/** User present, user verified, credential data included (6.1). */
const PRESENT = 0x01, VERIFIED = 0x04, ATTESTED = 0x40;

/** What may be done wrong. */
export interface Faults {
  origin?: string;
  rpId?: string;
  flags?: number;
}

/** One credential. */
export class Authenticator {
  readonly id = base64url(randomBytes(16));
  #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #counter = 0;

  constructor(private readonly origin: string) {}

  /** Answers `navigator.credentials.create`. */
  create({ challenge, rp }: { challenge: string; rp: { id?: string } }, faults: Faults = {}) {
    const client = this.#client("webauthn.create", challenge, faults);
    const credentialId = Uint8Array.fromBase64(this.id, { alphabet: "base64url" });
    const attested = concat(new Uint8Array(16), Uint8Array.of(0, credentialId.length), credentialId, this.#cose());
    const data = concat(this.#head(rp.id ?? "", ATTESTED, faults), attested);
    const attestation = concat(
      Uint8Array.of(0xa3),
      cborText("fmt"),
      cborText("none"),
      cborText("attStmt"),
      Uint8Array.of(0xa0),
      cborText("authData"),
      Uint8Array.of(0x59, data.length >> 8, data.length & 0xff),
      data,
    );
    return this.#credential({ clientDataJSON: base64url(client), attestationObject: base64url(attestation) });
  }

  /** Answers `navigator.credentials.get`. */
  get({ challenge, rpId }: { challenge: string; rpId?: string }, faults: Faults = {}) {
    const client = this.#client("webauthn.get", challenge, faults);
    const data = this.#head(rpId ?? "", 0, faults);
    const signature = sign("sha256", concat(data, sha256(client)), this.#keys.privateKey);
    return this.#credential({
      clientDataJSON: base64url(client),
      authenticatorData: base64url(data),
      signature: base64url(signature),
    });
  }

  /** From now on it signs with another key under the same id, as a forger would. */
  forge(): void {
    this.#keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  }

  #credential<Response>(response: Response) {
    return { id: this.id, rawId: this.id, type: "public-key" as const, clientExtensionResults: {}, response };
  }

  #client(type: string, challenge: string, { origin = this.origin }: Faults): Uint8Array {
    return utf8(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  #head(rpId: string, flags: number, faults: Faults): Uint8Array {
    const counter = new DataView(new ArrayBuffer(4));
    counter.setUint32(0, ++this.#counter);
    const all = flags | (faults.flags ?? PRESENT | VERIFIED);
    return concat(sha256(utf8(faults.rpId ?? rpId)), Uint8Array.of(all), new Uint8Array(counter.buffer));
  }

  /** The public key as COSE (RFC 9053, 7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
  #cose(): Uint8Array {
    const { x = "", y = "" } = jwkOf(this.#keys.publicKey);
    const coordinate = (text: string) =>
      concat(Uint8Array.of(0x58, 32), Uint8Array.fromBase64(text, { alphabet: "base64url" }));
    return concat(
      Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21),
      coordinate(x),
      Uint8Array.of(0x22),
      coordinate(y),
    );
  }
}

function jwkOf(key: KeyObject): { x?: string; y?: string } {
  return key.export({ format: "jwk" });
}

/** A text of at most 23 bytes in CBOR (RFC 8949, 3.1). */
function cborText(text: string): Uint8Array {
  return concat(Uint8Array.of(0x60 | text.length), utf8(text));
}
